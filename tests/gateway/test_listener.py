"""
Where the gateway listens.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from openclaw.config.auth import AuthNotConfigured, BindRefused, WeakSecret
from openclaw.config.start import StartOptions
from openclaw.gateway.listener import Listener, PortTaken
from openclaw.gateway.sockets import ReactorSockets
from openclaw.gateway.tap import make_setting


@define
class Picky(MemoryReactorClock):
    """
    A reactor on whose machine some addresses do not exist.
    """

    missing: frozenset[str] = frozenset()
    asked: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        self.asked.append(interface)
        if interface in self.missing:
            raise CannotListenError(interface, port, OSError(99, "Cannot assign requested address"))
        return super().listenTCP(port, factory, backlog, interface)


class ListenerTests(SynchronousTestCase):
    def listener(self, *missing: str) -> Listener:
        listener = Listener(
            sockets=ReactorSockets(Picky(missing=frozenset(missing))),
            factory=ServerFactory(),
            hosts=("127.0.0.1", "::1"),
            port=18789,
        )
        self.addCleanup(listener.stopService)
        return listener

    def test_no_second_address(self) -> None:
        """
        Without ``::1`` the gateway listens on 127.0.0.1, and says so.
        """
        listener = self.listener("::1")
        with capturedLogs() as told:
            listener.startService()
        self.assertEqual(len(listener.ports), 1)
        self.assertIn(
            "failed to bind loopback alias ::1:18789 ([Errno 99] Cannot assign requested address)",
            [formatEvent(event) for event in told],
        )

    def test_first_address(self) -> None:
        """
        Without the first address there is no gateway.
        """
        self.assertRaises(PortTaken, self.listener("127.0.0.1").startService)


class BothFamiliesTests(TestCase):
    async def test_one_port(self) -> None:
        """
        On real sockets both addresses answer on one port.
        """
        factory: ServerFactory[Protocol] = ServerFactory()
        factory.protocol = Protocol
        listener = Listener(sockets=ReactorSockets(reactor), factory=factory, hosts=("127.0.0.1", "::1"), port=0)
        listener.startService()
        self.addCleanup(listener.stopService)
        families = [socket.AF_INET] + ([socket.AF_INET6] if len(listener.ports) == 2 else [])
        for family, host in zip(families, ("127.0.0.1", "::1"), strict=False):
            with socket.socket(family) as client:
                client.connect((host, listener.bound_port()))
        settled: Deferred[None] = Deferred()
        reactor.callLater(0.05, settled.callback, None)
        await settled


class StartTests(SynchronousTestCase):
    """
    What ``openclaw gateway`` and ``twistd`` refuse alike.
    """

    def setting(self, config: str, **options: Any) -> Any:
        home = Path(self.mktemp()).absolute()
        home.mkdir()
        path = home / "openclaw.json"
        path.write_text(config)
        environ = {"HOME": str(home), "OPENCLAW_STATE_DIR": str(home), "OPENCLAW_CONFIG_PATH": str(path)}
        told = StartOptions(allow_unconfigured=True, **options)
        return make_setting(told, environ, home, under_twistd=False)

    def test_guards(self) -> None:
        """
        No secret, or a weak one where others come: no gateway.
        """
        self.assertRaises(AuthNotConfigured, self.setting, "{gateway: {bind: 'lan'}}")
        allowed = "{gateway: {bind: 'lan', auth: {allowTailscale: true}}}"
        self.assertRaises(BindRefused, self.setting, allowed)
        weak = "{gateway: {auth: {token: 'changeme'}}}"
        for bind in ("lan", "tailnet", "custom", "auto"):
            self.assertRaises(WeakSecret, self.setting, weak, bind=bind)

    def test_weak_on_loopback(self) -> None:
        """
        On loopback a weak secret is warned of.
        """
        with capturedLogs() as told:
            setting = self.setting("{gateway: {auth: {token: 'changeme'}}}")
        self.assertEqual(setting.hosts, ("127.0.0.1", "::1"))
        self.assertIn("gateway.auth.token is weak: it is a placeholder.", [formatEvent(event) for event in told])
