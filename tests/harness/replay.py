"""
Replays of recorded connections against a gateway in memory.

A capture is one JSON object a line (``conn``, ``dir``, ``frame``). What clients sent is sent again, signed anew where
the recorded signature was good; what came is compared with what comes now (``tests.harness.compare``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openclaw.devices.identity import BadPublicKey, Claim, encode_base64url, raw_public_key, signature_holds
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import MemoryGateway
from tests.harness.compare import Difference, compare_events, here, same_answer, without

CAPTURES = Path(__file__).parent.parent / "fixtures" / "captures"

#: Seconds that everything which was sent is given.
SETTLING = 0.05

#: How clients call a close frame without a code.
NO_CODE = 1005

#: Members of the gateway's own presence entry, as the reference has them.
OWN = {
    "host": "gateway",
    "ip": "192.0.2.7",
    "version": "unknown",
    "platform": "linux",
    "deviceFamily": "Linux",
    "modelIdentifier": "x64",
    "mode": "gateway",
    "reason": "self",
    "text": "Gateway",
}

SIZE = re.compile(r"<(\d+) bytes of JSON>")


def lines(name: str) -> Iterator[dict[str, Any]]:
    """
    The lines of a capture.
    """
    with (CAPTURES / f"{name}.jsonl").open(encoding="utf-8") as capture:
        for line in capture:
            yield json.loads(line)


def signing_keys() -> dict[bytes, Ed25519PrivateKey]:
    """
    The keys of the captures: private seeds of 32 equal bytes.
    """
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 64)]
    return {key.public_key().public_bytes_raw(): key for key in keys}


KEYS = signing_keys()


def claim_of(params: Mapping[str, Any], nonce: str | None) -> Claim:
    device = params["device"]
    return Claim(
        device_id=device["id"],
        client_id=params["client"]["id"],
        client_mode=params["client"]["mode"],
        role=params.get("role", "operator"),
        scopes=params.get("scopes", ()),
        signed_at_ms=device["signedAt"],
        token=params.get("auth", {}).get("token", ""),
        nonce=nonce,
    )


@define
class _Peer:
    client: GatewayClient
    recorded_nonce: str = ""
    recorded_ts: int = 0
    taken: set[int] = field(factory=set)
    recorded: list[dict[str, Any]] = field(factory=list)
    pongs: list[bytes] = field(factory=list)
    methods: dict[str, str] = field(factory=dict)


@define
class Replay:
    """
    One replay.

    :ivar overrides: by connection label, or ``label#id``, what ours does instead: ``{"res": frame}``, where ``null`` is
        for an answer that is not compared, or ``{"close": [code, reason]}``.
    :ivar events: by name, what ours tells instead: ``{"payload": ...}``.
    :ivar skip: connections, or requests as ``label#id``, that are not replayed.
    :ivar headers: what of the upgrade is different, by name.
    :ivar apart_from: members that are not compared, wherever they stand.
    """

    gateway: MemoryGateway
    overrides: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    events: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    skip: Collection[str] = ()
    headers: Mapping[str, str] = field(factory=dict)
    apart_from: Collection[str] = ()
    differences: list[Difference] = field(factory=list)
    _peers: dict[str, _Peer] = field(factory=dict)
    _tokens: dict[str, str] = field(factory=dict)

    def run(self, name: str) -> list[Difference]:
        """
        Replay a capture, its pauses too.

        :return: what differs.
        """
        before = 0
        for line in lines(name):
            pause, before = (line["t"] - before) / 1000, line["t"]
            conn, frame = line.get("conn"), line.get("frame")
            if conn in self.skip or (isinstance(frame, dict) and f"{conn}#{frame.get('id')}" in self.skip):
                continue
            self.gateway.advance(max(0.0, pause - SETTLING))
            getattr(self, f"_{line['dir'].replace('-', '_')}")(line)
            self.gateway.advance(SETTLING)
        for conn, peer in self._peers.items():
            self._compare_events(conn, peer)
            for index, frame in enumerate(peer.client.frames):
                if frame["type"] == "res" and index not in peer.taken and peer.recorded:
                    self.differences.append(Difference(conn=conn, recorded=None, now=frame))
        return self.differences

    def _note(self, line: Mapping[str, Any]) -> None:
        if "SIGTERM" in line["note"]:
            self.gateway.stop()

    def _open(self, line: Mapping[str, Any]) -> None:
        headers = {"Host": "127.0.0.1:18789", **line.get("headers", {}), **self.headers}
        url = f"ws://127.0.0.1:18789{line.get('path', '/')}"
        offered = line.get("protocols", ())
        peer = _Peer(self.gateway.client(headers=headers, url=url, protocols=offered))
        peer.client.protocol.onPong = peer.pongs.append
        used = getattr(peer.client.protocol, "websocket_protocol_in_use", None)
        if used != next(iter(offered), None):
            self._differs(line, offered, used)
        self._peers[line["conn"]] = peer

    def _send(self, line: Mapping[str, Any]) -> None:
        peer = self._peers[line["conn"]]
        if "raw" in line:
            size = SIZE.fullmatch(line["raw"])
            peer.client.send(line["raw"].encode() if size is None else request_of(int(size[1])))
            return
        if "control" in line:
            peer.client.protocol.sendPing(line["data"].encode())
            self.gateway.flush()
            return
        if peer.client.closed is not None:
            self._differs(line, "open", peer.client.closed)
            return
        frame = self._prepared(peer, line["frame"])
        if isinstance(frame, dict) and "method" in frame:
            peer.methods[str(frame.get("id"))] = frame["method"]
        peer.client.send(frame)

    def _differs(self, line: Mapping[str, Any], recorded: Any, now: Any) -> None:
        self.differences.append(Difference(conn=line["conn"], recorded=recorded, now=now))

    def _prepared(self, peer: _Peer, frame: Any) -> Any:
        frame = self._with_tokens(frame)
        params = frame.get("params") if isinstance(frame, dict) else None
        if not isinstance(params, dict) or not isinstance(params.get("device"), dict):
            return frame
        try:
            device = self._device(peer, params)
        except (KeyError, TypeError, AttributeError):
            return frame
        return {**frame, "params": {**params, "device": device}}

    def _device(self, peer: _Peer, params: Mapping[str, Any]) -> dict[str, Any]:
        old = params["device"]
        recorded_nonce = old.get("nonce")
        nonce = peer.client.nonce if recorded_nonce == peer.recorded_nonce else recorded_nonce
        now_ms = int(self.gateway.reactor.seconds() * 1000)
        signed_at = now_ms + old["signedAt"] - peer.recorded_ts
        device = {**old, "signedAt": signed_at} | ({} if nonce is None else {"nonce": nonce})
        try:
            raw = raw_public_key(old["publicKey"])
        except BadPublicKey:
            return device
        used = recorded_nonce.strip() if isinstance(recorded_nonce, str) else None
        as_recorded = {**params, "auth": self._recorded_auth(params)}
        good = raw in KEYS and any(
            signature_holds(raw, old["signature"], claim_of(candidate, used)) for candidate in (params, as_recorded)
        )
        if good or old["signature"] == "<SIGNATURE>":
            fresh = claim_of({**params, "device": device}, None if nonce is None else nonce.strip())
            device["signature"] = encode_base64url(KEYS[raw].sign(fresh.payload()))
        return device

    def _recorded_auth(self, params: Mapping[str, Any]) -> dict[str, Any]:
        back = {value: name for name, value in self._tokens.items()}
        auth = dict(params.get("auth", {}))
        if auth.get("token") in back:
            auth["token"] = back[auth["token"]]
        return auth

    def _with_tokens(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._tokens.get(value, value)
        if isinstance(value, dict):
            return {key: self._with_tokens(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._with_tokens(item) for item in value]
        return value

    def _recv(self, line: Mapping[str, Any]) -> None:
        peer = self._peers[line["conn"]]
        if "control" in line:
            if line["data"].encode() not in peer.pongs:
                self._differs(line, line["data"], peer.pongs)
            return
        frame = line["frame"]
        if frame.get("event") == "connect.challenge":
            peer.recorded_nonce = frame["payload"]["nonce"]
            peer.recorded_ts = frame["payload"]["ts"]
            return
        peer.recorded.append(frame)
        if frame["type"] == "event":
            return
        override = self.overrides.get(f"{line['conn']}#{frame['id']}") or self.overrides.get(line["conn"], {})
        wanted = override.get("res", here(self.gateway, frame, peer.methods.get(str(frame["id"]))))
        now = self._next_answer(peer, frame["id"])
        if wanted is not None and not same_answer(without(wanted, self.apart_from), without(now, self.apart_from)):
            self._differs(line, wanted, now)
        if now is not None:
            self._learn(frame, now)

    def _next_answer(self, peer: _Peer, id: Any) -> dict[str, Any] | None:
        for index, frame in enumerate(peer.client.frames):
            if frame["type"] == "res" and frame["id"] == id and index not in peer.taken:
                peer.taken.add(index)
                return frame
        return None

    def _compare_events(self, conn: str, peer: _Peer) -> None:
        """
        What a connection was told, by kind of event. One whose frames were not recorded, or which ours refuses, is not
        compared.
        """
        if peer.recorded and "res" not in self.overrides.get(conn, {}):
            told = compare_events(conn, peer.recorded, peer.client.frames, self.events, self.apart_from)
            self.differences.extend(told)

    def _learn(self, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """
        Remember device tokens by the placeholder that they have in the capture.
        """
        old, new = recorded.get("payload"), now.get("payload")
        for one, other in ((recorded.get("error"), now.get("error")),):
            if isinstance(one, Mapping) and isinstance(other, Mapping) and one.get("details") and other.get("details"):
                self._tokens |= {
                    one["details"][name]: other["details"][name] for name in one["details"] if name == "requestId"
                }
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            return
        for one, other in ((old.get("auth", {}), new.get("auth", {})), (old, new)):
            for name in ("deviceToken", "token"):
                if isinstance(one.get(name), str) and isinstance(other.get(name), str):
                    self._tokens[one[name]] = other[name]
        for name in ("requestId",):
            if isinstance(old.get(name), str) and isinstance(new.get(name), str):
                self._tokens[old[name]] = new[name]
        self._learn_requests(recorded, now)

    def _learn_requests(self, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        for member in ("pending",):
            olds = recorded.get("payload", {}).get(member, ())
            news = now.get("payload", {}).get(member, ())
            for one, other in zip(olds, news, strict=False):
                self._tokens[one["requestId"]] = other["requestId"]

    def _client_close(self, line: Mapping[str, Any]) -> None:
        peer = self._peers[line["conn"]]
        peer.client.protocol.sendClose(line.get("code"), line.get("reason") or None)
        self.gateway.flush()

    def _close(self, line: Mapping[str, Any]) -> None:
        peer = self._peers[line["conn"]]
        code, reason = self.overrides.get(line["conn"], {}).get("close", (line.get("code"), line.get("reason", "")))
        now = peer.client.closed
        if now is not None:
            now = (NO_CODE if now[0] is None else now[0], now[1])
        if (code, reason) != now:
            self._differs(line, [code, reason], now)


def request_of(size: int) -> bytes:
    """
    A request of so many bytes.
    """
    head, tail = b'{"type":"req","id":"max","method":"last-heartbeat","params":{"filler":"', b'"}}'
    return head + b"x" * (size - len(head) - len(tail)) + tail
