"""
A real process, scraped as Prometheus does.
"""

from __future__ import annotations

from typing import Any

from openclaw.metrics.exposition import is_installed
from tests.metrics.test_exposition import NOT_INSTALLED, samples
from tests.process.case import ProcessCase
from tests.process.gateway import TOKEN, GatewayProcess, eventually

SECRET = {"Authorization": f"Bearer {TOKEN}"}


def scrape(gateway: GatewayProcess) -> dict[str, list[Any]]:
    answer = gateway.get("/metrics", headers=SECRET)
    assert answer.status == 200, answer
    return samples(answer.body)


def one(read: dict[str, list[Any]], name: str, **labels: str) -> float:
    """
    The value of a sample.

    :param name: with its ending.
    """
    every = (sample for family in read.values() for sample in family)
    (found,) = (sample for sample in every if (sample.name, sample.labels) == (name, labels))
    return float(found.value)


class ScrapeTests(ProcessCase):
    if NOT_INSTALLED:
        skip = NOT_INSTALLED

    def test_scrape(self) -> None:
        """
        Two scrapes with work in between: the counters have gone up by that work, the process tells of itself.
        """
        gateway = self.start_gateway()
        peer = self.join(gateway)
        before = scrape(gateway)
        for _ in range(3):
            peer.ask("health")
        peer.ask("chat.send", {"sessionKey": "main", "message": "hello", "idempotencyKey": "one"})
        peer.wait_event(lambda event: event["event"] == "chat" and event["payload"]["state"] == "final")
        # The reactor looks at itself once a second.
        lag = "openclaw_reactor_lag_seconds_count"
        eventually(lambda: one(scrape(gateway), lag) > 0, "no lag was measured")
        after = scrape(gateway)
        self.assertEqual(one(before, "openclaw_connections", role="operator", mode="test"), 1)
        self.assertEqual(one(after, "openclaw_requests_total", method="health", code="ok"), 3)
        self.assertEqual(one(after, "openclaw_request_duration_seconds_count", method="health"), 3)
        self.assertEqual(one(after, "openclaw_run_duration_seconds_count", outcome="ok"), 1)
        self.assertGreaterEqual(one(after, "openclaw_http_requests_total", route="metrics", status="2xx"), 1)
        self.assertGreater(one(after, "process_resident_memory_bytes"), 20_000_000)
        self.assertGreater(one(after, "process_cpu_seconds_total"), one(before, "process_cpu_seconds_total"))
        self.assertEqual(one(after, "openclaw_store_writes_waiting"), 0)


class SecretTests(ProcessCase):
    def test_secret(self) -> None:
        """
        Nobody reads it without the secret, whether it is there or not.
        """
        gateway = self.start_gateway()
        self.assertEqual(gateway.get("/metrics").status, 401)
        self.assertEqual(gateway.get("/metrics", headers=SECRET).status, 200 if is_installed() else 404)
