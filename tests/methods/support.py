"""
A method context in memory, and a twin of the agent runtime that does what a test tells it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.errors import UnknownRun
from openclaw.agent.types import Accepted, Inbound, Outcome
from openclaw.approvals.questions import Questions
from openclaw.clock import millis
from openclaw.config.loader import evaluate
from openclaw.config.model import Config, build
from openclaw.gateway.configuration import Configuration
from openclaw.gateway.life import Life
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.dispatch import Dispatcher
from openclaw.methods.families import METHODS
from openclaw.processes import Finished
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.frames import ErrorShape
from openclaw.protocol.types import ABSENT
from openclaw.store.interfaces import TERMINAL_STATES, Entry, Run, RunState, Session, Store
from openclaw.store.memory import MemoryStore
from openclaw.testing.wire import wrong_answer, wrong_event
from openclaw.wizard.session import Wizards

CAPTURES = Path(__file__).resolve().parent.parent / "fixtures" / "captures"
NOW = 1_795_413_282.0
NOW_MS = int(NOW * 1000)

#: A configuration with one model, as the recordings have it.
MOCK_CONFIG: Mapping[str, Any] = {
    "agents": {"defaults": {"model": {"primary": "mock/mock-1"}}},
    "models": {
        "providers": {
            "mock": {
                "baseUrl": "http://127.0.0.1:1/v1",
                "apiKey": "sk-mock",
                "models": [{"id": "mock-1", "name": "Mock 1", "input": ["text", "image"], "contextWindow": 128000}],
            }
        }
    },
}


NO_SESSIONS: Mapping[str, Any] = {"path": "/state/openclaw.sqlite3", "count": 0, "recent": []}

#: A gateway without channels, sessions or heartbeats.
HEALTH: Mapping[str, Any] = {
    "ok": True,
    "ts": NOW_MS,
    "durationMs": 0,
    "channels": {},
    "channelOrder": [],
    "channelLabels": {},
    "heartbeatSeconds": 0,
    "defaultAgentId": "main",
    "agents": [],
    "sessions": NO_SESSIONS,
}


@frozen(kw_only=True)
class Reply:
    """
    One answer to a request.
    """

    ok: bool
    payload: Any = ABSENT
    error: ErrorShape | None = None

    @property
    def message(self) -> str:
        assert self.error is not None, self.payload
        return self.error.message

    def members(self) -> dict[str, Any]:
        """
        The answer as on the wire.
        """
        found: dict[str, Any] = {"ok": self.ok}
        if self.payload is not ABSENT:
            found["payload"] = self.payload
        if self.error is not None:
            found["error"] = {"code": self.error.code, "message": self.error.message}
        return found


@define(eq=False)
class FakeAgents:
    """
    Accepts runs and ends them when it is told to.

    :ivar stuck: aborting never comes to an end.
    """

    store: Store
    clock: Clock
    submitted: list[Inbound] = field(factory=list)
    noted: dict[str, list[str]] = field(factory=dict)
    stopped: list[tuple[str, str]] = field(factory=list)
    stuck: bool = False
    _outcomes: dict[str, Outcome] = field(factory=dict)
    _waiting: dict[str, list[Deferred[Outcome]]] = field(factory=dict)

    def submit(self, inbound: Inbound) -> Deferred[Accepted]:
        known = next((run for run in self.submitted if run.dedupe_key == inbound.dedupe_key), None)
        if known is not None:
            ended = self._outcomes.get(known.run_id)
            state = "running" if ended is None else ended.status
            return succeed(Accepted(run_id=known.run_id, accepted_at_ms=NOW_MS, repeated=True, state=state))
        self.submitted.append(inbound)
        self._waiting[inbound.run_id] = []
        self._record(inbound, "accepted")
        accepted = Accepted(run_id=inbound.run_id, accepted_at_ms=millis(self.clock), repeated=False, state="accepted")
        return succeed(accepted)

    def outcome(self, run_id: str) -> Deferred[Outcome]:
        if run_id in self._outcomes:
            return succeed(self._outcomes[run_id])
        if run_id not in self._waiting:
            return fail(UnknownRun(run_id))
        waiter: Deferred[Outcome] = Deferred(self._waiting[run_id].remove)
        self._waiting[run_id].append(waiter)
        return waiter

    def abort(self, session_key: str, *, run_id: str | None = None, reason: str = "rpc") -> Deferred[list[str]]:
        self.stopped.append((session_key, reason))
        if self.stuck:
            return Deferred()
        ended = [run for run in self.active(session_key) if run_id in (None, run)]
        for run in ended:
            self.finish(run, status="aborted", summary="aborted")
        return succeed(ended)

    def active(self, session_key: str) -> Sequence[str]:
        mine = [run.run_id for run in self.submitted if run.session_key == session_key]
        return [run for run in mine if run not in self._outcomes]

    def note(self, session_key: str, text: str) -> None:
        self.noted.setdefault(session_key, []).append(text)

    def notes(self, session_key: str) -> Sequence[str]:
        return self.noted.get(session_key, [])

    def finish(self, run_id: str, **members: Any) -> None:
        """
        End a run.
        """
        told = {"status": "ok", "summary": "completed", "started_at_ms": NOW_MS, "ended_at_ms": NOW_MS + 5}
        outcome = Outcome(run_id=run_id, **{**told, **members})
        self._outcomes[run_id] = outcome
        inbound = next(run for run in self.submitted if run.run_id == run_id)
        self._record(inbound, outcome.status)
        for waiter in self._waiting.pop(run_id):
            waiter.callback(outcome)

    def _record(self, inbound: Inbound, state: RunState) -> None:
        run = Run(
            run_id=inbound.run_id,
            session_key=inbound.session_key,
            session_id="s",
            state=state,
            origin=inbound.origin,
            dedupe_key=inbound.dedupe_key,
            inbound={},
            created_at_ms=NOW_MS,
            outcome={} if state in TERMINAL_STATES else None,
        )
        self.store.write(lambda unit: unit.runs.put(run))


@define(eq=False)
class FakePresence:
    """
    Knows nobody, and makes a note of every event.
    """

    told: list[Mapping[str, Any]] = field(factory=list)

    def listing(self) -> list[dict[str, Any]]:
        return [{"host": "box", "mode": "gateway", "ts": NOW_MS}]

    def system_event(self, params: Mapping[str, Any]) -> str | None:
        self.told.append(params)
        return None if params["text"].startswith("Node:") else params["text"]


@define(eq=False)
class FakeHealth:
    """
    Answers with a snapshot, and makes a note of whether it was to probe.
    """

    error: Exception | None = None
    probed: list[bool] = field(factory=list)

    def current(self, *, probe: bool) -> Deferred[dict[str, Any]]:
        self.probed.append(probe)
        return succeed(dict(HEALTH)) if self.error is None else fail(self.error)


@define(eq=False)
class FakeHeartbeats:
    """
    Remembers the switch, and who was woken.
    """

    enabled: bool = True
    woken: list[tuple[str, str]] = field(factory=list)

    def last(self) -> Mapping[str, Any] | None:
        return None

    def enable(self, enabled: bool) -> None:
        self.enabled = enabled

    def request(self, agent_id: str, reason: str) -> None:
        self.woken.append((agent_id, reason))


def counter() -> Callable[[], str]:
    """
    Ids in the shape of real ones: ``00000001-0000-4000-8000-000000000001`` and so on.
    """
    numbers = iter(range(1, 10_000))
    return lambda: "{0:08x}-0000-4000-8000-{0:012x}".format(next(numbers))


def token_counter() -> Callable[[], str]:
    """
    Tokens of 32 hexadecimal digits, counted.
    """
    numbers = iter(range(1, 10_000))
    return lambda: f"{next(numbers):032x}"


def caller(*scopes: str, role: str = "operator", **members: Any) -> Caller:
    told = {"connection_id": "c1", "client_id": "cli", "client_mode": "cli", **members}
    return Caller(role=role, scopes=frozenset(scopes), **told)


ADMIN = caller("operator.admin")


class MethodCase(SynchronousTestCase):
    """
    Asks methods as a connection does.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.store = MemoryStore()
        self.agents = FakeAgents(self.store, self.clock)
        self.presence = FakePresence()
        self.health = FakeHealth()
        self.heartbeats = FakeHeartbeats()
        self.http: Any = None
        # The scheduler is tested with a whole gateway.
        self.cron: Any = None
        self.events: list[tuple[str, Mapping[str, Any], dict[str, Any]]] = []
        self.approvers = True
        self.questions = Questions(
            clock=self.clock, publish=self._broadcast, make_id=counter(), reachable=lambda: self.approvers
        )
        self.dispatcher = Dispatcher(METHODS)
        # Told at the end: what fails within a handler is answered as a fault of the gateway.
        self.wrong: list[str] = []
        self.addCleanup(lambda: self.assertEqual(self.wrong, []))
        self.configure(MOCK_CONFIG)

    def configure(self, effective: Mapping[str, Any], **members: Any) -> None:
        """
        Make the context anew with another configuration.
        """
        config: Config = build(effective)
        directory = Path(self.mktemp())
        self.context = MethodContext(
            caller=ADMIN,
            clock=self.clock,
            store=self.store,
            agents=self.agents,
            broadcast=self._broadcast,
            presence=self.presence,
            health=self.health,
            config=lambda: config,
            configuration=self.writer(config, directory),
            snapshot=lambda: evaluate(json.dumps(effective), directory / "openclaw.json", {}, directory),
            link_channel=lambda: None,
            heartbeats=self.heartbeats,
            cron=self.cron,
            make_id=counter(),
            make_token=token_counter(),
            state_dir=directory,
            store_path=directory / "openclaw.sqlite3",
            log_path=lambda: directory / "openclaw-2026-11-23.log",
            environ={},
            in_thread=maybeDeferred,
            home=directory,
            http=lambda: self.http,
            wizards=Wizards(self.clock, counter()),
            run=lambda command, **limits: self.run_program(command, **limits),
            approvals=self.questions,
        )
        self.context = evolve(self.context, **members)

    def run_program(
        self, command: Sequence[str], *, limit: timedelta, most_bytes: int, stdin: bytes = b""
    ) -> Deferred[Finished]:
        """
        Tests that run programs say what becomes of them.
        """
        raise AssertionError(f"unexpected: {command}")

    def writer(self, config: Config, directory: Path) -> Configuration:
        """
        What writes a file in ``directory``, which may exist.
        """
        return Configuration(
            config=config,
            path=directory / "openclaw.json",
            environ={},
            home=directory,
            life=Life(clock=self.clock, make_id=counter(), own={}),
            in_thread=maybeDeferred,
        )

    def _broadcast(self, event: str, payload: Mapping[str, Any], **options: Any) -> None:
        wrong = wrong_event(event, payload)
        self.wrong.extend([wrong] if wrong else [])
        told = {"scope": options.get("scope"), "versions": options.get("versions", False)}
        row = EVENT_TABLE[event]
        self.assertEqual(told, {"scope": row.scope, "versions": row.versions}, event)
        if row.dropped != "deltas":
            self.assertEqual(options.get("drop_if_slow", False), row.dropped == "always", event)
        self.events.append((event, payload, options))

    def asked(self, method: str, params: Any = ABSENT, *, by: Caller = ADMIN) -> list[Reply]:
        """
        Send a request. Its answers are added to the list that is returned, when they come.
        """
        replies: list[Reply] = []

        def respond(*, ok: bool, payload: Any = ABSENT, error: ErrorShape | None = None) -> None:
            told = wrong_answer(method, ok=ok, payload=payload, error=error, table=self.dispatcher.table)
            self.wrong.extend([told] if told else [])
            replies.append(Reply(ok=ok, payload=payload, error=error))

        frame = {"type": "req", "id": "1", "method": method, **({} if params is ABSENT else {"params": params})}
        answering = Deferred.fromCoroutine(self.dispatcher.answer(evolve(self.context, caller=by), frame, respond))
        answering.addErrback(lambda failure: self.fail(failure.getTraceback()))
        self.answering = answering
        return replies

    def ask(self, method: str, params: Any = ABSENT, *, by: Caller = ADMIN) -> Any:
        """
        The payload of a request that is answered at once and well.
        """
        (reply,) = self.asked(method, params, by=by)
        self.assertTrue(reply.ok, reply.error)
        return reply.payload

    def refused(self, method: str, params: Any = ABSENT, *, by: Caller = ADMIN, code: str = "INVALID_REQUEST") -> str:
        """
        The message of a request that is refused at once.
        """
        (reply,) = self.asked(method, params, by=by)
        self.assertFalse(reply.ok, reply.payload)
        assert reply.error is not None
        self.assertEqual(reply.error.code, ErrorCode(code))
        return reply.error.message

    def session(self, key: str, *messages: Mapping[str, Any], at_ms: int = NOW_MS, **members: Any) -> Session:
        """
        Put a session with a few messages into the store.
        """
        name = key.replace(":", "-")
        session = Session(
            key=key, agent_id=key.split(":")[1], session_id=f"id-{name}", updated_at_ms=at_ms, members=members
        )
        entries = [
            Entry(
                id=f"{number:08x}",
                session_id=session.session_id,
                parent_id=f"{number - 1:08x}" if number else None,
                type="message",
                timestamp_ms=at_ms,
                body={"message": message},
            )
            for number, message in enumerate(messages)
        ]

        def write(unit: Any) -> None:
            unit.sessions.put(session)
            for entry in entries:
                unit.entries.append(entry)

        self.successResultOf(self.store.write(write))
        return session

    def stored(self, key: str) -> Session | None:
        return self.successResultOf(self.store.read(lambda unit: unit.sessions.get(key)))


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}], "timestamp": NOW_MS}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "timestamp": NOW_MS}


def recording(name: str) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """
    The requests of a recording with their first answers: connection, request frame, response frame.
    """
    lines = [json.loads(line) for line in (CAPTURES / name).read_text(encoding="utf-8").splitlines()]
    for number, line in enumerate(lines):
        if line["dir"] == "send":
            connection, frame = line.get("conn", "op"), line["frame"]
            later = (
                other["frame"]
                for other in lines[number:]
                if other["dir"] == "recv"
                and other.get("conn", "op") == connection
                and other["frame"].get("id") == frame["id"]
            )
            yield connection, frame, next(later)
