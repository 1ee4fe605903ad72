"""
``/metrics`` of a whole gateway in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway import base
from openclaw.gateway.events import EventLog
from openclaw.gateway.scrape import Scrape
from openclaw.metrics.families import Family
from openclaw.metrics.meters import Counts
from openclaw.store.sqlite import SqliteStore
from openclaw.testing.gateway import TOKEN, MemoryGateway
from openclaw.testing.model import said
from tests.harness.http import ask
from tests.metrics.test_exposition import NOT_INSTALLED, samples
from tests.web.asking import Answer

CLI = {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"}
SECRET = {"Authorization": f"Bearer {TOKEN}"}


def values(found: list[Any]) -> dict[tuple[str, ...], float]:
    """
    Values by labels; of a histogram how many it has counted.
    """
    return {
        tuple(value for _, value in sorted(one.labels.items())): one.value
        for one in found
        if not one.name.endswith(("_bucket", "_sum"))
    }


class QuietStore(SqliteStore):
    """
    A store that has nothing.
    """

    is_ready = True

    def read(self, work: Any) -> Deferred[Any]:
        return succeed(0)


@frozen
class QuietClients:
    """
    Nobody is connected.
    """

    def load(self) -> tuple[int, int]:
        return 0, 0


def every_family() -> Sequence[Family]:
    """
    All metrics that a gateway has.
    """
    read: list[Family] = []
    scrape = Scrape(
        meters=Counts(),
        clients=cast(Any, QuietClients()),
        events=EventLog(boot_id="", versions=dict),
        runs=Counter,
        store=QuietStore(path=Path("unopened"), reactor=Clock()),
        in_thread=lambda work, families: succeed(b"").addCallback(lambda _: read.extend(families)),
    )
    Deferred.fromCoroutine(scrape.text())
    return read


class ScrapeCase(SynchronousTestCase):
    metered = True

    def setUp(self) -> None:
        gateway = MemoryGateway(directory=Path(self.mktemp()), answers=[said("One.")])
        self.patch(base, "is_metered", lambda: self.metered)
        self.gateway = gateway.start()
        self.addCleanup(self.gateway.stop)

    def ask(self, method: str = "GET", headers: Any = SECRET) -> Answer:
        return ask(self.gateway, method, "/metrics", headers=headers)


class MissingTests(ScrapeCase):
    """
    Where the extra is not installed.
    """

    metered = False

    def test_missing(self) -> None:
        """
        It is told how to have it.
        """
        answer = self.ask()
        self.assertEqual((answer.status, answer.headers["content-type"]), (404, "text/plain; charset=utf-8"))
        self.assertIn("pip install 'openclaw[metrics]'", answer.text)

    def test_secret_first(self) -> None:
        """
        Who lacks the secret learns nothing of that.
        """
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = self.ask(headers=headers)
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.value, {"error": {"message": "Unauthorized", "type": "unauthorized"}})

    def test_methods(self) -> None:
        """
        It is only read.
        """
        answer = self.ask("POST", {})
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))


class ScrapeTests(ScrapeCase):
    """
    Where it is installed.
    """

    if NOT_INSTALLED:
        skip = NOT_INSTALLED

    def scrape(self) -> dict[str, Any]:
        """
        The values by metric, and by labels, those in the order of their names.
        """
        answer = self.ask()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(answer.headers["cache-control"], "no-store")
        return {name: values(found) for name, found in samples(answer.body).items()}

    def test_head(self) -> None:
        answer = self.ask("HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_connections(self) -> None:
        """
        Who is in, who is not yet, and what became of those who tried.
        """
        self.gateway.client()
        operator = self.gateway.connected(client=CLI)
        refused = self.gateway.client()
        refused.connect(token="wrong")
        self.gateway.client().close()
        read = self.scrape()
        self.assertEqual(read["openclaw_connections"], {("cli", "operator"): 1})
        self.assertEqual(read["openclaw_connections_pending"], {(): 1})
        self.assertEqual(read["openclaw_handshakes"], {("ok",): 1, ("unauthorized",): 1, ("left",): 1})
        operator.close()
        self.assertEqual(self.scrape()["openclaw_connections"], {})

    def test_requests(self) -> None:
        """
        By method and code, an unknown method under one name.
        """
        client = self.gateway.connected()
        client.call("health")
        client.call("made.up")
        client.call("chat.history", {})
        read = self.scrape()
        self.assertEqual(read["openclaw_requests"]["ok", "health"], 1)
        self.assertEqual(read["openclaw_requests"]["INVALID_REQUEST", "unknown"], 1)
        self.assertEqual(read["openclaw_requests"]["INVALID_REQUEST", "chat.history"], 1)
        self.assertNotIn("made.up", str(read))
        self.assertEqual(read["openclaw_request_duration_seconds"]["health",], 1)
        self.assertEqual(read["openclaw_requests_in_flight"], {(): 0})

    def test_staged_answers(self) -> None:
        """
        A request with two answers counts once, with the first.
        """
        client = self.gateway.connected()
        asked = client.ask("agent", {"message": "hi", "idempotencyKey": "i", "sessionKey": "main"})
        self.gateway.advance_until(lambda: len(client.answers(asked)) == 2)
        self.assertEqual(self.scrape()["openclaw_requests"]["ok", "agent"], 1)

    def test_runs_and_events(self) -> None:
        """
        A run that has ended, and the events that told of it.
        """
        self.gateway.say("hello")
        read = self.scrape()
        self.assertEqual(read["openclaw_runs"]["ok",], 1)
        self.assertEqual(read["openclaw_run_duration_seconds"]["ok",], 1)
        self.assertEqual(read["openclaw_runs_active"]["main", "running"], 0)
        self.assertGreaterEqual(read["openclaw_events_sent"]["chat",], 1)
        self.assertEqual(read["openclaw_outbox_waiting"], {(): 0})

    def test_http(self) -> None:
        """
        Requests by kind of address, refusals included.
        """
        ask(self.gateway, "GET", "/healthz")
        ask(self.gateway, "GET", "/no-such-page")
        ask(self.gateway, "POST", "/v1/responses", headers={"Content-Length": "1"}, body="x")
        self.scrape()
        read = self.scrape()["openclaw_http_requests"]
        self.assertEqual(read["probe", "2xx"], 1)
        self.assertEqual(read["page", "4xx"], 1)
        self.assertEqual(read["responses", "4xx"], 1)
        self.assertEqual(read["metrics", "2xx"], 1)
