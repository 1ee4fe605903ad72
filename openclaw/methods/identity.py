"""
How an agent presents itself: what the configuration says, else what the workspace says, else what holds for all
(``methods.md`` 7.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from openclaw.config.model import Config
from openclaw.files import NoSuchFile, NotBelowRoot, open_below
from openclaw.methods.agents import configured_agents
from openclaw.methods.context import MethodContext

#: A longer file is read no further.
MAX_BYTES = 64 * 1024

MAX_NAME = 50
MAX_AVATAR = 4

DEFAULT_NAME = "Assistant"
DEFAULT_AVATAR = "A"

_LINE = re.compile(r"\s*[-*]?\s*\**\s*(name|emoji|avatar)\s*\**\s*:\s*(.*)", re.IGNORECASE)
_REMARK = re.compile(r"(?:^|\s)[_*(].*")
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|bmp|ico)$", re.IGNORECASE)


async def identity_of(context: MethodContext, agent_id: str) -> dict[str, str]:
    """
    The answer of ``agent.identity.get`` for one agent.
    """
    config = context.config()
    workspace = context.workspace_of(agent_id)
    told: Mapping[str, str] = {} if workspace is None else await context.in_thread(read_identity, workspace)
    return {"agentId": agent_id, **presented(config, agent_id, told)}


def read_identity(workspace: Path) -> dict[str, str]:
    """
    What ``IDENTITY.md`` says, blank lines of the template left out. Reads the file.
    """
    try:
        with open_below(workspace, "IDENTITY.md").file as told:
            return parse_identity(told.read(MAX_BYTES).decode("utf-8", "replace"))
    except (NotBelowRoot, NoSuchFile, OSError):
        # The file is the agent's own; without it the defaults hold.
        return {}


def parse_identity(text: str) -> dict[str, str]:
    """
    The members that the lines ``- **Name:** value`` of a text name. A remark in brackets or italics is no value.
    """
    told: dict[str, str] = {}
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is not None:
            value = _REMARK.sub("", found[2].strip(" *")).strip()
            if value:
                told.setdefault(found[1].lower(), value)
    return told


def presented(config: Config, agent_id: str, told: Mapping[str, str]) -> dict[str, str]:
    """
    Name and avatar of an agent.

    :param told: what its workspace says.
    """
    entry = configured_agents(config).get(agent_id)
    own = entry.identity if entry is not None else None
    names = (config.ui.assistant.name, own.name if own else None, told.get("name"))
    avatars = (
        config.ui.assistant.avatar,
        own.avatar if own else None,
        own.emoji if own else None,
        told.get("avatar"),
        told.get("emoji"),
    )
    usable = (_avatar(config, agent_id, avatar) for avatar in avatars if avatar)
    return {
        "name": _first(names, DEFAULT_NAME)[:MAX_NAME],
        "avatar": next((avatar for avatar in usable if avatar is not None), DEFAULT_AVATAR),
    }


def _first(values: Iterable[str | None], default: str) -> str:
    return next((value.strip() for value in values if value and value.strip()), default)


def _avatar(config: Config, agent_id: str, avatar: str) -> str | None:
    text = avatar.strip()
    if text.lower().startswith(("http://", "https://", "data:image/")):
        return text
    if "/" in text or "\\" in text or _PICTURE.search(text):
        return f"{config.gateway.control_ui.prefix}/avatar/{agent_id}"
    short = len(text) <= MAX_AVATAR and not any(letter.isspace() for letter in text)
    return text if text and short else None
