"""
What a model is shown of a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.context import context, decision, has_user_message, open_calls
from openclaw.store.interfaces import Entry

Message = Mapping[str, Any]


def user(text: str) -> Message:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def said(text: str) -> Message:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def called(*ids: str) -> Message:
    blocks = [{"type": "toolCall", "id": one, "name": "launch", "arguments": {"of": one}} for one in ids]
    return {"role": "assistant", "content": blocks}


def result(id: str, text: str = "done") -> Message:
    content = [{"type": "text", "text": text}]
    return {"role": "toolResult", "toolCallId": id, "toolName": "launch", "content": content, "isError": False}


def path(*messages: Message | Entry, run_id: str = "r") -> list[Entry]:
    """
    A path of messages; entries stand as they are.
    """
    return [
        message if isinstance(message, Entry) else entry(f"e{number}", "message", {"message": message}, run_id)
        for number, message in enumerate(messages)
    ]


def entry(id: str, type: str, body: Mapping[str, Any], run_id: str | None = "r") -> Entry:
    return Entry(id=id, session_id="s", parent_id=None, type=type, timestamp_ms=7, body=body, run_id=run_id)


def approval(id: str, allowed: bool) -> Entry:
    data = {"id": id, "tool": "launch", "allowed": allowed}
    return entry(f"a-{id}", "custom", {"customType": "approval", "data": data})


class ContextTests(SynchronousTestCase):
    def assert_context(self, entries: list[Entry], *wanted: Message) -> None:
        self.assertEqual(context(entries), list(wanted))

    def test_failed_turns(self) -> None:
        """
        Messages without content, which tell of failures, are left out; entries that are no messages too.
        """
        failed = {"role": "assistant", "content": [], "stopReason": "error"}
        setting = entry("x", "model_change", {"provider": "mock"})
        self.assert_context(path(user("a"), failed, setting, said("b")), user("a"), said("b"))

    def test_results(self) -> None:
        """
        Each result stands right after its call, in the order of the calls, whatever was said in between.
        """
        entries = path(called("1", "2"), said("injected"), result("2"), result("1"), said("b"))
        self.assert_context(entries, called("1", "2"), result("1"), result("2"), said("injected"), said("b"))

    def test_lost_result(self) -> None:
        """
        A call that got no result is said to have lost it.
        """
        shown = context(path(called("1", "2"), result("2"), user("b")))
        self.assertEqual([message["role"] for message in shown], ["assistant", "toolResult", "toolResult", "user"])
        self.assertEqual((shown[1]["toolCallId"], shown[1]["isError"]), ("1", True))
        self.assertIn("lost", shown[1]["content"][0]["text"])

    def test_result_of_no_call(self) -> None:
        """
        A result whose call is not there is left out, also where its id is used again later.
        """
        self.assert_context(
            path(result("1", "old"), user("a"), called("1"), result("1")), user("a"), called("1"), result("1")
        )

    def test_id_used_again(self) -> None:
        """
        Two calls of one id have a result each.
        """
        entries = path(called("1"), result("1", "a"), called("1"), result("1", "b"), called("1", "1"), result("1", "c"))
        shown = context(entries)
        texts = [message["content"][0]["text"] for message in shown if message["role"] == "toolResult"]
        self.assertEqual(texts[:3], ["a", "b", "c"])
        self.assertIn("lost", texts[3])

    def test_compaction(self) -> None:
        """
        After a compaction the summary stands for what was before, and the messages that were kept follow it.
        """
        summary = entry("c", "compaction", {"summary": "they met", "firstKeptEntryId": "e1"})
        shown = context(path(user("a"), user("b"), summary, said("c")))
        self.assertEqual([message["content"][0]["text"] for message in shown], ["they met", "b", "c"])


class OpenCallTests(SynchronousTestCase):
    def test_open(self) -> None:
        """
        Calls of the newest answer that have no result yet, in order.
        """
        entries = path(called("0"), result("0"), called("1", "2", "3"), result("2"))
        self.assertEqual(
            [(call.id, call.arguments) for call in open_calls(entries, "r")], [("1", {"of": "1"}), ("3", {"of": "3"})]
        )

    def test_none(self) -> None:
        """
        A run that went on talking has none, nor has one to which the calls do not belong.
        """
        self.assertEqual(open_calls(path(called("1"), result("1"), said("done")), "r"), [])
        self.assertEqual(open_calls(path(called("1"), run_id="other"), "r"), [])

    def test_user_message(self) -> None:
        """
        Whether the message of a run is written: that of another run does not count.
        """
        self.assertTrue(has_user_message(path(user("a"), said("b")), "r"))
        self.assertFalse(has_user_message(path(user("a"), run_id="other"), "r"))
        self.assertFalse(has_user_message(path(said("b")), "r"))

    def test_decision(self) -> None:
        """
        The last word on a question counts; without one there is no decision.
        """
        entries = [*path(called("1")), approval("q1", True), approval("q2", True), approval("q2", False)]
        self.assertEqual([decision(entries, name) for name in ("q1", "q2", "q3")], [True, False, None])
