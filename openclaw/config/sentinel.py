"""
The note that a gateway leaves for the one after a restart: ``<state>/restart-sentinel.json`` (``methods.md`` 13.6).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaw.config.files import make_private_directory, replace_file

NAME = "restart-sentinel.json"
VERSION = 1
#: How long who asks for a restart may have it wait, in milliseconds.
DEFAULT_DELAY_MS = 2_000
MOST_DELAY_MS = 60_000
DOCTOR_HINT = "Run: openclaw doctor --non-interactive"

#: Larger files are not ours.
_MOST_BYTES = 1024 * 1024


def sentinel(
    kind: str, *, now_ms: int, mode: str, root: str, session_key: str | None = None, message: str | None = None
) -> dict[str, Any]:
    """
    A note.

    :param kind: ``config-apply`` or ``restart``.
    :param mode: what asked for the restart.
    :param root: the configuration file.
    :param session_key: the session that is told; without it, the main session.
    :param message: what it wanted to be told.
    """
    session_key, message = (session_key or "").strip(), (message or "").strip()
    return {
        "kind": kind,
        "status": "ok",
        "ts": now_ms,
        **({"sessionKey": session_key} if session_key else {}),
        "message": message or None,
        "doctorHint": DOCTOR_HINT,
        "stats": {"mode": mode, "root": root},
    }


def write_sentinel(state_dir: Path, payload: Mapping[str, Any]) -> Path:
    """
    Leave a note; an older one is forgotten. Blocks on the disk.

    :raise OSError: it cannot be written.
    """
    path = state_dir / NAME
    make_private_directory(state_dir)
    text = json.dumps({"version": VERSION, "payload": payload}, ensure_ascii=False, indent=2)
    replace_file(path, f"{text}\n".encode())
    return path


def read_sentinel(state_dir: Path) -> Mapping[str, Any] | None:
    """
    The note that is there, if it is one. Blocks on the disk.

    :raise OSError: it cannot be read.
    """
    try:
        with (state_dir / NAME).open("rb") as file:
            text = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    payload = found.get("payload") if isinstance(found, dict) and found.get("version") == VERSION else None
    return payload if isinstance(payload, dict) else None


def remove_sentinel(state_dir: Path) -> None:
    """
    Forget the note, also one that is none.

    :raise OSError: it cannot be removed.
    """
    (state_dir / NAME).unlink(missing_ok=True)


def told(payload: Mapping[str, Any]) -> str:
    """
    The note as a session reads it.
    """
    return "GatewayRestart:\n" + json.dumps(payload, ensure_ascii=False, indent=2)
