"""
The handshake's table: near and far, pairing, device tokens (``protocol.md`` 3, row 16, with 5, 7, 10 and 11, as
``design.md`` 5 changes them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.gateway.door import (
    ADMIN,
    CLI,
    DEVICE_TOKEN,
    ELSEWHERE,
    HERE,
    NODE,
    PAIR,
    PAIRING,
    PASSWORD,
    READ,
    WITH_PASSWORD,
    WITH_TOKEN,
    WRITE,
    DoorCase,
    In,
    Out,
    Paired,
    Proof,
    Row,
)

MISMATCH = Out(message="unauthorized: gateway token mismatch (provide gateway auth token)")
BEHIND = {**WITH_TOKEN, "trustedProxies": ["127.0.0.1"]}


class LocalTests(DoorCase):
    """
    Section 7: who is paired at once, and who waits.
    """

    def test_local_or_remote(self) -> None:
        """
        A new device is let in at once from here and waits from anywhere else; only trusted proxies are believed.
        """
        in_ = In(token=True)
        local_host = "127.0.0.1:18789"
        table: tuple[tuple[str, dict[str, str], Mapping[str, Any], In | Out], ...] = (
            ("127.0.0.1", {"Host": local_host}, WITH_TOKEN, in_),
            ("127.9.9.9", {"Host": "localhost:18789"}, WITH_TOKEN, in_),
            ("127.0.0.1", {"Host": "LOCALHOST"}, WITH_TOKEN, in_),
            ("127.0.0.1", {"Host": "box.tail1234.ts.net"}, WITH_TOKEN, in_),
            ("::1", {"Host": local_host}, WITH_TOKEN, in_),
            ("::ffff:127.0.0.1", {"Host": local_host}, WITH_TOKEN, in_),
            ("127.0.0.1", {"Host": "gateway.example"}, WITH_TOKEN, PAIR),
            ("127.0.0.1", {"Host": "192.168.1.5:18789"}, WITH_TOKEN, PAIR),
            ("127.0.0.1", {"Host": "localhost.evil.example"}, WITH_TOKEN, PAIR),
            ("127.0.0.1", {"Host": "evilts.net"}, WITH_TOKEN, PAIR),
            ("192.168.1.9", {"Host": local_host}, WITH_TOKEN, PAIR),
            ("::ffff:192.168.1.9", {"Host": local_host}, WITH_TOKEN, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Forwarded-For": "127.0.0.1"}, WITH_TOKEN, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Real-IP": "127.0.0.1"}, WITH_TOKEN, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Forwarded-Host": "localhost"}, WITH_TOKEN, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Forwarded-Proto": "https"}, WITH_TOKEN, in_),
            ("127.0.0.1", {"Host": local_host, "Forwarded": "for=203.0.113.7"}, WITH_TOKEN, in_),
            ("127.0.0.1", {"Host": local_host}, BEHIND, in_),
            ("127.0.0.1", {"Host": local_host, "X-Forwarded-For": "127.0.0.1"}, BEHIND, in_),
            ("127.0.0.1", {"Host": "gw.example", "X-Forwarded-For": "127.0.0.1"}, BEHIND, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Forwarded-For": "203.0.113.7:5, 10.0.0.1"}, BEHIND, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Forwarded-For": "127.0.0.1, 203.0.113.7"}, BEHIND, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Real-IP": "198.51.100.4"}, BEHIND, PAIR),
            ("127.0.0.1", {"Host": local_host, "X-Forwarded-Host": "gw.example"}, BEHIND, in_),
            ("192.0.2.1", {"Host": local_host, "X-Forwarded-For": "127.0.0.1"}, BEHIND, PAIR),
        )
        self.check(
            *(
                Row(
                    name=f"{number}: {peer} {headers}",
                    peer=peer,
                    headers=headers,
                    gateway=gateway,
                    proof=Proof(),
                    want=want,
                )
                for number, (peer, headers, gateway, want) in enumerate(table)
            )
        )

    def test_no_open_door_here(self) -> None:
        """
        Being local opens nothing: the secret is asked for.
        """
        missing = Out(message="unauthorized: gateway token missing (provide gateway auth token)")
        paired = Paired(scopes=(ADMIN,), token_scopes=(ADMIN,))
        self.check(
            Row(name="no secret", auth=None, proof=Proof(), want=missing),
            Row(name="paired, no secret", auth=None, proof=Proof(), paired=paired, want=missing),
            Row(name="paired, wrong secret", auth={"token": "wrong"}, proof=Proof(), paired=paired, want=MISMATCH),
        )


class ScopeTests(DoorCase):
    """
    What a connection may do.
    """

    def test_shared_secret(self) -> None:
        """
        It grants all: none named means all for an operator, nothing for a node; what is named is all there is.
        """
        node: dict[str, Any] = {"client": NODE, "role": "node"}
        self.check(
            Row(name="absent", want=In()),
            Row(name="empty", scopes=(), want=In()),
            Row(name="narrow", scopes=(READ,), want=In(scopes=(READ,))),
            Row(name="unknown", scopes=("no.such",), want=In(scopes=("no.such",))),
            Row(name="twice", scopes=(READ, READ), want=In(scopes=(READ,))),
            Row(name="device, absent", proof=Proof(), want=In(token=True)),
            Row(name="device, narrow", proof=Proof(), scopes=(READ,), want=In(scopes=(READ,), token=True)),
            Row(name="node", **node, proof=Proof(), want=In(role="node", scopes=(), token=True)),
            Row(name="node, remote", **node, proof=Proof(), peer=ELSEWHERE, want=PAIR),
            Row(name="cli", client=CLI, proof=Proof(), want=In(token=True)),
        )


class PairingTests(DoorCase):
    """
    Section 10.
    """

    def test_known_devices_from_far(self) -> None:
        """
        A paired device comes in for its role and what its scopes imply; anything more waits.
        """

        def row(
            name: str, scopes: tuple[str, ...] | None, approved: tuple[str, ...], want: In | Out, **more: Any
        ) -> Row:
            return Row(
                name=name,
                scopes=scopes,
                paired=Paired(scopes=approved),
                proof=Proof(),
                peer=ELSEWHERE,
                want=want,
                **more,
            )

        self.check(
            row("same", (READ,), (READ,), In(scopes=(READ,), token=True)),
            row("fewer", (READ,), (READ, PAIRING), In(scopes=(READ,), token=True)),
            row("implied by admin", (READ,), (ADMIN,), In(scopes=(READ,), token=True)),
            row("implied by write", (READ,), (WRITE,), In(scopes=(READ,), token=True)),
            row("pairing is not implied by write", (PAIRING,), (WRITE,), PAIR),
            row("write is not implied by read", (WRITE,), (READ,), PAIR),
            row("admin is not implied by all others", (ADMIN,), (READ, WRITE, PAIRING), PAIR),
            row("none named means admin", None, (READ,), PAIR),
            row("another role", None, (ADMIN,), PAIR, role="node", client=NODE),
            row("wrong secret first", (READ,), (READ,), MISMATCH, auth={"token": "wrong"}),
            row("again the same request", (ADMIN,), (READ,), PAIR, then=PAIR),
            Row(name="another device", scopes=(READ,), paired=Paired(), proof=Proof(seed=2), peer=ELSEWHERE, want=PAIR),
        )

    def test_upgrades_from_here(self) -> None:
        """
        From this machine role and scopes grow at once, and stay.
        """
        wide = In(scopes=(READ, WRITE), token=True)
        self.check(
            Row(name="scopes", scopes=(READ, WRITE), paired=Paired(), proof=Proof(), want=wide, then=wide),
            Row(
                name="role",
                role="node",
                client=NODE,
                paired=Paired(scopes=(ADMIN,)),
                proof=Proof(),
                want=In(role="node", scopes=(), token=True),
                then=In(role="node", scopes=(), token=True),
            ),
        )


class DeviceTokenTests(DoorCase):
    """
    Section 11.
    """

    def row(self, name: str, want: In | Out, **members: Any) -> Row:
        told = {
            "auth": {"token": DEVICE_TOKEN},
            "proof": Proof(),
            "paired": Paired(scopes=(READ, WRITE), token_scopes=(READ, WRITE)),
        }
        return Row(**{"name": name, "want": want, **told, **members})

    def both(self, name: str, want: In | Out, **members: Any) -> tuple[Row, Row]:
        """
        The same from here and from far.
        """
        return (
            self.row(f"{name}, here", want, headers=HERE, **members),
            self.row(f"{name}, far", want, peer=ELSEWHERE, **members),
        )

    def test_scopes(self) -> None:
        """
        Absent scopes are the token's own, fewer are fewer, more are refused; the same token is handed out again.
        """
        all_ = In(scopes=(READ, WRITE), token=DEVICE_TOKEN)
        admin = Paired(scopes=(ADMIN,), token_scopes=(ADMIN,))
        self.check(
            *self.both("absent", all_, then=all_),
            *self.both("empty", all_, scopes=()),
            *self.both("same", all_, scopes=(WRITE, READ)),
            *self.both("narrower", In(scopes=(READ,), token=DEVICE_TOKEN), scopes=(READ,)),
            *self.both("implied", In(scopes=(PAIRING,), token=DEVICE_TOKEN), scopes=(PAIRING,), paired=admin),
            *self.both("admin, absent", In(token=DEVICE_TOKEN), paired=admin),
            *self.both("wider", MISMATCH, scopes=(READ, PAIRING)),
            *self.both("admin", MISMATCH, scopes=(ADMIN,)),
            *self.both("wider, then no better", MISMATCH, scopes=(ADMIN,), then=MISMATCH),
        )

    def test_whose(self) -> None:
        """
        It opens for its own device and role only, while it lives, and not in the place of a device.
        """
        spent = Paired(scopes=(READ,), token_scopes=(READ,), revoked=True)
        none = Paired(scopes=(READ,))
        other = Paired(scopes=(READ,), token_scopes=(READ,), key_of=2)
        self.check(
            *self.both("stored with another key", MISMATCH, paired=other),
            self.row("another key, shared secret, far", PAIR, peer=ELSEWHERE, **shared(other)),
            *self.both("another device", MISMATCH, proof=Proof(seed=2)),
            *self.both("no device", MISMATCH, proof=None),
            *self.both("another role", MISMATCH, role="node"),
            *self.both("revoked", MISMATCH, paired=spent),
            *self.both("no token", MISMATCH, paired=none),
            *self.both("capitals", MISMATCH, auth={"token": DEVICE_TOKEN.upper()}),
            *self.both("shared secret after revoking", In(scopes=(READ,), token=True), **shared(spent)),
        )

    def test_password_mode(self) -> None:
        """
        It opens in password mode too, beside any password.
        """
        none = Out(message="unauthorized: gateway password missing (provide gateway auth password)")
        wrong = Out(message="unauthorized: gateway password mismatch (provide gateway auth password)")
        all_ = In(scopes=(READ, WRITE), token=DEVICE_TOKEN)
        both = {"token": DEVICE_TOKEN, "password": "wrong"}
        self.check(
            *self.both("alone", all_, gateway=WITH_PASSWORD),
            *self.both("wrong password", all_, gateway=WITH_PASSWORD, auth=both),
            *self.both("wider", none, gateway=WITH_PASSWORD, scopes=(ADMIN,)),
            *self.both("wider, wrong password", wrong, gateway=WITH_PASSWORD, auth=both, scopes=(ADMIN,)),
            *self.both("wrong token", none, gateway=WITH_PASSWORD, auth={"token": "wrong"}),
            *self.both(
                "right password", all_, gateway=WITH_PASSWORD, auth={"password": PASSWORD}, scopes=(READ, WRITE)
            ),
        )


def shared(paired: Paired) -> dict[str, Any]:
    return {"auth": {"token": WITH_TOKEN["auth"]["token"]}, "scopes": (READ,), "paired": paired}
