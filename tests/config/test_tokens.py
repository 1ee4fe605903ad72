"""
Tests for :mod:`openclaw.config.tokens`.
"""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.tokens import Array, Json5Error, Node, Object, comments, decode, parse, position

PIECES = ["{", "}", "[", "]", ",", ":", "a", "$b", "'x'", '"y"', "1", "-.5", "0x1F", "+", "true", "null", " ", "\n"]
PIECES += ["//c\n", "/*c*/", "\\", '"\\u0041"', "'\\\n'", "5.", "1e3", "\ufeff", "'", "NaN", "é"]

#: Texts near to JSON5, of which about one in ten is some.
near_json5 = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def value_of(text: str, node: Node) -> object:
    """
    The value of a tree, each scalar decoded by itself.
    """
    if isinstance(node, Object):
        return {member.key: value_of(text, member.value) for member in node.members}
    if isinstance(node, Array):
        return [value_of(text, item) for item in node.items]
    return decode(text[node.start : node.end])


class ParseTests(SynchronousTestCase):
    """
    From text to tree.
    """

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(near_json5)
    def test_agrees_with_decoder(self, text: str) -> None:
        """
        What the tree accepts the decoder reads too, as the same value. (The decoder alone takes duplicate keys,
        numbers that are none, and some forms such as ``-.55.``.)
        """
        try:
            tree = parse(text)
        except Json5Error:
            return
        self.assertEqual(value_of(text, tree), decode(text))

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10))
    def test_json(self, value: object) -> None:
        """
        JSON is JSON5.
        """
        for ascii_only in (True, False):
            text = json.dumps({"key": value}, ensure_ascii=ascii_only)
            self.assertEqual(value_of(text, parse(text)), {"key": value})

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.text())
    def test_junk(self, text: str) -> None:
        """
        Any text is read or refused, at a place within it.
        """
        try:
            parse(text)
        except Json5Error as error:
            self.assertTrue(1 <= error.line <= text.count("\n") + 2)

    def test_refused(self) -> None:
        """
        Each mistake is told at the character where it shows.
        """
        cases = {
            "{a:tru}": "invalid character '}' at 1:7",
            "{a:01}": "invalid character '1' at 1:5",
            "{a:1 b:2}": "invalid character 'b' at 1:6",
            "[1,,2]": "invalid character ',' at 1:4",
            "{a:1}\n}": "invalid character '}' at 2:1",
            "{a:1 /* open": "invalid end of input at 1:13",
            '{"a': "invalid end of input at 1:4",
            "{a:+}": "invalid character '}' at 1:5",
            "{a:-Infinity}": "invalid number '-Infinity' at 1:4",
        }
        for text, message in cases.items():
            error = self.assertRaises(Json5Error, parse, text)
            self.assertEqual(str(error), f"SyntaxError: JSON5: {message}")

    def test_half_characters(self) -> None:
        """
        Half of a surrogate pair is refused; a whole one is a character.
        """
        self.assertRaises(Json5Error, decode, '["\\ud83d"]')
        self.assertEqual(decode('{"a": ["\\ud83d\\ude00"]}'), {"a": ["😀"]})

    def test_too_large(self) -> None:
        """
        A number beyond all numbers is refused.
        """
        self.assertRaises(Json5Error, decode, "1e999")

    def test_position(self) -> None:
        """
        Lines and columns begin at 1.
        """
        self.assertEqual(position("a\nbc", 0), (1, 1))
        self.assertEqual(position("a\nbc", 3), (2, 2))

    def test_comments(self) -> None:
        """
        Comments are found, and what only looks like one in a string is not.
        """
        text = "{a: '//x', // one\n'/*': \"\\\"/*\" /* two\n*/}"
        self.assertEqual([text[start:end] for start, end in comments(text)], ["// one", "/* two\n*/"])
