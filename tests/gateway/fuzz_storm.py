"""
A gateway in memory in a storm of requests, and what has to hold whatever they were.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from attrs import Factory, define, field
from twisted.internet.defer import Deferred, execute
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import ModelRequest, Stop, TextDelta, Usage
from openclaw.methods.families import METHODS
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.frames import NotJson, answer_id, parse_json
from openclaw.protocol.schema import schema_of
from openclaw.protocol.types import ABSENT
from openclaw.protocol.validate import plain_check
from openclaw.store.bodies import Bodies
from openclaw.store.interfaces import Unit
from openclaw.store.schema import migrations
from openclaw.store.sql_unit import SqlUnit
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import TOKEN, MemoryGateway, make_reactor
from openclaw.testing.model import PlayedModel, Step
from tests.gateway.fuzz_values import CHECKS, SCHEMAS, wire

T = TypeVar("T")

#: Longer than any answer takes but that of ``agent.wait``, in seconds.
PATIENCE = 90.0


@cache
def _empty() -> sqlite3.Connection:
    """
    What every storm begins with; a copy costs a twentieth of the migrations.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for _, script in migrations():
        connection.executescript(script)
    return connection


def _connection() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _empty().backup(connection)
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


@define(eq=False)
class SqlAtOnce:
    """
    SQL in memory without threads: what cannot be bound or found in SQL shows itself, where the twin takes anything.
    """

    directory: Path
    connection: sqlite3.Connection = field(factory=_connection)
    unit: SqlUnit = Factory(lambda self: SqlUnit(self.connection, Bodies(self.directory)), takes_self=True)

    @property
    def is_ready(self) -> bool:
        return True

    def write(self, work: Callable[[Unit], T]) -> Deferred[T]:
        return execute(self._attempt, work, "COMMIT")

    def read(self, work: Callable[[Unit], T]) -> Deferred[T]:
        return execute(self._attempt, work, "ROLLBACK")

    def _attempt(self, work: Callable[[Unit], T], end: str) -> T:
        self.connection.execute("BEGIN")
        try:
            result = work(self.unit)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute(end)
        return result


def key_of(id: Any) -> str:
    """
    By what an answer is found again; ids that are no strings go by their kind.
    """
    return id if isinstance(id, str) else f"\0{type(id).__name__}"


