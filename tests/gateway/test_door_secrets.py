"""
The handshake's table: shared secrets, Tailscale, the Control UI (``protocol.md`` 3, row 15, with 6.2 and 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.testing.gateway import TOKEN
from tests.gateway.door import (
    ADMIN,
    APP,
    CLI,
    CONTROL_UI,
    ELSEWHERE,
    NODE,
    PAIR,
    PASSWORD,
    READ,
    WEBCHAT,
    WITH_PASSWORD,
    WITH_TOKEN,
    DoorCase,
    In,
    Out,
    Paired,
    Proof,
    Row,
)

HINTS: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "app": (APP, "provide gateway auth token", "provide gateway auth password"),
    "cli": (
        CLI,
        "set gateway.remote.token to match gateway.auth.token",
        "set gateway.remote.password to match gateway.auth.password",
    ),
    "page": (
        CONTROL_UI,
        "open a tokenized dashboard URL or paste token in Control UI settings",
        "enter the password in Control UI settings",
    ),
    "webchat": (
        WEBCHAT,
        "open a tokenized dashboard URL or paste token in Control UI settings",
        "enter the password in Control UI settings",
    ),
    "webchat by mode": (
        {**APP, "mode": "webchat"},
        "open a tokenized dashboard URL or paste token in Control UI settings",
        "enter the password in Control UI settings",
    ),
    "node": (NODE, "provide gateway auth token", "provide gateway auth password"),
}
REQUIRED = Out(message="device identity required")
INSECURE = Out(message="control ui requires HTTPS or localhost (secure context)")
SERVE = {
    "Host": "box.tail1234.ts.net",
    "X-Forwarded-For": "100.64.0.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "box.tail1234.ts.net",
    "Tailscale-User-Login": "alice@example.com",
}
ALICE = "alice@example.com"
WITH_TAILSCALE = {"auth": {**WITH_TOKEN["auth"], "allowTailscale": True}}
PAGE_HINT = HINTS["page"][1]


def mismatch(hint: str = HINTS["app"][1]) -> Out:
    return Out(message=f"unauthorized: gateway token mismatch ({hint})")


def missing(hint: str = HINTS["app"][1]) -> Out:
    return Out(message=f"unauthorized: gateway token missing ({hint})")


class SharedSecretTests(DoorCase):
    """
    9.3 and 9.4.
    """

    def test_token_mode(self) -> None:
        """
        Each kind of client is told in its own words what is wrong with its token; the password does not matter.
        """
        for kind, (client, hint, _) in HINTS.items():
            self.check(
                Row(name=f"{kind}: right", client=client, proof=Proof(), want=In(token=True)),
                Row(name=f"{kind}: wrong", client=client, auth={"token": "wrong"}, proof=Proof(), want=mismatch(hint)),
                Row(name=f"{kind}: none", client=client, auth=None, proof=Proof(), want=missing(hint)),
                Row(name=f"{kind}: empty", client=client, auth={"token": ""}, proof=Proof(), want=missing(hint)),
                Row(
                    name=f"{kind}: password",
                    client=client,
                    auth={"password": TOKEN},
                    proof=Proof(),
                    want=missing(hint),
                ),
            )
        self.check(
            Row(name="wrong, no device", auth={"token": "wrong"}, want=mismatch()),
            Row(name="with a wrong password", auth={"token": TOKEN, "password": "wrong"}, want=In()),
            Row(name="begins right", auth={"token": TOKEN + "x"}, want=mismatch()),
            Row(name="other case", auth={"token": TOKEN.upper()}, want=mismatch()),
            Row(name="white space", auth={"token": f" {TOKEN}"}, want=mismatch()),
            Row(name="as many characters, more bytes", auth={"token": "é" * len(TOKEN)}, want=mismatch()),
            Row(name="as many bytes", auth={"token": "é" * (len(TOKEN) // 2)}, want=mismatch()),
            Row(name="the word undefined", auth={"token": "undefined"}, want=mismatch()),
        )

    def test_password_mode(self) -> None:
        """
        The password counts, the token does not, and neither replaces the identity.
        """
        password = {"password": PASSWORD}
        for kind, (client, _, hint) in HINTS.items():
            wrong = Out(message=f"unauthorized: gateway password mismatch ({hint})")
            none = Out(message=f"unauthorized: gateway password missing ({hint})")
            self.check(
                *(
                    Row(
                        name=f"{kind}: {auth}",
                        gateway=WITH_PASSWORD,
                        client=client,
                        auth=auth,
                        proof=Proof(),
                        want=want,
                    )
                    for auth, want in (
                        (password, In(token=True)),
                        ({**password, "token": "wrong"}, In(token=True)),
                        ({"password": "wrong"}, wrong),
                        ({"password": "wrong", "token": PASSWORD}, wrong),
                        ({"password": ""}, none),
                        ({"token": PASSWORD}, none),
                        (None, none),
                    )
                )
            )
        self.check(
            Row(name="no device", gateway=WITH_PASSWORD, auth=password, want=REQUIRED),
            Row(name="no device, some token", gateway=WITH_PASSWORD, auth={**password, "token": "x"}, want=REQUIRED),
            Row(name="remote", gateway=WITH_PASSWORD, peer=ELSEWHERE, auth=password, proof=Proof(), want=PAIR),
        )

    def test_no_token_configured(self) -> None:
        """
        Where only Tailscale opens, others hear that no token is configured, whatever they send.
        """
        gateway = {"auth": {"mode": "token", "allowTailscale": True}}
        none = Out(message="unauthorized: gateway token not configured on gateway (set gateway.auth.token)")
        for auth in ({"token": "x"}, {"token": ""}, None):
            self.check(Row(name=str(auth), gateway=gateway, auth=auth, proof=Proof(), want=none))


class TailscaleTests(DoorCase):
    """
    9.5. Which headers and answers confirm a login is ``openclaw.tailscale``'s own subject.
    """

    def test_identity(self) -> None:
        """
        A confirmed login stands for the secret, from far only, and neither for identity nor for pairing.
        """
        paired = Paired(scopes=(READ,))

        def row(name: str, want: In | Out, **members: Any) -> Row:
            told = {"gateway": WITH_TAILSCALE, "headers": SERVE, "login": ALICE, "auth": None, "scopes": (READ,)}
            return Row(name=name, want=want, **{**told, **members})

        self.check(
            row("nothing else", REQUIRED),
            row("new device", PAIR, proof=Proof()),
            row("paired device", In(scopes=(READ,), token=True), proof=Proof(), paired=paired),
            row(
                "wrong token too", In(scopes=(READ,), token=True), proof=Proof(), paired=paired, auth={"token": "wrong"}
            ),
            row("some token is no identity", REQUIRED, auth={"token": "wrong"}),
            row("more scopes", PAIR, proof=Proof(), paired=paired, scopes=(ADMIN,)),
            row("not confirmed", missing(), proof=Proof(), paired=paired, login=None),
            row("not confirmed, right token", In(scopes=(READ,)), auth={"token": TOKEN}, login=None),
            row("not allowed", missing(), proof=Proof(), paired=paired, gateway=WITH_TOKEN),
            row("local", missing(), proof=Proof(), paired=paired, headers={"Host": "localhost"}),
        )


class ControlUiTests(DoorCase):
    """
    The two switches of 6.2.
    """

    def row(self, name: str, want: In | Out, switch: str, **members: Any) -> Row:
        gateway = {**members.pop("gateway", WITH_TOKEN), "controlUi": {switch: True}}
        return Row(
            **{"name": name, "want": want, "gateway": gateway, "client": CONTROL_UI, "peer": ELSEWHERE, **members}
        )

    def test_both_switches(self) -> None:
        """
        Either lets the page in without a device, with a secret that was compared; nobody else.
        """
        for switch in ("allowInsecureAuth", "dangerouslyDisableDeviceAuth"):
            self.check(
                self.row("right token", In(), switch),
                self.row("nothing", REQUIRED, switch, auth=None),
                self.row("empty", REQUIRED, switch, auth={"token": "", "password": ""}),
                self.row("wrong token", mismatch(PAGE_HINT), switch, auth={"token": "wrong"}),
                self.row("password in token mode", missing(PAGE_HINT), switch, auth={"password": TOKEN}),
                self.row("right password", In(), switch, gateway=WITH_PASSWORD, auth={"password": PASSWORD}),
                self.row(
                    "wrong password",
                    Out(message=f"unauthorized: gateway password mismatch ({HINTS['page'][2]})"),
                    switch,
                    gateway=WITH_PASSWORD,
                    auth={"password": "wrong"},
                ),
                self.row("another client", REQUIRED, switch, client=WEBCHAT, auth=None),
                self.row("another client, new device", PAIR, switch, client=WEBCHAT, proof=Proof()),
            )

    def test_insecure_auth(self) -> None:
        """
        ``allowInsecureAuth``: no pairing where a secret was right; a device that is sent is still checked.
        """
        switch = "allowInsecureAuth"
        broken = Proof(changes={"signature": "AA"})
        self.check(
            self.row("device, right token", In(), switch, proof=Proof()),
            self.row("broken device", Out(message="device signature invalid"), switch, proof=broken),
            self.row("device, no secret", missing(PAGE_HINT), switch, proof=Proof(), auth=None),
            self.row("off", INSECURE, "enabled"),
        )

    def test_disabled_device_auth(self) -> None:
        """
        ``dangerouslyDisableDeviceAuth``: what the page sends as its device is not looked at; what others send is.
        """
        switch = "dangerouslyDisableDeviceAuth"
        broken = Proof(changes={"id": "x", "signature": "AA"})
        self.check(
            self.row("broken device", In(), switch, proof=broken),
            self.row("broken device, wrong token", mismatch(PAGE_HINT), switch, proof=broken, auth={"token": "wrong"}),
            self.row("other client", Out(message="device identity mismatch"), switch, client=WEBCHAT, proof=broken),
        )
