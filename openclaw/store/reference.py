"""
The shapes of a reference state directory: names of its files, lines of a transcript, entries of ``sessions.json``
(``agent.md`` 3-4, ``protocol.md`` 13). Nothing here touches a file or the database.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import orjson
import pyjson5
from attrs import define, field, frozen

from openclaw.errors import OpenClawError
from openclaw.store.interfaces import Entry, Session

#: ``<session id>[-topic-<n>].jsonl``, and what is put behind it when a transcript is put away.
TRANSCRIPT = re.compile(r"(?P<id>.+?)(?:-topic-[^.]+)?\.jsonl(?:\.(?P<kind>deleted|bak|reset)\.(?P<at>.+))?")

#: Members of old files, and what they are called since.
RENAMED = {"provider": "channel", "lastProvider": "lastChannel", "room": "groupChannel"}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The year 10000, which no transcript can be dated with.
END_MS = 253_402_300_800_000
ROLES_WITH_BLOCKS = ("assistant", "toolResult")


@frozen
class Unreadable(OpenClawError):
    """
    A file or a line is not what it should be.
    """

    why: str

    def __str__(self) -> str:
        return self.why


# -- JSON -------------------------------------------------------------------------------------------------------------


def parse(raw: bytes, *, relaxed: bool = False) -> Any:
    """
    JSON as the reference's programs write it: halves of surrogate pairs become the replacement character, and numbers
    beyond 64 bits floating point ones.

    :param relaxed: JSON5 is taken as well, as the reference does for its stores.
    :raise Unreadable: it is not JSON.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        text = raw.decode("utf-8-sig", "replace")
        try:
            value = json.loads(text, parse_int=_integer, parse_constant=_refuse)
        except ValueError:
            if not relaxed:
                raise
            value = pyjson5.decode(text)
        # What cannot be written again was not worth reading: NaN, and whatever else is not JSON.
        return orjson.loads(orjson.dumps(_clean(value)))
    except (ValueError, TypeError, RecursionError, pyjson5.Json5Exception) as error:
        raise Unreadable(f"not JSON: {error}") from error


def _integer(digits: str) -> int | float:
    number = int(digits) if len(digits) < 20 else float(digits)
    return number if -(2**63) <= number < 2**64 else float(number)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(name): _clean(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_clean(member) for member in value]
    return value


# -- time -------------------------------------------------------------------------------------------------------------


