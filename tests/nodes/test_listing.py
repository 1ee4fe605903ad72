"""
Tests of ``openclaw.nodes.listing`` and ``openclaw.nodes.pairing``.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.nodes import listing, pairing
from openclaw.nodes.pairing import MOST_REQUESTS, TooManyRequests
from openclaw.pairing import REQUEST_LIFETIME_MS, Requested, UnknownRequest, waiting
from openclaw.store.memory import MemoryUnit
from tests.nodes.support import CLIENT, node

NOW = 1_795_413_282_000
PHONE = {**CLIENT, "displayName": "Phone", "platform": "ios 18.2", "deviceFamily": "iPhone", "modelIdentifier": "i16"}


def device(name: str, *roles: str) -> dict[str, Any]:
    """
    A paired device.
    """
    return {
        "deviceId": name,
        "publicKey": "k",
        "displayName": f"Device {name}",
        "platform": "linux",
        "roles": list(roles),
    }


class ListingTests(SynchronousTestCase):
    """
    Who is listed, and with what.
    """

    def setUp(self) -> None:
        self.unit = MemoryUnit()

    def names(self, *connected: Any) -> list[str]:
        return [row["nodeId"] for row in listing.rows(self.unit, connected)]

    def test_who(self) -> None:
        """
        Devices that are paired as nodes, nodes of the older pairing, and whoever is connected; nobody twice.
        """
        self.unit.devices.put("d", device("d", "operator", "node"))
        self.unit.devices.put("e", device("e", "operator"))
        self.unit.nodes.put("d", {"nodeId": "d", "token": "t"})
        self.unit.nodes.put("x", {"nodeId": "x", "token": "t", "displayName": "A"})
        rows = listing.rows(self.unit, [node(node_id="d"), node(node_id="z", connection_id="z")])
        told = [(row["nodeId"], row["paired"], row["connected"]) for row in rows]
        self.assertEqual(told, [("d", True, True), ("z", False, True), ("x", True, False)])
        self.assertNotIn("token", str(rows))

    def test_order(self) -> None:
        """
        Who is connected comes first, then it goes by name, whatever its case, then by id.
        """
        for name, shown in (("1", "beta"), ("2", "Alpha"), ("4", "beta"), ("5", None)):
            self.unit.nodes.put(name, {"nodeId": name, "displayName": shown} if shown else {"nodeId": name})
        self.assertEqual(
            self.names(node(node_id="3", client={**CLIENT, "displayName": "zeta"})), ["3", "5", "2", "1", "4"]
        )

    def test_remembered(self) -> None:
        """
        What a paired node said is there while it is away; what it says now wins, and what it leaves out now is empty.
        """
        self.unit.devices.put("d", device("d", "node"))
        permissions = {"camera": True}
        phone = node(node_id="d", client=PHONE, caps=("camera",), commands=("camera.snap",), permissions=permissions)
        self.assertTrue(listing.remember(self.unit, phone))
        away = listing.row(self.unit, "d", None)
        wanted: dict[str, Any] = {"nodeId": "d", "displayName": "Device d", "platform": "ios 18.2", "version": "1.0.0"}
        wanted |= {"deviceFamily": "iPhone", "modelIdentifier": "i16", "paired": True, "connected": False}
        self.assertEqual(away, {**wanted, "caps": ["camera"], "commands": ["camera.snap"]})
        here = listing.row(self.unit, "d", node(node_id="d", client=CLIENT, commands=(), connected_at_ms=NOW))
        assert here is not None
        self.assertEqual((here["platform"], here["displayName"], here["connectedAtMs"]), ("linux", "Box", NOW))
        self.assertEqual((here["caps"], here["commands"]), ([], []))

    def test_strangers(self) -> None:
        """
        Of a node that nobody paired, nothing is kept.
        """
        self.assertFalse(listing.remember(self.unit, node(node_id="z")))
        self.assertEqual(self.names(), [])
        self.assertIsNone(listing.row(self.unit, "z", None))

    def test_older_pairing(self) -> None:
        """
        A node of the older pairing is known to have been here.
        """
        self.unit.nodes.put("n", {"nodeId": "n", "token": "t"})
        self.assertTrue(listing.remember(self.unit, node(connected_at_ms=NOW)))
        self.assertEqual(pairing.shown("n", self.unit.nodes.get("n") or {})["lastConnectedAtMs"], NOW)

    def test_rename(self) -> None:
        """
        A given name wins over the node's own, also when it comes again; only paired nodes have one.
        """
        self.unit.devices.put("d", device("d", "node"))
        self.unit.nodes.put("n", {"nodeId": "n", "token": "t", "displayName": "Old"})
        for name in ("d", "n"):
            self.assertTrue(listing.rename(self.unit, name, "Mine"))
            self.assertTrue(listing.remember(self.unit, node(node_id=name)))
            for connected in (None, node(node_id=name)):
                row = listing.row(self.unit, name, connected)
                assert row is not None
                self.assertEqual((row["displayName"], row["version"]), ("Mine", "1.0.0"))
        self.assertEqual(pairing.shown("n", self.unit.nodes.get("n") or {})["displayName"], "Mine")
        self.unit.devices.put("e", device("e", "operator"))
        self.assertFalse(listing.rename(self.unit, "e", "x") or listing.rename(self.unit, "f", "x"))

    def test_odd_records(self) -> None:
        """
        What other programs have written and nobody understands is passed over.
        """
        odd = {"caps": "all", "commands": ["x", 3, " y "], "displayName": 7, "platform": "", "paired": "no"}
        self.unit.nodes.put("n", odd)
        row = {"nodeId": "n", "caps": [], "commands": ["x", "y"], "paired": True, "connected": False}
        self.assertEqual(listing.rows(self.unit, ()), [row])


class PairingTests(SynchronousTestCase):
    """
    Requests and decisions.
    """

    def setUp(self) -> None:
        self.unit = MemoryUnit()
        self.ids = count(1)

    def ask(self, node_id: str, now_ms: int = NOW, **told: Any) -> Requested:
        return pairing.request(self.unit, node_id, told, now_ms=now_ms, make_id=lambda: f"r{next(self.ids)}")

    def test_approve(self) -> None:
        """
        A node that comes again gets another token, and keeps its age and what it does not say anew.
        """
        first = self.ask("n", displayName="X", platform="ios", silent=False)
        self.assertEqual((first.created, first.record["isRepair"], first.record["silent"]), (True, False, False))
        node = pairing.approve(self.unit, "r1", now_ms=NOW, make_token=lambda: "t1")
        told = {"displayName": "X", "platform": "ios", "createdAtMs": NOW, "approvedAtMs": NOW}
        self.assertEqual(node, {"nodeId": "n", "token": "t1", **told})
        self.assertTrue(self.ask("n", displayName="Y").record["isRepair"])
        again = pairing.approve(self.unit, "r2", now_ms=NOW + 5, make_token=lambda: "t2")
        self.assertEqual(again, {**node, "token": "t2", "displayName": "Y", "approvedAtMs": NOW + 5})

    def test_one_for_each_node(self) -> None:
        """
        A request that waits is given again as it is.
        """
        first = self.ask("n", displayName="X")
        second = self.ask("n", NOW + 1, displayName="Y")
        self.assertEqual((second.created, second.record), (False, first.record))

    def test_expiry(self) -> None:
        """
        Five minutes later a request is gone, in silence.
        """
        self.ask("n")
        self.assertEqual(len(waiting(self.unit.node_requests, NOW + REQUEST_LIFETIME_MS)), 1)
        late = NOW + REQUEST_LIFETIME_MS + 1
        for decide in (
            lambda: pairing.approve(self.unit, "r1", now_ms=late, make_token=lambda: "t"),
            lambda: pairing.reject(self.unit, "r1", now_ms=late),
        ):
            self.assertRaises(UnknownRequest, decide)
        self.assertTrue(self.ask("n", late).created)

    def test_without_time(self) -> None:
        """
        A request of another program that does not say when it was made is over.
        """
        self.unit.node_requests.put("r", {"nodeId": "n"})
        self.assertEqual(waiting(self.unit.node_requests, NOW), [])

    def test_most(self) -> None:
        """
        So many wait and no more, until some are decided or expire.
        """
        for number in range(MOST_REQUESTS):
            self.ask(f"n{number}")
        self.assertRaises(TooManyRequests, self.ask, "one more")
        self.assertFalse(self.ask("n0").created)
        pairing.reject(self.unit, "r1", now_ms=NOW)
        self.assertTrue(self.ask("one more").created)

    def test_verify(self) -> None:
        """
        Only the latest token of the node itself is its token.
        """
        self.unit.nodes.put("n", {"nodeId": "n", "token": "tökén"})
        self.unit.nodes.put("m", {"nodeId": "m"})
        self.unit.nodes.put("o", {"nodeId": "o", "token": ""})
        self.assertIsNotNone(pairing.verified(self.unit, "n", "tökén"))
        for name, token in (("n", "token"), ("n", ""), ("m", "None"), ("o", ""), ("x", "tökén")):
            self.assertIsNone(pairing.verified(self.unit, name, token), (name, token))
