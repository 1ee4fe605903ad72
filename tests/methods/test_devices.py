"""
Tests of ``openclaw.methods.devices``.
"""

from __future__ import annotations

from itertools import combinations, count, product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw.devices.pairing import DeviceClaim, request
from openclaw.devices.tokens import granted as opened
from openclaw.methods.context import Caller
from openclaw.methods.devices import granted
from openclaw.pairing import REQUEST_LIFETIME_MS
from openclaw.protocol.scopes import covers, holds
from tests.methods.support import NOW_MS, MethodCase, caller

PAIRING = caller("operator.pairing", "operator.read")


class DeviceCase(MethodCase):
    """
    One device that asks to come in.
    """

    def ask_in(self, id: str = "r1", device: str = "d1", scopes: tuple[str, ...] = ("operator.read",)) -> None:
        claim = DeviceClaim(
            device_id=device,
            public_key=f"key-{device}",
            role="operator",
            scopes=scopes,
            client_id="openclaw-ios",
            client_mode="ui",
            platform="ios",
        )
        make = self.store.write(lambda unit: request(unit, claim, silent=False, now_ms=NOW_MS, make_id=lambda: id))
        self.successResultOf(make)


class PairingTests(DeviceCase):
    """
    ``device.pair.*``.
    """

    def test_approve(self) -> None:
        """
        An approved device is listed as paired, without its token, and those who pair devices hear of it.
        """
        self.ask_in()
        self.assertEqual([item["requestId"] for item in self.ask("device.pair.list", {})["pending"]], ["r1"])
        answer = self.ask("device.pair.approve", {"requestId": "r1"}, by=PAIRING)
        self.assertEqual((answer["requestId"], answer["device"]["deviceId"]), ("r1", "d1"))
        listed = self.ask("device.pair.list", {})
        self.assertEqual((listed["pending"], listed["paired"]), ([], [answer["device"]]))
        ((token,),) = [device["tokens"] for device in listed["paired"]]
        self.assertEqual(token, {"role": "operator", "scopes": ["operator.read"], "createdAtMs": NOW_MS})
        self.assertEqual(
            self.events,
            [
                (
                    "device.pair.resolved",
                    {"requestId": "r1", "deviceId": "d1", "decision": "approved", "ts": NOW_MS},
                    {"drop_if_slow": True, "scope": "operator.pairing"},
                )
            ],
        )

    def test_not_more_than_oneself(self) -> None:
        """
        Nobody lets in what they do not hold: the request stays for somebody who does.
        """
        self.ask_in(scopes=("operator.admin",))
        self.assertEqual(
            self.refused("device.pair.approve", {"requestId": "r1"}, by=PAIRING), "missing scope: operator.admin"
        )
        self.ask("device.pair.approve", {"requestId": "r1"})

    def test_reject(self) -> None:
        """
        A rejected device is neither pending nor paired.
        """
        self.ask_in()
        answer = self.ask("device.pair.reject", {"requestId": "r1"}, by=PAIRING)
        self.assertEqual(answer, {"requestId": "r1", "deviceId": "d1"})
        self.assertEqual(self.ask("device.pair.list", {}), {"pending": [], "paired": []})
        self.assertEqual(self.events[0][1]["decision"], "rejected")
        self.assertEqual(self.refused("device.pair.reject", {"requestId": "r1"}), "unknown requestId")

    def test_expired(self) -> None:
        """
        A request that nobody decided on in five minutes is gone.
        """
        self.ask_in()
        self.clock.advance(REQUEST_LIFETIME_MS / 1000 + 1)
        self.assertEqual(self.ask("device.pair.list", {})["pending"], [])
        self.assertEqual(self.refused("device.pair.approve", {"requestId": "r1"}), "unknown requestId")


