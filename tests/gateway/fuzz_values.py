"""
What hypothesis throws at the gateway: parameters that are right, nearly right and odd, and messages of bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from traceback import format_exc
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from openclaw.methods.families import METHODS
from openclaw.protocol.definitions import DEFINITIONS
from openclaw.protocol.schema import schema_of
from openclaw.protocol.validate import Check, plain_check
from tests.protocol.strategies import ANYTHING

SOAK = bool(os.environ.get("OPENCLAW_SOAK"))

SCHEMAS: Mapping[str, dict[str, Any]] = {name: schema_of(kind) for name, kind in DEFINITIONS.items()}
CHECKS: Mapping[str, Check] = {name: plain_check(schema) for name, schema in SCHEMAS.items()}

#: What methods take that check their parameters themselves.
UNCHECKED: Mapping[str, dict[str, Any]] = {
    "health": {"type": "object", "properties": {"probe": {"type": "boolean"}}},
    "set-heartbeats": {"type": "object", "properties": {"enabled": {"type": "boolean"}}, "required": ["enabled"]},
    "system-event": {
        "type": "object",
        "properties": {
            **{
                name: {"type": "string"}
                for name in ("text", "host", "ip", "version", "platform", "mode", "reason", "deviceId", "instanceId")
            },
            **{name: {"type": "array", "items": {"type": "string"}} for name in ("roles", "scopes", "tags")},
            "lastInputSeconds": {"type": "number"},
        },
        "required": ["text"],
    },
}


def examples(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """
    The same examples each time, and few; with ``--soak`` many, and others each time.
    """
    chosen = settings(
        max_examples=count * 50 if SOAK else count,
        derandomize=not SOAK,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=SOAK,
        report_multiple_bugs=False,
    )

    def limited(test: Callable[..., None]) -> Callable[..., None]:
        run = chosen(test)

        @wraps(run)
        def told(*arguments: Any) -> None:
            try:
                run(*arguments)
            except Exception:
                # Trial shows neither the notes of an exception, where the example stands, nor the parts of a group.
                raise AssertionError(format_exc()) from None

        return told

    return limited


# -- values -----------------------------------------------------------------------------------------------------------

#: Halves of surrogate pairs are written as JavaScript writes them.
ANY_TEXT = st.text(st.characters(), max_size=12) | st.text(
    st.sampled_from("\ud800\udc00\0\n/:;\\\"'<ab é\u202e😀"), max_size=6
)

ODD_TEXTS = (
    "",
    " ",
    "\0",
    "\ud83d",
    "main",
    "global",
    "unknown",
    "agent:main:main",
    "agent:main:subagent:x",
    "agent:..:../../etc/passwd",
    "agent::",
    "%s{0}%(x)s{line}",
    "مرحبا بك",
    "x" * 64,
    "x" * 65,
    "\0long:70000",
)
MESSAGES = (
    "hello",
    "/help",
    "/commands",
    "/status",
    "/new",
    "/reset now",
    "/stop",
    "/model",
    "/model builtin/echo",
    "/model no/such",
    "/think high",
    "/verbose on",
    "/think " + "9" * 30,
    "stop",
    "Node: desk (10.0.0.1) · app 1 · last input 5s ago · mode ui · reason heartbeat",
    "Node: desk · last input 99999999999999999999999s ago",
    "Node: desk · last input " + "9" * 5_000 + "s ago",
)
#: Members whose values name what other requests of the storm have made.
NAMES: Mapping[str, Sequence[str]] = {
    "sessionKey": ("main", "s1", "s2", "agent:main:subagent:s3"),
    "key": ("main", "s1", "s2", "agent:main:subagent:s3"),
    "keys": ("main", "s1", "s2"),
    "idempotencyKey": ("k1", "k2", "k3"),
    "runId": ("k1", "k2", "k3"),
    "agentId": ("main", "other", "MAIN"),
    "message": MESSAGES,
    "text": MESSAGES,
    "search": ("s", "%", "_", "*", "\\"),
    "model": ("builtin/echo", "echo", "gpt", "a/b/c", "/"),
    "thinkingLevel": ("off", "high", "xhigh"),
    "thinking": ("off", "high", "xhigh"),
    "deviceId": ("0" * 64,),
    "role": ("operator", "node"),
    "channel": ("last", "webchat", "telegram"),
    "content": ("aGk=", "data:image/png;base64,iVBORw0KGgo=", "====", "a==="),
}
ODD_NUMBERS = (0, 1, 2, 20, 1000, 1001, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, 1e308, -1, 0.5, -0.0)

#: Texts that ``wire`` writes as what would be large to print and shrink: so many arrays, each in the other, a long
#: text, a long list, and an object with many members.
_LARGE = re.compile(rb'"\\u0000(deep|long|list|many):(\d+)"')


def _large(found: re.Match[bytes]) -> bytes:
    kind, number = found[1], int(found[2])
    if kind == b"deep":
        return b"[" * number + b"]" * number
    if kind == b"long":
        return b'"%b"' % (b"y" * number)
    return wire([1] * number if kind == b"list" else {f"m{one}": one for one in range(number)})


ATTACHMENT = st.fixed_dictionaries(
    {},
    optional={
        "content": st.sampled_from(NAMES["content"]) | ANY_TEXT,
        "type": ANY_TEXT,
        "mimeType": st.sampled_from(["image/png", "text/plain; x=y"]) | ANYTHING,
        "fileName": ANYTHING,
    },
)

LARGE = [f"\0deep:{levels}" for levels in (100, 190, 260, 1_000, 3_000)] + ["\0list:3000", "\0many:2000"]

#: JSON of any kind, and what is only nearly JSON.
ODD: st.SearchStrategy[Any] = (
    ANYTHING
    | st.sampled_from(ODD_TEXTS)
    | st.sampled_from(ODD_NUMBERS)
    | st.sampled_from([float("nan"), float("inf"), float("-inf"), True, None, [], {}, {"__proto__": {}}])
    | st.sampled_from(LARGE)
    | ANY_TEXT
)


def valid(schema: Mapping[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """
    Values that a schema allows, odd ones and such as mean something to the gateway among them.

    :param name: of the member whose value it is.
    """
    if "anyOf" in schema:
        return st.one_of([valid(choice, name) for choice in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema.get("type")
    if kind == "string":
        least, most = schema.get("minLength", 0), schema.get("maxLength", 10**6)
        named = [st.sampled_from(NAMES[name])] * 3 if name in NAMES else []
        return st.one_of(*named, st.sampled_from(ODD_TEXTS), ANY_TEXT).filter(lambda text: least <= len(text) <= most)
    if kind in ("integer", "number"):
        least, most = schema.get("minimum", -(10**9)), schema.get("maximum", 10**400)
        odd = [number for number in ODD_NUMBERS if least <= number <= most and (kind == "number" or number % 1 == 0)]
        return st.integers(least, min(most, 10**6)) | st.sampled_from(odd)
    if kind == "array":
        items = ATTACHMENT | ODD if not schema.get("items") else valid(schema["items"], name)
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=4)
    if kind == "object" and "properties" in schema:
        required = schema.get("required", [])
        members = {key: valid(member, key) for key, member in schema["properties"].items()}
        return st.fixed_dictionaries(
            {key: members[key] for key in members if key in required},
            optional={key: members[key] for key in members if key not in required},
        )
    if kind == "object":
        return st.dictionaries(ANY_TEXT, st.booleans() if "patternProperties" in schema else ODD, max_size=3)
    return {"boolean": st.booleans(), "null": st.none()}.get(str(kind), ODD)


def mutated(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """
    Values that a schema allows but for one member.
    """
    return st.builds(_mutation, valid(schema), st.integers(0, 40), ODD, ANY_TEXT)


def _mutation(value: Any, number: int, other: Any, name: str) -> Any:
    if not isinstance(value, dict) or not value or number % 4 == 0:
        return {**value, name: other} if isinstance(value, dict) else other
    key = sorted(value)[number % len(value)]
    if number % 4 == 1:
        return {member: value[member] for member in value if member != key}
    inner = value[key]
    if number % 4 == 2 and isinstance(inner, dict) and inner:
        return {**value, key: _mutation(inner, number // 4, other, name)}
    if number % 4 == 2 and isinstance(inner, list):
        return {**value, key: [*inner, other]}
    return {**value, key: other}


def params_schema(method: str) -> dict[str, Any]:
    """
    What a method takes.
    """
    kind = METHODS[method].params
    return UNCHECKED.get(method, {"type": "object"}) if kind is None else schema_of(kind)


def params(method: str) -> st.SearchStrategy[Any]:
    """
    Parameters: right ones, nearly right ones, and anything.
    """
    schema = params_schema(method)
    return valid(schema) | mutated(schema) | mutated(schema) | ODD


ODD_FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["req", "req", "res", "event"]) | ODD,
        "id": ODD,
        "method": st.sampled_from(["connect", "health", "chat.send", "no.such"]) | ODD,
        "params": ODD,
        "extra": ODD,
    },
)


def wire(value: Any, *, ascii: bool = True) -> bytes:
    """
    Write a message as a careless client would: with ``NaN``, and halves of surrogate pairs, escaped or not.
    """
    data = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    return _LARGE.sub(_large, data)


#: Whole messages: anything, near misses of a request, cut and joined ones.
MESSAGES_OF_BYTES = (
    st.binary(max_size=40)
    | st.builds(wire, ODD_FRAMES | ODD, ascii=st.booleans())
    | st.builds(lambda frame, end: wire(frame)[:end], ODD_FRAMES, st.integers(0, 60))
    | st.builds(lambda one, other: wire(one) + wire(other), ODD_FRAMES, ODD)
    | st.sampled_from([b"", b" ", b"\xef\xbb\xbf{}", b"null", b'"\\ud800"', b'{"id":"\\ud800"}', b"\xff\xfe[\0]\0"])
)