@define
class Storm:
    """
    A gateway, a client that sends whatever it likes, and one that behaves.

    :ivar case: whose assertions are used, and whose log is looked at.
    """

    case: SynchronousTestCase
    gateway: MemoryGateway
    client: GatewayClient
    bystander: GatewayClient
    _number: int = 0
    _wanted: Counter[str] = field(factory=Counter)
    _asked: dict[str, tuple[str, Any]] = field(factory=dict)
    _patient: set[str] = field(factory=set)
    _runs: set[Any] = field(factory=set)
    _repeats: set[str] = field(factory=set)

    @classmethod
    def begin(cls, case: SynchronousTestCase, directory: Path) -> Storm:
        """
        :param directory: may be that of an earlier storm; only the workspace and large bodies are kept there.
        """
        reactor = make_reactor()
        gateway = MemoryGateway(
            directory=directory,
            reactor=reactor,
            store=SqlAtOnce(directory / "blobs"),
            make_model=lambda model: PlayedModel(reactor, parrot),
        ).start()
        gateway.service.clients.wslog.verbose = True
        gateway.service.clients.wslog.style = "full"
        gateway.service.clients.wslog.emit = lambda level, line: line.encode()
        return cls(case, gateway, gateway.connected(), gateway.connected())

    def ask(self, method: str, params: Any) -> None:
        """
        Send a request with parameters of any kind.
        """
        # Each has an id of its own, also after one that nobody could read.
        self._number += 1
        self.send(wire({"type": "req", "id": f"storm {self._number}", "method": method, "params": params}))

    def send(self, data: bytes) -> None:
        """
        Send a message of any kind, and note what has to be answered.
        """
        self.client.send(data)
        try:
            frame = parse_json(data)
        except NotJson:
            return
        key = key_of(answer_id(frame))
        self._wanted[key] += 1
        if CHECKS["RequestFrame"](frame):
            self._asked[key] = (frame["method"], frame.get("params", ABSENT))
            if _waits_long(frame):
                self._patient.add(key)
            if frame["method"] == "agent" and isinstance(run := _run_of(frame), str):
                if run in self._runs:
                    self._repeats.add(key)
                self._runs.add(run)

    def end(self) -> None:
        """
        Wait for the answers, look at everything that came, and see that the gateway lives.
        """
        self.gateway.advance_until(self._quiet, most=PATIENCE, step=0.25)
        self.case.assertIsNone(self.client.closed)
        self.case.assertEqual(self.missing(), Counter())
        for client in (self.client, self.bystander):
            for frame in client.frames[2:]:
                self._check(frame)
        self.finish()

    def finish(self) -> None:
        """
        See that others are served, and that nothing was logged; stop.
        """
        self._others_are_served()
        self.gateway.stop()
        self.gateway.advance(5)
        self.case.assertEqual(self.gateway.reactor.getDelayedCalls(), [])
        self.case.assertEqual([failure.getTraceback() for failure in self.case.flushLoggedErrors()], [])

    def _quiet(self) -> bool:
        return not self.missing() or bool(self.client.closed)

    def missing(self) -> Counter[str]:
        """
        How many answers are wanted, by id; below zero where there were too many.
        """
        given: Counter[str] = Counter()
        for frame in self.client.frames[2:]:
            if frame["type"] != "res":
                continue
            key = key_of(frame["id"])
            if key in self._repeats:
                # Once, with either; twice only where the one before it was refused.
                given[key] = 1
            elif not _is_first(frame):
                given[key] += 1
        wanted = Counter({key: number for key, number in self._wanted.items() if key not in self._patient})
        given = Counter({key: number for key, number in given.items() if key not in self._patient})
        wanted.subtract(given)
        return Counter({key: number for key, number in wanted.items() if number})

    def _check(self, frame: Mapping[str, Any]) -> None:
        """
        Look at a refusal; all else is compared with the documents by the client itself.
        """
        if frame["type"] == "res" and not frame["ok"]:
            method, params = self._asked.get(key_of(frame["id"]), ("", ABSENT))
            self._check_error(method, params, frame["error"])

    def valid(self, name: str, value: Any) -> None:
        """
        A value is what a definition of the exported schema says.
        """
        if not CHECKS[name](value):
            from jsonschema import Draft7Validator

            self.case.fail(f"{name}: {[error.message for error in Draft7Validator(SCHEMAS[name]).iter_errors(value)]}")

    def _check_error(self, method: str, params: Any, error: Mapping[str, Any]) -> None:
        self.case.assertIn(error["code"], set(ErrorCode))
        self.case.assertNotIn("correlationId", error.get("details") or {}, (method, params))
        row = METHODS.get(method)
        if row is None or row.params is None or row.prepare is not None or row.role != "operator":
            return
        told = {} if params is None or params is ABSENT else params
        if not plain_check(schema_of(row.params))(told):
            self.case.assertEqual(error["code"], "INVALID_REQUEST")
            self.case.assertRegex(
                error["message"], rf"(?s)\Ainvalid {re.escape(method)} params: .*(at /.*: |'|must be object)"
            )

    def _others_are_served(self) -> None:
        self.case.assertTrue(self.bystander.call("health")["ok"])
        self.case.assertEqual(self.bystander.call("status")["payload"]["channelSummary"], [])
        newcomer = self.gateway.client()
        hello = newcomer.connect(token=TOKEN)
        self.case.assertEqual(hello["payload"]["features"]["methods"], advertised())
        said = {"sessionKey": "after the storm", "message": "hello", "idempotencyKey": "after the storm"}
        self.case.assertEqual(newcomer.call("chat.send", said)["payload"]["status"], "started")
        self.gateway.advance_until(
            lambda: any(
                event["payload"]["state"] == "final" and event["payload"]["runId"] == "after the storm"
                for event in newcomer.events("chat")
            ),
            step=0.25,
        )


def parrot(request: ModelRequest) -> Sequence[Step]:
    """
    A model that says what it was told, so that odd texts go all the way.
    """
    blocks = request.messages[-1]["content"] if request.messages else ()
    said = "".join(block["text"] for block in blocks if block["type"] == "text")
    return [TextDelta("You said: "), 0.1, TextDelta(said), Usage(input=1, output=1), Stop("stop")]


def _is_first(frame: Mapping[str, Any]) -> bool:
    payload = frame.get("payload")
    return isinstance(payload, Mapping) and payload.get("status") == "accepted"


def _run_of(frame: Mapping[str, Any]) -> Any:
    told = frame.get("params")
    return told.get("idempotencyKey") if isinstance(told, Mapping) else None


def _waits_long(frame: Mapping[str, Any]) -> bool:
    told = frame.get("params")
    if frame["method"] == "exec.approval.request":
        # Until a person has decided.
        return True
    if frame["method"] != "agent.wait" or not isinstance(told, Mapping):
        return False
    limit = told.get("timeoutMs")
    return isinstance(limit, int | float) and limit > PATIENCE * 500


def advertised() -> list[str]:
    """
    The methods of ``hello-ok``, asked once.
    """
    if not _advertised:
        gateway = MemoryGateway(directory=Path("/nowhere")).start()
        _advertised.extend(gateway.client().connect(token=TOKEN)["payload"]["features"]["methods"])
        gateway.stop()
    return _advertised


_advertised: list[str] = []
