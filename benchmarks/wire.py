"""
A raw WebSocket client for load: it prepares its frames beforehand and counts what comes back.

Masking with a key of zero leaves the payload as it is, so a prepared frame costs one ``send``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SCOPES = ["operator.admin", "operator.approvals", "operator.pairing"]


def text_frame(payload: bytes) -> bytes:
    """
    A whole client frame around a payload.
    """
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def request_frame(id: str, method: str, params: Mapping[str, Any] | None = None) -> bytes:
    """
    A whole client frame around a request.
    """
    frame: dict[str, Any] = {"type": "req", "id": id, "method": method}
    if params is not None:
        frame["params"] = params
    return text_frame(json.dumps(frame).encode())


class Wire:
    """
    One connection, blocking.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1", timeout: float = 30.0) -> None:
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            (
                f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        self.buffer = bytearray(rest)

    def _more(self) -> None:
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data

    def receive(self) -> bytes:
        """
        The next message.
        """
        while True:
            found = self.drain(1)
            if found:
                return found[0]
            self._more()

    def drain(self, most: int = 1 << 30) -> list[bytes]:
        """
        At most so many messages that are here already.
        """
        buffer = self.buffer
        at = 0
        found: list[bytes] = []
        while most and len(buffer) - at >= 2:
            size, head = buffer[at + 1] & 0x7F, 2
            if size == 126:
                if len(buffer) - at < 4:
                    break
                size, head = struct.unpack_from("!H", buffer, at + 2)[0], 4
            elif size == 127:
                if len(buffer) - at < 10:
                    break
                size, head = struct.unpack_from("!Q", buffer, at + 2)[0], 10
            if len(buffer) - at < head + size:
                break
            payload = bytes(buffer[at + head : at + head + size])
            opcode = buffer[at] & 0x0F
            at += head + size
            if opcode == 8:
                raise ConnectionError(f"closed: {payload[2:].decode()} ({payload[:2].hex()})")
            most -= 1
            found.append(payload)
        del buffer[:at]
        return found

    def count(self) -> int:
        """
        How many messages are here, without looking at them; they are gone afterwards.
        """
        return len(self.drain())

    def connect(self, token: str, *, device: Ed25519PrivateKey | None = None, mode: str = "backend") -> dict[str, Any]:
        """
        Read the challenge, say ``connect``, read ``hello-ok``.
        """
        self.say_hello(token, device=device, mode=mode)
        return self.welcomed()

    def say_hello(self, token: str, *, device: Ed25519PrivateKey | None = None, mode: str = "backend") -> None:
        """
        Read the challenge and say ``connect``.
        """
        nonce = json.loads(self.receive())["payload"]["nonce"]
        self.socket.sendall(connect_frame(token, nonce, device, mode))

    def welcomed(self) -> dict[str, Any]:
        """
        Read ``hello-ok``.
        """
        answer: dict[str, Any] = json.loads(self.receive())
        assert answer.get("ok"), answer
        return answer

    def call(self, method: str, params: Mapping[str, Any] | None = None, *, id: str = "c") -> dict[str, Any]:
        """
        One request and its response; events in between are passed over.
        """
        self.socket.sendall(request_frame(id, method, params))
        while True:
            frame: dict[str, Any] = json.loads(self.receive())
            if frame["type"] == "res" and frame["id"] == id:
                return frame

    def close(self) -> None:
        self.socket.close()


def connect_frame(token: str, nonce: str, device: Ed25519PrivateKey | None, mode: str) -> bytes:
    """
    The ``connect`` request, signed when there is a device key.
    """
    client = {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": mode}
    params: dict[str, Any] = {
        "minProtocol": 3,
        "maxProtocol": 3,
        "client": client,
        "caps": [],
        "role": "operator",
        "scopes": SCOPES,
        "auth": {"token": token},
    }
    if device is not None:
        raw = device.public_key().public_bytes_raw()
        device_id, signed_at = hashlib.sha256(raw).hexdigest(), int(time.time() * 1000)
        text = "|".join(
            ["v2", device_id, client["id"], mode, "operator", ",".join(SCOPES), str(signed_at), token, nonce]
        )
        params["device"] = {
            "id": device_id,
            "publicKey": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
            "signature": base64.urlsafe_b64encode(device.sign(text.encode())).rstrip(b"=").decode(),
            "signedAt": signed_at,
            "nonce": nonce,
        }
    return request_frame("connect", "connect", params)
