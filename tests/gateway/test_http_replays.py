"""
The recorded requests of programs that speak HTTP, replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.testing.gateway import START, TOKEN, MemoryGateway
from tests.gateway.test_replays import MANIFEST
from tests.harness.children import ChildReactor
from tests.harness.http_configs import CONFIGURATIONS, HOOK_TOKEN, PASSWORD
from tests.harness.http_models import StatusTool
from tests.harness.http_replay import HttpReplay, make_model
from tests.harness.http_transport import TransportReplay

SECRETS = {"<gateway-token>": TOKEN, "<gateway-password>": PASSWORD, "<hook-token>": HOOK_TOKEN}
REPLAYS: Mapping[str, type[HttpReplay] | type[TransportReplay]] = {"http": HttpReplay, "transport": TransportReplay}


class HttpReplayTests(SynchronousTestCase):
    """
    One test for each file of recordings.
    """

    def replayed(self, name: str) -> None:
        row = MANIFEST[name]
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        reactor = ChildReactor()
        reactor.advance(START)
        gateway = MemoryGateway(
            directory=directory,
            config=CONFIGURATIONS[row.get("config", "A")](directory),
            tools=[StatusTool(), StatusTool("exec")],
            canvas=row.get("canvas", False),
            reactor=reactor,
        )
        make_model(gateway)
        self.addCleanup(gateway.stop)
        replay = REPLAYS[row["replay"]](gateway=gateway.start(), row=row, secrets=SECRETS)
        self.assertEqual(replay.replay(name), [])


def _add(name: str) -> None:
    def test(self: HttpReplayTests) -> None:
        self.replayed(name)

    setattr(HttpReplayTests, f"test_{name.replace('-', '_')}", test)


for _name, _row in MANIFEST.items():
    if _row.get("replay") in REPLAYS:
        _add(_name)
