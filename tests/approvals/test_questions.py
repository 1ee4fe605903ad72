"""
Tests of ``openclaw.approvals.questions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.errors import (
    AlreadyPending,
    InvalidDecision,
    NobodyToAsk,
    TooManyQuestions,
    UnknownApproval,
)
from openclaw.approvals.questions import LONGEST, MOST_PENDING, Questions

REQUEST = {"command": "rm -rf x", "cwd": "/w"}


class QuestionsCase(SynchronousTestCase):
    """
    A list of questions, and what was told of them.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.approvers = True
        numbers = iter(range(1, 10_000))
        self.questions = Questions(
            clock=self.clock,
            publish=self.publish,
            make_id=lambda: f"q{next(numbers)}",
            reachable=lambda: self.approvers,
        )
        self.questions.startService()
        self.addCleanup(self.stop)

    def stop(self) -> None:
        self.questions.stopService()
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def publish(self, event: str, payload: Mapping[str, Any], *, drop_if_slow: bool = False, scope: Any = None) -> None:
        self.assertEqual((drop_if_slow, scope), (True, "operator.approvals"))
        self.told.append((event.removeprefix("exec.approval."), payload))

    def resolve(self, id: str, decision: str = "deny") -> Deferred[None]:
        return Deferred.fromCoroutine(self.questions.resolve(id, decision, "me"))


class WaitTests(QuestionsCase):
    """
    Questions of clients.
    """

    def test_decided(self) -> None:
        """
        Those who may approve are told of the question and of the decision; who asked gets it after them.
        """
        waiting = self.questions.wait(REQUEST, limit=timedelta(seconds=5))
        shown = dict.fromkeys(("host", "security", "ask", "agentId", "resolvedPath", "sessionKey"))
        asked = {
            "id": "q1",
            "request": {**REQUEST, **shown},
            "createdAtMs": 1_000_000,
            "expiresAtMs": 1_005_000,
        }
        self.assertEqual(self.told, [("requested", asked)])
        self.successResultOf(self.resolve("q1", "allow-always"))
        self.assertNoResult(waiting.decided)
        self.assertEqual(
            self.told[1:],
            [("resolved", {"id": "q1", "decision": "allow-always", "resolvedBy": "me", "ts": 1_000_000})],
        )
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(waiting.decided), "allow-always")
        self.assertEqual(self.questions.pending(), [])

    def test_nobody_decides(self) -> None:
        """
        After its time the answer is none, nobody is told, and nobody can decide any more.
        """
        waiting = self.questions.wait(REQUEST)
        self.clock.advance(119)
        self.assertNoResult(waiting.decided)
        self.clock.pump([1, 0])
        self.assertIsNone(self.successResultOf(waiting.decided))
        self.assertEqual(len(self.told), 1)
        self.failureResultOf(self.resolve("q1"), UnknownApproval)

    def test_f5_nobody_to_ask(self) -> None:
        """
        Where nobody could decide nothing waits (lesson F5).
        """
        self.approvers = False
        self.assertRaises(NobodyToAsk, self.questions.wait, REQUEST)
        self.assertEqual((self.told, self.questions.pending()), ([], []))

    def test_refused(self) -> None:
        """
        An id can wait once, a decision is one of three, and the first counts.
        """
        waiting = self.questions.wait(REQUEST, id="mine")
        self.assertRaises(AlreadyPending, self.questions.wait, REQUEST, id="mine")
        self.failureResultOf(self.resolve("mine", "maybe"), InvalidDecision)
        self.failureResultOf(self.resolve("other"), UnknownApproval)
        self.successResultOf(self.resolve("mine", "allow-once"))
        self.failureResultOf(self.resolve("mine", "deny"), UnknownApproval)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(waiting.decided), "allow-once")

    def test_bounded(self) -> None:
        """
        So many wait at most, and none for ever.
        """
        for _ in range(MOST_PENDING):
            self.questions.wait(REQUEST, limit=timedelta(days=900))
        self.assertRaises(TooManyQuestions, self.questions.wait, REQUEST)
        self.assertEqual({asked.expires_at_ms for asked in self.questions.pending()}, {1_000_000 + 7 * 86_400_000})

    def test_ghsa_pcqg_f7rg_xfvv(self) -> None:
        """
        Everything in a question can be seen.
        """
        asked = self.questions.wait({"command": "ls\u202e\nrm", "cwd": "/a\u200bb"}).asked
        self.assertEqual((asked.request["command"], asked.request["cwd"]), ("ls\\u{202e}\\u{a}rm", "/a\\u{200b}b"))

    def test_cancelled(self) -> None:
        """
        Who gives up waiting takes the question back.
        """
        waiting = self.questions.wait(REQUEST)
        waiting.decided.addErrback(lambda failure: None)
        waiting.decided.cancel()
        self.assertEqual(self.questions.pending(), [])


class AskTests(QuestionsCase):
    """
    Questions of others, who make a decision durable themselves.
    """

    def test_durable_first(self) -> None:
        """
        A decision is told when it is durable; of two the first counts also meanwhile.
        """
        stored: Deferred[bool] = Deferred()
        heard: list[str | None] = []

        def settle(decision: str | None) -> Deferred[bool]:
            heard.append(decision)
            return stored

        self.questions.ask(REQUEST, settle, limit=LONGEST)
        first = self.resolve("q1", "allow-once")
        self.failureResultOf(self.resolve("q1", "deny"), UnknownApproval)
        self.assertNoResult(first)
        self.assertEqual(len(self.told), 1)
        stored.callback(True)
        self.successResultOf(first)
        self.assertEqual((heard, len(self.told)), (["allow-once"], 2))

    def test_not_stored(self) -> None:
        """
        A decision that could not be stored was not made: the question stays.
        """
        answers: list[Any] = [fail(OSError("disk full")), True]
        self.questions.ask(REQUEST, lambda decision: answers.pop(0))
        self.failureResultOf(self.resolve("q1"), OSError)
        self.assertEqual(len(self.questions.pending()), 1)
        self.successResultOf(self.resolve("q1"))

    def test_nobody_waits(self) -> None:
        """
        A question whose run has ended meanwhile is unknown, and who still shows it is told.
        """
        self.questions.ask(REQUEST, lambda decision: False)
        self.failureResultOf(self.resolve("q1", "allow-once"), UnknownApproval)
        self.assertEqual([(name, payload["id"]) for name, payload in self.told[1:]], [("resolved", "q1")])
        self.assertEqual((self.told[1][1]["decision"], self.told[1][1]["resolvedBy"]), ("deny", "gateway"))

    def test_withdrawn(self) -> None:
        """
        Who still shows a question that is none any more is told.
        """
        self.questions.ask(REQUEST, lambda decision: True)
        self.questions.withdraw("q1", by="gateway")
        self.questions.withdraw("q1", by="gateway")
        self.assertEqual([name for name, _ in self.told], ["requested", "resolved"])
        self.assertEqual(self.told[1][1]["decision"], "deny")

    def test_expired(self) -> None:
        """
        That nobody decided is told to whoever asked, again when that could not be stored.
        """
        heard: list[str | None] = []
        broken = [OSError("disk full")]

        def settle(decision: str | None) -> bool:
            heard.append(decision)
            if broken:
                raise broken.pop()
            return True

        self.questions.ask(REQUEST, settle, limit=timedelta(hours=1))
        self.clock.advance(3600)
        self.assertEqual((heard, len(self.questions.pending())), ([None], 1))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.clock.advance(60)
        self.assertEqual((heard, self.questions.pending()), ([None, None], []))
