"""
Answers that are given again to the same idempotency key (``methods.md`` 1.6).

Runs need none of this: their own record says what became of them (``openclaw.methods.runs``). This is for methods whose
answer is the only trace of their work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from openclaw.clock import Seconds, millis
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.frames import ErrorShape
from openclaw.protocol.types import ABSENT
from openclaw.store.interfaces import Answer, Store, Unit

LIFETIME_MS = 300_000
MOST_ANSWERS = 1_000

#: Time between two sweeps, which go along with a write.
SWEEP_MS = 60_000


@define(eq=False)
class Remembered:
    """
    The answers, in the store, and the requests that are being answered now.
    """

    _waiting: dict[str, list[Deferred[Answer]]] = field(factory=dict, init=False)
    _swept_ms: int = field(default=0, init=False)

    async def once(self, key: str, store: Store, clock: Seconds, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """
        The answer to a key: what was answered before, what is being worked out, or what ``work`` gives.

        :param work: gives the answer, also that of a failure; what it raises is told to all who wait, and is forgotten.
        """
        waiting = self._waiting.get(key)
        if waiting is not None:
            mine: Deferred[Answer] = Deferred()
            waiting.append(mine)
            return await mine
        self._waiting[key] = []
        try:
            not_before = millis(clock) - LIFETIME_MS
            known = await store.read(lambda unit: unit.answers.get(key, not_before))
            answer = known or await self._answered(store, clock, await work())
        except BaseException as error:
            for waiter in self._waiting.pop(key):
                waiter.errback(error)
            raise
        for waiter in self._waiting.pop(key):
            waiter.callback(answer)
        return answer

    async def _answered(self, store: Store, clock: Seconds, answer: Answer) -> Answer:
        if not kept(answer):
            return answer
        now = millis(clock)
        sweeping = now - self._swept_ms >= SWEEP_MS

        def keep(unit: Unit) -> None:
            unit.answers.put(answer)
            if sweeping:
                unit.answers.sweep(now - LIFETIME_MS, MOST_ANSWERS)

        await store.write(keep)
        if sweeping:
            self._swept_ms = now
        return answer


def kept(answer: Answer) -> bool:
    """
    Whether an answer is remembered: failures of the work are. Refusals of a request are not, and neither are failures
    after which it is to be asked again, such as that the gateway was stopping.
    """
    error = answer.error or {}
    return answer.ok or not (error.get("code") == ErrorCode.INVALID_REQUEST or error.get("retryable"))


def error_record(error: ErrorShape) -> dict[str, Any]:
    """
    An error as the store keeps it.
    """
    record = {"code": error.code, "message": error.message, "details": error.details, "retryable": error.retryable}
    record["retryAfterMs"] = error.retry_after_ms
    return {name: value for name, value in record.items() if value is not None}


def read_error(record: Mapping[str, Any]) -> ErrorShape:
    """
    Read what ``error_record`` wrote.
    """
    return ErrorShape(
        code=record["code"],
        message=record["message"],
        details=record.get("details"),
        retryable=record.get("retryable"),
        retry_after_ms=record.get("retryAfterMs"),
    )


def payload_record(payload: Any) -> Any:
    """
    A payload as the store keeps it: in a list, so that ``null`` and none differ.
    """
    return [] if payload is ABSENT else [payload]


def read_payload(record: Any) -> Any:
    """
    Read what ``payload_record`` wrote.
    """
    return record[0] if record else ABSENT
