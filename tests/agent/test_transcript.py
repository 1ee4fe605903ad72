"""
Writing a run into its session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import Cost, ResolvedModel, ToolCall, Usage
from openclaw.agent.transcript import (
    TRIES,
    append,
    append_message,
    append_settings,
    append_user,
    assistant_message,
    entry_id,
    failure_message,
    path_to,
    tool_message,
    usage_members,
    user_message,
)
from openclaw.store.interfaces import DuplicateEntry, Entry
from openclaw.store.memory import MemoryUnit

MODEL = ResolvedModel(provider="mock", model_id="m1", api="openai-completions", base_url="http://model.test/v1")


def ids(*given: str) -> Callable[[], str]:
    numbers = iter(given)
    return lambda: next(numbers)


class TranscriptCase(SynchronousTestCase):
    """
    A session with nothing in it, whose entries are ``e0``, ``e1`` and so on.
    """

    def setUp(self) -> None:
        self.unit = MemoryUnit()
        self.make_id = ids(*(f"e{number}" for number in range(20)))

    def say(self, role: str, text: str = "x", **more: Any) -> Entry:
        message = {"role": role, "content": [{"type": "text", "text": text}]}
        return append_message(self.unit, self.make_id, session_id="s", run_id="r", now_ms=1, message=message, **more)

    def ask(self, text: str) -> Entry:
        return append_user(
            self.unit,
            self.make_id,
            session_id="s",
            run_id="r",
            now_ms=1,
            message=user_message(text, (), 1),
            marks={"origin": "chat"},
        )

    def path(self) -> list[str]:
        return [entry.id for entry in self.unit.entries.path("s")]


class AppendTests(TranscriptCase):
    def test_chain(self) -> None:
        """
        Each entry follows the newest one.
        """
        self.say("user")
        self.say("assistant")
        self.assertEqual([entry.parent_id for entry in self.unit.entries.path("s")], [None, "e0"])

    def test_id_taken(self) -> None:
        """
        An id that the session has already is not used again: another one is made.
        """
        self.say("user")
        entry = append(self.unit, ids("e0", "e0", "new"), session_id="s", run_id=None, now_ms=1, type="custom", body={})
        self.assertEqual((entry.id, entry.parent_id), ("new", "e0"))

    def test_only_taken_ids(self) -> None:
        """
        It is not tried for ever.
        """
        self.say("user")
        made: list[str] = []

        def same() -> str:
            made.append("e0")
            return "e0"

        with self.assertRaises(DuplicateEntry):
            append(self.unit, same, session_id="s", run_id=None, now_ms=1, type="custom", body={})
        self.assertEqual(len(made), TRIES)

    def test_entry_id(self) -> None:
        """
        An entry's id is the last eight hexadecimal digits of what it is made of.
        """
        self.assertEqual(entry_id("0192-ABCD-00000000000f1e2d3c4b"), "1e2d3c4b")
        self.assertEqual(entry_id("7"), "00000007")

    def test_marks(self) -> None:
        """
        Where a message came from stands beside it.
        """
        body = self.ask("hi").body
        self.assertEqual((body["origin"], body["message"]["role"]), ("chat", "user"))


class UnansweredTests(TranscriptCase):
    def test_takes_the_place(self) -> None:
        """
        After a message that nobody answered the next one takes its place: the old one stays, but not in the context.
        """
        self.say("user")
        self.say("assistant")
        self.ask("never answered")
        self.ask("and now")
        self.assertEqual(self.path(), ["e0", "e1", "e3"])
        self.assertEqual(len(list(self.unit.entries.messages("s", 10))), 4)

    def test_first(self) -> None:
        """
        Also when it was the first.
        """
        self.ask("never answered")
        self.ask("and now")
        self.assertEqual(self.path(), ["e1"])

    def test_path_to(self) -> None:
        """
        The path that was read before is cut where the new entry branches off.
        """
        self.say("user")
        self.ask("and now")
        before = self.unit.entries.path("s")
        entry = self.ask("again")
        self.assertEqual([one.id for one in path_to(before, entry)], self.path())


class SettingsTests(TranscriptCase):
    def settings(self, model: ResolvedModel, thinking: str) -> list[str]:
        before = self.unit.entries.path("s")
        path = append_settings(
            self.unit, self.make_id, before, session_id="s", run_id="r", now_ms=1, model=model, thinking=thinking
        )
        self.assertEqual([entry.id for entry in path], self.path())
        return [entry.type for entry in path[len(before) :]]

    def test_only_what_changed(self) -> None:
        """
        Model, level and snapshot are written when they differ from the last ones.
        """
        self.assertEqual(self.settings(MODEL, "off"), ["model_change", "thinking_level_change", "custom"])
        self.assertEqual(self.settings(MODEL, "off"), [])
        self.assertEqual(self.settings(MODEL, "high"), ["thinking_level_change"])
        other = ResolvedModel(provider="mock", model_id="m2", api="openai-completions", base_url="")
        self.assertEqual(self.settings(other, "high"), ["model_change", "custom"])


class MessageTests(SynchronousTestCase):
    def test_cost(self) -> None:
        """
        Prices are per million tokens, in parts and together.
        """
        usage = Usage(input=1000, output=7, cache_read=100, cache_write=10)
        told = usage_members(usage, Cost(input=3, output=15, cache_read=0.3, cache_write=3.75))
        self.assertEqual((told["input"], told["cacheWrite"], told["totalTokens"]), (1000, 10, 1117))
        parts = {"input": 0.003, "output": 0.000105, "cacheRead": 0.00003, "cacheWrite": 0.0000375}
        for name, value in parts.items():
            self.assertAlmostEqual(told["cost"][name], value)
        self.assertAlmostEqual(told["cost"]["total"], sum(parts.values()))

    def test_failure(self) -> None:
        """
        That a run failed is a message without content, by the model where there was one.
        """
        told = failure_message(MODEL, "no", 5)
        self.assertEqual((told["content"], told["stopReason"], told["errorMessage"]), ([], "error", "no"))
        self.assertEqual((told["provider"], told["model"]), ("mock", "m1"))
        self.assertNotIn("provider", failure_message(None, "no", 5))

    def test_no_error(self) -> None:
        """
        An answer that did not fail says nothing of an error, a result without details nothing of details.
        """
        self.assertNotIn("errorMessage", assistant_message(MODEL, [], Usage(), "stop", 5))
        call = ToolCall("c1", "launch")
        self.assertNotIn("details", tool_message(call, [], None, is_error=False, now_ms=5))
        self.assertEqual(tool_message(call, [], {"pid": 7}, is_error=False, now_ms=5)["details"], {"pid": 7})
