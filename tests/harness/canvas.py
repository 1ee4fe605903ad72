"""
Replays of recorded requests to the canvas host, on the gateway's port and on its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.web.resource import IResource

from openclaw.config.model import Config
from openclaw.web.canvas.host import CanvasHost
from openclaw.web.canvas.injecting import inject
from openclaw.web.canvas.port import CanvasPort
from openclaw.web.canvas.sockets import ReloadSockets
from openclaw.web.canvas.starter import prepare
from tests.harness.compare import Difference
from tests.harness.replay import CAPTURES
from tests.web.asking import Answer, ask, configured, make_root

#: Headers that are compared; ours has more, and others vary.
HEADERS = {"content-type", "cache-control"}

SNIPPET = "<live-reload-snippet>"
PAGE = "<html><head></head></html>"
PNG = b"\x89PNG\r\n\x1a\n"

#: What was in the recorded directory, besides the links.
FILES = {
    "page.html": b"<!doctype html><html><body>page</body></html>",
    "nobody.htm": b"no closing body tag",
    "UPPER.HTML": b"z\n",
    "sub/index.html": b"<p>sub</p>",
    "noindex/a.txt": b"a",
    "app.js": b"console.log(1)\n",
    "mod.mjs": b"console.log(1)\n",
    "style.css": b"body{}\n",
    "data.json": b"{}",
    "img.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    "img.png": PNG,
    "a.jpg": PNG,
    "text.txt": b"t\n",
    "README.md": b"t\n",
    "noext": b"raw\n",
    ".hidden": b"h\n",
    "node_modules/x.js": b"1\n",
    "sp ace/f i.txt": b"sp\n",
    "ü.txt": b"u\n",
    "w.wasm": b"w\n",
    "f.woff2": b"f\n",
    **dict.fromkeys(("v.mp4", "a.mp3", "i.ico", "x.xml", "m.webmanifest", "p.pdf", "c.csv"), b"x"),
}


def make_canvas(directory: Path) -> CanvasHost:
    """
    The recorded directory, served.

    :param directory: empty; the canvas is made below it.
    """
    root = directory / "canvas"
    outside = directory / "outside"
    outside.mkdir(parents=True)
    (outside / "hostname").write_bytes(b"secret")
    for name, data in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (root / "link.txt").symlink_to(outside / "hostname")
    (root / "inlink.html").symlink_to("page.html")
    (root / "linkdir").symlink_to(outside)
    prepare(root)
    return CanvasHost(root=root, config=Config, names=frozenset({"workshop"}), sockets=ReloadSockets(clock=Clock()))


def with_page(directory: Path) -> Config:
    """
    The recorded gateway answered with its page to every path that it did not know, as ours does for such a page.
    """
    (directory / "page").mkdir()
    (directory / "page" / "index.html").write_text(PAGE)
    return configured(root=str(directory / "page"))


def replay_canvas(
    name: str,
    directory: Path,
    answers: Mapping[str, Mapping[str, Any]],
    make_port: Callable[[CanvasHost], IResource] | None = None,
) -> list[Difference]:
    """
    Ask everything that was asked when it was recorded.

    :param answers: by case, what ours answers instead: ``{"response": {"status", "headers", "body"}}``.
    :param make_port: makes another port than the gateway's.
    :return: what differs.
    """
    host = make_canvas(directory)
    root = make_port(host) if make_port is not None else make_root(with_page(directory), canvas=host)
    differences = []
    for case in json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))["cases"]:
        request = case["request"]
        body = request.get("body", "").encode()
        length = {"Content-Length": str(len(body))} if body else {}
        headers = {"Host": "127.0.0.1:18789", **length, **request["headers"]}
        now = ask(root, request["path"], method=request["method"], headers=[*headers.items()], body=body)
        wanted = {**case["response"], **answers.get(case["name"], {}).get("response", {})}
        if not same_response(wanted, now):
            differences.append(Difference(conn=case["name"], recorded=wanted, now=[now.status, now.headers, now.text]))
    return differences


def same_response(recorded: Mapping[str, Any], now: Answer) -> bool:
    """
    Whether an answer is the recorded one, where a recording can fix it.
    """
    headers = {name.lower(): value for name, value in recorded["headers"].items()}
    if recorded["status"] != now.status or any(
        headers[name] != now.headers.get(name) for name in HEADERS & set(headers)
    ):
        return False
    body = recorded.get("body")
    if body is None:
        return recorded.get("body_hex_prefix", "") in ("", now.body.hex())
    if not isinstance(body, str):
        return bool(body == now.value)
    if body.startswith("<control-ui-index>"):
        return "window.__OPENCLAW_CONTROL_UI_BASE_PATH__" in now.text
    if SNIPPET not in body:
        return body == now.text or (body == "<javascript-bundle>" and "openclawA2UI" in now.text)
    before, after = body.split(SNIPPET)
    added = inject(b"").decode().strip("\n")
    if before.endswith("-index>"):
        return added in now.text and "<title>OpenClaw Canvas</title>" in now.text
    return now.text == before + added + after


def make_own_port(host: CanvasHost) -> IResource:
    """
    The port that serves nothing else.
    """
    port: IResource = CanvasPort(host)
    return port
