"""
Tests for :mod:`openclaw.config.editor`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.editor import EditRefused, PathNotFound, get_span, set_value, unset_value
from openclaw.config.tokens import Array, Node, Object, comments, decode, parse

Path = tuple[str | int, ...]

#: What may stand between two tokens.
gaps = st.sampled_from(["", " ", "\n", "\n  ", " // c\n", "/* d */", "\t", "\n\n  // e\n  "])
names = st.sampled_from(["a", "b", "c", "d-e", "f g", "$include", "on"])
scalars = st.sampled_from(
    ["1", "-.5", "0x1F", "true", "null", "'single'", '"double"', '"${NAME}"', "'it\\'s'", '"//"', "5."]
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def documents(draw: st.DrawFn, depth: int = 3, top: bool = True) -> str:
    """
    JSON5 in many hands.
    """
    kind = "object" if top else draw(st.sampled_from(["scalar", "scalar", "object", "array"]))
    if depth == 0 or kind == "scalar":
        return draw(scalars)
    inner = documents(depth - 1, False)
    if kind == "array":
        parts: list[str] = draw(st.lists(inner, max_size=3))
    else:
        parts = []
        for name in draw(st.lists(names, max_size=4, unique=True)):
            bare = name.isidentifier() or name == "$include"
            key = name if bare and draw(st.booleans()) else draw(st.sampled_from(["'%s'", '"%s"'])) % name
            parts.append(f"{key}{draw(gaps)}:{draw(gaps)}{draw(inner)}")
    body: str = f"{draw(gaps)},".join(draw(gaps) + part for part in parts)
    trailing: bool = draw(st.booleans())
    if parts and trailing:
        body += draw(gaps) + ","
    opening, closing = "[]" if kind == "array" else "{}"
    around = (draw(gaps), draw(gaps)) if top else ("", "")
    return f"{around[0]}{opening}{body}{draw(gaps)}{closing}{around[1]}"


def places(value: Any, path: Path = ()) -> list[Path]:
    """
    The paths of all values below the root.
    """
    found: list[Path] = []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        found.append((*path, key))
        found.extend(places(member, (*path, key)))
    return found


def changed(value: Any, path: Path, new: Any) -> Any:
    """
    What a text should mean after a change.
    """
    value = copy.deepcopy(value)
    holder = value
    for part in path[:-1]:
        holder = holder[part]
    if isinstance(holder, list) and path[-1] == len(holder):
        holder.append(new)
    else:
        holder[path[-1]] = new
    return value


def removed(value: Any, path: Path) -> Any:
    """
    What a text should mean after a removal.
    """
    value = copy.deepcopy(value)
    holder = value
    for part in path[:-1]:
        holder = holder[part]
    del holder[path[-1]]
    return value


def remarks(text: str) -> list[str]:
    """
    The comments of a text.
    """
    return [text[start:end] for start, end in comments(text)]


def subsequence(part: Sequence[str], whole: Sequence[str]) -> bool:
    """
    Whether ``whole`` has all of ``part`` in its order.
    """
    rest = iter(whole)
    return all(item in rest for item in part)


def element(text: str, path: Path) -> tuple[int, int]:
    """
    Where a member, from its key on, or an array element stands.
    """
    node: Node = parse(text)
    start = end = 0
    for part in path:
        if isinstance(node, Object):
            member = node.find(str(part))
            assert member is not None
            start, node = member.key_start, member.value
        else:
            assert isinstance(node, Array)
            assert isinstance(part, int)
            node = node.items[part]
            start = node.start
        end = node.end
    return start, end


class PropertyTests(SynchronousTestCase):
    """
    What holds for any text.
    """

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(documents(), plain, st.data())
    def test_replace(self, text: str, new: Any, data: st.DataObject) -> None:
        """
        A new value stands exactly where the old one stood; no other byte changes. (Containers of one kind are
        changed from inside, so that a scalar stands for the old value here.)
        """
        old = decode(text)
        scalar_places = [path for path in places(old) if not isinstance(_at(old, path), dict | list)]
        if not scalar_places:
            return
        path = data.draw(st.sampled_from(scalar_places))
        edited = set_value(text, path, new)
        span = get_span(text, path)
        assert span is not None
        self.assertTrue(edited.startswith(text[: span[0]]))
        self.assertTrue(edited.endswith(text[span[1] :]))
        self.assertEqual(_meaning(edited), changed(old, path, new))

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(documents(), plain, st.data())
    def test_add(self, text: str, new: Any, data: st.DataObject) -> None:
        """
        A new member or element is an insertion: every character that was there still is, in its order.
        """
        old = decode(text)
        holders = [path for path in [(), *places(old)] if isinstance(_at(old, path), dict | list)]
        holder = data.draw(st.sampled_from(holders))
        inside = _at(old, holder)
        path = (*holder, len(inside) if isinstance(inside, list) else "fresh")
        edited = set_value(text, path, new)
        self.assertEqual(_meaning(edited), changed(old, path, new))
        self.assertEqual(remarks(edited), remarks(text))
        self.assertTrue(subsequence("".join(text.split()), edited), edited)

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(documents(), st.data())
    def test_remove(self, text: str, data: st.DataObject) -> None:
        """
        A removal takes away the member and one comma; every comment outside of it stays.
        """
        old = decode(text)
        if not places(old):
            return
        path = data.draw(st.sampled_from(places(old)))
        edited = unset_value(text, path)
        self.assertEqual(_meaning(edited), removed(old, path))
        self.assertTrue(subsequence(edited, text))
        start, end = element(text, path)
        outside = [place for place in comments(text) if not start <= place[0] < end]
        self.assertEqual(remarks(edited), [text[slice(*place)] for place in outside])

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(documents(), st.dictionaries(names, plain, max_size=4))
    def test_whole(self, text: str, new: dict[str, Any]) -> None:
        """
        Any object can be made of any other, and a text that says it already is not touched.
        """
        edited = set_value(text, (), new)
        self.assertEqual(_meaning(edited), new)
        self.assertEqual(set_value(edited, (), new), edited)
        self.assertEqual(set_value(text, (), decode(text)), text)

    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(documents(), st.data())
    def test_many(self, text: str, data: st.DataObject) -> None:
        """
        After any number of changes the text means what a plain value does that was changed alike; comments of what
        was neither removed nor replaced are still there, in their order.
        """
        model = decode(text)
        for _ in range(data.draw(st.integers(1, 6))):
            found = places(model)
            path = data.draw(st.sampled_from([*found, ("fresh",)])) if found else ("fresh",)
            kept = remarks(text)
            if path in found:
                start, end = element(text, path)
                kept = [text[slice(*place)] for place in comments(text) if not start <= place[0] < end]
            if path in found and data.draw(st.booleans()):
                text, model = unset_value(text, path), removed(model, path)
            else:
                value = data.draw(plain)
                text, model = set_value(text, path, value), changed(model, path, value)
            self.assertEqual(_meaning(text), model)
            self.assertTrue(subsequence(kept, remarks(text)))


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _meaning(text: str) -> Any:
    parse(text)
    return decode(text)


class ManualTests(SynchronousTestCase):
    """
    Edits as a person would make them.
    """

    TEXT = """\
