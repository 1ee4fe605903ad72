"""
The configurations of the recordings of HTTP, as their README tells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOOK_TOKEN = "a-hook-token-for-tests"
PASSWORD = "a-password-for-tests"
#: ``tf.mjs`` in Python.
TRANSFORMS = """
from urllib.parse import parse_qs, urlsplit

notfn = 7


def transform(call):
    if call["payload"].get("skip"):
        return None
    if call["payload"].get("boom"):
        raise ValueError("boom")
    query = parse_qs(urlsplit(call["url"]).query).get("q", [""])[0]
    event = call["headers"].get("x-event", "")
    return {"message": f"TF path={call['path']} q={query} ev={event}", "name": "TF", "deliver": False}


def asWake(call):
    return {"kind": "wake", "text": "woke:" + call["payload"]["t"]}
"""

_EVENT = "ev {{payload.a.b[1]}} {{headers.x-event}} {{query.q}} {{path}} {{obj}} {{missing}}"

MAPPINGS = [
    {"id": "wk", "match": {"path": "wk"}, "action": "wake", "wakeMode": "next-heartbeat", "textTemplate": _EVENT},
    {
        "match": {"path": "ag"},
        "action": "agent",
        "name": "N-{{name}}",
        "sessionKey": "hook:ag:{{id}}",
        "messageTemplate": "msg {{payload.text}}",
        "deliver": False,
    },
    {"match": {"path": "tf"}, "messageTemplate": "base {{text}}", "transform": {"module": "tf.py"}},
    {"match": {"path": "tfw"}, "messageTemplate": "base", "transform": {"module": "tf.py", "export": "asWake"}},
    {"match": {"path": "tfbad"}, "messageTemplate": "base", "transform": {"module": "tf.py", "export": "notfn"}},
    {"match": {"path": "empty"}, "messageTemplate": "{{nope}}"},
    {"match": {"source": "srcx"}, "action": "wake", "textTemplate": "from src {{path}}"},
]

MODEL = {"id": "mock-1", "name": "Mock 1", "input": ["text", "image"], "contextWindow": 128000}

PNG = b"\x89PNG\r\n\x1a\n"


def first(directory: Path) -> Mapping[str, Any]:
    """
    A: everything on. The workspace of one agent cannot be made.
    """
    (directory / "file").touch()
    bad = {"id": "badws", "workspace": str(directory / "file" / "x")}
    beta = {"id": "beta", "workspace": str(directory / "beta")}
    main = {"id": "main", "default": True, "workspace": str(directory / "main")}
    (directory / "transforms").mkdir()
    (directory / "transforms" / "tf.py").write_text(TRANSFORMS)
    hooks = {
        "enabled": True,
        "token": HOOK_TOKEN,
        "presets": ["gmail"],
        "transformsDir": "transforms",
        "mappings": MAPPINGS,
    }
    defaults = {"userTimezone": "UTC", "skipBootstrap": True, "model": {"primary": "mock/mock-1"}}
    mock = {"baseUrl": "http://model.test/v1", "apiKey": "k", "api": "openai-completions", "models": [MODEL]}
    return {
        "agents": {"defaults": defaults, "list": [main, bad, beta]},
        "hooks": hooks,
        "models": {"providers": {"mock": mock}},
    }


def second(directory: Path) -> Mapping[str, Any]:
    """
    B: a password, the page below a path, small limits.
    """
    page = directory / "page"
    page.mkdir()
    (page / "index.html").write_text("<html><head></head><body></body></html>")
    (page / "favicon.svg").write_text("<svg/>")
    for name in ("alpha", "beta"):
        (directory / name).mkdir()
        (directory / name / "avatar.png").write_bytes(PNG)
    (directory / "canvas").mkdir()
    (directory / "canvas" / "text.txt").write_text("t\n")
    files = {"allowUrl": False, "allowedMimes": ["text/plain"], "maxBytes": 20, "maxChars": 5}
    images = {"allowUrl": False, "allowedMimes": ["image/png"], "maxBytes": 100}
    responses = {"enabled": True, "maxBodyBytes": 3000, "files": files, "images": images}
    identity = {"name": "Beta <b>", "avatar": "avatar.png"}
    alpha = {"id": "alpha", "workspace": str(directory / "alpha")}
    beta = {"id": "beta", "default": True, "identity": identity, "workspace": str(directory / "beta")}
    return {
        "gateway": {
            "auth": {"mode": "password", "password": PASSWORD},
            "trustedProxies": ["127.0.0.1"],
            "controlUi": {"basePath": "openclaw/", "root": str(page)},
            "http": {"endpoints": {"chatCompletions": {"enabled": False}, "responses": responses}},
        },
        "ui": {"assistant": {"name": 'Claw "Bot" <x>', "avatar": "avatar.png"}},
        "canvasHost": {"root": str(directory / "canvas")},
        "agents": {"list": [alpha, beta]},
        "tools": {"deny": ["cron"]},
        "hooks": {"enabled": True, "token": HOOK_TOKEN, "path": "hk/", "maxBodyBytes": 1000},
    }


def third(_: Path) -> Mapping[str, Any]:
    """
    C: everything off that can be.
    """
    endpoints = {name: {"enabled": False} for name in ("chatCompletions", "responses")}
    return {"gateway": {"controlUi": {"enabled": False}, "http": {"endpoints": endpoints}}}


def with_plugin(_: Path) -> Mapping[str, Any]:
    """
    P: one plugin.
    """
    return {"plugins": {"entries": {"demo": {"enabled": True}}}}


CONFIGURATIONS = {"A": first, "B": second, "C": third, "P": with_plugin}