class TokenTests(DeviceCase):
    """
    ``device.token.*``.
    """

    def setUp(self) -> None:
        super().setUp()
        self.ask_in(scopes=("operator.read", "operator.write"))
        self.ask("device.pair.approve", {"requestId": "r1"})
        self.clock.advance(1)

    def rotate(self, *scopes: str, by: Any = None) -> Any:
        params = {"deviceId": "d1", "role": " operator ", **({"scopes": list(scopes)} if scopes else {})}
        return self.ask("device.token.rotate", params, by=by or caller("operator.admin"))

    def test_rotate(self) -> None:
        """
        A new token takes the place of the old one, with its scopes.
        """
        answer = self.rotate()
        token = answer.pop("token")
        self.assertEqual(
            answer,
            {
                "deviceId": "d1",
                "role": "operator",
                "scopes": ["operator.read", "operator.write"],
                "rotatedAtMs": NOW_MS + 1000,
            },
        )
        self.assertRegex(token, r"\A[0-9a-f]{32}\Z")
        self.assertNotEqual(self.rotate()["token"], token)

    def test_scopes(self) -> None:
        """
        A token gets no scope that not caller, device and request all imply.
        """
        self.assertEqual(self.rotate(" operator.read ", "operator.admin")["scopes"], ["operator.read"])

    def test_scopes_of_the_caller(self) -> None:
        """
        Who may pair devices, but not write, gives nobody the right to write.
        """
        self.assertEqual(self.rotate("operator.write", "operator.read", by=PAIRING)["scopes"], ["operator.read"])

    def test_ghsa_4jpw_hj22_2xmc(self) -> None:
        """
        Over all callers, devices and requests: what a new token opens, each of the three opens too
        (also GHSA-2pwv-x786-56f8).
        """
        names = ("operator.admin", "operator.read", "operator.write", "operator.pairing")
        sets = [frozenset(some) for size in range(4) for some in combinations(names, size)]
        for holding, approved, asked in product(sets, sets, (None, *sets)):
            device = {"scopes": sorted(approved), "tokens": {}}
            scopes = granted(caller(*holding), device, "operator", None if asked is None else sorted(asked))
            minted = sorted(approved) if scopes is None else scopes
            for name in names:
                if holds(minted, name):
                    self.assertTrue(holds(holding, name) and holds(approved, name))
                    self.assertTrue(asked is None or holds(asked, name))

    def test_revoke(self) -> None:
        """
        A revoked token stays in the record as revoked.
        """
        answer = self.ask("device.token.revoke", {"deviceId": "d1", "role": "operator"})
        self.assertEqual(answer, {"deviceId": "d1", "role": "operator", "revokedAtMs": NOW_MS + 1000})
        ((token,),) = [device["tokens"] for device in self.ask("device.pair.list", {})["paired"]]
        self.assertEqual(token["revokedAtMs"], NOW_MS + 1000)

    def test_unknown(self) -> None:
        """
        A device or role that is not paired is one and the same refusal.
        """
        for method in ("device.token.rotate", "device.token.revoke"):
            for params in ({"deviceId": "x", "role": "operator"}, {"deviceId": "d1", "role": "node"}):
                self.assertEqual(self.refused(method, params), "unknown deviceId/role")


#: Scopes as they come, and as an attacker might write them.
SCOPES = st.lists(
    st.sampled_from(
        (
            "operator.admin",
            "operator.read",
            "operator.write",
            "operator.pairing",
            " operator.admin ",
            "OPERATOR.ADMIN",
            "operator.*",
            "operator",
            "other",
        )
    ),
    max_size=4,
    unique=True,
)

#: What happens to a device: it asks for scopes, somebody with scopes lets it in, somebody rotates its token.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), SCOPES, st.just([])),
        st.tuples(st.just("approve"), st.just([]), SCOPES),
        st.tuples(st.just("rotate"), st.none() | SCOPES, SCOPES),
        st.tuples(st.just("revoke"), st.just([]), st.just(["operator.pairing"])),
    ),
    max_size=12,
)


class HistoryTests(DeviceCase):
    """
    Whatever happens in whatever order.
    """

    examples = count(1)

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(STEPS)
    def test_no_more_than_was_granted(self, steps: list[tuple[str, list[str] | None, list[str]]]) -> None:
        """
        A device's token opens nothing that nobody who decided on the device held, and a new one nothing that its maker
        does not hold; a refused step changes nothing.
        """
        device = f"device-{next(self.examples)}"
        given_away: set[str] = set()
        for number, (step, scopes, holding) in enumerate(steps):
            by = caller("operator.pairing", *holding)
            before = self.record(device)
            if step == "ask":
                self.ask_in(f"{device}-{number}", device, tuple(scopes or ()))
                continue
            done = self.step(step, device, scopes, by)
            if done is None:
                self.assertEqual(self.record(device), before)
            elif step == "approve":
                given_away |= by.scopes
            elif step == "rotate":
                self.assertTrue(covers(by.scopes, done["scopes"]))
            after = self.record(device)
            for role in (after or {}).get("tokens", {}):
                self.assertTrue(covers(given_away, opened(after or {}, role)), (role, after, given_away))

    def record(self, device: str) -> Any:
        return self.successResultOf(self.store.read(lambda unit: unit.devices.get(device)))

    def step(self, step: str, device: str, scopes: list[str] | None, by: Caller) -> Any:
        """
        The answer to one step, ``None`` if it is refused.
        """
        asked = {} if scopes is None else {"scopes": scopes}
        if step == "approve":
            waiting = self.ask("device.pair.list", {}, by=by)["pending"]
            method = "device.pair.approve"
            params = {"requestId": next((one["requestId"] for one in waiting if one["deviceId"] == device), "none")}
        else:
            method = f"device.token.{step}"
            params = {"deviceId": device, "role": "operator", **(asked if step == "rotate" else {})}
        (reply,) = self.asked(method, params, by=by)
        return reply.payload if reply.ok else None
