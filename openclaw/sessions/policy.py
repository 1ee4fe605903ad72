"""
Who may send in a session (``agent.md`` 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.config.model_session import SendPolicy, SendRuleMatch
from openclaw.sessions.keys import kind, rest_of


def sending_denied(policy: SendPolicy, key: str, members: Mapping[str, Any]) -> bool:
    """
    Whether messages to a session are refused: by its own setting, else by the rules, where ``deny`` wins.
    """
    own = members.get("sendPolicy")
    if own in ("allow", "deny"):
        return bool(own == "deny")
    actions = {rule.action for rule in policy.rules if _matches(rule.match, key, members)}
    if "deny" in actions:
        return True
    return not actions and policy.default == "deny"


def _matches(match: SendRuleMatch, key: str, members: Mapping[str, Any]) -> bool:
    channel = members.get("lastChannel") or members.get("channel")
    if match.channel is not None and match.channel.strip().lower() != channel:
        return False
    if match.chat_type is not None and match.chat_type != _chat_type(key, members):
        return False
    if match.key_prefix is None:
        return True
    prefix = match.key_prefix.lower()
    return key.lower().startswith(prefix) or rest_of(key).lower().startswith(prefix)


def _chat_type(key: str, members: Mapping[str, Any]) -> str:
    told = members.get("chatType")
    if told in ("direct", "group", "channel"):
        return str(told)
    return "channel" if ":channel:" in key else kind(key)