// My gateway.
{
  gateway: {
    port: 18789, // the usual one
    auth: { token: "${TOKEN}" },
  },

  // Agents are elsewhere.
  agents: { $include: './agents.json5' },
}
"""

    def test_replace(self) -> None:
        """
        Only the value changes.
        """
        self.assertEqual(set_value(self.TEXT, ("gateway", "port"), 19001), self.TEXT.replace("18789", "19001"))

    def test_add_in_lines(self) -> None:
        """
        A new member is written as its neighbours are, below them.
        """
        self.assertEqual(
            set_value(self.TEXT, ("gateway", "reload", "mode"), "off"),
            self.TEXT.replace('"${TOKEN}" },\n', '"${TOKEN}" },\n    reload: {\n      mode: "off"\n    },\n'),
        )

    def test_add_in_one_line(self) -> None:
        """
        What stands in one line stays in one line.
        """
        self.assertEqual(
            set_value(self.TEXT, ("gateway", "auth", "mode"), "token"),
            self.TEXT.replace('"${TOKEN}" }', '"${TOKEN}", mode: "token" }'),
        )

    def test_remove(self) -> None:
        """
        The member goes with its line; its comment stays.
        """
        self.assertEqual(
            unset_value(self.TEXT, ("gateway", "port")),
            self.TEXT.replace("port: 18789, // the usual one", "// the usual one"),
        )
        self.assertEqual(
            unset_value(self.TEXT, ("gateway", "auth")),
            self.TEXT.replace('    auth: { token: "${TOKEN}" },\n', ""),
        )

    def test_json_stays_json(self) -> None:
        """
        A strict JSON file is one afterwards, whatever is added or removed.
        """
        text = '{\n  "a": 1,\n  "b": {\n    "c": 2\n  }\n}\n'
        self.assertEqual(
            set_value(text, ("b", "d"), [True]),
            '{\n  "a": 1,\n  "b": {\n    "c": 2,\n    "d": [\n      true\n    ]\n  }\n}\n',
        )
        json.loads(set_value(text, ("b", "d"), {"x": "y"}))
        json.loads(unset_value(text, ("b",)))
        json.loads(unset_value(unset_value(text, ("b", "c")), ("a",)))
        self.assertEqual(set_value("{}\n", ("a", "b"), 1), '{\n  "a": {\n    "b": 1\n  }\n}\n')

    def test_line_ends(self) -> None:
        """
        A file from elsewhere keeps its line ends and tabs.
        """
        self.assertEqual(set_value("{\r\n\ta: 1\r\n}\r\n", ("b",), 2), "{\r\n\ta: 1,\r\n\tb: 2\r\n}\r\n")
        self.assertEqual(unset_value("{\r\n\ta: 1,\r\n\tb: 2\r\n}\r\n", ("b",)), "{\r\n\ta: 1\r\n}\r\n")

    def test_numbers_and_flags(self) -> None:
        """
        One is not true.
        """
        self.assertEqual(set_value("{a: 1}", ("a",), True), "{a: true}")
        self.assertEqual(set_value("{a: 1}", ("a",), 1.0), "{a: 1}")

    def test_refused(self) -> None:
        """
        What has no place is refused, with the known texts where there are some.
        """
        error = self.assertRaises(PathNotFound, unset_value, "{}", ("gateway", "nope"))
        self.assertEqual(str(error), "Config path not found: gateway.nope")
        error = self.assertRaises(EditRefused, set_value, "{a: [1]}", ("a", "x"), 1)
        self.assertEqual(str(error), 'Expected numeric index for array segment "x"')
        self.assertRaises(EditRefused, set_value, "{a: [1]}", ("a", 5), 1)
        self.assertRaises(EditRefused, set_value, "{a: 1}", ("a", "b"), 1)
        self.assertRaises(EditRefused, set_value, "{}", ("a", 3), 1)
        self.assertRaises(PathNotFound, unset_value, "{}", ())
        self.assertRaises(ValueError, set_value, "{}", ("a",), float("nan"))

    def test_span(self) -> None:
        """
        A span covers exactly the value.
        """
        span = get_span(self.TEXT, ("agents", "$include"))
        assert span is not None
        self.assertEqual(self.TEXT[slice(*span)], "'./agents.json5'")
        self.assertIsNone(get_span(self.TEXT, ("nope", "nope")))
