"""
Tests for ``openclaw.protocol.schema`` and the definitions as a whole.
"""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.protocol.definitions import DEFINITIONS, exported
from openclaw.protocol.features import EVENT_ORDER, METHOD_ORDER
from openclaw.protocol.schema import NotDescribable, schema_of
from openclaw.protocol.types import field_name, wire_name
from tests.protocol.recorded import FIXTURES

REFERENCE = json.loads((FIXTURES / "protocol.runtime.schema.json").read_text(encoding="utf-8"))


def property_names(schema: Any) -> set[str]:
    """
    Every key of an object anywhere in a schema.
    """
    found: set[str] = set()
    if isinstance(schema, dict):
        found.update(schema.get("properties", {}))
        for member in schema.values():
            found |= property_names(member)
    elif isinstance(schema, list):
        for member in schema:
            found |= property_names(member)
    return found


class ExportTests(SynchronousTestCase):
    def test_each_definition(self) -> None:
        """
        Every definition is, key order included, what the reference validates with.
        """
        self.assertEqual(list(DEFINITIONS), list(REFERENCE["definitions"]))
        for name, kind in DEFINITIONS.items():
            self.assertEqual(json.dumps(schema_of(kind)), json.dumps(REFERENCE["definitions"][name]), name)

    def test_document(self) -> None:
        """
        The exported document is the reference's to the byte.
        """
        text = json.dumps(exported(), indent=2) + "\n"
        self.assertEqual(text, (FIXTURES / "protocol.runtime.schema.json").read_text(encoding="utf-8"))

    def test_foreign_type(self) -> None:
        """
        A type that JSON cannot carry is refused when the schema is made.
        """
        self.assertRaises(NotDescribable, schema_of, bytes)


class NameTests(SynchronousTestCase):
    def test_round_trip(self) -> None:
        """
        Every key of the schema survives the way to our names and back, and no two share one of ours.
        """
        names = property_names(REFERENCE)
        self.assertEqual({wire_name(field_name(name)) for name in names}, names)
        self.assertEqual(len({field_name(name) for name in names}), len(names))

    def test_irregular(self) -> None:
        """
        The keys that end in capitals have readable names.
        """
        self.assertEqual(field_name("payloadJSON"), "payload_json")
        self.assertEqual(wire_name("params_json"), "paramsJSON")


class FeatureTests(SynchronousTestCase):
    def test_counts(self) -> None:
        """
        Nothing advertised stands twice.
        """
        self.assertEqual((len(set(EVENT_ORDER)), len(EVENT_ORDER)), (18, 18))
        self.assertEqual((len(set(METHOD_ORDER)), len(METHOD_ORDER)), (80, 80))