def iso(at_ms: int) -> str:
    """
    A time as transcripts write it: milliseconds and ``Z``.
    """
    moment = EPOCH + timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def millis_of(value: Any) -> int | None:
    """
    A time, whatever way it is written: ISO, or milliseconds since the epoch.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        value = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < END_MS:
        return None
    return int(value)


def stamp(at_ms: int) -> str:
    """
    A time as it stands in the name of a transcript that was put away.
    """
    return iso(at_ms).replace(":", "-")


def unstamp(text: str) -> int | None:
    day, _, time = text.partition("T")
    return millis_of(f"{day}T{time.replace('-', ':')}")


# -- transcripts ------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class TranscriptName:
    """
    What the name of a transcript says.

    :ivar kind: why it was put away: ``deleted``, ``bak`` or ``reset``; ``None`` if it was not.
    :ivar at_ms: when, if the name says it.
    """

    session_id: str
    kind: str | None
    at_ms: int | None


def transcript_name(name: str) -> TranscriptName | None:
    """
    :return: ``None`` for the name of something else.
    """
    match = TRANSCRIPT.fullmatch(name)
    if match is None:
        return None
    at = match["at"]
    return TranscriptName(session_id=match["id"], kind=match["kind"], at_ms=unstamp(at) if at else None)


@define
class Lines:
    """
    Reads the lines of one transcript in their order; remembers what the next one may hang on.

    A line without a parent that is not the first is the child of the line before it (``agent.md`` 4.3), and so is one
    whose parent is not there: else a line that got lost would take everything before it out of the context.

    :ivar skipped: lines that could not be read.
    """

    session_id: str
    header: dict[str, Any] | None = field(default=None, init=False)
    skipped: int = field(default=0, init=False)
    _known: set[str] = field(factory=set, init=False)
    _last: str | None = field(default=None, init=False)
    _last_ms: int = field(default=0, init=False)

    def read(self, raw: bytes) -> Entry | None:
        """
        :return: ``None`` for the header, an empty line, and what cannot be read.
        """
        if not raw.strip():
            return None
        try:
            line = parse(raw)
            if not isinstance(line, dict) or not isinstance(line.get("type"), str):
                raise Unreadable("not a line of a transcript")
            if line["type"] == "session":
                self._header(line)
                return None
            return self._entry(line, raw)
        except Unreadable:
            self.skipped += 1
            return None

    def _header(self, line: dict[str, Any]) -> None:
        if self.header is not None and self.header != line:
            raise Unreadable("a second header")
        self.header = line
        self._last_ms = millis_of(line.get("timestamp")) or 0

    def _entry(self, line: dict[str, Any], raw: bytes) -> Entry:
        body = {name: value for name, value in line.items() if name not in ("type", "id", "parentId", "timestamp")}
        if line["type"] == "message":
            body["message"] = message(body.get("message"))
        at_ms = millis_of(line.get("timestamp"))
        if at_ms is None:
            at_ms = millis_of(body["message"].get("timestamp")) if line["type"] == "message" else None
        parent = line.get("parentId", self._last)
        if parent is not None and not (isinstance(parent, str) and parent in self._known):
            parent = self._last
        given = line.get("id")
        entry = Entry(
            id=given if isinstance(given, str) and given else self._made_id(raw),
            session_id=self.session_id,
            parent_id=parent,
            type=line["type"],
            timestamp_ms=self._last_ms if at_ms is None else at_ms,
            body=body,
        )
        if entry.parent_id == entry.id:
            raise Unreadable("its own parent")
        self._known.add(entry.id)
        self._last, self._last_ms = entry.id, entry.timestamp_ms
        return entry

    def _made_id(self, raw: bytes) -> str:
        """
        An id for a line that has none: the same each time the file is read.
        """
        digest = hashlib.sha256(f"{self.session_id}:{len(self._known)}:".encode() + raw).hexdigest()
        return next(digest[at : at + 8] for at in range(len(digest)) if digest[at : at + 8] not in self._known)


def message(value: Any) -> dict[str, Any]:
    """
    A message that a run can be given.

    :raise Unreadable: members are missing without which no provider would take the conversation.
    """
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        raise Unreadable("no message")
    content = value.get("content")
    if isinstance(content, str) and value["role"] in ROLES_WITH_BLOCKS:
        value["content"] = content = [{"type": "text", "text": content}]
    if value["role"] in ROLES_WITH_BLOCKS:
        if not isinstance(content, list) or not all(_is_block(block) for block in content):
            raise Unreadable("content is no list of blocks")
        if value["role"] == "toolResult" and not isinstance(value.get("toolCallId"), str):
            raise Unreadable("a result of no call")
    return value


def _is_block(block: Any) -> bool:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return False
    if block["type"] != "toolCall":
        return True
    return all(isinstance(block.get(name), str) for name in ("id", "name")) and isinstance(block.get("arguments"), dict)


def line_of(entry: Entry) -> bytes:
    """
    An entry as a line of a transcript, without the newline.
    """
    members = {
        "type": entry.type,
        "id": entry.id,
        "parentId": entry.parent_id,
        "timestamp": iso(entry.timestamp_ms),
        **entry.body,
    }
    return orjson.dumps(members)


# -- sessions ---------------------------------------------------------------------------------------------------------


def session_of(
    key: str, value: Any, *, agent_id: str, make_id: Callable[[], str], files: frozenset[str] = frozenset()
) -> Session:
    """
    An entry of ``sessions.json``.

    :param key: canonical.
    :param files: names of the transcripts that are there: one that ``sessionFile`` names tells which session it is,
        whatever ``sessionId`` says.
    :raise Unreadable: it is no object.
    """
    if not isinstance(value, Mapping):
        raise Unreadable("a session is no object")
    members = {name: member for name, member in value.items() if name not in ("sessionId", "updatedAt", "sessionFile")}
    for old, new in RENAMED.items():
        if old in members:
            moved = members.pop(old)
            members.setdefault(new, moved)
    given = value.get("sessionId")
    session_id = given if isinstance(given, str) and given else make_id()
    path = value.get("sessionFile")
    if isinstance(path, str):
        name = re.split(r"[/\\]", path)[-1]
        named = transcript_name(name)
        if named is not None and named.kind is None and name in files:
            session_id = named.session_id
    return Session(
        key=key,
        agent_id=agent_id,
        session_id=session_id,
        updated_at_ms=millis_of(value.get("updatedAt")) or 0,
        members=members,
    )


# -- records ----------------------------------------------------------------------------------------------------------


def newest(record: Any) -> int:
    """
    The latest time that a record tells of itself; which of two of one id is the newer.
    """
    if not isinstance(record, Mapping):
        return 0
    own = [
        value
        for name, value in record.items()
        if (name == "ts" or name.endswith("AtMs")) and isinstance(value, int) and not isinstance(value, bool)
    ]
    tokens = record.get("tokens")
    inner = [newest(token) for token in tokens.values()] if isinstance(tokens, Mapping) else []
    return max([*own, *inner], default=0)


def paired_device(id: str, record: Any) -> dict[str, Any]:
    """
    A paired device as our own code writes it.

    :raise Unreadable: it could not come in with this record.
    """
    if not isinstance(record, dict) or not isinstance(record.get("publicKey"), str):
        raise Unreadable("a device without a key")
    known = record.get("tokens")
    tokens = {
        role: token
        for role, token in (known.items() if isinstance(known, dict) else ())
        if isinstance(token, dict) and isinstance(token.get("token"), str) and _strings(token.get("scopes")) is not None
    }
    return {**record, "deviceId": id, **_rights(record), "tokens": tokens}


def device_request(id: str, record: Any) -> dict[str, Any]:
    """
    A device's request as our own code writes it.

    :raise Unreadable: it could not be approved.
    """
    if not isinstance(record, dict) or type(record.get("ts")) is not int:
        raise Unreadable("a request without a time")
    if not all(isinstance(record.get(name), str) for name in ("deviceId", "publicKey")):
        raise Unreadable("a request of no device")
    role = record["role"] if isinstance(record.get("role"), str) else "operator"
    return {**record, "requestId": id, "role": role, **_rights({**record, "role": role})}


def _rights(record: Mapping[str, Any]) -> dict[str, Any]:
    role = record.get("role")
    roles = _strings(record.get("roles"))
    return {
        "roles": roles if roles is not None else [role] if isinstance(role, str) else [],
        "scopes": _strings(record.get("scopes")) or [],
    }


def _strings(value: Any) -> list[str] | None:
    return value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


def plain_record(id: str, record: Any) -> dict[str, Any]:
    """
    :raise Unreadable: it is no object.
    """
    if not isinstance(record, dict):
        raise Unreadable("not an object")
    return record
