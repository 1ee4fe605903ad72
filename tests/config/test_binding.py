"""
Tests for :mod:`openclaw.config.binding`.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.binding import LOOPBACK, Binding, choose_binding, own_address_towards, tailnet_addresses
from openclaw.config.model import build

TAILNET = ("100.101.102.103", "fd7a:115c:a1e0::7")


def binding(*, bind: str | None = None, tailnet: tuple[str, ...] = (), **gateway: Any) -> Binding:
    return choose_binding(build({"gateway": gateway}), bind, lambda: tailnet)


class ChooseTests(SynchronousTestCase):
    def test_modes(self) -> None:
        """
        Each way of binding listens where it says, and the command line goes before the configuration.
        """
        self.assertEqual(binding().hosts, LOOPBACK)
        self.assertEqual(binding(bind="auto").hosts, LOOPBACK)
        self.assertEqual(binding(bind="lan").hosts, ("0.0.0.0",))
        self.assertEqual(binding(bind="tailnet", tailnet=TAILNET).hosts, (*TAILNET, *LOOPBACK))
        self.assertEqual(binding(bind="custom", customBindHost="192.0.2.7").hosts, ("192.0.2.7", *LOOPBACK))
        self.assertEqual(binding(bind="custom", customBindHost="127.0.0.1").hosts, LOOPBACK)
        self.assertEqual(binding(bind="custom", customBindHost="::").hosts, ("::",))
        self.assertEqual(choose_binding(build({"gateway": {"bind": "lan"}}), "loopback").hosts, LOOPBACK)
        self.assertEqual(choose_binding(build({"gateway": {"bind": "lan"}}), None).hosts, ("0.0.0.0",))

    def test_never_wider_than_asked(self) -> None:
        """
        An address that is not there leaves loopback and a warning, and never every address.
        """
        for found in (
            binding(bind="tailnet"),
            binding(bind="custom"),
            binding(bind="custom", customBindHost="my-machine"),
        ):
            self.assertEqual(found.hosts, LOOPBACK)
            assert found.warning is not None
            self.assertIn("loopback only", found.warning)

    def test_no_tailnet_is_asked_for_nothing(self) -> None:
        """
        The network is looked at only where the tailnet was asked for.
        """
        for bind in ("loopback", "lan", "auto", "custom"):
            choose_binding(build({}), bind, lambda: self.fail("asked"))


class TailnetTests(SynchronousTestCase):
    def test_ranges(self) -> None:
        """
        Only addresses of a tailnet count: without one the way to it starts at any other address, or nowhere.
        """
        ours: dict[int, str] = {socket.AF_INET: "100.127.255.254", socket.AF_INET6: "fd7a:115c:a1e0:ab12::1"}
        self.assertEqual(
            tailnet_addresses(lambda family, address: ours[family]), ("100.127.255.254", "fd7a:115c:a1e0:ab12::1")
        )
        others: dict[int, str] = {socket.AF_INET: "100.128.0.1", socket.AF_INET6: "fd7a:115c:a1e1::1"}
        self.assertEqual(tailnet_addresses(lambda family, address: others[family]), ())
        self.assertEqual(tailnet_addresses(lambda family, address: None), ())

    def test_own_address(self) -> None:
        """
        The way to loopback starts at loopback; a way that does not exist is no error.
        """
        self.assertEqual(own_address_towards(socket.AF_INET, "127.0.0.1"), "127.0.0.1")
        self.assertIsNone(own_address_towards(socket.AF_INET, "no address"))
