"""
Sessions as ``sessions.list`` and ``status`` show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from openclaw.sessions.keys import agent_of, kind
from openclaw.store.interfaces import Session

#: Members of a row of ``sessions.list`` between its kind and the time of its last activity, in order.
NAMING = (
    "label",
    "displayName",
    "channel",
    "subject",
    "groupChannel",
    "space",
    "chatType",
    "origin",
)

#: Members after the session id.
SETTINGS = (
    "systemSent",
    "abortedLastRun",
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "sendPolicy",
    "inputTokens",
    "outputTokens",
)

#: Members after the total of tokens.
USE = (
    "responseUsage",
    "modelProvider",
    "model",
    "contextTokens",
    "deliveryContext",
    "lastChannel",
    "lastTo",
    "lastAccountId",
)

#: Settings that a row of ``status`` repeats.
STATUS_SETTINGS = (
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "systemSent",
    "abortedLastRun",
    "inputTokens",
    "outputTokens",
)

MAX_PERCENT = 999


@frozen(kw_only=True)
class ModelDefaults:
    """
    The model of sessions that have no other.

    :ivar context_tokens: its window.
    """

    provider: str
    model: str
    context_tokens: int

    def members(self) -> dict[str, Any]:
        return {"modelProvider": self.provider, "model": self.model, "contextTokens": self.context_tokens}


def entry(session: Session) -> dict[str, Any]:
    """
    The whole entry, as ``sessions.patch`` answers it.
    """
    return {"sessionId": session.session_id, "updatedAt": session.updated_at_ms, **session.members}


def list_row(session: Session) -> dict[str, Any]:
    """
    A row of ``sessions.list``; members that are not set are absent.
    """
    members = session.members
    return {
        "key": session.key,
        "kind": kind(session.key, members),
        **_chosen(members, NAMING),
        "updatedAt": session.updated_at_ms,
        "sessionId": session.session_id,
        **_chosen(members, SETTINGS),
        "totalTokens": total_tokens(members),
        **_chosen(members, USE),
    }


def status_row(session: Session, defaults: ModelDefaults, now_ms: int, default_agent: str) -> dict[str, Any]:
    """
    A row of ``status``.
    """
    members = session.members
    window = members.get("contextTokens") or defaults.context_tokens
    total = total_tokens(members)
    return {
        "agentId": agent_of(session.key, default_agent),
        "key": session.key,
        "kind": kind(session.key, members),
        "sessionId": session.session_id,
        "updatedAt": session.updated_at_ms,
        "age": now_ms - session.updated_at_ms,
        **_chosen(members, STATUS_SETTINGS),
        "totalTokens": total,
        "remainingTokens": max(0, window - total) if window else None,
        "percentUsed": min(MAX_PERCENT, round(total * 100 / window)) if window else None,
        "model": members.get("model") or defaults.model,
        "contextTokens": window,
        "flags": flags(session),
    }


def flags(session: Session) -> list[str]:
    """
    What is set in a session, in short words.
    """
    members = session.members
    levels = [
        f"{word}:{members[name]}"
        for word, name in (
            ("think", "thinkingLevel"),
            ("verbose", "verboseLevel"),
            ("reasoning", "reasoningLevel"),
            ("elevated", "elevatedLevel"),
        )
        if members.get(name)
    ]
    marks = [word for word, name in (("system", "systemSent"), ("aborted", "abortedLastRun")) if members.get(name)]
    return [*levels, *marks, f"id:{session.session_id}"]


def total_tokens(members: Mapping[str, Any]) -> int:
    """
    The tokens of the last call, or what in- and output add up to.
    """
    told = members.get("totalTokens")
    return int(told if told is not None else (members.get("inputTokens") or 0) + (members.get("outputTokens") or 0))


def _chosen(members: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: members[name] for name in names if members.get(name) is not None}
