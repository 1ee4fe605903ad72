"""
What people are shown of what a model says.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.text import ShownText, clean, is_silent

PIECES = st.sampled_from(
    [
        "Hello",
        " ",
        "\n",
        "<think>",
        "</think>",
        "<final>",
        "[[reply_to_current]]",
        "[[",
        "MEDIA: x\n",
        "```\n",
        "NO_REPLY",
        "<b>",
        "a<b",
    ]
)


class CleanTests(SynchronousTestCase):
    def test_tags(self) -> None:
        """
        Reasoning goes with its tags, also when it never ends; the tags of an answer go and leave the answer.
        """
        self.assertEqual(clean("<think>hm\nhm</think>Yes"), "Yes")
        self.assertEqual(clean("Yes <THINKING mode=x>hm"), "Yes")
        self.assertEqual(clean("<final>Yes</final>"), "Yes")
        self.assertEqual(clean("a </think> b"), "a  b")

    def test_marks(self) -> None:
        """
        Media lines and reply tags are for channels, not for people.
        """
        self.assertEqual(clean("Look:\nMEDIA: /tmp/a.png\nNice"), "Look:\nNice")
        self.assertEqual(clean("[[reply_to_current]] Yes [[ reply_to: 7 ]]"), "Yes")
        self.assertEqual(clean("[[audio_as_voice]]Yes"), "Yes")
        self.assertEqual(clean("see [[wiki]] and MEDIA: inside"), "see [[wiki]] and MEDIA: inside")

    def test_code(self) -> None:
        """
        Code in fences is shown as it is.
        """
        text = "```\n<think>x</think>\nMEDIA: y\n```"
        self.assertEqual(clean(f"<think>hm</think>{text}"), text)
        self.assertEqual(clean(f"<think>hm</think>\n{text}"), text)

    def test_code_in_reasoning(self) -> None:
        """
        Code inside reasoning is reasoning.
        """
        self.assertEqual(clean("<think>try\n```\nrm x\n```\nno</think>Yes"), "Yes")
        self.assertEqual(clean("<think>try\n```\nrm x\n```\n"), "")

    def test_silence(self) -> None:
        """
        Only the silent word is nothing; it may stand at the start or the end, not inside a word.
        """
        self.assertEqual(clean(" NO_REPLY "), "")
        for text in ("", "NO_REPLY", "NO_REPLY.", "NO_REPLY, really", "All done. NO_REPLY", "All done: NO_REPLY.\n"):
            self.assertTrue(is_silent(text), text)
        for text in ("NO_REPLYING", "NO_REPLY_NOW", "Say NO_REPLY when done", "Yes"):
            self.assertFalse(is_silent(text), text)


class ShownTests(SynchronousTestCase):
    def shown(self, *deltas: str) -> list[str]:
        text = ShownText()
        return [text.add(delta) for delta in deltas]

    def test_undecided(self) -> None:
        """
        What may become a tag is held back until it is decided.
        """
        self.assertEqual(self.shown("Hi <th", "ink>hm", "</think> you"), ["Hi", "Hi", "Hi  you"])
        self.assertEqual(self.shown("1 < 2", " <b>"), ["1 < 2", "1 < 2 <b>"])
        self.assertEqual(self.shown("Hi\nMED", "IA: x\n"), ["Hi", "Hi"])
        self.assertEqual(self.shown("Hi [[reply_to", "_current]]"), ["Hi", "Hi"])

    def test_silent_word(self) -> None:
        """
        The silent word is not shown while it comes, unless it becomes something else.
        """
        self.assertEqual(self.shown("NO", "_REPLY"), ["", ""])
        self.assertEqual(self.shown("NO", "_REPLY", "ING"), ["", "", "NO_REPLYING"])

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.lists(PIECES, max_size=12))
    def test_in_pieces(self, pieces: list[str]) -> None:
        """
        A text that came in pieces is in the end what it would have been at once, up to what is still undecided.
        """
        text = "".join(pieces)
        one = ShownText().add(text)
        self.assertEqual(self.shown(*pieces)[-1:] or [""], [one])
        self.assertEqual(self.shown(*text)[-1:] or [""], [one])
