"""
A reference state directory, made of what was recorded.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "state"
DEVICE = "d" * 64
NOW = 1_800_000_000_000

TOKEN = {
    "token": "0123456789abcdef0123456789abcdef",
    "role": "operator",
    "scopes": ["operator.admin", "operator.approvals", "operator.pairing"],
    "createdAtMs": 1795413829103,
    "lastUsedAtMs": 1795413829667,
}
PAIRED = {
    "deviceId": DEVICE,
    "publicKey": "k" * 43,
    "displayName": "Browser",
    "platform": "linux",
    "clientId": "openclaw-control-ui",
    "clientMode": "webchat",
    "role": "operator",
    "roles": ["operator"],
    "scopes": ["operator.admin", "operator.approvals", "operator.pairing"],
    "tokens": {"operator": TOKEN},
    "createdAtMs": 1795413829103,
    "approvedAtMs": 1795413923122,
    "from the future": {"kept": True},
}
REQUEST = {
    "requestId": "92555fa2-bd46-40a8-9e2f-5cdc3d39a912",
    "deviceId": "e" * 64,
    "publicKey": "r" * 43,
    "displayName": "Remote",
    "platform": "ios 18.0",
    "clientId": "openclaw-ios",
    "clientMode": "ui",
    "role": "operator",
    "roles": ["operator"],
    "scopes": ["operator.read"],
    "remoteIp": "198.51.100.4",
    "silent": False,
    "isRepair": False,
    "ts": 1795414926166,
}
NODE = {"nodeId": "phone", "token": "node-token", "displayName": "Phone", "createdAtMs": 1795414926000}
NODE_REQUEST = {"requestId": "n1", "nodeId": "tablet", "ts": 1795414926001}


def write(path: Path, value: Any) -> None:
    """
    Write a file, JSON unless it is text already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=2), encoding="utf-8")


def header_id(path: Path) -> str:
    """
    The session that a recorded transcript belongs to.
    """
    return str(json.loads(path.read_text(encoding="utf-8").splitlines()[0])["id"])


def recorded(name: str) -> Path:
    return FIXTURES / f"session-transcript-{name}.jsonl"


def make_state(root: Path) -> Path:
    """
    Everything that was recorded, where the reference puts it.
    """
    sessions = root / "agents" / "main" / "sessions"
    sessions.mkdir(parents=True)
    shutil.copy(FIXTURES / "session-store.json", sessions / "sessions.json")
    for path in sorted(FIXTURES.glob("session-transcript-*.jsonl")):
        topic = "-topic-42" if "topic" in path.name else ""
        shutil.copy(path, sessions / f"{header_id(path)}{topic}.jsonl")
    shutil.copy(recorded("chat"), sessions / "gone.jsonl.deleted.2026-11-23T06-18-06.543Z")
    shutil.copy(recorded("chat"), sessions / "gone.jsonl.bak.2026-11-23T06-18-05.478Z")
    write(root / "devices" / "paired.json", {DEVICE: PAIRED})
    write(root / "devices" / "pending.json", {REQUEST["requestId"]: REQUEST})
    write(root / "nodes" / "paired.json", {"phone": NODE})
    write(root / "nodes" / "pending.json", {"n1": NODE_REQUEST})
    (root / "cron").mkdir()
    shutil.copy(FIXTURES / "session-cron-jobs.json", root / "cron" / "jobs.json")
    for line in (FIXTURES / "session-cron-runs.jsonl").read_text(encoding="utf-8").splitlines():
        write(root / "cron" / "runs" / f"{json.loads(line)['jobId']}.jsonl", line + "\n")
    return root


def everything(root: Path) -> dict[str, bytes]:
    """
    Every file below a directory with its bytes.
    """
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
