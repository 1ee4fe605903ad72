"""
How a client of ours introduces itself and reads what it is told, whether it blocks or not.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from openclaw import __version__
from openclaw.client.errors import RequestFailed
from openclaw.client.identity import DeviceTokens, Identity

PROTOCOL = 3
OPERATOR_SCOPES = ("operator.admin", "operator.approvals", "operator.pairing")

#: A gateway that has sent no challenge by then, in seconds, is asked without one.
CHALLENGE_WAIT = 0.75


@frozen
class Event:
    """
    Something that the gateway told without being asked.
    """

    name: str
    payload: Any = None
    seq: int | None = None


@frozen(kw_only=True)
class Credentials:
    """
    What opens the gateway.

    :ivar tokens: device tokens to prefer over the shared secret, and to keep up to date.
    """

    token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    identity: Identity | None = None
    tokens: DeviceTokens | None = None

    def auth(self, stored: str | None) -> dict[str, str]:
        """
        The ``auth`` member of ``connect``.
        """
        offered = {"token": stored or self.token, "password": self.password}
        return {name: value for name, value in offered.items() if value}

    def stored(self, role: str) -> str | None:
        """
        The device token to offer first.
        """
        return self.tokens.get(role) if self.tokens is not None and self.identity is not None else None

    def have_secret(self) -> bool:
        """
        Whether there is something to offer when a device token is refused.
        """
        return bool(self.token or self.password)


@frozen(kw_only=True)
class Persona:
    """
    As what this program introduces itself.

    :ivar caps: what a node can do, in families.
    :ivar commands: what a node may be asked to do.
    :ivar instance_id: the same over all connections of one installation.
    :ivar path_env: the ``PATH`` of a node, so that the gateway knows where its programs are.
    """

    client_id: str = "cli"
    mode: str = "cli"
    role: str = "operator"
    scopes: tuple[str, ...] = OPERATOR_SCOPES
    display_name: str | None = None
    instance_id: str | None = None
    caps: tuple[str, ...] = ()
    commands: tuple[str, ...] | None = None
    permissions: Mapping[str, bool] | None = None
    path_env: str | None = None

    def payload(self) -> dict[str, Any]:
        """
        The ``client`` member of ``connect``.
        """
        told = {"id": self.client_id, "version": __version__, "platform": sys.platform, "mode": self.mode}
        optional = {"displayName": self.display_name, "instanceId": self.instance_id}
        return {**told, **{name: value for name, value in optional.items() if value is not None}}

    def claims(self) -> dict[str, Any]:
        """
        The members of ``connect`` that say what a node can do.
        """
        commands = None if self.commands is None else list(self.commands)
        optional = {"commands": commands, "permissions": self.permissions, "pathEnv": self.path_env}
        return {"caps": list(self.caps), **{name: value for name, value in optional.items() if value is not None}}


def connect_params(
    persona: Persona, credentials: Credentials, stored: str | None, nonce: str | None, now_ms: int
) -> dict[str, Any]:
    """
    The parameters of ``connect``.

    :param stored: a device token to offer in place of the shared secret.
    :param nonce: of the challenge; ``None`` where there was none.
    """
    auth = credentials.auth(stored)
    params: dict[str, Any] = {
        "minProtocol": PROTOCOL,
        "maxProtocol": PROTOCOL,
        "client": persona.payload(),
        **persona.claims(),
        "role": persona.role,
        "scopes": list(persona.scopes),
    }
    if auth:
        params["auth"] = auth
    if credentials.identity is not None:
        params["device"] = credentials.identity.claim(
            client_id=persona.client_id,
            mode=persona.mode,
            role=persona.role,
            scopes=persona.scopes,
            signed_at_ms=now_ms,
            token=auth.get("token", ""),
            nonce=nonce,
        )
    return params


def keep_token(hello: Mapping[str, Any], role: str, tokens: DeviceTokens | None) -> None:
    """
    Keep the device token that came with ``hello-ok``.
    """
    auth = hello.get("auth")
    if tokens is None or not isinstance(auth, dict) or not isinstance(auth.get("deviceToken"), str):
        return
    role, scopes = auth.get("role", role), auth.get("scopes", [])
    if isinstance(role, str) and isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes):
        tokens.put(role, auth["deviceToken"], scopes)


def blames_token(error: Mapping[str, Any]) -> bool:
    """
    Whether a refused ``connect`` may do better with another token.
    """
    return error.get("code") == "NOT_PAIRED" or str(error.get("message", "")).startswith("unauthorized")


def event_of(frame: Mapping[str, Any]) -> Event:
    """
    The event in a frame.
    """
    seq = frame.get("seq")
    known = seq if isinstance(seq, int) and not isinstance(seq, bool) else None
    return Event(str(frame.get("event")), frame.get("payload"), known)


def is_accepted(payload: Any) -> bool:
    """
    Whether an answer is the first of two.
    """
    return isinstance(payload, dict) and payload.get("status") == "accepted"


def payload_of(answer: Mapping[str, Any]) -> Any:
    """
    :raise RequestFailed: the answer is a refusal.
    """
    payload = answer.get("payload")
    if answer.get("ok") is True:
        return payload
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    raise RequestFailed(
        str(error.get("code", "UNAVAILABLE")), str(error.get("message", "unknown error")), payload, error
    )
