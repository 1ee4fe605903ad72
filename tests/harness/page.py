"""
Replays of recorded HTTP requests for a page of one's own (``gateway.controlUi.root``) and for avatars.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaw.config.loader import evaluate
from tests.harness.compare import Difference
from tests.harness.replay import CAPTURES
from tests.web.asking import Answer, ask, make_root

PNG = b"\x89PNG\r\n\x1a\n"
INDEX = "<html><head></head><body></body></html>"
FILES = (
    "favicon.svg",
    "favicon.ico",
    "favicon-32.png",
    "apple-touch-icon.png",
    "assets/<hashed>.js",
    "assets/<hashed>.css",
    "assets/<hashed>.js.map",
)

#: Headers that are compared; ours has more, and others vary.
HEADERS = ("content-type", "location")


def replay_page(name: str, directory: Path, answers: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    """
    Ask everything that was asked when it was recorded.

    :param directory: for the files of the page and the workspaces; empty.
    :param answers: by case, what ours answers instead: ``{"response": {"status", "headers", "body"}}``.
    :return: what differs.
    """
    page, beta = directory / "page", directory / "beta"
    for path in [page / "index.html", *(page / file for file in FILES), beta / "avatar.png"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG if path.suffix == ".png" else INDEX.encode())
    identity = {"name": "Beta Bot", "emoji": "🦞", "avatar": "avatar.png"}
    agents = [{"id": "main", "default": True}, {"id": "badws"}, {"id": "beta", "identity": identity}]
    value = {"agents": {"list": agents}, "gateway": {"controlUi": {"root": str(page)}}}
    config = evaluate(json.dumps(value), directory / "openclaw.json", {}, directory).require()
    root = make_root(config, workspace=lambda agent_id: directory / agent_id, home=directory)
    differences = []
    for case in json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))["cases"]:
        request = case["request"]
        body = request.get("body", "").encode()
        length = {"Content-Length": str(len(body))} if body else {}
        headers = {"Host": "127.0.0.1:18789", **length, **request["headers"]}
        now = ask(root, request["path"], method=request["method"], headers=[*headers.items()], body=body)
        wanted = answers.get(case["name"], {}).get("response", case["response"])
        if not same_response(wanted, now):
            differences.append(Difference(conn=case["name"], recorded=wanted, now=[now.status, now.headers, now.text]))
    return differences


def same_response(recorded: Mapping[str, Any], now: Answer) -> bool:
    """
    Whether an answer is the recorded one, where a recording can fix it.
    """
    headers = {name.lower(): value for name, value in recorded["headers"].items()}
    if recorded["status"] != now.status or any(headers.get(name) != now.headers.get(name) for name in HEADERS):
        return False
    if now.status == 200 and headers.get("cache-control", now.headers.get("cache-control")) != "no-cache":
        return False
    body = recorded.get("body")
    if isinstance(body, str):
        return body.startswith("<") or body == now.text
    return body is None or bool(body == now.value)
