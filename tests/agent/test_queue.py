"""
Queue mode ``collect``: what channels send while the agent is busy becomes one turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.queue import QueueSettings, collected, queue_settings
from openclaw.config.model import build
from tests.agent.cases import HouseCase
from tests.agent.fakes import House, said, texts

CHANNEL: Mapping[str, Any] = {"lastChannel": "telegram", "lastTo": "7"}


def settings(**changes: Any) -> QueueSettings:
    return QueueSettings(**{"mode": "collect", "debounce_ms": 1000, "cap": 20, "drop": "summarize", **changes})


class CollectedTests(SynchronousTestCase):
    def test_text(self) -> None:
        """
        The messages stand one under the other, numbered, oldest first.
        """
        self.assertEqual(
            collected(["one", "two"], settings()),
            "[Queued messages while agent was busy]\n\n---\nQueued #1\none\n\n---\nQueued #2\ntwo",
        )

    def test_cap(self) -> None:
        """
        Over the cap the oldest are dropped with a summary, or silently, or the newest are not taken.
        """
        prompts = ["one\n line", "two", "three"]
        summary = collected(prompts, settings(cap=2))
        self.assertIn("[Queue overflow] Dropped 1 message(s) due to cap.\nSummary:\n- one line", summary)
        self.assertIn("Queued #1\ntwo", summary)
        self.assertEqual(collected(prompts, settings(cap=2, drop="old")), collected(prompts[1:], settings()))
        self.assertEqual(collected(prompts, settings(cap=2, drop="new")), collected(prompts[:2], settings()))

    def test_long_summary(self) -> None:
        """
        A dropped message is remembered by its beginning.
        """
        self.assertIn("- " + "x" * 160 + "…", collected(["x" * 500, "two"], settings(cap=1)))

    def test_whose_settings(self) -> None:
        """
        The session's own settings win over the channel's, these over the general ones; old names still count.
        """
        config = build({"messages": {"queue": {"mode": "followup", "byChannel": {"telegram": "collect"}, "cap": 5}}})
        self.assertEqual(queue_settings(config, {}, None).mode, "followup")
        self.assertEqual(queue_settings(config, {}, "telegram").mode, "collect")
        self.assertEqual(queue_settings(config, {"queueMode": "queue", "queueCap": 3}, "telegram").cap, 3)
        self.assertEqual(queue_settings(config, {"queueMode": "queue"}, "telegram").mode, "steer")
        self.assertEqual(queue_settings(config, {"queueDebounceMs": 0}, "telegram").debounce_ms, 0)


class CollectTests(HouseCase):
    def busy(self, **more: Any) -> House:
        """
        A house whose first run takes five seconds.
        """
        house = self.house([5, *said("first")], said("second"), said("third"), **more)
        self.post(house, "one")
        return house

    def post(self, house: House, text: str, **more: Any) -> None:
        members = {"origin": "channel", "message_id": None, "members": CHANNEL, "commands": False, **more}
        house.send(text, **{"run_id": f"run-{text}", **members})

    def asked(self, house: House, number: int) -> str:
        return texts([house.model.requests[number].messages[-1]])[0][1]

    def test_one_turn(self) -> None:
        """
        Messages of one route become one turn; each run has its one outcome.
        """
        house = self.busy()
        self.post(house, "two")
        self.post(house, "three")
        house.clock.pump([5, 1])
        self.assertEqual(len(house.model.requests), 2)
        self.assertEqual(self.asked(house, 1), collected(["two", "three"], settings()))
        for run_id in ("run-one", "run-two", "run-three"):
            self.assert_one_end(house, run_id, "final")

    def test_debounce(self) -> None:
        """
        The turn waits until the sender has been quiet for a second.
        """
        house = self.busy()
        house.clock.advance(4.8)
        self.post(house, "two")
        house.clock.advance(0.7)
        self.post(house, "three")
        house.clock.advance(0.9)
        self.assertEqual(len(house.model.requests), 1)
        house.clock.advance(0.1)
        self.assertEqual(self.asked(house, 1), collected(["two", "three"], settings()))

    def test_full(self) -> None:
        """
        When as many have come as become one turn, nobody is waited for: so none of them is dropped.
        """
        house = self.busy(config={"messages": {"queue": {"cap": 2}}})
        self.post(house, "two")
        house.clock.advance(4.9)
        self.post(house, "three")
        house.clock.advance(0.1)
        self.assertEqual(self.asked(house, 1), collected(["two", "three"], settings()))

    def test_shortcut(self) -> None:
        """
        A command in the middle of a message that was put together with others is answered too.
        """
        house = self.busy()
        self.post(house, "two")
        self.post(house, "three /status", run_id="run-three", commands=True)
        house.clock.pump([5, 1])
        self.assertEqual(self.asked(house, 1), collected(["two", "three"], settings()))
        self.assertIn("🧠 Model: mock/mock-1", house.chat("run-two")[-1]["message"]["content"][0]["text"])

    def test_new_while_settling(self) -> None:
        """
        What waits for its sender to be quiet has not begun: a new session drops it.
        """
        house = self.busy()
        house.clock.advance(4.5)
        self.post(house, "two")
        house.clock.advance(0.5)
        self.post(house, "/new", run_id="run-new", commands=True)
        house.clock.pump([1, 1])
        self.assert_one_end(house, "run-two", "aborted")
        self.assert_one_end(house, "run-new", "final")

    def test_other_route(self) -> None:
        """
        Messages of another conversation of the channel are not put in.
        """
        house = self.busy()
        self.post(house, "two")
        self.post(house, "three", members={**CHANNEL, "lastTo": "8"})
        house.clock.pump([5, 1, 1])
        self.assertEqual(self.asked(house, 1), "two")
        self.assertEqual(len(house.model.requests), 3)

    def test_chat_clients_run_one_by_one(self) -> None:
        """
        What chat clients send is never put together and does not wait for anybody to be quiet.
        """
        house = self.house([5, *said("first")], said("second"))
        for number in (1, 2, 3):
            house.send(f"m{number}", f"run-{number}")
        house.clock.advance(5)
        self.assertEqual(len(house.model.requests), 3)
        for number in (1, 2, 3):
            self.assert_one_end(house, f"run-{number}", "final")

    def test_abort_while_queued(self) -> None:
        """
        A queued message that is withdrawn is not part of the turn.
        """
        house = self.busy()
        self.post(house, "two")
        self.post(house, "three")
        self.successResultOf(house.runtime.abort("agent:main:main", run_id="run-two"))
        house.clock.pump([5, 1])
        self.assertEqual(self.asked(house, 1), "three")
        self.assert_one_end(house, "run-two", "aborted")

    def test_crash(self) -> None:
        """
        Messages that waited are answered by the next process, each once.
        """
        house = self.busy()
        self.post(house, "two")
        self.post(house, "three")
        old = house.clock
        house.crash([said("again")])
        house.clock.advance(5)
        for run_id in ("run-one", "run-two", "run-three"):
            self.assert_one_end(house, run_id, "final")
        for call in old.getDelayedCalls():
            call.cancel()
