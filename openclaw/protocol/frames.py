"""
Frames: the three shapes of a message, how they are read and how they are written.

An event goes to many connections, each of which counts its own. So its body is written once
(``encode_event_body``) and each connection's ``seq`` put into a copy of it (``splice_seq``).
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import orjson
from attrs import frozen

from openclaw.errors import OpenClawError
from openclaw.protocol.convert import NotEncodable, shallow, unstructure
from openclaw.protocol.types import ABSENT, Discriminator, NonEmptyString, NonNegative


@frozen(kw_only=True)
class StateVersion:
    """
    How often presence and health have changed, so that a client can tell whether its copies are still good.
    """

    presence: NonNegative
    health: NonNegative


@frozen(kw_only=True)
class RequestFrame:
    """
    A client asks for one thing.

    :ivar id: the client's own choice; answers carry it back. Nobody checks that it is unique.
    :ivar params: of any JSON type as far as the frame goes; missing and ``null`` both count as ``{}``.
    """

    type: Literal["req"] = "req"
    id: NonEmptyString
    method: NonEmptyString
    params: Any = ABSENT


@frozen(kw_only=True)
class ErrorShape:
    """
    Why a request failed.

    :ivar code: one of ``codes.ErrorCode``.
    :ivar message: a sentence that clients show as it is.
    :ivar details: facts for programs; ``fix`` is one command to type, ``correlationId`` is found in the log.
    :ivar retry_after_ms: how long to wait before asking again makes sense.
    """

    code: NonEmptyString
    message: NonEmptyString
    details: Any = None
    retryable: bool | None = None
    retry_after_ms: NonNegative | None = None


@frozen(kw_only=True)
class ResponseFrame:
    """
    The answer to one request. ``agent`` answers twice with the same id.

    :ivar id: the request's id.
    :ivar payload: may be ``null``; a failure may carry a payload beside its error.
    """

    type: Literal["res"] = "res"
    id: NonEmptyString
    ok: bool
    payload: Any = ABSENT
    error: ErrorShape | None = None


@frozen(kw_only=True)
class EventFrame:
    """
    Something happened that nobody asked for.

    :ivar seq: counts the events of this connection from 1; events for one connection alone have none.
    """

    type: Literal["event"] = "event"
    event: NonEmptyString
    payload: Any = ABSENT
    seq: NonNegative | None = None
    state_version: StateVersion | None = None


GatewayFrame = Annotated[RequestFrame | ResponseFrame | EventFrame, Discriminator("type")]


#: Lists and objects within each other. What is read has to be written again, with more around it; orjson writes 254.
MOST_LEVELS: Final = 200

#: Stands in an answer for the id of a frame that has none.
INVALID_ID: Final = "invalid"


class NotJson(OpenClawError):
    """
    A message is no JSON text; also an empty one, and one that is nested too deep to be meant well.
    """


def parse_json(data: str | bytes, *, halves: bool = False) -> Any:
    """
    Read one message.

    Half of a surrogate pair, which JavaScript sends when it cuts a text within an emoji, becomes U+FFFD: nothing else
    of ours could store or send it.

    :param halves: it stays as it is, for who has to find the other half elsewhere.
    :raise NotJson: it is not JSON.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        value = _parse_halves(data, error, keep=halves)
    if _may_be_deep(data) and _is_deep(value):
        raise NotJson(f"nested deeper than {MOST_LEVELS} levels")
    return value


def _may_be_deep(data: str | bytes) -> bool:
    if isinstance(data, str):
        return data.count("[") + data.count("{") > MOST_LEVELS
    return data.count(b"[") + data.count(b"{") > MOST_LEVELS


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        inner = [list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        if not inner:
            return False
        level = [one for members in inner for one in members]
    return True


def _parse_halves(data: str | bytes, why: orjson.JSONDecodeError, *, keep: bool) -> Any:
    """
    :param why: the data cannot be read in the usual way.
    """
    try:
        text = data if isinstance(data, str) else data.decode()
        if "\\ud" not in text.lower():
            raise NotJson(f"not JSON: {why}") from why
        value = json.loads(text, parse_constant=_refuse_constant)
        return value if keep else orjson.loads(whole(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        raise NotJson(f"not JSON: {error}") from error


def whole(text: str) -> str:
    """
    The same text with U+FFFD for each half of a surrogate pair that has no other half beside it.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse_constant(name: str) -> Any:
    raise NotJson(f"not JSON: {name}")


def answer_id(frame: Any) -> Any:
    """
    The id under which an invalid frame is answered: its own, of whatever type, if it has one.
    """
    found = frame.get("id") if isinstance(frame, dict) else None
    return INVALID_ID if found is None else found


def encode(value: Any) -> bytes:
    """
    Write a value as JSON; objects of definitions may stand anywhere in it.

    :raise NotEncodable: something in it has no form on the wire.
    """
    try:
        return orjson.dumps(value, default=shallow)
    except orjson.JSONEncodeError as error:
        if isinstance(error.__cause__, NotEncodable):
            raise error.__cause__ from error
        return _encode_odd(value)


def _encode_odd(value: Any) -> bytes:
    # Numbers beyond 64 bits and halves of surrogate pairs (file names have them) are JSON, though not for orjson.
    try:
        return json.dumps(unstructure(value), allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise NotEncodable(f"has no form on the wire: {error}") from error


def encode_response(id: object, *, ok: bool, payload: Any = ABSENT, error: ErrorShape | None = None) -> bytes:
    """
    Write the answer to a request.

    :param id: the request's id; that of an invalid frame may be of any JSON type.
    :param payload: may be ``None``, which is ``null``.
    """
    frame: dict[str, Any] = {"type": "res", "id": id, "ok": ok}
    if payload is not ABSENT:
        frame["payload"] = payload
    if error is not None:
        frame["error"] = error
    return encode(frame)


def encode_event_body(
    event: str, payload: Any = ABSENT, state_version: StateVersion | Mapping[str, int] | None = None
) -> bytes:
    """
    Write an event once for all who get it.

    :return: a whole frame without ``seq``.
    """
    frame: dict[str, Any] = {"type": "event", "event": event}
    if payload is not ABSENT:
        frame["payload"] = payload
    if state_version is not None:
        frame["stateVersion"] = state_version
    return encode(frame)


def splice_seq(body: bytes, seq: int | None) -> bytes:
    """
    Number an event for one connection.

    :param body: from ``encode_event_body``.
    :param seq: the connection's count; ``None`` for events that are for this connection alone.
    """
    return body if seq is None else b'%b,"seq":%d}' % (body[:-1], seq)
