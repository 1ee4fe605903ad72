"""
A tool that asks, acts and can be stopped: what the loop is built for.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from openclaw.agent.approvals import Question
from openclaw.agent.events import LEAST_PACE
from openclaw.agent.providers.base import Stop, TextDelta, ToolCall, ToolSpec
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.agent.transcript import append_message, injected_message
from openclaw.testing.model import Step
from tests.agent.cases import HouseCase
from tests.agent.fakes import KEY, BreakableStore, House, said

SPEC = ToolSpec(name="launch", description="Launch something.", parameters={"type": "object"})
HOURS = 3600.0
CALL: list[Step] = [TextDelta("Let me."), ToolCall("c1", "launch", {"what": "kite"}), Stop("toolUse")]
SECOND: list[Step] = [ToolCall("c1", "launch", {"what": "rocket"}), Stop("toolUse")]
QUESTION = "run-1:c1"


@define(eq=False)
class Launcher:
    """
    Takes some seconds to launch, and asks first when told to.
    """

    asks: bool = True
    seconds: float = 0.0
    spec: ToolSpec = field(default=SPEC)
    launched: list[str] = field(factory=list)
    cancelled: list[str] = field(factory=list)
    asked: list[Question] = field(factory=list)

    def question(self, call: ToolCall, context: ToolContext) -> str | None:
        return f"Launch {call.arguments['what']}?" if self.asks else None

    def run(self, call: ToolCall, context: ToolContext) -> Deferred[ToolResult]:
        what = call.arguments["what"]

        def done() -> ToolResult:
            self.launched.append(what)
            return ToolResult.of_text(f"{what} is up")

        def cancelled(failure: Any) -> Any:
            self.cancelled.append(what)
            return failure

        return deferLater(context.clock, self.seconds, done).addErrback(cancelled)


class ToolCase(HouseCase):
    """
    The base of these tests: a model that calls the tool once, then says that it is done.
    """

    def with_tool(self, tool: Launcher, **more: Any) -> House:
        options: dict[str, Any] = {"tools": [tool], "ask": tool.asked.append}
        return self.house(CALL, said("Done."), options=options, **more)

    def pending(self, house: House) -> list[str]:
        return [question.id for question in house.runtime.approvals.pending()]

    def roles(self, house: House) -> list[str]:
        return [message["role"] for message in house.messages()]


class ApprovalTests(ToolCase):
    def test_allowed(self) -> None:
        """
        The run waits for hours, longer than any of its limits, and goes on when it is allowed to.
        """
        tool = Launcher()
        house = self.with_tool(tool, config={"agents": {"defaults": {"timeoutSeconds": 60}}})
        house.send("go")
        self.assertEqual([question.text for question in tool.asked], ["Launch kite?"])
        self.assertEqual(house.run_record("run-1").state, "waiting")
        house.clock.advance(9 * HOURS)
        self.assertEqual((house.terminal("run-1"), tool.launched), ([], []))
        self.assertTrue(self.successResultOf(house.runtime.decide(QUESTION, True)))
        house.clock.advance(0)
        self.assertEqual(tool.launched, ["kite"])
        self.assert_one_end(house, "run-1", "final")
        self.assertEqual(self.roles(house), ["user", "assistant", "toolResult", "assistant"])

    def test_denied(self) -> None:
        """
        The model is told that it may not, and the tool does nothing.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        self.assertTrue(self.successResultOf(house.runtime.decide(QUESTION, False)))
        house.clock.advance(0)
        self.assertEqual(tool.launched, [])
        self.assertTrue(house.messages()[2]["isError"])
        self.assert_one_end(house, "run-1", "final")

    def test_first_decision_counts(self) -> None:
        """
        Of two answers the first counts, and nobody can answer what was not asked.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        self.assertFalse(self.successResultOf(house.runtime.decide("run-1:other", True)))
        first = house.runtime.decide(QUESTION, False)
        self.assertFalse(self.successResultOf(house.runtime.decide(QUESTION, True)))
        self.assertTrue(self.successResultOf(first))
        house.clock.advance(0)
        self.assertEqual(tool.launched, [])

    def test_not_stored(self) -> None:
        """
        A decision that could not be stored was not made: the question stays.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        house.store.broken = OSError("disk full")
        self.failureResultOf(house.runtime.decide(QUESTION, True), OSError)
        self.assertEqual((self.pending(house), tool.launched), ([QUESTION], []))
        house.store.broken = None
        self.assertTrue(self.successResultOf(house.runtime.decide(QUESTION, True)))
        house.clock.advance(0)
        self.assertEqual(tool.launched, ["kite"])

    def test_others_run_meanwhile(self) -> None:
        """
        A run that waits for a person holds no global slot; the next message of its session waits behind it.
        """
        tool = Launcher()
        house = self.with_tool(tool, config={"agents": {"defaults": {"maxConcurrent": 1}}})
        house.send("go")
        house.send("elsewhere", "run-2", session_key="agent:main:other", shown_key="other")
        self.assert_one_end(house, "run-2", "final")
        house.send("here", "run-3")
        self.assertEqual(house.terminal("run-3"), [])
        house.runtime.decide(QUESTION, True)
        house.clock.advance(0)
        self.assert_one_end(house, "run-1", "final")
        self.assert_one_end(house, "run-3", "final")

    def test_abort(self) -> None:
        """
        Ending the run withdraws its question.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        self.assertEqual(self.successResultOf(house.runtime.abort(KEY)), ["run-1"])
        self.assertEqual(self.pending(house), [])
        self.assertFalse(self.successResultOf(house.runtime.decide(QUESTION, True)))
        self.assert_one_end(house, "run-1", "aborted")
        self.assertEqual(tool.launched, [])


class RestartTests(ToolCase):
    def test_stop_does_not_wait(self) -> None:
        """
        A person may decide hours later: a gateway that stops does not wait for it.
        """
        house = self.with_tool(Launcher())
        house.send("go")
        self.successResultOf(house.runtime.drain())
        self.assertEqual(house.terminal("run-1"), [])
        house.clock.advance(1)

    def test_question_outlives_a_restart(self) -> None:
        """
        After a restart the same question stands; the model is not asked for the call again.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        house.crash([said("Done.")])
        self.assertEqual([question.id for question in tool.asked], [QUESTION, QUESTION])
        self.assertEqual(house.model.requests, [])
        house.clock.advance(48 * HOURS)
        self.assertTrue(self.successResultOf(house.runtime.decide(QUESTION, True)))
        house.clock.advance(0)
        self.assertEqual(tool.launched, ["kite"])
        self.assert_one_end(house, "run-1", "final")
        self.assertEqual(self.roles(house), ["user", "assistant", "toolResult", "assistant"])

    def test_decision_outlives_a_restart(self) -> None:
        """
        What was decided just before the process died is not asked again.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        house.store.history = history = list[BreakableStore]()
        house.runtime.decide(QUESTION, True)
        house.clock.advance(LEAST_PACE)
        house.store = history[0]
        tool.launched.clear()
        house.crash([said("Done.")])
        self.assertEqual((len(tool.asked), tool.launched), (1, ["kite"]))
        self.assert_one_end(house, "run-1", "final")

    def test_never_twice(self) -> None:
        """
        A tool that was at work when the process died is not started again: one error says so.
        """
        tool = Launcher(asks=False, seconds=10)
        house = self.with_tool(tool)
        house.send("go")
        old = house.clock
        house.crash([said("Done.")])
        house.clock.advance(60)
        self.assertEqual(tool.launched, [])
        self.assert_one_end(house, "run-1", "error")
        for call in old.getDelayedCalls():
            call.cancel()


class AgainTests(ToolCase):
    """
    A model that calls twice under one id, as servers do that count anew in each answer.
    """

    def test_two_questions(self) -> None:
        """
        Each call is asked for by itself: a second click on the first question decides nothing of the second.
        """
        tool = Launcher()
        house = self.house(CALL, SECOND, said("Done."), options={"tools": [tool], "ask": tool.asked.append})
        house.send("go")
        self.assertTrue(self.successResultOf(house.runtime.decide(QUESTION, True)))
        house.clock.advance(0)
        self.assertEqual([question.text for question in tool.asked], ["Launch kite?", "Launch rocket?"])
        self.assertFalse(self.successResultOf(house.runtime.decide(QUESTION, True)))
        self.assertEqual(tool.launched, ["kite"])
        self.assertTrue(self.successResultOf(house.runtime.decide(tool.asked[1].id, False)))
        house.clock.advance(0)
        self.assert_one_end(house, "run-1", "final")
        self.assertEqual(tool.launched, ["kite"])

    def test_after_a_restart(self) -> None:
        """
        A decision that outlives a restart is about its own call, not about the next one.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        house.store.history = history = list[BreakableStore]()
        house.runtime.decide(QUESTION, True)
        house.clock.advance(LEAST_PACE)
        house.store = history[0]
        tool.launched.clear()
        house.crash([SECOND, said("Done.")])
        self.assertEqual(
            (tool.launched, [question.text for question in tool.asked]), (["kite"], ["Launch kite?", "Launch rocket?"])
        )
        house.runtime.decide(tool.asked[1].id, True)
        house.clock.advance(0)
        self.assertEqual(tool.launched, ["kite", "rocket"])
        self.assert_one_end(house, "run-1", "final")

    def test_no_id(self) -> None:
        """
        Calls without ids get one each.
        """
        nameless: list[Step] = [ToolCall("", "launch", {"what": what}) for what in ("kite", "rocket")]
        tool = Launcher(asks=False)
        house = self.house([*nameless, Stop("toolUse")], said("Done."), options={"tools": [tool]})
        house.send("go")
        house.clock.advance(0)
        house.clock.advance(0)
        self.assertEqual(tool.launched, ["kite", "rocket"])
        calls = [block["id"] for block in house.messages()[1]["content"]]
        self.assertEqual(calls, ["call_1", "call_2"])
        self.assertEqual([message["toolCallId"] for message in house.messages()[2:4]], calls)


