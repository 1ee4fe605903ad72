"""
Whether a value that came in is what a definition says, and if not, why.

A compiled validator decides (``jsonschema-rs``; without it ``fastjsonschema``, else ``jsonschema``), in about a
microsecond and without a copy of the value. Only what it refuses is looked at again to be explained. Validators are
compiled at first use: importing definitions stays cheap, and a command of the command line compiles the two it needs.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from openclaw.protocol.explain import Schema, explain
from openclaw.protocol.schema import schema_of

#: Tells whether a value is valid.
Check = Callable[[Any], bool]


def violations(kind: Any, value: Any) -> str | None:
    """
    Check a parsed JSON value against a definition.

    :param kind: a definition (class or union of them) from one of the families.
    :return: ``None`` if the value is valid, else every violation as ``protocol.md`` 15.2 words them.
    """
    check = _checks.get(kind)
    if check is None:
        check = _checks[kind] = compile_check(_schema(kind))
    if check(value):
        return None
    # The two readers of the schema agree on JSON; should they ever not, what was refused stays refused.
    return explain(_schema(kind), value) or "must match the schema"


def compile_check(schema: Schema) -> Check:
    """
    Compile a schema with the fastest validator that is installed.
    """
    for make in (rust_check, generated_check):
        try:
            return make(schema)
        except ImportError:
            continue
    return plain_check(schema)


def rust_check(schema: Schema) -> Check:
    """
    :raise ImportError: ``jsonschema-rs`` is not installed (it needs a wheel for the platform).
    """
    from jsonschema_rs import Draft7Validator

    return Draft7Validator(dict(schema)).is_valid


def generated_check(schema: Schema) -> Check:
    """
    :raise ImportError: ``fastjsonschema`` is not installed.
    """
    import fastjsonschema  # type: ignore[import-not-found,unused-ignore]  # optional

    validate = fastjsonschema.compile(dict(schema), use_default=False)

    def check(value: Any) -> bool:
        try:
            validate(value)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return check


def plain_check(schema: Schema) -> Check:
    """
    Interpret the schema with ``jsonschema``: slow, always there, and the oracle of the tests.
    """
    from jsonschema import Draft7Validator

    return Draft7Validator(schema).is_valid


_checks: dict[Any, Check] = {}


@cache
def _schema(kind: Any) -> Schema:
    return schema_of(kind)
