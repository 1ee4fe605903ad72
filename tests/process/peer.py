"""
A client made with the ``websockets`` library alone, so that nothing of ours can agree with itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from ssl import SSLContext
from typing import Any

from attrs import define, field
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.process.gateway import LIMIT, TOKEN, NotSeen

SCOPES = ("operator.admin", "operator.approvals", "operator.pairing")

Frame = dict[str, Any]


def unpadded(data: bytes) -> str:
    """
    Base64url without padding.
    """
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def connect_params(
    nonce: str,
    *,
    token: str = TOKEN,
    key: Ed25519PrivateKey | None = None,
    mode: str = "test",
    node: Mapping[str, Any] | None = None,
) -> Frame:
    """
    The parameters of ``connect``, with a signed device when there is a key.

    :param node: what a node says of itself; without it the client is an operator.
    """
    client = {"id": "test" if node is None else "node-host", "version": "1.0.0", "platform": "linux", "mode": mode}
    role, scopes = ("operator", SCOPES) if node is None else ("node", ())
    params: Frame = {
        "minProtocol": 3,
        "maxProtocol": 3,
        "client": client,
        "role": role,
        "scopes": list(scopes),
        "auth": {"token": token},
        **(node or {}),
    }
    if key is not None:
        raw = key.public_key().public_bytes_raw()
        device, signed_at = hashlib.sha256(raw).hexdigest(), int(time.time() * 1000)
        said = ["v2", device, client["id"], client["mode"], role, ",".join(scopes), str(signed_at), token, nonce]
        params["device"] = {
            "id": device,
            "publicKey": unpadded(raw),
            "signature": unpadded(key.sign("|".join(said).encode())),
            "signedAt": signed_at,
            "nonce": nonce,
        }
    return params


@define(eq=False)
class Peer:
    """
    One connection.

    :ivar events: what came without being asked for, in order.
    """

    socket: ClientConnection
    hello: Frame = field(factory=dict, init=False)
    events: list[Frame] = field(factory=list, init=False)
    _answers: dict[str, list[Frame]] = field(factory=dict, init=False)
    _last: int = field(default=0, init=False)

    @classmethod
    def open(cls, url: str, **options: Any) -> Peer:
        """
        Connect without saying anything.

        :param options: further ones of the library.
        """
        return cls(connect(url, open_timeout=LIMIT, close_timeout=1, max_size=None, proxy=None, **options))

    @classmethod
    def join(cls, url: str, *, tls: SSLContext | None = None, **told: Any) -> Peer:
        """
        Connect and say ``connect``.

        :param tls: for a gateway that encrypts.
        :param told: as ``connect_params`` takes it.
        """
        peer = cls.open(url, ssl=tls)
        peer.greet(**told)
        return peer

    def greet(self, **told: Any) -> None:
        """
        Say ``connect``.
        """
        challenge = self.wait_event(lambda event: event["event"] == "connect.challenge")
        self.hello = self.ask("connect", connect_params(challenge["payload"]["nonce"], **told))

    def send(self, method: str, params: Mapping[str, Any] | None = None) -> str:
        """
        Send a request.

        :return: its id.
        """
        self._last += 1
        name = f"r{self._last}"
        self.socket.send(json.dumps({"type": "req", "id": name, "method": method, "params": params or {}}))
        return name

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Frame:
        """
        One request.

        :return: the payload of its first answer, which has to be a success.
        """
        answer = self.answer(self.send(method, params))
        assert answer["ok"], answer
        payload: Frame = answer["payload"]
        return payload

    def answer(self, name: str) -> Frame:
        """
        The next answer to a request, whatever it says.
        """
        end = time.monotonic() + LIMIT
        while not self._answers.get(name):
            self._read(end, f"no answer to {name}")
        return self._answers[name].pop(0)

    def wait_event(self, wanted: Callable[[Frame], bool]) -> Frame:
        """
        The first event so wanted, also of those that came before.
        """
        end, seen = time.monotonic() + LIMIT, 0
        while True:
            for event in self.events[seen:]:
                if wanted(event):
                    return event
            seen = len(self.events)
            self._read(end, "the event did not come")

    def wait_chat(self, run: str, *states: str) -> Frame:
        """
        The payload of the first ``chat`` event of a run with one of these states.
        """
        event = self.wait_event(
            lambda event: (
                event["event"] == "chat" and event["payload"]["runId"] == run and event["payload"]["state"] in states
            )
        )
        payload: Frame = event["payload"]
        return payload

    def chat(self, text: str, run: str, session: str = "main") -> Frame:
        """
        Send a chat message and wait for how it ends.
        """
        self.ask("chat.send", {"sessionKey": session, "message": text, "idempotencyKey": run})
        return self.wait_chat(run, "final", "error", "aborted")

    def history(self, session: str = "main") -> list[tuple[str, str]]:
        """
        Role and text of each message of a session.
        """
        messages = self.ask("chat.history", {"sessionKey": session, "limit": 1000})["messages"]
        return [(message["role"], text_of(message)) for message in messages]

    def wait_closed(self) -> tuple[int, str]:
        """
        Read to the end.

        :return: code and reason of the close frame.
        """
        end = time.monotonic() + LIMIT
        try:
            while True:
                self._read(end, "the connection was not closed")
        except ConnectionClosed as closed:
            assert closed.rcvd is not None, closed
            return closed.rcvd.code, closed.rcvd.reason

    def close(self) -> None:
        self.socket.close()

    def _read(self, end: float, what: str) -> None:
        try:
            frame: Frame = json.loads(self.socket.recv(timeout=max(0.0, end - time.monotonic())))
        except TimeoutError:
            raise NotSeen(what) from None
        if frame["type"] == "event":
            self.events.append(frame)
        else:
            self._answers.setdefault(frame["id"], []).append(frame)


def text_of(message: Mapping[str, Any]) -> str:
    """
    The text of a message.
    """
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
