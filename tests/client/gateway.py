"""
A gateway in a thread, made of another WebSocket library: what the client says is judged by someone else's code.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from attrs import define, field
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

Handler = Callable[["Peer", dict[str, Any]], None]

NONCE = "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0"


@define
class Peer:
    """
    One client, as the gateway sees it.
    """

    connection: ServerConnection
    gateway: FakeGateway

    def send(self, frame: dict[str, Any]) -> None:
        """
        Send a frame.
        """
        self.connection.send(json.dumps(frame))

    def event(self, name: str, payload: Any = None, **members: Any) -> None:
        """
        Send an event.
        """
        self.send({"type": "event", "event": name, "payload": payload, **members})

    def answer(self, request: dict[str, Any], payload: Any) -> None:
        """
        Answer a request.
        """
        self.send({"type": "res", "id": request["id"], "ok": True, "payload": payload})

    def refuse(self, request: dict[str, Any], code: str, message: str, **members: Any) -> None:
        """
        Refuse a request.
        """
        error = {"code": code, "message": message}
        self.send({"type": "res", "id": request["id"], "ok": False, "error": error, **members})

    def close(self, code: int, reason: str) -> None:
        """
        Close the connection.
        """
        self.connection.close(code, reason)


@define
class FakeGateway:
    """
    Challenges, lets in who knows the token, and answers what ``methods`` has.

    :ivar accepted: tokens that open.
    :ivar connects: the parameters of every ``connect``.
    :ivar requests: every other request.
    """

    methods: dict[str, Handler | Any] = field(factory=dict)
    accepted: set[str] = field(factory=lambda: {"shared"})
    device_token: str | None = "device-1"
    challenge: bool = True
    hello: dict[str, Any] = field(factory=dict)
    connects: list[dict[str, Any]] = field(factory=list)
    requests: list[dict[str, Any]] = field(factory=list)
    _server: Server | None = None
    _thread: threading.Thread | None = None

    def start(self) -> str:
        """
        :return: the address.
        """
        self._server = serve(self._serve, "127.0.0.1", 0, compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"ws://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """
        Where it listens.
        """
        assert self._server is not None
        port: int = self._server.socket.getsockname()[1]
        return port

    def stop(self) -> None:
        """
        Stop, and wait until nothing is left.
        """
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)

    def _serve(self, connection: ServerConnection) -> None:
        peer = Peer(connection, self)
        try:
            if self.challenge:
                peer.event("connect.challenge", {"nonce": NONCE, "ts": 1})
            for text in connection:
                self._handle(peer, json.loads(text))
        except ConnectionClosed:
            return

    def _handle(self, peer: Peer, request: dict[str, Any]) -> None:
        if request["method"] == "connect":
            self._connect(peer, request)
            return
        self.requests.append(request)
        handler = self.methods.get(request["method"])
        if handler is None:
            peer.refuse(request, "INVALID_REQUEST", f"unknown method: {request['method']}")
        elif callable(handler):
            handler(peer, request)
        else:
            peer.answer(request, handler)

    def _connect(self, peer: Peer, request: dict[str, Any]) -> None:
        params = request["params"]
        self.connects.append(params)
        auth = params.get("auth", {})
        if not self.accepted & {auth.get("token"), auth.get("password")}:
            text = "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)"
            peer.refuse(request, "INVALID_REQUEST", text)
            peer.close(1008, text)
            return
        hello = {"type": "hello-ok", "protocol": 3, **self.hello}
        if self.device_token is not None:
            hello["auth"] = {"deviceToken": self.device_token, "role": "operator", "scopes": ["operator.admin"]}
        peer.answer(request, hello)
