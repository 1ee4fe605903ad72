"""
Questions that people answer, perhaps hours later and after a restart.

A question is not stored by itself: it follows from a tool call without a result in a run whose state is ``waiting``.
After a restart the run comes to the same call and asks again under the same id. A decision is stored before it is
acknowledged, as an entry of the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred

from openclaw.agent.transcript import append
from openclaw.store.interfaces import Store, Unit


@frozen(kw_only=True)
class Question:
    """
    What is to be approved.

    :ivar id: the same each time the same call asks.
    :ivar text: what a person reads.
    """

    id: str
    run_id: str
    session_key: str
    session_id: str
    tool: str
    arguments: Mapping[str, Any]
    text: str


@define(eq=False)
class Approvals:
    """
    The open questions.

    :ivar ask: tells people of a question; when it fails, nothing is asked.
    :ivar withdrawn: tells them that nobody waits for the answer any more.
    :ivar make_entry_id: an id for the entry that keeps a decision.
    """

    store: Store
    now_ms: Callable[[], int]
    make_entry_id: Callable[[], str]
    ask: Callable[[Question], None] = lambda question: None
    withdrawn: Callable[[str], None] = lambda question_id: None
    _open: dict[str, tuple[Question, Deferred[bool]]] = field(factory=dict)

    def wait(self, question: Question) -> Deferred[bool]:
        """
        Ask.

        :return: fires with whether it is allowed. Cancelling it withdraws the question.
        """
        waiter: Deferred[bool] = Deferred(lambda _: self._forget(question.id))
        self._open[question.id] = (question, waiter)
        try:
            self.ask(question)
        except BaseException:
            del self._open[question.id]
            raise
        return waiter

    def pending(self) -> Sequence[Question]:
        return [question for question, _ in self._open.values()]

    def decide(self, question_id: str, allowed: bool) -> Deferred[bool]:
        """
        Answer a question.

        :return: fires when the decision is durable, with whether there was such a question.
        """
        return Deferred.fromCoroutine(self._decide(question_id, allowed))

    async def _decide(self, question_id: str, allowed: bool) -> bool:
        # Taken out at once: of two answers the first counts.
        found = self._open.pop(question_id, None)
        if found is None:
            return False
        question, waiter = found
        data = {"id": question.id, "tool": question.tool, "allowed": allowed}
        now_ms = self.now_ms()

        def work(unit: Unit) -> None:
            append(
                unit,
                self.make_entry_id,
                session_id=question.session_id,
                run_id=question.run_id,
                now_ms=now_ms,
                type="custom",
                body={"customType": "approval", "data": data},
            )

        try:
            await self.store.write(work)
        except BaseException:
            if not waiter.called:
                self._open[question_id] = found
            raise
        if waiter.called:
            # Withdrawn while it was written: the run has ended.
            return False
        waiter.callback(allowed)
        return True

    def _forget(self, question_id: str) -> None:
        self._open.pop(question_id, None)
        self.withdrawn(question_id)
