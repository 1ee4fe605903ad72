"""
The questions that wait for a person: those of clients and those of runs in one list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.approvals import Question
from openclaw.approvals.questions import LONGEST, OURSELVES, Publish, Questions
from openclaw.protocol.scopes import APPROVALS, holds
from openclaw.sessions.keys import agent_of


def make_questions(
    clock: IReactorTime, publish: Publish, connected: Iterable[Any], make_id: Callable[[], str]
) -> Questions:
    """
    :param connected: the connections, with their ``role`` and ``scopes``.
    """

    def reachable() -> bool:
        return any(one.role == "operator" and holds(one.scopes, APPROVALS) for one in connected)

    return Questions(clock=clock, publish=publish, make_id=make_id, reachable=reachable)


@define(eq=False)
class RunQuestions:
    """
    Puts the questions of runs into the list. They wait for days, and whoever connects meanwhile is told of them; after
    a restart the run asks again under the same id.

    :ivar decide: what the runtime does with a decision; set once there is a runtime.
    """

    questions: Questions
    default_agent: Callable[[], str]
    decide: Callable[[str, bool], Deferred[bool]] = field(init=False)

    def ask(self, question: Question) -> None:
        """
        :raise TooManyQuestions: so many wait that nobody would see this one.
        """
        request = {
            "command": question.text,
            "agentId": agent_of(question.session_key, self.default_agent()),
            "sessionKey": question.session_key,
        }

        def settle(decision: str | None) -> Deferred[bool]:
            return self.decide(question.id, decision in ("allow-once", "allow-always"))

        self.questions.ask(request, settle, id=question.id, limit=LONGEST)

    def withdrawn(self, question_id: str) -> None:
        """
        The run has ended: who still shows its question is told.
        """
        self.questions.withdraw(question_id, by=OURSELVES)
