"""
Keys of older releases, which make a file invalid until they are moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openclaw.config.issues import Issue
from openclaw.config.schema import KeyPath

_CHANNELS = ("whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams")
_AUTO = "(auto-migrated on load)."

#: Path and what became of it; ``*`` stands for every member of an array.
_RULES: tuple[tuple[KeyPath, str], ...] = (
    *(((name,), f"{name} config moved to channels.{name} {_AUTO}") for name in _CHANNELS),
    (
        ("routing", "allowFrom"),
        f"routing.allowFrom was removed; use channels.whatsapp.allowFrom instead {_AUTO}",
    ),
    (("routing", "bindings"), f"routing.bindings was moved; use top-level bindings instead {_AUTO}"),
    (("routing", "agents"), f"routing.agents was moved; use agents.list instead {_AUTO}"),
    (
        ("routing", "defaultAgentId"),
        f"routing.defaultAgentId was moved; use agents.list[].default instead {_AUTO}",
    ),
    (("routing", "agentToAgent"), f"routing.agentToAgent was moved; use tools.agentToAgent instead {_AUTO}"),
    (
        ("routing", "groupChat", "requireMention"),
        (
            "routing.groupChat.requireMention was removed; use channels.whatsapp/telegram/imessage groups defaults"
            f' (e.g. channels.whatsapp.groups."*".requireMention) instead {_AUTO}'
        ),
    ),
    (
        ("routing", "groupChat", "mentionPatterns"),
        (
            "routing.groupChat.mentionPatterns was moved; use agents.list[].groupChat.mentionPatterns or"
            f" messages.groupChat.mentionPatterns instead {_AUTO}"
        ),
    ),
    (
        ("routing", "groupChat", "historyLimit"),
        f"routing.groupChat.historyLimit was moved; use messages.groupChat.historyLimit instead {_AUTO}",
    ),
    (("routing", "queue"), f"routing.queue was moved; use messages.queue instead {_AUTO}"),
    (
        ("routing", "transcribeAudio"),
        f"routing.transcribeAudio was moved; use tools.media.audio.models instead {_AUTO}",
    ),
    (
        ("telegram", "requireMention"),
        'telegram.requireMention was removed; use channels.telegram.groups."*".requireMention instead ' + _AUTO,
    ),
    (("identity",), f"identity was moved; use agents.list[].identity instead {_AUTO}"),
    (
        ("agent",),
        f"agent.* was moved; use agents.defaults (and tools.* for tool/elevated/exec settings) instead {_AUTO}",
    ),
    (("tools", "bash"), f"tools.bash was removed; use tools.exec instead {_AUTO}"),
    (
        ("messages", "tts", "enabled"),
        f"messages.tts.enabled was replaced; use messages.tts.auto instead {_AUTO}",
    ),
    (("gateway", "token"), f"gateway.token is ignored; use gateway.auth.token instead {_AUTO}"),
    (
        ("bindings", "*", "match", "provider"),
        f"bindings[].match.provider was renamed; use bindings[].match.channel instead {_AUTO}",
    ),
    (
        ("bindings", "*", "match", "accountID"),
        f"bindings[].match.accountID was renamed; use bindings[].match.accountId instead {_AUTO}",
    ),
    (
        ("session", "sendPolicy", "rules", "*", "match", "provider"),
        "session.sendPolicy.rules[].match.provider was renamed; use match.channel instead " + _AUTO,
    ),
    (
        ("messages", "queue", "byProvider"),
        f"messages.queue.byProvider was renamed; use messages.queue.byChannel instead {_AUTO}",
    ),
)


def find_legacy(config: Any) -> list[Issue]:
    """
    The old keys in a configuration.
    """
    return [Issue.at(path, message) for pattern, message in _RULES for path in _matches(config, pattern)]


def _matches(value: Any, pattern: KeyPath, before: KeyPath = ()) -> Iterator[KeyPath]:
    if not pattern:
        yield before
        return
    first, rest = pattern[0], pattern[1:]
    if first == "*" and isinstance(value, list):
        for index, member in enumerate(value):
            yield from _matches(member, rest, (*before, index))
    elif isinstance(value, dict) and first in value:
        yield from _matches(value[first], rest, (*before, first))
