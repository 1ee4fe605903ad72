"""
The recorded requests of programs that speak HTTP, replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Request

from openclaw.plugins.loading import Plugins
from openclaw.plugins.routes import Route
from openclaw.testing.gateway import START, TOKEN, MemoryGateway
from tests.gateway.test_replays import MANIFEST
from tests.harness.children import ChildReactor
from tests.harness.http_configs import CONFIGURATIONS, HOOK_TOKEN, PASSWORD
from tests.harness.http_models import StatusTool
from tests.harness.http_replay import HttpReplay, make_model
from tests.harness.http_transport import TransportReplay

SECRETS = {"<gateway-token>": TOKEN, "<gateway-password>": PASSWORD, "<hook-token>": HOOK_TOKEN}
REPLAYS: Mapping[str, type[HttpReplay] | type[TransportReplay]] = {"http": HttpReplay, "transport": TransportReplay}


def register(gateway: MemoryGateway) -> None:
    """
    The routes of the plugin that was loaded when these were recorded. Nobody has installed it here.
    """
    (plugins,) = [service for service in gateway.service if isinstance(service, Plugins)]
    routes = plugins.routes

    def hook(request: Request) -> bytes:
        request.setHeader("content-type", "text/plain")
        return b"route " + request.method + b" " + request.uri

    def throws(request: Request) -> None:
        raise RuntimeError("as it was recorded")

    def any_of(request: Request) -> bytes | bool:
        return b"handler " + request.method if request.path.startswith(b"/demo/any/") else False

    routes.add("/demo/hook", Route("demo", hook))
    routes.add("/demo/throw", Route("demo", throws))
    routes.handlers.append(Route("demo", any_of))


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
        gateway.start()
        if row.get("config") == "P":
            register(gateway)
        replay = REPLAYS[row["replay"]](gateway=gateway, row=row, secrets=SECRETS)
        self.assertEqual(replay.replay(name), [])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1 if row.get("config") == "P" else 0)


def _add(name: str) -> None:
    def test(self: HttpReplayTests) -> None:
        self.replayed(name)

    setattr(HttpReplayTests, f"test_{name.replace('-', '_')}", test)


for _name, _row in MANIFEST.items():
    if _row.get("replay") in REPLAYS:
        _add(_name)
