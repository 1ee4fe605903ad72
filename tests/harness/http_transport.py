"""
Recorded bytes of HTTP/1.1, sent to a gateway in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from openclaw.testing.gateway import MemoryGateway
from tests.harness.compare import Difference
from tests.harness.http import open_line
from tests.harness.replay import CAPTURES

Row = Mapping[str, Any]

#: Seconds until an answer is whole, less than a connection may wait for the next request.
SOON = 2.0


@define(kw_only=True)
class TransportReplay:
    """
    :ivar row: what the manifest says: ``answers`` by case, each with ``why`` and ``now``: what ours does instead, with
        the members of :meth:`_told`.
    :ivar secrets: what stands for placeholders in requests.
    """

    gateway: MemoryGateway
    row: Row
    secrets: Mapping[str, str] = field(factory=dict)

    def replay(self, name: str) -> list[Difference]:
        """
        Send all that was sent when it was recorded.
        """
        differences: list[Difference] = []
        for case in json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))["cases"]:
            ours = self.row.get("answers", {}).get(case["name"], {})
            if "elsewhere" in ours:
                continue
            wanted = {**_recorded(case), **ours.get("now", {})}
            now = self._told(case)
            if wanted != now:
                differences.append(Difference(conn=case["name"], recorded=wanted, now=now))
        return differences

    def _told(self, case: Row) -> dict[str, Any]:
        """
        What becomes of a request: the status of each answer, the body of the last, whether the connection is closed
        soon after it.
        """
        raw = case["request_raw"]
        if case["name"] == "header_block_over_16KiB":
            raw = f"GET / HTTP/1.1\r\nHost: x\r\nX-Long: {'x' * 17_000}\r\n\r\n"
        for mark, secret in self.secrets.items():
            raw = raw.replace(mark, secret)
        line = open_line(self.gateway)
        assert line.transport is not None
        line.transport.write(raw.replace("Host: x\r\n", "Host: 127.0.0.1:18789\r\n").encode("latin-1"))
        self.gateway.flush()
        self.gateway.advance(case.get("seconds_until_close", 0) + SOON)
        told = _read(line.received, line.ended)
        if not line.ended:
            line.leave()
        return told


def _recorded(case: Row) -> dict[str, Any]:
    return _read(case["response_raw"].encode("latin-1"), case["connection"] == "closed by server")


def _read(raw: bytes, closed: bool) -> dict[str, Any]:
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", raw)]
    body = raw.rpartition(b"\r\n\r\n")[2] if statuses and statuses[-1] != 101 else b""
    told = "<page>" if body.lstrip().lower().startswith(b"<!doctype html") else body.decode("latin-1")
    return {"statuses": statuses, "body": told, "closed": closed}