class RestartAgainTests(ToolCase):
    def test_needs_no_approval_any_more(self) -> None:
        """
        A call that waited and need not be approved now is done once, also when the process dies while it is.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")
        tool.asks, tool.seconds = False, 10
        house.crash([said("Done.")])
        old = house.clock
        house.crash([said("Done.")])
        house.clock.advance(60)
        self.assertEqual(tool.launched, [])
        self.assert_one_end(house, "run-1", "error")
        for call in list(old.getDelayedCalls()):
            call.cancel()

    def test_words_in_between(self) -> None:
        """
        What was put into the session while the run waited does not part the call from its result.
        """
        tool = Launcher()
        house = self.with_tool(tool)
        house.send("go")

        def inject(unit: Any) -> None:
            session = unit.sessions.get(KEY)
            message = injected_message("by the way", 1)
            append_message(
                unit, lambda: "aaaaaaaa", session_id=session.session_id, run_id=None, now_ms=1, message=message
            )

        house.store.write(inject)
        house.crash([said("Done.")])
        house.runtime.decide(QUESTION, True)
        house.clock.advance(0)
        roles = [message["role"] for message in house.model.requests[0].messages]
        self.assertEqual(roles, ["user", "assistant", "toolResult", "assistant"])


class BrokenToolTests(ToolCase):
    def test_question_fails(self) -> None:
        """
        A tool that cannot say what it would do does nothing; the model is told, the run goes on.
        """
        tool = Launcher()
        house = self.house([ToolCall("c1", "launch", {}), Stop("toolUse")], said("Done."), options={"tools": [tool]})
        house.send("go")
        house.clock.advance(0)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertTrue(house.messages()[2]["isError"])
        self.assert_one_end(house, "run-1", "final")


class CancelTests(ToolCase):
    def test_abort_cancels_the_tool(self) -> None:
        """
        Ending a run ends the tool at work.
        """
        tool = Launcher(asks=False, seconds=10)
        house = self.with_tool(tool)
        house.send("go")
        self.successResultOf(house.runtime.abort(KEY))
        self.assertEqual((tool.cancelled, tool.launched), (["kite"], []))
        self.assert_one_end(house, "run-1", "aborted")

    def test_limit_cancels_the_tool(self) -> None:
        """
        So does the agent's limit.
        """
        tool = Launcher(asks=False, seconds=100)
        house = self.with_tool(tool, config={"agents": {"defaults": {"timeoutSeconds": 5}}})
        house.send("go")
        house.clock.advance(5)
        self.assertEqual(tool.cancelled, ["kite"])
        outcome = self.successResultOf(house.runtime.outcome("run-1"))
        self.assertEqual(outcome.code, "AGENT_TIMEOUT")
        assert outcome.result is not None
        self.assertEqual([payload["text"] for payload in outcome.result["payloads"]], ["Let me."])

    def test_limit_after_the_tool(self) -> None:
        """
        When the limit passes in a later answer, what was said before its tools is told too.
        """
        tool = Launcher(asks=False)
        config = {"agents": {"defaults": {"timeoutSeconds": 5}}}
        house = self.house(CALL, [TextDelta("Nearly"), 60], options={"tools": [tool]}, config=config)
        house.send("go")
        house.clock.pump([0, 5])
        outcome = self.successResultOf(house.runtime.outcome("run-1"))
        assert outcome.result is not None
        self.assertEqual([payload["text"] for payload in outcome.result["payloads"]], ["Let me.", "Nearly"])

    def test_payloads(self) -> None:
        """
        What was said before the tool and after it are both told in the end.
        """
        tool = Launcher(asks=False)
        house = self.with_tool(tool)
        house.send("go")
        house.clock.advance(0)
        outcome = self.successResultOf(house.runtime.outcome("run-1"))
        assert outcome.result is not None
        self.assertEqual([payload["text"] for payload in outcome.result["payloads"]], ["Let me.", "Done."])
