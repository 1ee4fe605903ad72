"""
``<base path>/avatar/<agent>``: the picture that an agent keeps in its workspace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any

from twisted.web.server import Request

from openclaw.config.model import Config
from openclaw.files import NoSuchFile, NotBelowRoot, open_below
from openclaw.web.answers import answer_json, answer_status
from openclaw.web.bundle import COMMON_HEADERS
from openclaw.web.media import IMAGES
from openclaw.web.sending import send_file

#: A picture that is a document must not act as one.
SANDBOX = {"content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}

_AGENT = re.compile(r"avatar/([a-z0-9][a-z0-9_-]{0,63})/?", re.IGNORECASE)
_ELSEWHERE = ("http://", "https://", "data:image/")


def avatar_agent(name: str) -> str | None:
    """
    The agent whose avatar a path below the base path names.
    """
    found = _AGENT.fullmatch(name)
    return found[1].lower() if found else None


def avatar_source(config: Config, agent_id: str, told: Mapping[str, str]) -> str | None:
    """
    Where an agent's avatar is: a file in its workspace, or an address.

    :param told: what its ``IDENTITY.md`` says.
    """
    entry = config.agents.find(agent_id)
    own = entry.identity.avatar if entry else None
    return next((text.strip() for text in (own, told.get("avatar")) if text and text.strip()), None)


def file_of(source: str, workspace: Path) -> str | None:
    """
    The name below the workspace of an avatar that is a picture in it.
    """
    if source.lower().startswith(_ELSEWHERE) or PurePosixPath(source).suffix.lower() not in IMAGES:
        return None
    path = PurePosixPath(source)
    if path.is_absolute():
        if not path.is_relative_to(workspace):
            return None
        path = path.relative_to(workspace)
    return str(path)


def serve_avatar(request: Request, config: Config, agent_id: str, told: Mapping[str, str], workspace: Path) -> Any:
    """
    Answer with the picture, or with where it is (``?meta=1``).
    """
    for header, value in COMMON_HEADERS.items():
        request.setHeader(header, value)
    source = avatar_source(config, agent_id, told)
    name = file_of(source, workspace) if source else None
    try:
        opened = open_below(workspace, name) if name else None
    except (NotBelowRoot, NoSuchFile):
        opened = None
    if request.args is not None and request.args.get(b"meta") == [b"1"]:
        if opened is not None:
            opened.file.close()
            return answer_json(request, HTTPStatus.OK, {"avatarUrl": _address(config, agent_id)})
        remote = source if source and source.lower().startswith(_ELSEWHERE) else None
        return answer_json(request, HTTPStatus.OK, {"avatarUrl": remote})
    if opened is None or name is None:
        return answer_status(request, HTTPStatus.NOT_FOUND)
    suffix = PurePosixPath(name).suffix.lower()
    request.setHeader("content-type", IMAGES[suffix])
    for header, value in (SANDBOX if suffix == ".svg" else {}).items():
        request.setHeader(header, value)
    return send_file(request, opened)


def _address(config: Config, agent_id: str) -> str:
    return f"{config.gateway.control_ui.prefix}/avatar/{agent_id}"
