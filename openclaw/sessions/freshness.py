"""
When a session is stale, so that the next message starts a new transcript (``agent.md`` 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from openclaw.config.model_session import ResetPolicy, SessionConfig
from openclaw.sessions.keys import kind, rest_of

SessionType = Literal["dm", "group", "thread"]


def session_type(key: str, members: Mapping[str, Any]) -> SessionType:
    """
    The type by which ``session.resetByType`` knows a session.
    """
    rest = rest_of(key)
    if ":thread:" in rest or ":topic:" in rest:
        return "thread"
    return "group" if kind(key, members) == "group" else "dm"


def policy_for(config: SessionConfig, key: str, members: Mapping[str, Any], channel: str | None = None) -> ResetPolicy:
    """
    The policy of one session: that of its channel, else of its type, else the general one.

    :param channel: where the message came from; without one, where the session last was.
    """
    channel = channel or members.get("lastChannel") or members.get("channel")
    if channel is not None and channel in config.reset_by_channel:
        return config.reset_by_channel[channel]
    return config.reset_by_type.get(session_type(key, members), config.reset)


def last_daily_reset_ms(now_ms: int, at_hour: int, zone: tzinfo) -> int:
    """
    The last time that the local clock showed the hour of the daily reset.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    boundary = now.replace(hour=at_hour, minute=0, second=0, microsecond=0, fold=0)
    if boundary.timestamp() * 1000 > now_ms:
        # Aware arithmetic in one zone is arithmetic of the wall clock: the same hour of the day before.
        boundary -= timedelta(days=1)
    return int(boundary.timestamp() * 1000)


def is_stale(updated_at_ms: int, *, now_ms: int, policy: ResetPolicy, zone: tzinfo) -> bool:
    """
    Whether a message that arrives now starts the session afresh.

    :param updated_at_ms: the session's last activity.
    :param zone: of the machine; the daily hour is read in it.
    """
    limit = policy.idle_limit
    if limit is not None and now_ms - updated_at_ms > limit * 60_000:
        return True
    return policy.mode == "daily" and updated_at_ms < last_daily_reset_ms(now_ms, policy.at_hour, zone)
