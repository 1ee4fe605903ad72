"""
Tests of ``openclaw.config.merge`` and of what the editor makes of it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.editor import set_value
from openclaw.config.merge import PatchRefused, merge_patch
from openclaw.config.tokens import decode

KEYS = st.sampled_from(["a", "b", "c", "id2"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "${NAME}"]))
PLAIN: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, PLAIN, max_size=3)
NAMES = st.sampled_from(["one", "two", "three", "four"])
NAMED = st.lists(
    st.tuples(NAMES, OBJECTS).map(lambda pair: {"id": pair[0], **pair[1]}), max_size=4, unique_by=lambda one: one["id"]
)


def rfc7396(target: Any, patch: Any) -> Any:
    """
    The pseudo code of the RFC.
    """
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = rfc7396(target.get(name), value)
    return target


class MergeTests(SynchronousTestCase):
    """
    Patches.
    """

    def test_examples(self) -> None:
        """
        What stands in the appendix of RFC 7396.
        """
        for old, patch, new in (
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            (["a", "b"], ["c", "d"], ["c", "d"]),
            ({"a": "foo"}, None, None),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ):
            self.assertEqual(merge_patch(old, patch), new)

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(PLAIN, PLAIN)
    def test_as_the_rfc(self, old: Any, patch: Any) -> None:
        """
        Where no object has an ``id``, the RFC's own words are followed; twice makes no difference.
        """
        merged = merge_patch(old, patch)
        self.assertEqual(merged, rfc7396(old, patch))
        self.assertEqual(merge_patch(merged, patch), merged)

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(NAMED, NAMED, st.sets(NAMES))
    def test_by_id(self, old: list[dict[str, Any]], patch: list[dict[str, Any]], gone: set[str]) -> None:
        """
        Elements that a patch does not name stay as they are and where they are; named ones are patched, added behind,
        or removed.
        """
        patch = [{"id": one["id"], "$delete": True} if one["id"] in gone else one for one in patch]
        merged = merge_patch({"list": old}, {"list": patch})["list"] if patch else old
        named = {one["id"]: one for one in patch}
        before = {one["id"]: one for one in old}
        order = [name for name in before if not (name in named and name in gone)]
        order += [name for name in named if name not in before and name not in gone]
        self.assertEqual([one["id"] for one in merged], order)
        for one in merged:
            name = one["id"]
            wanted = rfc7396(before.get(name), named[name]) if name in named else before[name]
            self.assertEqual(one, wanted)

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(NAMED, st.data())
    def test_other_elements_keep_their_text(self, old: list[dict[str, Any]], data: st.DataObject) -> None:
        """
        Of many elements one is changed or removed: the text of the others stays.
        """
        texts = [f"{{id: '{one['id']}', /* {index} */ n: {index}.0}}" for index, one in enumerate(old)]
        text = "{list: [\n" + "".join(f"    {one}, // of {one[6:9]}\n" for one in texts) + "  ]}"
        if not old:
            return
        name = data.draw(st.sampled_from([one["id"] for one in old]))
        change: dict[str, Any] = data.draw(st.sampled_from([{"$delete": True}, {"n": 77}]))
        value = decode(text)
        merged = merge_patch(value, {"list": [{"id": name, **change}]})
        now = set_value(text, (), merged)
        self.assertEqual(decode(now), merged)
        for one in texts:
            self.assertEqual(one in now, f"'{name}'" not in one, now)

    def test_empty_array(self) -> None:
        """
        An empty array empties, ``null`` removes.
        """
        self.assertEqual(merge_patch({"list": [{"id": "a"}]}, {"list": []}), {"list": []})
        self.assertEqual(merge_patch({"list": [{"id": "a"}]}, {"list": None}), {})

    def test_refused(self) -> None:
        """
        A patch that says two things at once is refused, with its place.
        """
        for patch, told in (
            ([{"id": "a"}, {"n": 1}], 'config.patch list: either all members have an "id", or none'),
            ([{"id": "a"}, {"id": "a"}], 'config.patch list: two members have the same "id"'),
            ([{"$delete": True}], 'config.patch list.0: "$delete" is true, and stands beside an "id"'),
            ([{"id": "a", "$delete": False}], 'config.patch list.0: "$delete" is true, and stands beside an "id"'),
        ):
            error = self.assertRaises(PatchRefused, merge_patch, {"list": [{"id": "a"}]}, {"list": patch})
            self.assertEqual(str(error), told)
