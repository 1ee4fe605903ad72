"""
Runs from submission to outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.errors import UnknownRun
from openclaw.agent.providers.base import ResolvedModel, Stop, TextDelta
from openclaw.agent.providers.errors import GarbledAnswer, ProviderRefused, StreamBroken
from openclaw.agent.types import Outcome
from openclaw.testing.model import PlayedModel, Step
from tests.agent.fakes import KEY, House, said, texts


def _result(outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.result is not None
    return outcome.result


class RuntimeTests(SynchronousTestCase):
    """
    The base of these tests: a house with one scripted model, whose clock is left empty.
    """

    def house(self, *scripts: Sequence[Step], config: Mapping[str, Any] | None = None, **more: Any) -> House:
        house = House(Path(self.mktemp()), list(scripts) or [said("Hello")], config or {}, **more)
        self.addCleanup(lambda: self.assertEqual(house.clock.getDelayedCalls(), []))
        return house


class AnswerTests(RuntimeTests):
    def test_answer(self) -> None:
        """
        A message is accepted, streams as agent and chat events, and ends in one final.
        """
        script: list[Step] = [
            TextDelta("Hello"),
            0.06,
            TextDelta(" from"),
            0.06,
            TextDelta(" the mock."),
            0.06,
            Stop("stop"),
        ]
        house = self.house(script)
        accepted = self.successResultOf(house.send("hi"))
        house.clock.pump([0.06, 0.06, 0.06])
        self.assertEqual((accepted.run_id, accepted.repeated, accepted.state), ("run-1", False, "accepted"))
        streams = [(p["stream"], p["data"].get("phase") or p["data"]["text"], p["seq"]) for p in house.agent()]
        self.assertEqual(
            streams,
            [
                ("lifecycle", "start", 1),
                ("assistant", "Hello", 2),
                ("assistant", "Hello from", 3),
                ("assistant", "Hello from the mock.", 4),
                ("lifecycle", "end", 5),
            ],
        )
        self.assertEqual([p["data"]["delta"] for p in house.agent()[1:4]], ["Hello", " from", " the mock."])
        self.assertEqual([(p["state"], p["seq"]) for p in house.chat()], [("delta", 2), ("final", 5)])
        self.assertEqual(house.chat()[-1]["message"]["content"], [{"type": "text", "text": "Hello from the mock."}])
        self.assertEqual({p["sessionKey"] for _, p in house.events}, {"main"})

    def test_outcome(self) -> None:
        """
        Whoever waits hears the outcome, before and after the end; an unknown run is said to be unknown.
        """
        house = self.house([0.5, *said("Hello")])
        house.send("hi")
        waiting = house.runtime.outcome("run-1")
        self.assertNoResult(waiting)
        house.clock.advance(0.5)
        outcome = self.successResultOf(waiting)
        self.assertEqual((outcome.status, outcome.summary), ("ok", "completed"))
        self.assertEqual(_result(outcome)["payloads"], [{"text": "Hello", "mediaUrl": None}])
        self.assertEqual(_result(outcome)["meta"]["agentMeta"]["usage"]["total"], 11)
        self.assertEqual(self.successResultOf(house.runtime.outcome("run-1")), outcome)
        self.failureResultOf(house.runtime.outcome("nope"), UnknownRun)

    def test_asked_in_the_answer(self) -> None:
        """
        Whoever is told of the outcome may ask for it again right then.
        """
        house = self.house([0.5, *said("Hello")])
        house.send("hi")
        again: list[Any] = []
        house.runtime.outcome("run-1").addCallback(lambda _: again.append(house.runtime.outcome("run-1")))
        house.clock.advance(0.5)
        self.assertEqual(self.successResultOf(again[0]).status, "ok")

    def test_transcript(self) -> None:
        """
        What was said stands in the session, the model's settings before it, the reply in the outbox as delivered.
        """
        house = self.house()
        house.send("hi")
        self.assertEqual(texts(house.messages()), [("user", "hi\n[message_id: run-1]"), ("assistant", "Hello")])
        path = house.read(lambda unit: unit.entries.path(unit.sessions.get(KEY).session_id))
        kinds = [entry.type for entry in path]
        self.assertEqual(kinds, ["model_change", "thinking_level_change", "custom", "message", "message"])
        self.assertEqual([entry.parent_id for entry in path], [None, *(entry.id for entry in path[:-1])])
        (item,) = house.store.unit.outbox.rows.values()
        self.assertEqual(item.payload["text"], "Hello")
        self.assertIsNotNone(item.delivered_at_ms)

    def test_second_turn(self) -> None:
        """
        The next message continues the conversation.
        """
        house = self.house()
        house.send("one", "run-1")
        house.send("two", "run-2")
        asked = house.model.requests[1]
        self.assertEqual([m["role"] for m in asked.messages], ["user", "assistant", "user"])

    def test_repeated(self) -> None:
        """
        The same message twice runs once.
        """
        house = self.house()
        house.send("hi")
        again = self.successResultOf(house.send("hi"))
        self.assertEqual((again.repeated, again.state), (True, "ok"))
        self.assertEqual(len(house.model.requests), 1)

    def test_repeated_in_flight(self) -> None:
        """
        The same message again while it runs or waits is the same run, also when both came at once.
        """
        house = self.house([1, *said("Hello")])
        first, second = house.send("hi"), house.send("hi")
        self.assertEqual(self.successResultOf(first).repeated, False)
        again = self.successResultOf(second)
        self.assertEqual((again.repeated, again.run_id), (True, "run-1"))
        self.assertEqual(list(house.runtime.active(KEY)), ["run-1"])
        waiting = [house.runtime.outcome("run-1") for _ in range(2)]
        house.clock.advance(1)
        self.assertEqual(house.terminal("run-1"), ["final"])
        self.assertEqual({self.successResultOf(waiter).status for waiter in waiting}, {"ok"})
        self.assertEqual(len(house.model.requests), 1)

    def test_same_run_id_elsewhere(self) -> None:
        """
        A run id is one run, whatever name space its key is from.
        """
        house = self.house()
        house.send("hi")
        again = self.successResultOf(house.send("hi", dedupe_key="agent:run-1"))
        self.assertTrue(again.repeated)
        self.assertEqual(len(house.model.requests), 1)

    def test_delta_throttle(self) -> None:
        """
        Chat deltas come at most every 150 ms, the first at once; the final has everything.
        """
        house = self.house([TextDelta("a"), 0.1, TextDelta("b"), 0.1, TextDelta("c"), Stop("stop")])
        house.send("hi")
        house.clock.pump([0.1, 0.1])
        shown = [p["message"]["content"][0]["text"] for p in house.chat()]
        self.assertEqual(shown, ["a", "abc", "abc"])

    def test_silent(self) -> None:
        """
        An answer that asks for silence ends in a final without message.
        """
        house = self.house(said("NO_", "REPLY"))
        house.send("hi")
        self.assertEqual([p["state"] for p in house.chat()], ["final"])
        self.assertNotIn("message", house.chat()[0])

    def test_no_session_key(self) -> None:
        """
        A run without a session key has agent events without one, and no chat events.
        """
        house = self.house()
        house.send("hi", shown_key=None, session_key="agent:main:transcript:x", session_id="x")
        self.assertEqual(house.chat(), [])
        self.assertNotIn("sessionKey", house.agent()[0])


class FailureTests(RuntimeTests):
    def assert_failed(self, house: House, text: str) -> None:
        """
        There was exactly one terminal event and one outcome.
        """
        self.assertEqual(house.terminal("run-1"), ["error"])
        self.assertEqual(house.chat()[-1]["errorMessage"], text)
        outcome = self.successResultOf(house.runtime.outcome("run-1"))
        self.assertEqual((outcome.status, outcome.code, outcome.summary), ("error", "UNAVAILABLE", text))
        self.assertEqual(house.run_record("run-1").state, "error")
        ends = [p for p in house.agent() if p["data"].get("phase") in ("end", "error")]
        self.assertEqual([p["data"]["phase"] for p in ends], ["error"])

    def test_400(self) -> None:
        """
        A refusal ends the run at once.
        """
        house = self.house([ProviderRefused("mock error 400", status=400)])
        house.send("hi")
        self.assert_failed(house, "HTTP 400: mock error 400")
        self.assertEqual(len(house.model.requests), 1)
        self.assertEqual(house.messages()[-1]["errorMessage"], "400 mock error 400")

    def test_500(self) -> None:
        """
        A steady 500 is asked twelve times in 16 to 20 seconds, then one error is told.
        """
        house = self.house([ProviderRefused("mock error 500", status=500)])
        began = house.clock.seconds()
        house.send("hi")
        while not house.terminal("run-1"):
            house.clock.advance(0.25)
        self.assertTrue(16 <= house.clock.seconds() - began <= 22, house.clock.seconds() - began)
        self.assertEqual(len(house.model.requests), 12)
        self.assert_failed(house, "HTTP 500: mock error 500")

    def test_429_then_answer(self) -> None:
        """
        What a provider asks to wait is waited; the answer then counts as if nothing had happened.
        """
        house = self.house([ProviderRefused("slow down", status=429, retry_after=3.0)], said("Hello"))
        house.send("hi")
        house.clock.advance(2.9)
        self.assertEqual(len(house.model.requests), 1)
        house.clock.advance(0.2)
        self.assertEqual(house.terminal("run-1"), ["final"])
        self.assertEqual([m["role"] for m in house.messages()], ["user", "assistant"])

    def test_cut_stream(self) -> None:
        """
        An answer that is cut is asked for again; clients see the text grow, and the final is the second answer.
        """
        house = self.house([TextDelta("Hel"), StreamBroken("cut")], said("Hello"))
        house.send("hi")
        house.clock.advance(2)
        self.assertEqual([p["data"].get("text") for p in house.agent()[1:-1]], ["Hel", "Hello"])
        self.assertEqual(house.terminal("run-1"), ["final"])

    def test_garbage(self) -> None:
        """
        An answer in another protocol ends the run at once.
        """
        house = self.house([GarbledAnswer("not JSON")])
        house.send("hi")
        self.assert_failed(house, "not JSON")

    def test_level_that_is_not_known(self) -> None:
        """
        A model that refuses the level of thinking and names others is asked once more, with the next lower one.
        """
        refusal = ProviderRefused("Unsupported value: 'high'. Supported values are: 'low' and 'minimal'.", status=400)
        house = self.house([refusal], said("Hello"), config={"agents": {"defaults": {"thinkingDefault": "high"}}})
        house.send("hi")
        self.assertEqual(house.terminal("run-1"), ["final"])
        self.assertEqual([request.thinking for request in house.model.requests], ["high", "low"])
        house = self.house([refusal], config={"agents": {"defaults": {"thinkingDefault": "high"}}})
        house.send("hi")
        self.assertEqual(house.terminal("run-1"), ["error"])
        self.assertEqual(len(house.model.requests), 2)

    def test_key_command(self) -> None:
        """
        A key that a command prints is asked for before the model is, for each model that is tried.
        """
        provider = {"baseUrl": "http://other.test/v1", "apiKey": "!echo second", "models": [{"id": "m", "name": "M"}]}
        config = {
            "models": {"providers": {"mock": {"apiKey": "!echo first"}, "other": provider}},
            "agents": {"defaults": {"model": {"fallbacks": ["other/m"]}}},
        }
        keys: list[str | None] = []

        def make_model(resolved: ResolvedModel) -> PlayedModel:
            keys.append(resolved.api_key)
            script: list[Step] = [ProviderRefused("no", status=401)] if len(keys) == 1 else said("Hello")
            return PlayedModel(Clock(), lambda _: script)

        house = self.house(config=config, make_model=make_model)
        house.send("hi")
        self.assertEqual((keys, house.terminal("run-1")), (["first", "second"], ["final"]))

    def test_key_command_fails(self) -> None:
        """
        A command that prints no key is told as what it is, without what it is.
        """
        house = self.house(config={"models": {"providers": {"mock": {"apiKey": "!exit 3"}}}})
        house.send("hi")
        self.assert_failed(house, "Error: The configured command for a model's key failed: exit code 3.")

    def test_unexpected(self) -> None:
        """
        An error that nobody foresaw is logged, and told without details.
        """
        house = self.house([ZeroDivisionError("secret")])
        house.send("hi")
        self.assert_failed(house, "Error: internal error")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_unknown_model(self) -> None:
        """
        A run that fails before it asks has one error too, and its message stands in the session.
        """
        house = self.house(config={"agents": {"defaults": {"model": {"primary": "nope/none"}}}})
        house.send("hi")
        self.assert_failed(house, "Error: Unknown model: nope/none")
        self.assertEqual(texts(house.messages())[0], ("user", "hi\n[message_id: run-1]"))

    def test_store_breaks(self) -> None:
        """
        When the store cannot write the end, whoever waits is told all the same.
        """
        house = self.house([1.0, *said("Hello")])
        house.send("hi")
        waiting = house.runtime.outcome("run-1")
        house.store.broken = OSError("disk full")
        house.clock.advance(1)
        self.assertEqual(self.successResultOf(waiting).status, "error")
        self.assertEqual(house.terminal("run-1"), ["error"])
        self.assertTrue(self.flushLoggedErrors(OSError))


class EndingTests(RuntimeTests):
    def test_abort(self) -> None:
        """
        Ending a run cancels the model; after the aborted event nothing more is said in chat.
        """
        house = self.house([TextDelta("Hel"), 10, *said("lo")])
        house.send("hi")
        ended = self.successResultOf(house.runtime.abort(KEY))
        self.assertEqual(ended, ["run-1"])
        self.assertEqual(house.terminal("run-1"), ["aborted"])
        self.assertEqual(house.chat()[-1]["stopReason"], "rpc")
        self.assertEqual(house.agent()[-1]["data"]["aborted"], True)
        self.assertEqual(house.model.cancelled, 1)
        self.assertEqual([m["role"] for m in house.messages()], ["user"])
        self.assertEqual(self.successResultOf(house.runtime.outcome("run-1")).status, "aborted")
        self.assertEqual(house.runtime.active(KEY), [])

    def test_abort_queue(self) -> None:
        """
        Queued runs are ended too, and never begin.
        """
        house = self.house([10, *said("Hello")])
        house.send("one", "run-1")
        house.send("two", "run-2")
        ended: list[str] = self.successResultOf(house.runtime.abort(KEY))
        self.assertEqual(set(ended), {"run-1", "run-2"})
        self.assertEqual(house.terminal("run-2"), ["aborted"])
        self.assertEqual(len(house.model.requests), 1)

    def test_abort_one(self) -> None:
        """
        One run of a session can be ended; a run that has ended cannot.
        """
        house = self.house([10, *said("Hello")], said("Hello"))
        house.send("one", "run-1")
        house.send("two", "run-2")
        self.assertEqual(self.successResultOf(house.runtime.abort(KEY, run_id="run-1")), ["run-1"])
        self.assertEqual(house.terminal("run-2"), ["final"])
        self.assertEqual(self.successResultOf(house.runtime.abort(KEY, run_id="run-1")), [])

    def test_after_abort(self) -> None:
        """
        The aborted message is not in the next context, and the next prompt says that a run was aborted.
        """
        house = self.house([10], said("Hello"))
        house.send("one", "run-1")
        house.runtime.abort(KEY)
        house.send("two", "run-2")
        (asked,) = house.model.requests[1].messages
        self.assertIn("aborted", asked["content"][0]["text"])
        self.assertIn("two", asked["content"][0]["text"])

    def test_agent_timeout(self) -> None:
        """
        The agent's own limit gives AGENT_TIMEOUT with the text so far.
        """
        house = self.house([TextDelta("tok0"), 60], config={"agents": {"defaults": {"timeoutSeconds": 5}}})
        house.send("hi")
        house.clock.advance(5)
        outcome = self.successResultOf(house.runtime.outcome("run-1"))
        self.assertEqual((outcome.status, outcome.code), ("error", "AGENT_TIMEOUT"))
        self.assertEqual(_result(outcome)["payloads"], [{"text": "tok0", "mediaUrl": None}])
        self.assertTrue(_result(outcome)["meta"]["aborted"])
        self.assertEqual(house.terminal("run-1"), ["final"])
        self.assertEqual(house.chat()[-1]["message"]["content"][0]["text"], "tok0")

    def test_queued_timeout(self) -> None:
        """
        A run that waits longer than its limit ends too.
        """
        house = self.house([60, *said("Hello")], config={"agents": {"defaults": {"timeoutSeconds": 100}}})
        house.send("one", "run-1")
        house.send("two", "run-2", origin="agent", timeout=timedelta(seconds=3))
        house.clock.advance(3)
        self.assertEqual(self.successResultOf(house.runtime.outcome("run-2")).code, "AGENT_TIMEOUT")
        house.clock.advance(60)
        self.assertEqual(house.terminal("run-1"), ["final"])

    def test_expiry(self) -> None:
        """
        A chat run that expires is aborted with the reason ``timeout``.
        """
        house = self.house([600, *said("Hello")])
        house.send("hi", expires=timedelta(seconds=120))
        house.clock.advance(120)
        self.assertEqual(house.chat()[-1]["stopReason"], "timeout")


class LaneTests(RuntimeTests):
    def test_one_at_a_time(self) -> None:
        """
        Runs of one session come one after the other, those of others in between.
        """
        house = self.house([1, *said("Hello")])
        house.send("one", "run-1")
        house.send("two", "run-2")
        house.send("three", "run-3", session_key="agent:main:other")
        self.assertEqual(len(house.model.requests), 2)
        house.clock.advance(1)
        self.assertEqual([house.terminal(f"run-{n}") for n in (1, 2, 3)], [["final"], [], ["final"]])
        house.clock.advance(1)
        self.assertEqual(house.terminal("run-2"), ["final"])

    def test_global_limit(self) -> None:
        """
        No more runs than configured at a time; a crowd in one session takes one place.
        """
        house = self.house([1, *said("Hello")], config={"agents": {"defaults": {"maxConcurrent": 2}}})
        for number in range(4):
            house.send("same", f"same-{number}")
        house.send("b", "b", session_key="agent:main:b")
        house.send("c", "c", session_key="agent:main:c")
        self.assertEqual(len(house.model.requests), 2)
        for _ in range(5):
            house.clock.advance(1)
        self.assertEqual(len(house.model.requests), 6)
