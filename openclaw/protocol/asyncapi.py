"""
The whole protocol as one AsyncAPI 3 document, made from the definitions, the method table and the event table.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from openclaw.protocol import frames
from openclaw.protocol.calls import COMMON_ERRORS, Call
from openclaw.protocol.codes import PROTOCOL_VERSION
from openclaw.protocol.events import Event
from openclaw.protocol.features import METHOD_ORDER
from openclaw.protocol.members import alternatives, is_definition, members, unannotated
from openclaw.protocol.schema import schema_of

VERSION: Final = "3.0.0"
CHANNEL: Final = "gateway"

DESCRIPTION: Final = (
    "Every message is one JSON object in one WebSocket text message. After `connect.challenge` the client says"
    " `connect`, its first request and until `hello-ok` the only one. Requests are answered by `id`, in any order;"
    " events come unasked and are numbered for each connection by `seq`. What is neither listed in `features.methods`"
    " of `hello-ok` nor marked `x-advertised: false` here is not there."
)

_NON_EMPTY: Final = {"minLength": 1, "type": "string"}


def document(version: str, calls: Mapping[str, Call], events: Mapping[str, Event]) -> dict[str, Any]:
    """
    The document. It is the same for every gateway of one version, and has nothing of its configuration.

    :param version: of the program.
    :param events: those that are published.
    """
    rows = [*_in_order(calls)]
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "OpenClaw gateway protocol",
            "version": version,
            "description": DESCRIPTION,
            "x-protocol": PROTOCOL_VERSION,
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:18789",
                "protocol": "ws",
                "description": "The default address; `wss` where the gateway or a proxy before it has a certificate.",
            }
        },
        "channels": {
            CHANNEL: {
                "address": "/",
                "messages": {name: _at("components/messages", name) for name in _message_names(rows, events)},
            }
        },
        "operations": {
            **{row.name: _request_operation(row) for row in rows},
            **{f"event.{event.name}": _event_operation(event) for event in events.values()},
        },
        "components": {
            "messages": {
                **{name: message for row in rows for name, message in _call_messages(row)},
                **{f"event.{event.name}": _event_message(event) for event in events.values()},
            },
            "schemas": {name: schema_of(kind) for name, kind in sorted(_definitions(rows, events.values()).items())},
        },
    }


def _in_order(calls: Mapping[str, Call]) -> Iterator[Call]:
    """
    The methods as clients see them listed, and then those that are not.
    """
    for name in (*METHOD_ORDER, *sorted(set(calls) - set(METHOD_ORDER))):
        if name in calls:
            yield calls[name]


def _message_names(rows: Iterable[Call], events: Mapping[str, Event]) -> list[str]:
    return [*(name for row in rows for name, _ in _call_messages(row)), *(f"event.{name}" for name in events)]


def _request_operation(row: Call) -> dict[str, Any]:
    answers = [name for name, _ in _call_messages(row) if not name.endswith(".request")]
    return {
        "action": "receive",
        "title": row.name,
        "summary": row.summary,
        "channel": _at("channels", CHANNEL),
        "messages": [_in_channel(f"{row.name}.request")],
        "reply": {"channel": _at("channels", CHANNEL), "messages": [_in_channel(name) for name in answers]},
        "tags": [{"name": row.name.partition(".")[0]}],
        "x-role": row.role,
        **({"x-scope": row.scope} if row.role == "operator" else {}),
        "x-advertised": row.advertised,
        "x-idempotent": row.idempotent,
        "x-durable": row.durable,
        "x-answers": 1 if row.first is None else 2,
        "x-errors": _codes(row),
    }


def _event_operation(event: Event) -> dict[str, Any]:
    return {
        "action": "send",
        "title": event.name,
        "summary": _summary(event.payload),
        "channel": _at("channels", CHANNEL),
        "messages": [_in_channel(f"event.{event.name}")],
        "tags": [{"name": "event"}],
        "x-to": event.to,
        **({"x-scope": event.scope} if event.scope is not None else {}),
        "x-dropped-when-slow": event.dropped,
    }


def _call_messages(row: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """
    The messages that belong to a method: the request, one or two answers, and the failure.
    """
    yield f"{row.name}.request", _message(f"{row.name} request", _request_schema(row))
    if row.first is not None:
        yield f"{row.name}.accepted", _message(f"{row.name} first answer", _answer_schema(row.first))
    yield f"{row.name}.answer", _message(f"{row.name} answer", _answer_schema(row.result))
    yield f"{row.name}.failure", _message(f"{row.name} failure", _failure_schema(row))


def _message(title: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": title, "payload": payload}


def _request_schema(row: Call) -> dict[str, Any]:
    kind = row.params or row.takes
    needed = kind is not None and any(member.required for member in members(kind))
    params = {"type": "object"} if kind is None else ref(kind)
    fixed = {"type": {"const": "req"}, "id": _NON_EMPTY, "method": {"const": row.name}}
    return _frame({**fixed, "params": params}, ("type", "id", "method", *(("params",) if needed else ())))


def _answer_schema(kind: Any) -> dict[str, Any]:
    fixed = {"type": {"const": "res"}, "id": _NON_EMPTY, "ok": {"const": True}}
    return _frame({**fixed, "payload": ref(kind)}, ("type", "id", "ok", "payload"))


def _failure_schema(row: Call) -> dict[str, Any]:
    error = {"allOf": [ref(frames.ErrorShape), {"properties": {"code": {"enum": _codes(row)}}}]}
    fixed: dict[str, Any] = {"type": {"const": "res"}, "id": {"type": "string"}, "ok": {"const": False}, "error": error}
    payload = {} if row.failure is None else {"payload": ref(row.failure)}
    return _frame({**fixed, **payload}, ("type", "id", "ok", "error"))


def _event_message(event: Event) -> dict[str, Any]:
    fixed: dict[str, Any] = {"type": {"const": "event"}, "event": {"const": event.name}, "payload": ref(event.payload)}
    seq = {"seq": {"type": "integer", "minimum": 1}} if event.numbered else {}
    versions = {"stateVersion": ref(frames.StateVersion)} if event.versions else {}
    required = ("type", "event", "payload", *(("stateVersion",) if event.versions else ()))
    return _message(event.name, _frame({**fixed, **seq, **versions}, required))


def _frame(properties: Mapping[str, Any], required: Iterable[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": dict(properties),
        "additionalProperties": False,
    }


def _codes(row: Call) -> list[str]:
    return [str(code) for code in (*COMMON_ERRORS, *row.errors)]


def ref(kind: Any) -> dict[str, Any]:
    """
    The schema of a type, with references to definitions that have a name.
    """
    bare, _ = unannotated(kind)
    if is_definition(bare):
        return _at("components/schemas", bare.__name__)
    choices = alternatives(bare)
    if len(choices) > 1 and any(is_definition(choice) for choice in choices):
        return {"anyOf": [ref(choice) for choice in choices]}
    return schema_of(kind)


def _definitions(rows: Iterable[Call], events: Iterable[Event]) -> dict[str, Any]:
    """
    Every definition that ``ref`` points at, by name.
    """
    found: dict[str, Any] = {}
    kinds = [kind for row in rows for kind in (row.params or row.takes, row.first, row.result, row.failure)]
    for kind in (*kinds, *(event.payload for event in events), frames.ErrorShape, frames.StateVersion):
        for choice in alternatives(unannotated(kind)[0]):
            if is_definition(choice):
                assert found.setdefault(choice.__name__, choice) is choice, choice
    return found


def _summary(kind: Any) -> str:
    told, *_ = (kind.__doc__ or "").strip().split("\n\n")
    return " ".join(told.split()).replace("``", "`")


def _at(place: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{place}/{name}"}


def _in_channel(name: str) -> dict[str, str]:
    return _at(f"channels/{CHANNEL}/messages", name)
