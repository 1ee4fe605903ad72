"""
Replays of recorded connections against a gateway in memory.

A capture is one JSON object a line (``conn``, ``dir``, ``frame``). What clients sent is sent again, signed anew where
the recorded signature was good; what came is compared with what comes now. Ids, times and counters vary from run to
run and are compared by shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from math import isclose
from pathlib import Path
from typing import Any

from attrs import define, field
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openclaw.devices.identity import BadPublicKey, Claim, encode_base64url, raw_public_key, signature_holds
from openclaw.protocol.features import ADVERTISED_EVENTS
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import MemoryGateway

CAPTURES = Path(__file__).parent.parent / "fixtures" / "captures"

UUID = re.compile(r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")
PLACEHOLDER = re.compile(r"<[A-Z_0-9]+>|\{\{[A-Z_]+\}\}")
#: Seconds that everything which was sent is given.
SETTLING = 0.05

#: How clients call a close frame without a code.
NO_CODE = 1005

COUNTERS = {"seq", "presence", "health", "uptimeMs", "durationMs", "age"}

#: Events of which more may come than were recorded: presence is pushed on connect too (``protocol.md`` 20.4).
MORE_OFTEN = {"presence"}

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


def same(recorded: Any, now: Any, name: str = "") -> bool:
    """
    Whether a value is the recorded one, up to what varies from run to run.
    """
    if isinstance(recorded, str) and PLACEHOLDER.search(recorded):
        return True
    if isinstance(recorded, str) and UUID.match(recorded):
        return isinstance(now, str) and UUID.match(now) is not None
    if isinstance(recorded, int | float) and not isinstance(recorded, bool):
        if name in COUNTERS or recorded > 1_000_000_000_000:
            return isinstance(now, int | float)
        # Sums of prices differ in their last digit.
        return recorded == now or (isinstance(recorded, float) and isinstance(now, float) and isclose(recorded, now))
    if isinstance(recorded, Mapping):
        if not isinstance(now, Mapping) or set(recorded) != set(now):
            return False
        return all(same(value, now[key], key) for key, value in recorded.items())
    if isinstance(recorded, list):
        if name in ("paired", "pending") and isinstance(now, list):
            # The reference was one gateway for all captures: what earlier ones paired is not here.
            here = {item["deviceId"] for item in now}
            recorded = [item for item in recorded if item["deviceId"] in here]
        return (
            isinstance(now, list)
            and len(recorded) == len(now)
            and all(same(one, other, name) for one, other in zip(recorded, now, strict=True))
        )
    return bool(recorded == now)


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


@define(kw_only=True)
class Difference:
    """
    Something that is not as it was recorded.
    """

    conn: str
    recorded: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.conn}:\n  recorded {json.dumps(self.recorded)[:1500]}\n  now      {json.dumps(self.now)[:1500]}"


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
        if isinstance(frame, dict):
            peer.methods[str(frame.get("id"))] = str(frame.get("method"))
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
        recorded = [frame for frame in peer.recorded if frame["type"] == "event"]
        told = [frame for frame in peer.client.frames if frame["type"] == "event"]
        if not peer.recorded or "res" in self.overrides.get(conn, {}):
            return
        for name in dict.fromkeys(frame["event"] for frame in (*recorded, *told)):
            override = self.events.get(name, {})
            if name == "connect.challenge" or name not in ADVERTISED_EVENTS:
                continue
            wanted = [without({**frame, **override}, self.apart_from) for frame in recorded if frame["event"] == name]
            now = [without(frame, self.apart_from) for frame in told if frame["event"] == name]
            if name == "health":
                # Several causes make one refresh, and what it tells has tests of its own.
                wanted, now = [frame | {"payload": "<HEALTH>"} for frame in wanted[:1]], now[: len(wanted[:1])]
            rest = iter(now)
            whole = all(any(same_event(frame, other) for other in rest) for frame in wanted)
            if not whole or (name not in MORE_OFTEN and len(wanted) != len(now)):
                self.differences.append(Difference(conn=f"{conn} {name}", recorded=wanted, now=now))

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


def without(value: Any, names: Collection[str]) -> Any:
    """
    A value without the members of these names.
    """
    if isinstance(value, Mapping):
        return {name: without(item, names) for name, item in value.items() if name not in names}
    if isinstance(value, list):
        return [without(item, names) for item in value]
    return value


def here(gateway: MemoryGateway, answer: Mapping[str, Any], method: str | None) -> Mapping[str, Any]:
    """
    The answer to expect. Methods that are not there yet are unknown, to those who may know that.
    """
    refused = str(answer.get("error", {}).get("message", "")).startswith(("missing scope", "unauthorized role"))
    if method is None or refused or method in gateway.service.clients.dispatcher.table:
        return answer
    unknown = {"code": "INVALID_REQUEST", "message": f"unknown method: {method}"}
    return {"type": "res", "id": answer["id"], "ok": False, "error": unknown}


def same_event(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """
    Whether an event is the recorded one.
    """
    wanted = {name: value for name, value in recorded.items() if name != "why"}
    return same(wanted, now)


def same_answer(recorded: Mapping[str, Any], now: Mapping[str, Any] | None) -> bool:
    """
    Whether a response is the recorded one. ``hello-ok`` is compared by its members, the limits, who is here, and the
    token's scopes.
    """
    payload = recorded.get("payload")
    if now is None or not isinstance(payload, Mapping) or payload.get("type") != "hello-ok":
        return same(recorded, now)
    fresh, extra = now.get("payload", {}), {"canvasHostUrl"}
    if set(payload) - extra != set(fresh) - extra or set(payload["snapshot"]) != set(fresh["snapshot"]):
        return False
    if set(payload["server"]) != set(fresh["server"]):
        return False
    compared = ("policy", "auth", "protocol")
    return same([payload.get(name) for name in compared], [fresh.get(name) for name in compared])
