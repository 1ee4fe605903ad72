"""
The compiled validator, its stand-ins and the explainer agree with ``jsonschema`` on what is valid.
"""

import json
from importlib.util import find_spec
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.protocol.convert import structure, unstructure
from openclaw.protocol.definitions import DEFINITIONS
from openclaw.protocol.explain import explain
from openclaw.protocol.schema import schema_of
from openclaw.protocol.validate import Check, generated_check, plain_check, rust_check, violations
from tests.protocol.recorded import requests
from tests.protocol.strategies import allowed, nearly

LIMITED = settings(max_examples=50, derandomize=True, deadline=None, database=None)

SCHEMAS: dict[str, dict[str, Any]] = {name: schema_of(kind) for name, kind in DEFINITIONS.items()}
ORACLES: dict[str, Check] = {name: plain_check(schema) for name, schema in SCHEMAS.items()}

#: Every definition with a value that is valid or nearly so.
CASES = st.sampled_from(sorted(SCHEMAS)).flatmap(
    lambda name: st.tuples(st.just(name), nearly(SCHEMAS[name]) | allowed(SCHEMAS[name]))
)


class ViolationTests(SynchronousTestCase):
    @LIMITED
    @given(CASES)
    def test_valid_if_valid(self, case: tuple[str, Any]) -> None:
        """
        A value has violations if and only if ``jsonschema`` refuses it.
        """
        name, value = case
        self.assertEqual(violations(DEFINITIONS[name], value) is None, ORACLES[name](value))

    @LIMITED
    @given(CASES)
    def test_explained(self, case: tuple[str, Any]) -> None:
        """
        The explainer finds something if and only if ``jsonschema`` does, without being told.
        """
        name, value = case
        self.assertEqual(explain(SCHEMAS[name], value) == "", ORACLES[name](value))

    @LIMITED
    @given(
        st.sampled_from(sorted(set(DEFINITIONS) - {"GatewayFrame"})).flatmap(
            lambda name: st.tuples(st.just(name), allowed(SCHEMAS[name]))
        )
    )
    def test_round_trip(self, case: tuple[str, Any]) -> None:
        """
        What is valid can be made an object of its definition, which goes out as what came in: but for members of any
        type that were ``null`` where a missing one means the same.
        """
        name, value = case
        self.assertIsNone(violations(DEFINITIONS[name], value))
        back = unstructure(structure(DEFINITIONS[name], value))
        self.assertEqual(back, {key: value[key] for key in value if key in back})
        self.assertEqual({value[key] for key in value if key not in back} - {None}, set())


#: Recordings with many wrong requests, and with parameters of many methods.
RECORDINGS = (
    "rpc-chat-inject",
    "rpc-chat-invalid",
    "rpc-config-errors",
    "rpc-cron",
    "rpc-device",
    "rpc-logs",
    "rpc-models",
    "rpc-scopes",
    "rpc-sessions",
    "ws-connect-invalid-params",
    "ws-request-errors",
)


class CorpusTests(SynchronousTestCase):
    """
    Each stand-in decides as the oracle does on every recorded request against every definition.
    """

    corpus: ClassVar[list[Any]] = [
        value
        for name in RECORDINGS
        for frame in requests(f"{name}.jsonl")
        for value in (frame, frame.get("params") if isinstance(frame, dict) else None)
    ]

    def agree(self, make: Any) -> None:
        """
        Compare a maker of checks with the oracle.
        """
        unique = list({json.dumps(value): value for value in self.corpus}.values())
        self.assertGreater(len(unique), 100)
        for name, schema in SCHEMAS.items():
            check = make(schema)
            for value in unique:
                self.assertEqual(check(value), ORACLES[name](value), (name, value))

    def test_rust(self) -> None:
        """
        ``jsonschema-rs`` does.
        """
        self.agree(rust_check)

    def test_generated(self) -> None:
        """
        ``fastjsonschema`` does.
        """
        self.agree(generated_check)

    if find_spec("fastjsonschema") is None:
        test_generated.skip = "fastjsonschema is not installed"  # type: ignore[attr-defined]

    def test_explainer(self) -> None:
        """
        The explainer does.
        """
        self.agree(lambda schema: lambda value: explain(schema, value) == "")
