"""
Tests of ``openclaw.sessions.text`` and ``openclaw.sessions.titles``.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.sessions.text import ABORTED_NOTE, GREETING, cut, message_text, shown_message, shown_text
from openclaw.sessions.titles import derived_title, last_text, preview_items, preview_text, shortened
from openclaw.store.interfaces import Session


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}], "timestamp": 1}


def assistant(*content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content), "timestamp": 2}


class ShownTests(SynchronousTestCase):
    """
    People see what people wrote.
    """

    def test_envelopes(self) -> None:
        """
        A leading bracket goes only when it says a time or a channel.
        """
        self.assertEqual(shown_text("[WhatsApp +49 30] hi"), "hi")
        self.assertEqual(shown_text("[Anna 2026-01-30 12:00] hi"), "hi")
        self.assertEqual(shown_text("[Anna 2026-01-30T12:00Z] hi"), "hi")
        self.assertEqual(shown_text("[draft] hi"), "[draft] hi")
        self.assertEqual(shown_text("[WhatsApp] hi"), "[WhatsApp] hi")

    def test_message_ids(self) -> None:
        """
        The id line goes, wherever it stands, and the rest keeps its own line breaks.
        """
        self.assertEqual(shown_text("hello\n[message_id: a-1]"), "hello")
        self.assertEqual(shown_text("a\n[message_id: 1]\nb\n"), "a\nb\n")
        self.assertEqual(shown_text("say [message_id: 1] inside"), "say [message_id: 1] inside")

    def test_note_of_an_aborted_run(self) -> None:
        """
        The gateway's own words before a message are not the user's.
        """
        self.assertEqual(shown_text(f"{ABORTED_NOTE}\n\nhello\n[message_id: a-1]"), "hello")
        self.assertEqual(shown_text(f"why {ABORTED_NOTE}\n\nhello"), f"why {ABORTED_NOTE}\n\nhello")

    def test_greeting(self) -> None:
        """
        Who begins a session has not written what the model then reads.
        """
        self.assertEqual(shown_text(f"{GREETING}\n[message_id: a-1]"), "/new")

    def test_only_users(self) -> None:
        """
        What the assistant says is not touched.
        """
        message = assistant({"type": "text", "text": "[message_id: 1]"})
        self.assertIs(shown_message(message), message)
        image = {"type": "image", "data": "eA==", "mimeType": "image/png"}
        shown = shown_message({"role": "user", "content": [{"type": "text", "text": "x\n[message_id: 1]"}, image]})
        self.assertEqual(shown["content"], [{"type": "text", "text": "x"}, image])

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.text(max_size=60), st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=8))
    def test_round_trip(self, text: str, id: str) -> None:
        """
        Whatever text gets an id line loses exactly that line again, however it looks itself.
        """
        self.assertEqual(shown_text(f"{text}\n[message_id: {id}]"), shown_text(text))


class TitleTests(SynchronousTestCase):
    """
    What a session is called when nobody named it.
    """

    def session(self, **members: Any) -> Session:
        return Session(
            key="agent:main:x", agent_id="main", session_id="0123456789ab", updated_at_ms=86_400_000, members=members
        )

    def test_order(self) -> None:
        """
        A display name wins over a subject, that over the first message, that over the bare id.
        """
        said = user("what is  up\n[message_id: 1]")
        self.assertEqual(derived_title(self.session(displayName="D", subject="S"), said), "D")
        self.assertEqual(derived_title(self.session(subject="S"), said), "S")
        self.assertEqual(derived_title(self.session(), said), "what is up")
        self.assertEqual(derived_title(self.session(), None), "01234567 (1970-01-02)")

    def test_cut_at_word(self) -> None:
        """
        A long title ends at a word and says that it goes on.
        """
        title = shortened("word " * 20)
        self.assertLessEqual(len(title), 60)
        self.assertTrue(title.endswith("word…"))
        self.assertEqual(len(shortened("x" * 100)), 60)


class PreviewTests(SynchronousTestCase):
    def test_calls_and_pictures(self) -> None:
        """
        A message without a text is told by what it is.
        """
        calls = [{"type": "toolCall", "id": str(n), "name": f"t{n}", "arguments": {}} for n in range(3)]
        self.assertEqual(preview_text(assistant(*calls)), "call t0, t1 +1")
        self.assertEqual(preview_text(assistant({"type": "image", "data": ""})), "[image]")
        self.assertEqual(preview_text(assistant()), "")

    def test_items(self) -> None:
        """
        The last items come, oldest first, with their roles, cut to length; empty messages do not count.
        """
        messages = [
            user("first"),
            assistant({"type": "text", "text": "Let me see."}, {"type": "toolCall", "name": "exec"}),
            {"role": "toolResult", "toolName": "exec", "content": [{"type": "text", "text": "done"}]},
            assistant(),
            assistant({"type": "text", "text": "x" * 30}),
        ]
        self.assertEqual(
            preview_items(messages[::-1], 3, 10),
            [
                {"role": "tool", "text": "Let me..."},
                {"role": "tool", "text": "done"},
                {"role": "assistant", "text": "xxxxxxx..."},
            ],
        )

    def test_last_text(self) -> None:
        """
        The last thing said is a user's or the assistant's, never a tool's.
        """
        result = {"role": "toolResult", "content": [{"type": "text", "text": "t"}]}
        self.assertEqual(last_text([result, user("hi"), user("earlier")]), "hi")
        self.assertIsNone(last_text([result]))
        self.assertEqual(message_text({"role": "user", "content": 5}), "")
        self.assertEqual(cut("abcdef", 5), "ab...")
