"""
The recorded requests of programs that speak HTTP, replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.testing.gateway import START, MemoryGateway
from tests.gateway.test_replays import MANIFEST
from tests.harness.children import ChildReactor
from tests.harness.http_models import StatusTool
from tests.harness.http_replay import HttpReplay, make_model


def agents(directory: Path) -> Mapping[str, Any]:
    """
    Configuration A of the recordings, as far as it concerns programs with the gateway's secret. The workspace of one
    agent cannot be made.
    """
    bad = {"id": "badws", "workspace": str(directory / "file" / "x")}
    beta = {"id": "beta", "workspace": str(directory / "beta")}
    return {"agents": {"list": [{"id": "main", "default": True, "workspace": str(directory / "main")}, bad, beta]}}


class HttpReplayTests(SynchronousTestCase):
    def replayed(self, name: str) -> None:
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        (directory / "file").touch()
        reactor = ChildReactor()
        reactor.advance(START)
        gateway = MemoryGateway(
            directory=directory, config=agents(directory), tools=[StatusTool(), StatusTool("exec")], reactor=reactor
        )
        make_model(gateway)
        self.addCleanup(gateway.stop)
        replay = HttpReplay(gateway=gateway.start(), row=MANIFEST[name])
        self.assertEqual(replay.replay(name), [])


def _add(name: str) -> None:
    def test(self: HttpReplayTests) -> None:
        self.replayed(name)

    setattr(HttpReplayTests, f"test_{name.replace('-', '_')}", test)


for _name, _row in MANIFEST.items():
    if _row.get("replay") == "http":
        _add(_name)
