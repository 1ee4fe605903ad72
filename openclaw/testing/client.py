"""
A WebSocket client that is joined to a gateway in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from attrs import define, field, has
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openclaw.clock import Seconds, millis
from openclaw.devices.identity import Claim, device_id, encode_base64url
from openclaw.protocol.convert import unstructure
from openclaw.testing.typed import read
from openclaw.testing.wire import key, wrong_frame

T = TypeVar("T")

SCOPES = ("operator.admin", "operator.approvals", "operator.pairing")


@define(kw_only=True)
class TestDevice:
    """
    A device identity whose key follows from a seed, so that two runs see the same device.
    """

    __test__ = False
    seed: int = 1
    _key: Ed25519PrivateKey = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([self.seed]) * 32)

    @property
    def id(self) -> str:
        return device_id(self._key.public_key().public_bytes_raw())

    def sign(self, params: Mapping[str, Any], nonce: str | None, now_ms: int) -> dict[str, Any]:
        """
        The ``device`` member for some ``connect`` parameters.

        :param nonce: of the challenge; ``None`` signs version 1.
        """
        claim = Claim(
            device_id=self.id,
            client_id=params["client"]["id"],
            client_mode=params["client"]["mode"],
            role=params.get("role", "operator"),
            scopes=params.get("scopes", ()),
            signed_at_ms=now_ms,
            token=params.get("auth", {}).get("token", ""),
            nonce=nonce,
        )
        device = {
            "id": self.id,
            "publicKey": encode_base64url(self._key.public_key().public_bytes_raw()),
            "signature": encode_base64url(self._key.sign(claim.payload())),
            "signedAt": now_ms,
        }
        return device if nonce is None else {**device, "nonce": nonce}


class _ClientProtocol(WebSocketClientProtocol):
    owner: GatewayClient

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N803 - Autobahn names it
        self.owner.received(orjson.loads(payload))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N803
        self.owner.closed = (code, reason or "")


def make_protocol(
    owner: GatewayClient, url: str, headers: Mapping[str, str], protocols: Sequence[str] = ()
) -> _ClientProtocol:
    """
    The Autobahn side of a client.

    :param protocols: subprotocols to offer.
    """
    others = {name: value for name, value in headers.items() if name.lower() != "host"}
    host = next((value for name, value in headers.items() if name.lower() == "host"), None)
    if host is not None:
        # Autobahn writes the header itself, from the address.
        url = urlsplit(url)._replace(netloc=host).geturl()
    factory = WebSocketClientFactory(url, headers=others, protocols=list(protocols))
    factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
    protocol = _ClientProtocol()
    protocol.factory = factory
    protocol.owner = owner
    return protocol


@define(kw_only=True, eq=False)
class GatewayClient:
    """
    One client. Every frame that arrived is in ``frames``, in order. Each is compared with what the protocol's documents
    say of it; one that differs fails the test at its next step.

    :ivar flush: moves bytes until both sides are quiet.
    :ivar wrong: what was wrong with frames that arrived, until somebody is told.
    :ivar closed: close code and reason as the client saw them, ``None`` while it is open.
    """

    clock: Seconds
    flush: Callable[[], object] = field(default=lambda: None)
    frames: list[dict[str, Any]] = field(factory=list)
    closed: tuple[int | None, str] | None = None
    protocol: Any = None
    wrong: list[str] = field(factory=list)
    _sent: int = field(default=0, init=False)
    _asked: dict[Any, list[str]] = field(factory=dict, init=False)
    _scopes: Sequence[str] | None = field(default=None, init=False)

    @property
    def nonce(self) -> str:
        """
        The nonce of the challenge.
        """
        return str(self.frames[0]["payload"]["nonce"])

    def send(self, frame: Any) -> None:
        """
        Send a frame, or bytes as they are.
        """
        data = frame if isinstance(frame, bytes) else orjson.dumps(frame)
        self._note(data)
        self.protocol.sendMessage(data)
        self.flush()

    def received(self, frame: Any) -> None:
        """
        A frame arrived.
        """
        self.frames.append(frame)
        wrong = wrong_frame(frame, self._asked, self._scopes)
        if wrong is not None:
            self.wrong.append(wrong)

    def check(self) -> None:
        """
        :raise AssertionError: something that arrived since the last time is not as the protocol's documents say.
        """
        wrong, self.wrong = self.wrong, []
        assert not wrong, wrong

    def _note(self, data: bytes) -> None:
        """
        Remember what a request asks for, whoever wrote it.
        """
        try:
            frame = orjson.loads(data)
        except orjson.JSONDecodeError:
            return
        if not isinstance(frame, dict) or not isinstance(frame.get("method"), str):
            return
        self._asked.setdefault(key(frame.get("id")), []).append(frame["method"])
        params = frame.get("params")
        if frame["method"] == "connect" and self._scopes is None and isinstance(params, dict):
            # What was asked for is never less than what was granted, unless nothing was asked for: then it is all.
            node = params.get("role") == "node"
            self._scopes = None if node else params.get("scopes") or ["operator.admin"]

    def ask(self, method: str, params: Any = None) -> str:
        """
        Send a request.

        :param params: an object of a definition, or JSON as it is to be sent.
        :return: its id.
        """
        self._sent += 1
        frame: dict[str, Any] = {"type": "req", "id": f"r{self._sent}", "method": method}
        if params is not None:
            frame["params"] = unstructure(params) if has(type(params)) else params
        self.send(frame)
        return str(frame["id"])

    def result(self, kind: type[T], method: str, params: Any = None) -> T:
        """
        Send a request whose response comes at once and well.

        :return: its payload as an object of a definition.
        """
        answer = self.call(method, params)
        assert answer["ok"], answer
        return read(kind, answer["payload"])

    def answers(self, id: str) -> list[dict[str, Any]]:
        """
        The responses to a request that have arrived.
        """
        return [frame for frame in self.frames if frame["type"] == "res" and frame["id"] == id]

    def call(self, method: str, params: Any = None) -> dict[str, Any]:
        """
        Send a request whose response comes at once.

        :return: the whole response frame.
        """
        answers = self.answers(self.ask(method, params))
        assert answers, f"no answer to {method}"
        return answers[-1]

    def events(self, name: str) -> list[dict[str, Any]]:
        """
        The events of one kind that have arrived.
        """
        return [frame for frame in self.frames if frame["type"] == "event" and frame["event"] == name]

    def told(self, kind: type[T], name: str) -> list[T]:
        """
        The payloads of these events as objects of a definition.
        """
        return [read(kind, frame["payload"]) for frame in self.events(name)]

    def connect(
        self,
        *,
        token: str | None = None,
        device: TestDevice | None = None,
        scopes: Sequence[str] = SCOPES,
        **changes: Any,
    ) -> dict[str, Any]:
        """
        Say ``connect``.

        :param changes: members of the parameters to replace.
        :return: the whole response frame.
        """
        params: dict[str, Any] = {
            "minProtocol": 3,
            "maxProtocol": 3,
            "client": {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": "backend"},
            "scopes": list(scopes),
        }
        if token is not None:
            params["auth"] = {"token": token}
        params |= changes
        if device is not None:
            params["device"] = device.sign(params, self.nonce, millis(self.clock))
        return self.call("connect", params)

    def close(self) -> None:
        """
        Close from this side.
        """
        self.protocol.sendClose()
        self.flush()
