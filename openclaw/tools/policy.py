"""
Which tools may be used (``agent.md`` 20): every layer that is configured must allow one. Pure functions of names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from openclaw.config.model import Config
from openclaw.config.model_tools import ProviderToolsConfig, ToolPolicyConfig
from openclaw.sessions.keys import agent_of, default_agent, is_subagent, normalize_agent_id

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "group:fs": ("read", "write", "edit", "apply_patch"),
    "group:runtime": ("exec", "process"),
    "group:sessions": ("sessions_list", "sessions_history", "sessions_send", "sessions_spawn", "session_status"),
    "group:memory": ("memory_search", "memory_get"),
    "group:web": ("web_search", "web_fetch"),
    "group:ui": ("browser", "canvas"),
    "group:automation": ("cron", "gateway"),
    "group:messaging": ("message",),
    "group:nodes": ("nodes",),
    "group:openclaw": (
        "agents_list",
        "browser",
        "canvas",
        "cron",
        "gateway",
        "image",
        "memory_get",
        "memory_search",
        "message",
        "nodes",
        "session_status",
        "sessions_history",
        "sessions_list",
        "sessions_send",
        "sessions_spawn",
        "tts",
        "web_fetch",
        "web_search",
    ),
    "group:plugins": (),
}

PROFILES: Final[Mapping[str, tuple[str, ...]]] = {
    "minimal": ("session_status",),
    "coding": ("group:fs", "group:runtime", "group:sessions", "group:memory", "image"),
    "messaging": ("group:messaging", "sessions_list", "sessions_history", "sessions_send", "session_status"),
    "full": (),
}

#: What those whom another session started may not use, as long as nothing says otherwise.
NOT_FOR_SUBAGENTS: Final = (
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
    "gateway",
    "agents_list",
    "whatsapp_login",
    "cron",
    "memory_search",
    "memory_get",
)

#: Every name that there is, here or elsewhere: a list that names none of them is a mistake.
KNOWN: Final = frozenset(
    {name for names in GROUPS.values() for name in names} | {"whatsapp_login", "telegram", "whatsapp"} | {"image"}
)

_OTHER_NAMES: Final = {"bash": "exec", "apply-patch": "apply_patch"}


@frozen(kw_only=True)
class Layer:
    """
    One list of what is allowed and what is not. No ``allow`` allows everything.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def allows(self, name: str) -> bool:
        """
        Refusing wins over allowing.
        """
        if any(_matches(entry, name) for entry in _expanded(self.deny)):
            return False
        if not self.allow:
            return True
        allowed = list(_expanded(self.allow))
        return any(_matches(entry, name) or (name == "apply_patch" and entry == "exec") for entry in allowed)


def _expanded(entries: Iterable[str]) -> Iterator[str]:
    for entry in entries:
        name = entry.strip().lower()
        name = _OTHER_NAMES.get(name, name)
        yield from GROUPS.get(name, (name,) if name else ())


def _matches(entry: str, name: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in entry.split("*")), name) is not None


def layers(config: Config, session_key: str, provider: str, model: str) -> Sequence[Layer]:
    """
    Those that count for a session.

    :param provider: of the session's model; ``model`` is its id there.
    """
    agent_id = agent_of(session_key, default_agent(config))
    entry = next((one for one in config.agents.list if normalize_agent_id(one.id) == agent_id), None)
    found = [*_of(config.tools, provider, model), *(_of(entry.tools, provider, model) if entry is not None else ())]
    if is_subagent(session_key):
        own = config.tools.subagents.tools
        allow = (*own.allow, *own.also_allow) if own.allow else ()
        found.append(Layer(allow=allow, deny=(*NOT_FOR_SUBAGENTS, *own.deny)))
    return found


def _of(policy: ToolPolicyConfig, provider: str, model: str) -> Iterator[Layer]:
    yield from _policy(policy)
    for name, more in policy.by_provider.items():
        if name.strip().lower() in (provider.lower(), f"{provider}/{model}".lower()):
            yield from _policy(more)


def _policy(policy: ProviderToolsConfig) -> Iterator[Layer]:
    """
    The profile, and the lists. ``alsoAllow`` adds to both.
    """
    profile = PROFILES.get(policy.profile or "full", ())
    if profile:
        yield Layer(allow=(*profile, *policy.also_allow))
    allow = policy.allow
    if allow and not any(_is_known(entry) for entry in _expanded(allow)):
        # It would shut out everything, which nobody wanted who named a plugin's tool.
        allow = ()
    yield Layer(allow=(*allow, *policy.also_allow) if allow else (), deny=policy.deny)


def _is_known(entry: str) -> bool:
    return any(_matches(entry, name) for name in KNOWN)


def useless_lists(config: Config) -> Sequence[str]:
    """
    Keys with an ``allow`` list that names no tool there is, and is therefore not looked at.
    """
    named = {"tools.allow": config.tools.allow}
    named |= {f"agents.list[{index}].tools.allow": one.tools.allow for index, one in enumerate(config.agents.list)}
    return [key for key, allow in named.items() if allow and not any(_is_known(entry) for entry in _expanded(allow))]


def allowed(names: Iterable[str], through: Sequence[Layer]) -> list[str]:
    """
    Those that every layer allows, in their order.
    """
    return [name for name in names if all(layer.allows(name) for layer in through)]
