"""
Which names and which pages may speak to us.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.config.model_gateway import ControlUiConfig, GatewayConfig
from openclaw.web.hosts import host_allowed, machine_names, origin_allowed

NAMES = frozenset({"workshop", "workshop.lan"})
PEER = "127.0.0.1"


def configured(allowed: Sequence[str] = (), proxies: Sequence[str] = ()) -> Config:
    control_ui = ControlUiConfig(allowed_origins=tuple(allowed))
    return evolve(Config(), gateway=GatewayConfig(control_ui=control_ui, trusted_proxies=tuple(proxies)))


class HostTests(SynchronousTestCase):
    """
    ``Host``, where no secret is asked.
    """

    def test_allowed(self) -> None:
        """
        Addresses, loopback names, the machine's names and the names of private networks.
        """
        for host in (
            "127.0.0.1:18789",
            "192.168.1.5",
            "[::1]:18789",
            "[2001:db8::1]",
            "localhost",
            "LocalHost:1",
            "app.localhost:1",
            "localhost.",
            "workshop:18789",
            "Workshop.LAN",
            "phone.local",
            "box.tail1.ts.net",
        ):
            self.assertTrue(host_allowed({"host": host}, PEER, configured(), NAMES), host)

    def test_refused(self) -> None:
        """
        Anything else may be a hostile page's own name, pointed at our address.
        """
        for host in (
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evillocal",
            "evilts.net",
            "local",
            "workshop.evil.example",
            "",
            "127.1",
        ):
            self.assertFalse(host_allowed({"host": host}, PEER, configured(), NAMES), host)

    def test_no_host(self) -> None:
        """
        HTTP/1.0 has no ``Host``; browsers do not speak it.
        """
        self.assertTrue(host_allowed({}, PEER, configured(), NAMES))

    def test_forwarded_host(self) -> None:
        """
        A trusted proxy says by which name the client called it; an untrusted one is not believed.
        """
        headers = {"host": "backend.internal", "x-forwarded-host": "gw.example"}
        self.assertTrue(host_allowed(headers, "10.0.0.2", configured(proxies=["10.0.0.2"]), NAMES))
        self.assertFalse(host_allowed(headers, "10.0.0.3", configured(proxies=["10.0.0.2"]), NAMES))

    def test_allowed_origins(self) -> None:
        """
        The name of an allowed origin is ours too.
        """
        for entry in ("https://gw.example", "https://gw.example:8443", "gw.example", "GW.example:1", "*"):
            self.assertTrue(host_allowed({"host": "gw.example:443"}, PEER, configured([entry]), NAMES), entry)
        self.assertFalse(host_allowed({"host": "evil.example"}, PEER, configured(["https://gw.example"]), NAMES))

    def test_machine_names(self) -> None:
        """
        The machine knows its name, short and whole, in lower case.
        """
        for name in machine_names():
            self.assertEqual(name, name.lower())
            self.assertNotEqual(name, "")


class OriginTests(SynchronousTestCase):
    """
    ``Origin`` on the WebSocket.
    """

    def check(self, origin: str | None, host: str, config: Config | None = None, **headers: str) -> bool:
        told = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if origin is not None:
            told["origin"] = origin
        return origin_allowed(told, PEER, config or configured(), NAMES)

    def test_none(self) -> None:
        """
        Native clients send none and may call us by any name.
        """
        self.assertTrue(self.check(None, "gw.example"))

    def test_same_host(self) -> None:
        """
        The page that we served ourselves, whichever port a proxy shows.
        """
        self.assertTrue(self.check("http://192.168.1.5:18789", "192.168.1.5:18789"))
        self.assertTrue(self.check("https://box.tail1.ts.net", "box.tail1.ts.net"))
        self.assertTrue(self.check("https://workshop:8443", "workshop"))
        self.assertTrue(self.check("http://[2001:db8::1]:18789", "[2001:db8::1]:18789"))

    def test_loopback(self) -> None:
        """
        A page of this machine, such as a development server's.
        """
        for origin in ("http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:3000", "tauri://localhost"):
            self.assertTrue(self.check(origin, "127.0.0.1:18789"), origin)

    def test_foreign(self) -> None:
        """
        A page from elsewhere, or from nowhere.
        """
        for origin in (
            "https://evil.example",
            "http://localhost.evil.example",
            "http://192.168.1.6",
            "null",
            "",
            "file://",
            "http://[::1",
            "https://evil.example:18789",
        ):
            self.assertFalse(self.check(origin, "127.0.0.1:18789"), origin)

    def test_rebound_name(self) -> None:
        """
        A hostile name that points at us makes origin and host equal; the host is what is wrong.
        """
        self.assertFalse(self.check("http://evil.example:18789", "evil.example:18789"))

    def test_forwarded_host(self) -> None:
        """
        Behind a trusted proxy the page's host is the forwarded one.
        """
        behind = configured(proxies=[PEER])
        self.assertTrue(self.check("https://gw.example", "backend", behind, x_forwarded_host="gw.example"))
        self.assertFalse(self.check("https://evil.example", "backend", behind, x_forwarded_host="gw.example"))
        self.assertFalse(self.check("https://gw.example", "localhost", x_forwarded_host="gw.example"))

    def test_allowed_origins(self) -> None:
        """
        What the configuration lists passes, and only that.
        """
        config = configured(["https://ui.example", "other.example:8080", "app://shell"])
        for origin in ("https://ui.example", "HTTPS://UI.example", "http://other.example:8080", "app://shell"):
            self.assertTrue(self.check(origin, "127.0.0.1", config), origin)
        for origin in ("http://ui.example", "https://ui.example:444", "http://other.example", "https://a.ui.example"):
            self.assertFalse(self.check(origin, "127.0.0.1", config), origin)

    def test_any(self) -> None:
        """
        A star opens the WebSocket to every page.
        """
        for origin in ("https://evil.example", "null", "file://"):
            self.assertTrue(self.check(origin, "gw.example", configured(["*"])), origin)
