"""
What a hook asks for (``http.md`` 10.2, 10.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import frozen

from openclaw.config.model_hooks import HooksConfig, WakeMode
from openclaw.errors import OpenClawError

LAST = "last"
NAME = "Hook"
PREFIX = "hook:"

#: A session key may have so many characters.
MOST_KEY = 512


@frozen
class HookRefused(OpenClawError):
    """
    A hook cannot be understood.
    """

    text: str

    def __str__(self) -> str:
        return self.text


@frozen
class TooManyHooks(OpenClawError):
    """
    So many runs of hooks are not at their end that no more is taken.
    """

    def __str__(self) -> str:
        return "too many hooks are waiting"


@frozen(kw_only=True)
class Wake:
    """
    Tell the main session something.

    :ivar mode: ``now`` wakes the agent.
    """

    text: str
    mode: WakeMode


@frozen(kw_only=True)
class AgentTurn:
    """
    Have the default agent take a turn.

    :ivar session_key: as it was given; an own one where nothing was.
    :ivar wake_mode: whether the main session, which is told how it ended, is woken.
    :ivar deliver: whether the answer is to be sent to somebody.
    :ivar timeout_seconds: whole seconds; ``None`` for the agent's own limit.
    :ivar unsafe: whether the message goes to the model without the notice that it is from outside.
    :ivar idempotency_key: a second one with the same key is the first.
    """

    message: str
    name: str
    session_key: str
    wake_mode: WakeMode
    deliver: bool
    channel: str
    to: str | None
    model: str | None
    thinking: str | None
    timeout_seconds: int | None
    unsafe: bool = False
    idempotency_key: str | None = None


class HookActions(Protocol):
    """
    What hooks can do.
    """

    def hooks(self) -> HooksConfig:
        """
        The configuration that counts.
        """
        ...

    def channels(self) -> Sequence[str]:
        """
        Ids of the loaded channels.
        """
        ...

    def wake(self, wake: Wake) -> None: ...

    async def run(self, turn: AgentTurn) -> str:
        """
        :return: the id of the run, which is durable.
        :raise TooManyHooks: it was not taken.
        """
        ...


def wake_mode(value: Any) -> WakeMode:
    """
    Whatever is not the other one is ``now``.
    """
    return "next-heartbeat" if value == "next-heartbeat" else "now"


def read_wake(payload: Mapping[str, Any]) -> Wake:
    """
    :raise HookRefused: it says nothing.
    """
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        raise HookRefused("text required")
    return Wake(text=text.strip(), mode=wake_mode(payload.get("mode")))


def read_turn(payload: Mapping[str, Any], channels: Sequence[str], own_key: str) -> AgentTurn:
    """
    :param channels: ids of the loaded ones.
    :param own_key: the session key where none is given.
    :raise HookRefused: with what is missing or unknown.
    """
    message = payload.get("message")
    if not isinstance(message, str) or not message.strip():
        raise HookRefused("message required")
    channel = payload.get("channel", LAST)
    channel = channel.strip().lower() if isinstance(channel, str) else channel
    if channel not in (LAST, *channels):
        raise HookRefused(f"channel must be {'|'.join((LAST, *channels))}")
    if "model" in payload and _text(payload["model"]) is None:
        raise HookRefused("model required")
    key = _text(payload.get("sessionKey")) or own_key
    if len(key) > MOST_KEY:
        raise HookRefused(f"sessionKey must have at most {MOST_KEY} characters")
    return AgentTurn(
        message=message.strip(),
        name=_text(payload.get("name")) or NAME,
        session_key=key,
        wake_mode=wake_mode(payload.get("wakeMode")),
        deliver=payload.get("deliver") is not False,
        channel=channel,
        to=_text(payload.get("to")),
        model=_text(payload.get("model")),
        thinking=_text(payload.get("thinking")),
        timeout_seconds=_seconds(payload.get("timeoutSeconds")),
    )


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _seconds(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return None
    return max(1, math.floor(value))
