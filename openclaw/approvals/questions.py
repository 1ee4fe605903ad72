"""
The one list of questions that wait for a person, whoever asked: a client (``exec.approval.request``) or a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.approvals.errors import (
    AlreadyPending,
    InvalidDecision,
    NobodyToAsk,
    TooManyQuestions,
    UnknownApproval,
)
from openclaw.approvals.shown import escaped
from openclaw.clock import millis
from openclaw.protocol.scopes import APPROVALS

DECISIONS = ("allow-once", "allow-always", "deny")

#: How long a question stands that says nothing else.
DEFAULT_LIMIT = timedelta(minutes=2)
#: No question stands longer. Clients count in timers that end after 24 days.
LONGEST = timedelta(days=7)
MOST_PENDING = 256

#: How soon it is tried again to say that nobody decided.
AGAIN = timedelta(minutes=1)

#: Who ends a question that is none any more, as others are told.
OURSELVES = "gateway"

#: What clients are shown of a request, ``null`` where there is nothing.
SHOWN = ("command", "cwd", "host", "security", "ask", "agentId", "resolvedPath", "sessionKey")


class Publish(Protocol):
    """
    Tells those who hold a scope of an event.
    """

    def __call__(
        self, event: str, payload: Mapping[str, Any], *, drop_if_slow: bool = False, scope: str | None = None
    ) -> None: ...


@frozen(kw_only=True)
class Asked:
    """
    A question that stands.

    :ivar request: as people are shown it: everything in it can be seen.
    """

    id: str
    request: Mapping[str, Any]
    created_at_ms: int
    expires_at_ms: int

    def told(self) -> dict[str, Any]:
        """
        The payload of its event.
        """
        return {
            "id": self.id,
            "request": dict(self.request),
            "createdAtMs": self.created_at_ms,
            "expiresAtMs": self.expires_at_ms,
        }


#: Makes a decision count. Called once, with ``None`` when nobody decided in time.
#: :return: whether anybody still waits, at once or when that is durable.
Settle = Callable[[str | None], "Deferred[bool] | bool"]


@define(eq=False)
class _Pending:
    asked: Asked
    settle: Settle
    timer: IDelayedCall


@define(kw_only=True, eq=False)
class Questions(Service):
    """
    Asks, and brings each answer to whoever waits for it. The first answer counts.

    :ivar publish: tells clients.
    :ivar reachable: whether anybody is connected who may answer.
    """

    _log = Logger()
    clock: IReactorTime
    publish: Publish
    make_id: Callable[[], str]
    reachable: Callable[[], bool]
    _pending: dict[str, _Pending] = field(factory=dict, init=False)

    def pending(self) -> Sequence[Asked]:
        """
        What waits, oldest first.
        """
        return [pending.asked for pending in self._pending.values()]

    def wait(self, request: Mapping[str, Any], *, id: str | None = None, limit: timedelta = DEFAULT_LIMIT) -> Waiting:
        """
        Ask, and wait for the decision.

        :param request: members of ``SHOWN``.
        :raise NobodyToAsk: it would wait for nothing.
        :raise AlreadyPending: the id is in use.
        :raise TooManyQuestions: too many wait.
        """
        if not self.reachable():
            raise NobodyToAsk()
        decided: Deferred[str | None] = Deferred(lambda _: self.withdraw(asked.id))

        def settle(decision: str | None) -> bool:
            # After the answer to who decided.
            self.clock.callLater(0, self._fire, decided, decision)
            return True

        asked = self.ask(request, settle, id=id, limit=limit)
        return Waiting(asked=asked, decided=decided)

    def _fire(self, decided: Deferred[str | None], decision: str | None) -> None:
        if not decided.called:
            decided.callback(decision)

    def ask(
        self, request: Mapping[str, Any], settle: Settle, *, id: str | None = None, limit: timedelta = DEFAULT_LIMIT
    ) -> Asked:
        """
        Ask on behalf of somebody who is told by ``settle``.
        """
        if id is not None and id in self._pending:
            raise AlreadyPending()
        if len(self._pending) >= MOST_PENDING:
            raise TooManyQuestions()
        seconds = min(limit, LONGEST).total_seconds()
        now_ms = millis(self.clock)
        asked = Asked(
            id=self.make_id() if id is None else id,
            request=shown_request(request),
            created_at_ms=now_ms,
            expires_at_ms=now_ms + int(seconds * 1000),
        )
        timer = self.clock.callLater(seconds, self._expire, asked.id)
        self._pending[asked.id] = _Pending(asked, settle, timer)
        self.publish("exec.approval.requested", asked.told(), drop_if_slow=True, scope=APPROVALS)
        return asked

    async def resolve(self, id: str, decision: str, by: str) -> None:
        """
        Decide.

        :param by: who decided, as others are told.
        :return: when the decision is as durable as what it is about.
        :raise InvalidDecision: it is none of the three.
        :raise UnknownApproval: nobody waits for it, any more or at all.
        """
        if decision not in DECISIONS:
            raise InvalidDecision()
        # Taken out at once: of two answers the first counts.
        pending = self._pending.pop(id, None)
        if pending is None:
            raise UnknownApproval()
        try:
            heard = await maybeDeferred(pending.settle, decision)
        except BaseException:
            if pending.timer.active():
                self._pending.setdefault(id, pending)
            raise
        _stop(pending.timer)
        if not heard:
            # Whoever still shows it learns that it is none any more.
            self._tell(id, "deny", OURSELVES)
            raise UnknownApproval()
        self._tell(id, decision, by)

    def withdraw(self, id: str, *, by: str | None = None) -> None:
        """
        Nobody waits any more.

        :param by: who ended it, for those who still show the question; ``None`` tells nobody.
        """
        pending = self._pending.pop(id, None)
        if pending is None:
            return
        _stop(pending.timer)
        if by is not None:
            self._tell(id, "deny", by)

    def stopService(self) -> None:
        """
        Forget everything. Questions of runs are asked again by the next process.
        """
        super().stopService()
        for pending in self._pending.values():
            _stop(pending.timer)
        self._pending.clear()

    def _tell(self, id: str, decision: str, by: str) -> None:
        told = {"id": id, "decision": decision, "resolvedBy": by, "ts": millis(self.clock)}
        self.publish("exec.approval.resolved", told, drop_if_slow=True, scope=APPROVALS)

    def _expire(self, id: str) -> None:
        pending = self._pending.pop(id, None)
        if pending is None:
            return
        maybeDeferred(pending.settle, None).addErrback(self._not_settled, pending)

    def _not_settled(self, failure: Failure, pending: _Pending) -> None:
        """
        Whoever asked still waits: the question stays until that it has expired can be stored.
        """
        self._log.failure("That nobody decided could not be told; it is tried again.", failure)
        if self.running:
            pending.timer = self.clock.callLater(AGAIN.total_seconds(), self._expire, pending.asked.id)
            self._pending[pending.asked.id] = pending


@frozen(kw_only=True)
class Waiting:
    """
    A question and the wait for its answer.

    :ivar decided: fires with the decision, or ``None`` when there was none in time. Cancelling it withdraws the
        question.
    """

    asked: Asked
    decided: Deferred[str | None]


def shown_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """
    A request as people are shown it.
    """
    shown = {name: request.get(name) for name in SHOWN}
    return {name: escaped(value) if isinstance(value, str) else value for name, value in shown.items()}


def _stop(timer: IDelayedCall) -> None:
    if timer.active():
        timer.cancel()
