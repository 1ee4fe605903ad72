"""
The recorded connections and conversations, replayed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.life import Life
from openclaw.processes import Finished
from openclaw.store.interfaces import Unit
from openclaw.tailscale import Whois
from openclaw.testing.gateway import MemoryGateway, make_reactor
from openclaw.testing.model import PlayedModel
from tests.harness.canvas import make_own_port, replay_canvas
from tests.harness.compare import Difference
from tests.harness.conversation import Conversation
from tests.harness.models import RecordedExec, marked, ponging
from tests.harness.nodes import NodeConversation
from tests.harness.page import replay_page
from tests.harness.replay import CAPTURES, OWN, Replay

Row = Mapping[str, Any]

MANIFEST: Mapping[str, Row] = json.loads((CAPTURES / "manifest.json").read_text(encoding="utf-8"))
TOKEN = "placeholder-gateway-token"
TOKEN_CONFIG = {"gateway": {"mode": "local", "auth": {"mode": "token", "token": TOKEN}}}


def conversation_config(model: str) -> Mapping[str, Any]:
    """
    The configuration of the recorded conversations.
    """
    cost = {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0}
    mock = {"id": "mock-1", "name": "Mock 1", "input": ["text", "image"], "contextWindow": 128000, "cost": cost}
    provider = {"baseUrl": "http://model.test/v1", "apiKey": "sk-mock-mock-mock-mock", "models": [mock]}
    return {
        **TOKEN_CONFIG,
        "agents": {"defaults": {"model": {"primary": model}, "skipBootstrap": True}},
        "models": {"providers": {"mock": {**provider, "api": "openai-completions"}}},
    }


class ManifestTests(SynchronousTestCase):
    def test_every_capture_is_listed(self) -> None:
        """
        No capture is forgotten, and what is replayed is there.
        """
        here = {path.stem for path in CAPTURES.iterdir()} - {"manifest"}
        self.assertEqual(here - set(MANIFEST), set())
        self.assertEqual({name for name, row in MANIFEST.items() if "replay" in row} - here, set())

    def test_every_row_says_what_becomes_of_it(self) -> None:
        """
        A capture is replayed, or the manifest says where else it is looked at, or which subject it waits for.
        """
        for name, row in MANIFEST.items():
            self.assertIn("subject", row, name)
            self.assertEqual(len({"replay", "elsewhere", "later"} & set(row)), 1, name)

    def test_every_override_says_why(self) -> None:
        """
        Where ours answers differently, the manifest names the line that says so.
        """
        for name, row in MANIFEST.items():
            for kind in ("overrides", "answers", "runs", "events"):
                for what, override in row.get(kind, {}).items():
                    self.assertIn("why", override, f"{name} {what}")


class ReplayTests(SynchronousTestCase):
    """
    One test for each capture that can be replayed.
    """

    def assert_as_recorded(self, differences: list[Difference]) -> None:
        self.assertEqual(differences, [], "\n".join(str(difference) for difference in differences[:5]))


def put_device(unit: Unit, record: Row) -> None:
    """
    Let a device be paired.
    """
    unit.devices.put(record["deviceId"], record)


def whois(gateway: MemoryGateway, logins: Mapping[str, str]) -> Whois:
    """
    Tailscale as a program that knows a few addresses.
    """

    def run(command: Sequence[str], *, limit: timedelta, most_bytes: int, stdin: bytes = b"") -> Deferred[Finished]:
        login = logins.get(command[-1])
        if login is None:
            return succeed(Finished(exit_code=1, output=b"peer not found"))
        return succeed(Finished(exit_code=0, output=json.dumps({"UserProfile": {"LoginName": login}}).encode()))

    return Whois(run=run, clock=gateway.reactor, program=lambda: "tailscale")


def _connection(test: ReplayTests, name: str, row: Row) -> list[Difference]:
    reactor = make_reactor()
    gateway = MemoryGateway(
        directory=Path(test.mktemp()),
        config=row.get("config", TOKEN_CONFIG),
        canvas=row.get("canvas", False),
        reactor=reactor,
        life=Life(clock=reactor, make_id=lambda: str(uuid4()), own=OWN),
    ).start()
    test.addCleanup(lambda: None if gateway.service.clients.stopping else gateway.stop())
    if "whois" in row:
        gateway.service.clients.whois = whois(gateway, row["whois"]).confirmed
    gateway.advance(row.get("uptime", 0))
    replay = Replay(
        gateway,
        overrides=row.get("overrides", {}),
        events=row.get("events", {}),
        skip=row.get("skip", {}),
        headers=row.get("headers", {}),
        apart_from=row.get("apart_from", {}),
    )
    return replay.run(name)


def _conversation(test: ReplayTests, name: str, row: Row) -> list[Difference]:
    config = conversation_config(row.get("model", "mock/mock-1"))
    reactor = make_reactor(row["clock"]) if "clock" in row else make_reactor()
    gateway = MemoryGateway(directory=Path(test.mktemp()), config=config, tools=[RecordedExec()], reactor=reactor)
    script = ponging if name.startswith("ws-") else marked
    gateway.make_model = lambda model: PlayedModel(gateway.reactor, script)
    gateway.start()
    test.addCleanup(gateway.stop)
    replay = Conversation(
        gateway,
        TOKEN,
        answers=row.get("answers", {}),
        runs=row.get("runs", {}),
        events=row.get("events", {}),
        skip=row.get("skip", {}),
        connections=row.get("connections", {}),
        apart_from=row.get("apart_from", {}),
        follows=row.get("follows", ()),
    )
    for record in row.get("devices", ()):
        gateway.store.write(partial(put_device, record=record))
    for session_key, message in row.get("before", ()):
        replay.say(session_key, message)
    return replay.run(name)


def _nodes(test: ReplayTests, name: str, row: Row) -> list[Difference]:
    effective = conversation_config("mock/mock-1")
    config = {**effective, "gateway": {**effective["gateway"], "nodes": row.get("policy", {})}}
    gateway = MemoryGateway(directory=Path(test.mktemp()), config=config)
    script = ponging if name.startswith("ws-") else marked
    gateway.make_model = lambda model: PlayedModel(gateway.reactor, script)
    gateway.start()
    test.addCleanup(gateway.stop)
    told = ("answers", "runs", "skip", "connections", "seeds", "first", "leaves", "joins", "tokens")
    sessions = {run: told["session"] for run, told in row.get("sessions", {}).items()}
    replay = NodeConversation(gateway, TOKEN, sessions=sessions, **{name: row[name] for name in told if name in row})
    return replay.run(name)


def _page(test: ReplayTests, name: str, row: Row) -> list[Difference]:
    return replay_page(name, Path(test.mktemp()).absolute(), row.get("answers", {}))


def _canvas(test: ReplayTests, name: str, row: Row) -> list[Difference]:
    own = make_own_port if row.get("port") == "own" else None
    return replay_canvas(name, Path(test.mktemp()).absolute(), row.get("answers", {}), own)


KINDS: Mapping[str, Callable[[ReplayTests, str, Row], list[Difference]]] = {
    "connection": _connection,
    "conversation": _conversation,
    "nodes": _nodes,
    "page": _page,
    "canvas": _canvas,
}


def _make_test(name: str, row: Row) -> Callable[[ReplayTests], None]:
    def test(self: ReplayTests) -> None:
        self.assert_as_recorded(KINDS[row["replay"]](self, name, row))

    test.__doc__ = f"The capture {name} goes as recorded."
    return test


for _name, _row in MANIFEST.items():
    if _row.get("replay", "http") not in ("http", "transport"):  # those are replayed in test_http_replays
        setattr(ReplayTests, f"test_{_name.replace('-', '_')}", _make_test(_name, _row))
