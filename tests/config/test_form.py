"""
Tests of ``openclaw.config.form``: the schema is judged by ``jsonschema`` and by the rules that it was made from.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.form import config_form, help_texts, title
from openclaw.config.keys import ROOT
from openclaw.config.loader import evaluate
from openclaw.config.schema import KeyPath, Report
from openclaw.protocol.config import ConfigSchemaResponse, ConfigUiHint
from openclaw.protocol.validate import violations

RECORDED = [
    json.loads(path.read_text())["config"]
    for path in sorted((Path(__file__).parent.parent / "fixtures" / "config").glob("*.json"))
]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 70000),
    st.sampled_from([0.5, 5.0, "", "x", "auto", "local", "30m", [], ["x"], [1], {}, {"x": 1}, [{"id": "a"}]]),
)


def places(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """
    The paths of all values below one, itself included.
    """
    found = [path]
    if isinstance(value, dict):
        found += [place for key, member in value.items() for place in places(member, (*path, key))]
    if isinstance(value, list):
        found += [place for index, member in enumerate(value) for place in places(member, (*path, index))]
    return found


def known(shape: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """
    Paths that a file may have, without free names and arrays.
    """
    members = getattr(shape, "members", {})
    return [path, *(place for key, member in members.items() for place in known(member, (*path, key)))]


class SchemaTests(SynchronousTestCase):
    """
    The schema says what the rules say.
    """

    validator = Draft7Validator(config_form()["schema"])

    def test_is_a_schema(self) -> None:
        """
        It is one, and is small enough for a client to take.
        """
        Draft7Validator.check_schema(config_form()["schema"])
        self.assertLess(len(json.dumps(dict(config_form()))), 400_000)

    def test_real_files(self) -> None:
        """
        Files of the reference are valid, and so is a file with nothing in it.
        """
        for config in (*RECORDED, {}, evaluate("{}", Path("/c"), {}, Path("/h")).config):
            self.assertEqual([error.message for error in self.validator.iter_errors(config)], [])

    def agrees(self, config: Any) -> None:
        """
        Both judge alike.
        """
        report = Report()
        ROOT.check(config, (), report)
        right = not report.issues and not report.unknown
        self.assertEqual(self.validator.is_valid(config), right, (report, config))

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(st.sampled_from(RECORDED), VALUES, st.data())
    def test_damaged_files(self, config: Any, value: Any, data: st.DataObject) -> None:
        """
        A file with one value that is another one is judged as by the rules.
        """
        config = deepcopy(config)
        path = data.draw(st.sampled_from(places(config)[1:]))
        place = config
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        self.agrees(config)

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(st.sampled_from(known(ROOT)[1:]), VALUES)
    def test_one_key(self, path: tuple[str, ...], value: Any) -> None:
        """
        A file with one key is judged as by the rules.
        """
        for key in reversed(path):
            value = {key: value}
        self.agrees(value)

    def test_defaults(self) -> None:
        """
        What the program takes without a file stands in the schema, secrets aside.
        """
        gateway = config_form()["schema"]["properties"]["gateway"]["properties"]
        self.assertEqual(gateway["bind"]["default"], "loopback")
        self.assertEqual(gateway["controlUi"]["properties"]["enabled"]["default"], True)
        self.assertNotIn("default", gateway["auth"]["properties"]["token"])


class HintTests(SynchronousTestCase):
    """
    What forms show.
    """

    def test_titles(self) -> None:
        """
        Keys become words.
        """
        told = {key: title(key) for key in ("allowInsecureAuth", "baseUrl", "controlUi", "mediaMaxMb", "whatsapp")}
        self.assertEqual(
            told,
            {
                "allowInsecureAuth": "Allow insecure auth",
                "baseUrl": "Base URL",
                "controlUi": "Control UI",
                "mediaMaxMb": "Media max MB",
                "whatsapp": "WhatsApp",
            },
        )

    def test_sections(self) -> None:
        """
        Every section has a group, an order of its own and a help text.
        """
        hints = config_form()["uiHints"]
        sections = [hints[name] for name in ROOT.members]
        self.assertEqual(len({section["order"] for section in sections}), len(sections))
        self.assertEqual([name for name in ROOT.members if not hints[name].get("help") or not hints[name]["group"]], [])

    def test_help_is_for_keys(self) -> None:
        """
        There is no help for a key that does not exist.
        """
        self.assertEqual(set(help_texts()) - set(config_form()["uiHints"]), set())

    def test_secrets(self) -> None:
        """
        Secrets are marked; below arrays and maps a page finds them by its own way of writing paths, too.
        """
        hints = config_form()["uiHints"]
        for path in (
            "gateway.auth.token",
            "models.providers.*.apiKey",
            "channels.telegram.accounts.*.botToken",
            "agents.list.*.memorySearch.remote.apiKey",
            "agents.list.memorySearch.remote.apiKey",
        ):
            self.assertTrue(hints[path]["sensitive"], path)
        self.assertNotIn("sensitive", hints["agents.defaults.bootstrapMaxChars"])

    def test_shape(self) -> None:
        """
        The answer is as the protocol defines it.
        """
        answer = {**config_form(), "version": "1", "generatedAt": "2026-01-30T00:00:00.000Z"}
        self.assertIsNone(violations(ConfigSchemaResponse, answer))
        names = {key for hint in answer["uiHints"].values() for key in hint}
        self.assertEqual(names - {"itemTemplate", *ConfigUiHint.__annotations__}, set())
