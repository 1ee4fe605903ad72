"""
Tests of ``openclaw.config.rewrite``: what a form sends back, in many shapes.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.editor import set_value
from openclaw.config.loader import Snapshot, evaluate
from openclaw.config.redact import redact
from openclaw.config.rewrite import changed_paths, replaced
from tests.config.test_editor import changed, documents, places, remarks, removed, subsequence

ENVIRON = {"NAME": "hidden-name-0001", "TOKEN": "hidden-token-0002", "HOST": "host.example"}
SECRETS = ("hidden-name-0001", "hidden-token-0002", "hush-hooks-0003", "hush-key-0004")

HEAD = """\
// mine: hush-hooks-0003
{
  gateway: { auth: { token: "${TOKEN}" }, trustedProxies: ["10.0.0.1", "${HOST}"] }, // who
  hooks: { token: 'hush-hooks-0003', /* where */ path: "/x/${HOST}" },
  models: { providers: { p: { baseUrl: "http://${HOST}/$${NAME}", apiKey: "hush-key-0004", models: [
    { id: "a", name: "A ${HOST}" }, // the first
    { id: "b", name: "B", cost: { input: 1.5 } },
  ] } } },
"""


def read(text: str) -> Snapshot:
    return evaluate(text, Path("/c.json"), ENVIRON, Path("/h"))


def back(snapshot: Snapshot, value: Any) -> str:
    """
    What becomes of a form's value.
    """
    return replaced(snapshot, json.dumps(value, indent=2, ensure_ascii=False), ENVIRON, Path("/h"))


@st.composite
def files(draw: st.DrawFn) -> Snapshot:
    """
    Files with secrets, references and comments, and with anything in a place where anything may stand.
    """
    free = draw(documents(depth=2))
    snapshot = read(f"{HEAD}  channels: {{ discord: {free} }},\n}}\n")
    assume(snapshot.valid)
    return snapshot


class FormTests(SynchronousTestCase):
    """
    A form that was made from the effective configuration.
    """

    @settings(max_examples=30, derandomize=True, deadline=None)
    @given(files())
    def test_unchanged(self, snapshot: Snapshot) -> None:
        """
        What was shown and comes back is the file, to the byte: as text, as its value, as what it means.
        """
        shown = redact(snapshot)
        for secret in SECRETS:
            self.assertNotIn(secret, json.dumps(shown["parsed"]))
        self.assertEqual(replaced(snapshot, shown["raw"], ENVIRON, Path("/h")), snapshot.raw)
        self.assertEqual(back(snapshot, shown["parsed"]), snapshot.raw)
        self.assertEqual(back(snapshot, shown["config"]), snapshot.raw)

    @settings(max_examples=30, derandomize=True, deadline=None)
    @given(files(), st.data())
    def test_one_change(self, snapshot: Snapshot, data: st.DataObject) -> None:
        """
        One value is changed or removed: the file then means exactly that; comments stay, no variable is resolved.
        """
        assert snapshot.raw is not None
        shown = redact(snapshot)["config"]
        path = data.draw(st.sampled_from(places(shown)))
        if data.draw(st.booleans()):
            form, wanted = removed(shown, path), removed(snapshot.config, path)
        else:
            new = data.draw(st.sampled_from(["plain", 7, True, ["x"], {"k": "v"}]))
            form, wanted = changed(shown, path, new), changed(snapshot.config, path, new)
        text = back(snapshot, form)
        meant = read(text)
        # References are resolved in what was shown, so that what looks like one is plain text.
        said = read(json.dumps(wanted).replace("${", "$${"))
        self.assertEqual(meant.valid, said.valid, text)
        if said.valid:
            self.assertEqual(meant.config, said.config, text)
        for name in ("hidden-name-0001", "hidden-token-0002"):
            self.assertNotIn(name, text)
        self.assertTrue(subsequence(remarks(text), remarks(snapshot.raw)))
        if path[0] not in ("gateway", "hooks", "models", "channels"):
            self.assertEqual(remarks(text), remarks(snapshot.raw))

    @settings(max_examples=30, derandomize=True, deadline=None)
    @given(files(), st.data())
    def test_text(self, snapshot: Snapshot, data: st.DataObject) -> None:
        """
        A person changes one value in the text that was shown: all other bytes are those of the file.
        """
        assert snapshot.raw is not None
        shown = redact(snapshot)["raw"]
        path = data.draw(st.sampled_from(places(snapshot.parsed)))
        new = data.draw(st.sampled_from(["plain", 7, None, ["x"]]))
        now = replaced(snapshot, set_value(shown, path, new), ENVIRON, Path("/h"))
        self.assertEqual(now, set_value(snapshot.raw, path, new))


class ChangedTests(SynchronousTestCase):
    def test_paths(self) -> None:
        """
        Down to values that are no objects; arrays are compared by what is in them.
        """
        old = {"a": {"b": 1, "c": [{"id": 1}]}, "d": True, "g": {}}
        new = copy.deepcopy(old)
        self.assertEqual(changed_paths(old, new), [])
        new |= {"d": 1, "e": {"f": {"x": 1, "y": 2}}, "g": 5}
        self.assertEqual(changed_paths(old, new), [("d",), ("g",), ("e", "f", "x"), ("e", "f", "y")])
        self.assertEqual(changed_paths({"a": {"b": 1}}, {}), [("a", "b")])
        self.assertEqual(changed_paths({}, {"a": {}}), [("a",)])
        self.assertEqual(changed_paths([1], [2]), [()])
