"""
What the log says of WebSocket connections (``protocol.md`` 30).

The functions that build lines are pure; :class:`WsLog` decides which lines there are, and builds nothing that is not
shown: without ``--verbose`` an ordinary request costs two comparisons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

import orjson
from attrs import define, field
from twisted.logger import Logger

from openclaw.logs.console import printable
from openclaw.logs.records import Level
from openclaw.logs.redact import BUILT_IN, redact_shapes

Style = Literal["auto", "full", "compact"]

#: Answers that took so long are told without ``--verbose``.
SLOW_MS = 50
MOST_VALUE = 240
#: Without ``--verbose``, at most so many lines a second: a client that sends rubbish must not fill the log.
MOST_LINES_A_SECOND = 50

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class Seconds(Protocol):
    """
    What tells the time.
    """

    def seconds(self) -> float: ...


class Emit(Protocol):
    """
    Takes a finished line.
    """

    def __call__(self, level: Level, line: str) -> None: ...


class WireError(Protocol):
    """
    The error of a response.
    """

    @property
    def code(self) -> str: ...

    @property
    def message(self) -> str: ...


Fields = Iterable[tuple[str, object]]

_log = Logger(namespace="gateway/ws")


def log_line(level: Level, line: str) -> None:
    """
    Give a line to Twisted's log.
    """
    (_log.warn if level >= Level.WARN else _log.info)("{line}", line=line)


def short(id: str) -> str:
    """
    An id as lines show it: enough to find it again.
    """
    if _UUID.fullmatch(id):
        return f"{id[:8]}…{id[-4:]}"
    return f"{id[:12]}…{id[-4:]}" if len(id) > 24 else id


def value_text(value: object) -> str:
    """
    A value on one line, without secrets, cut at 240 characters.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    text = redact_shapes(text[: MOST_VALUE * 8], BUILT_IN)
    if len(text) > MOST_VALUE:
        text = text[:MOST_VALUE] + "…"
    return printable(text.replace("\n", "\\n").replace("\t", "\\t"))


def fields_text(fields: Fields) -> str:
    """
    ``name=value`` pairs, those without a value left out. An empty text stays: ``reason=``.
    """
    return " ".join(f"{name}={value_text(value)}" for name, value in fields if value is not None)


def line(arrow: str, *words: str, fields: Fields = (), conn: str | None = None, id: object = None) -> str:
    """
    One line: an arrow, words, details, then whose connection and which request.
    """
    ids = [("conn", None if conn is None else short(conn)), ("id", None if id is None else short(str(id)))]
    told = fields_text([*fields, *ids])
    return " ".join(part for part in (arrow, *words, told) if part)


def client_fields(client: Mapping[str, Any]) -> Fields:
    """
    What a ``connect`` frame says of the client, in the order of the lines.
    """
    return [
        ("client", client.get("id")),
        ("clientDisplayName", client.get("displayName")),
        ("version", client.get("version")),
        ("mode", client.get("mode")),
        ("clientId", client.get("id")),
        ("platform", client.get("platform")),
    ]


def event_fields(name: str, payload: Mapping[str, Any]) -> Fields:
    """
    What a line about an event tells of its payload: for ``agent`` the run, the stream and the beginning of the text.
    """
    if name != "agent":
        return []
    data = payload.get("data")
    data = data if isinstance(data, Mapping) else {}
    agent, session = _session_parts(payload.get("sessionKey"))
    run = payload.get("runId")
    fields: list[tuple[str, object]] = [
        ("run", short(run) if isinstance(run, str) else None),
        ("agent", agent),
        ("session", session),
        ("stream", payload.get("stream")),
        ("aseq", payload.get("seq")),
    ]
    text = data.get("text")
    if isinstance(text, str) and text.strip():
        fields.append(("text", _preview(text)))
    fields += [(key, data.get(key)) for key in ("phase", "name", "aborted", "error")]
    return fields


