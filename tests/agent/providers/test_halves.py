"""
Texts of models that are cut within an emoji.
"""

from __future__ import annotations

from typing import Any

from openclaw.agent.providers.base import Stop, TextDelta, ThinkingDelta, ToolCall
from tests.agent.providers.serving import in_units, joined
from tests.agent.providers.test_anthropic import START, STOP, AnthropicCase, block, ending, text
from tests.agent.providers.test_openai import USAGE, OpenAICase, chunk

#: Texts in pieces, and what they are together.
CUT = (
    (("a\ud83d", "\ude00b"), "a\U0001f600b"),
    (("\ud83d", "\ude00"), "\U0001f600"),
    (("\ud83d", "", "\ude00\ud83d", "\ude00"), "\U0001f600\U0001f600"),
    (("\ud83d", "x", "\ude00"), "\ufffdx\ufffd"),
    (("\ud83d", "\ud83d", "\ude00"), "\ufffd\U0001f600"),
    (("x\ud83d",), "x\ufffd"),
    (("\ude00x\ud83d\ude00",), "\ufffdx\U0001f600"),
)


class OpenAITests(OpenAICase):
    def test_halves(self) -> None:
        """
        Halves of an emoji in two events are joined, whatever usage is told between; a half alone is U+FFFD.
        """
        for pieces, meant in CUT:
            said = [event for piece in pieces for event in (chunk({"content": piece}), USAGE)]
            self.answered(in_units(*said, chunk({}, "stop")))
            self.assertEqual((joined(self.events), self.events[-1]), (meant, Stop("stop")))
        thought = chunk({"reasoning": "hm\ud83d"}), chunk({"content": "\ude00"})
        self.answered(in_units(*thought, chunk({}, "stop")))
        self.assertEqual(
            [event.text for event in self.events if isinstance(event, ThinkingDelta | TextDelta)],
            ["hm", "\ufffd", "\ufffd"],
        )

    def test_halves_of_calls(self) -> None:
        """
        The same within calls, also those of servers that give objects; the text before a call is complete.
        """

        def written(arguments: Any) -> dict[str, Any]:
            return chunk(
                {"tool_calls": [{"index": 0, "id": "c\ud83d", "function": {"name": "x", "arguments": arguments}}]}
            )

        said = chunk({"content": "a\ud83d"})
        cut = in_units(said, written('{"a":"\ud83d'), written('\ude00\ud83d"}'), chunk({}, "tool_calls"))
        as_object = in_units(said, written({"a": "\ud83d\ude00\ud83d"}), chunk({}, "tool_calls"))
        for data in (cut, as_object):
            self.answered(data)
            text, rest, *others = self.events
            self.assertEqual((text, rest), (TextDelta("a"), TextDelta("\ufffd")))
            self.assertEqual(others, [ToolCall("c\ufffd", "x", {"a": "\U0001f600\ufffd"}), Stop("toolUse")])


class AnthropicTests(AnthropicCase):
    def test_halves(self) -> None:
        """
        Halves of an emoji in two events are joined, in texts and arguments; a half alone is U+FFFD.
        """
        for pieces, meant in CUT:
            self.events = []
            self.answered(in_units(START, *text(*pieces), ending("end_turn"), STOP))
            self.assertEqual((joined(self.events), self.events[-1]), (meant, Stop("stop")))
            parts = ({"type": "input_json_delta", "partial_json": part} for part in ('{"a":"', *pieces, '"}'))
            call = block(0, {"type": "tool_use", "id": "c", "name": "x"}, *parts)
            self.answered(in_units(START, *call, ending("tool_use"), STOP))
            self.assertIn(ToolCall("c", "x", {"a": meant}), self.events)

    def test_half_of_a_thought(self) -> None:
        """
        What is signed is complete before it.
        """
        thought = ({"type": "thinking_delta", "thinking": part} for part in ("hm", "\ud83d"))
        signed = {"type": "signature_delta", "signature": "s"}
        said = block(0, {"type": "thinking"}, *thought, signed)
        self.answered(in_units(START, *said, *text("\ude00"), ending("end_turn"), STOP))
        self.assertEqual(
            [event for event in self.events if isinstance(event, ThinkingDelta)],
            [ThinkingDelta("hm"), ThinkingDelta("\ufffd", "s")],
        )
        self.assertEqual(joined(self.events), "\ufffd")
