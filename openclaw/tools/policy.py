"""
Which tools may be used (``agent.md`` 20): every layer that is configured must allow one. Pure functions of names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from openclaw.agent.tools import plain_name
from openclaw.config.model import Config
from openclaw.config.model_tools import ProviderToolsConfig, ToolListsConfig, ToolPolicyConfig
from openclaw.config.structure import structure
from openclaw.sessions.keys import agent_of, default_agent, is_subagent, normalize_agent_id, rest_of

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


@frozen(kw_only=True)
class Layer:
    """
    One list of what is allowed and what is not. No ``allow`` allows everything.

    :ivar key: where it stands in the configuration.
    :ivar ignored: an ``allow`` that names no tool there is. It would shut out everything, which nobody wanted who
        named a plugin's tool; it is not looked at, and whoever owns the configuration is told.
    """

    key: str = ""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @classmethod
    def of(cls, key: str, lists: ToolListsConfig) -> Layer:
        """
        ``alsoAllow`` adds to ``allow``; without that there is nothing to add to.
        """
        if lists.allow and not any(_is_known(entry) for entry in _expanded(lists.allow)):
            return cls(key=key, deny=lists.deny, ignored=lists.allow)
        return cls(key=key, allow=(*lists.allow, *lists.also_allow) if lists.allow else (), deny=lists.deny)

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
        name = plain_name(entry)
        yield from GROUPS.get(name, (name,) if name else ())


def _matches(entry: str, name: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in entry.split("*")), name) is not None


def layers(
    config: Config, session_key: str, provider: str, model: str, *, channel: str = "", account_id: str = ""
) -> Sequence[Layer]:
    """
    Those that count for a session.

    :param provider: of the session's model; ``model`` is its id there.
    :param channel: where the conversation is, if its key does not tell; ``account_id`` is the account there.
    """
    agent_id = agent_of(session_key, default_agent(config))
    index = next((at for at, one in enumerate(config.agents.list) if normalize_agent_id(one.id) == agent_id), None)
    found = [*_of("tools", config.tools, provider, model)]
    if index is not None:
        found += _of(f"agents.list[{index}].tools", config.agents.list[index].tools, provider, model)
    found += _of_group(config, session_key, channel, account_id)
    if is_subagent(session_key):
        own = Layer.of("tools.subagents.tools", config.tools.subagents.tools)
        found.append(evolve(own, deny=(*NOT_FOR_SUBAGENTS, *own.deny)))
    return found


def _of(key: str, policy: ToolPolicyConfig, provider: str, model: str) -> Iterator[Layer]:
    yield from _policy(key, policy)
    for name, more in policy.by_provider.items():
        if name.strip().lower() in (provider.lower(), f"{provider}/{model}".lower()):
            yield from _policy(f"{key}.byProvider.{name}", more)


def _policy(key: str, policy: ProviderToolsConfig) -> Iterator[Layer]:
    """
    The profile, and the lists. ``alsoAllow`` adds to both.
    """
    profile = PROFILES.get(policy.profile or "full", ())
    if profile:
        yield Layer(key=f"{key}.profile", allow=(*profile, *policy.also_allow))
    yield Layer.of(key, policy)


def _of_group(config: Config, session_key: str, channel: str, account_id: str) -> Iterator[Layer]:
    """
    What a chat channel's configuration says of one of its groups, else of all of them. An account's own groups stand in
    the place of the channel's.
    """
    place = _GROUP_KEY.match(rest_of(session_key))
    if place is None:
        return
    name = place["channel"] or channel.strip().lower()
    section = config.effective.get("channels", {}).get(name, {})
    account = section.get("accounts", {}).get(account_id.strip(), {})
    # Keys are in small letters, whatever the ids of a channel are.
    groups = {group.lower(): told for group, told in (account.get("groups") or section.get("groups") or {}).items()}
    for group in (place["group"].lower(), "*"):
        lists = (groups.get(group) or {}).get("tools")
        if lists:
            yield Layer.of(f"channels.{name}.groups.{group}.tools", structure(ToolListsConfig, lists))
            return


#: ``telegram:group:-100123:topic:7``; keys of old have no channel.
_GROUP_KEY: Final = re.compile(r"(?:(?P<channel>[a-z0-9_-]+):)?(?:group|channel):(?P<group>[^:]+)", re.IGNORECASE)


def _is_known(entry: str) -> bool:
    return any(_matches(entry, name) for name in KNOWN)


def allowed(names: Iterable[str], through: Sequence[Layer]) -> list[str]:
    """
    Those that every layer allows, in their order.
    """
    return [name for name in names if all(layer.allows(name) for layer in through)]