def _session_parts(key: object) -> tuple[str | None, str | None]:
    if not isinstance(key, str):
        return None, None
    parts = key.split(":", 2)
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "agent" else (None, key)


def _preview(text: str, most: int = 160) -> str:
    flat = " ".join(text[: most * 4].split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


@define
class _Life:
    """
    What is remembered of an open connection for the line about its end.
    """

    remote: str
    headers: Mapping[str, str]
    last_frame: tuple[str, str, str] | None = None
    cause: str | None = None


@define(kw_only=True, eq=False)
class WsLog:
    """
    The lines of one gateway; connections call it with what happened to them.

    :ivar emit: where lines go.
    :ivar verbose: changeable while running, as is ``style``.
    """

    clock: Seconds
    emit: Emit = log_line
    verbose: bool = False
    style: Style = "auto"
    _lives: dict[str, _Life] = field(factory=dict, init=False)
    _shown_conn: str | None = field(default=None, init=False)
    _second: int = field(default=0, init=False)
    _in_second: int = field(default=0, init=False)

    def opened(self, conn: str, remote: str, headers: Mapping[str, str] | None = None) -> None:
        """
        A socket is open.

        :param headers: of its upgrade, names in lower case; told if it closes before ``connect``.
        """
        self._lives[conn] = _Life(remote, headers or {})
        if self.verbose:
            self._info("←", "open", fields=[("remoteAddr", remote)], conn=conn)

    def connected(self, conn: str, client: Mapping[str, Any], auth: str | None) -> None:
        """
        A ``connect`` was accepted.

        :param auth: ``token``, ``password``, ``tailscale`` or ``device-token``.
        """
        if self.verbose:
            self._info("←", "connect", fields=[*client_fields(client), ("auth", auth)], conn=conn)

    def hello(self, *, methods: int, events: int, presence: int, state_version: int, conn: str | None = None) -> None:
        """
        ``hello-ok`` was sent.
        """
        if self.verbose:
            fields = [
                ("methods", methods),
                ("events", events),
                ("presence", presence),
                ("stateVersion", state_version),
            ]
            self._info("→", "hello-ok", fields=fields, conn=conn)

    def event(self, name: str, seq: int, clients: int, *, drop_if_slow: bool, frame: bytes) -> None:
        """
        An event was published to ``clients`` connections.

        :param frame: its serialised frame, read only if the line is shown.
        """
        if not self.verbose:
            return
        parsed = orjson.loads(frame)
        versions = parsed.get("stateVersion") or {}
        fields = [
            ("seq", seq),
            ("clients", clients),
            ("dropIfSlow", True if drop_if_slow else None),
            ("presenceVersion", versions.get("presence")),
            ("healthVersion", versions.get("health")),
            *event_fields(name, parsed.get("payload") or {}),
        ]
        self._info("→", "event", name, fields=fields)

    def request(self, conn: str, id: str, method: str) -> None:
        """
        A request arrived.
        """
        life = self._lives.get(conn)
        if life is not None:
            life.last_frame = ("req", method, id)
        if self.verbose and self.style == "full":
            self._info("←", "req", value_text(method), conn=conn, id=id)

    def response(
        self,
        conn: str,
        id: str,
        method: str,
        ok: bool,
        elapsed_ms: int,
        error: WireError | None = None,
        *,
        cached: bool = False,
    ) -> None:
        """
        A request was answered.
        """
        if not self.verbose and ok and elapsed_ms < SLOW_MS:
            return
        fields: list[tuple[str, object]] = [("cached", True if cached else None)]
        if error is not None:
            fields += [("errorCode", str(error.code)), ("errorMessage", error.message)]
        arrow = "→" if self.verbose and self.style == "full" else "⇄"
        words = ("res", "✓" if ok else "✗", value_text(method), f"{elapsed_ms}ms")
        self._told(arrow, *words, fields=fields, conn=conn, id=id)

    def parse_error(self, conn: str, error: str) -> None:
        """
        A message was no JSON.
        """
        self._told("✗", "parse-error", fields=[("error", error)], conn=conn)

    def refused(
        self, conn: str, remote: str, client: Mapping[str, Any], cause: str, message: str, reason: str | None = None
    ) -> None:
        """
        A handshake failed; the socket will close.

        :param cause: the word of ``protocol.md`` 30, as ``unauthorized``.
        :param reason: the word behind ``unauthorized``, as ``token_mismatch``; by default the message is told.
        """
        life = self._lives.get(conn)
        if life is not None:
            life.cause = cause
        told = fields_text([("conn", conn), ("remote", remote or "?")])
        who = f" client={value_text(client['id'])}" if client.get("id") else ""
        kind = f" {value_text(client.get('mode', ''))} v{value_text(client.get('version', ''))}" if client else ""
        why = reason or message
        text = f"{cause.replace('-', ' ')} {told}{who}{kind}" + (f" reason={value_text(why)}" if why else "")
        self._emit_bounded(Level.WARN, text)

    def closed(self, conn: str, code: int | None, reason: str, elapsed_ms: int, handshake: str) -> None:
        """
        A socket is closed.

        :param handshake: ``pending`` (``handshaking``), ``failed`` or ``connected``.
        """
        life = self._lives.pop(conn, None) or _Life("", {})
        if handshake != "connected" and life.cause is None:
            self._closed_early(conn, life, code, reason)
        if not self.verbose:
            return
        frame = life.last_frame or (None, None, None)
        fields = [
            ("code", code if code is not None else 1006),
            ("reason", reason),
            ("durationMs", elapsed_ms),
            ("cause", life.cause),
            ("handshake", "pending" if handshake == "handshaking" else handshake),
            ("lastFrameType", frame[0]),
            ("lastFrameMethod", frame[1]),
            ("lastFrameId", frame[2]),
        ]
        self._info("→", "close", fields=fields, conn=conn)

    def _closed_early(self, conn: str, life: _Life, code: int | None, reason: str) -> None:
        headers = life.headers
        fields = [
            ("conn", conn),
            ("remote", life.remote or "?"),
            ("fwd", headers.get("x-forwarded-for") or "n/a"),
            ("origin", headers.get("origin") or "n/a"),
            ("host", headers.get("host") or "n/a"),
            ("ua", headers.get("user-agent") or "n/a"),
            ("code", "n/a" if code is None else code),
            ("reason", reason or "n/a"),
        ]
        self._emit_bounded(Level.WARN, f"closed before connect {fields_text(fields)}")

    def _told(self, arrow: str, *words: str, fields: Fields, conn: str, id: object = None) -> None:
        """
        A line that is told without ``--verbose`` too; then it is counted, and names its connection.
        """
        if self.verbose:
            self._info(arrow, *words, fields=fields, conn=conn, id=id)
        elif self._may_tell():
            self.emit(Level.INFO, line(arrow, *words, fields=fields, conn=conn, id=id))

    def _info(self, arrow: str, *words: str, fields: Fields = (), conn: str | None = None, id: object = None) -> None:
        shown = conn
        if conn is not None and self.style != "full":
            shown = None if conn == self._shown_conn else conn
            self._shown_conn = conn
        self.emit(Level.INFO, line(arrow, *words, fields=fields, conn=shown, id=id))

    def _emit_bounded(self, level: Level, text: str) -> None:
        if self.verbose or self._may_tell():
            self.emit(level, text)

    def _may_tell(self) -> bool:
        second = int(self.clock.seconds())
        if second != self._second:
            left_out = self._in_second - MOST_LINES_A_SECOND
            self._second, self._in_second = second, 0
            if left_out > 0:
                self.emit(Level.WARN, f"{left_out} lines about connections were left out")
        self._in_second += 1
        return self._in_second <= MOST_LINES_A_SECOND
