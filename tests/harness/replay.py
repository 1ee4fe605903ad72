"""
Replays of recorded connections against a gateway in memory.

A capture is one JSON object a line (``conn``, ``dir``, ``frame``). What clients sent is sent again, signed anew where
the recorded signature was good; what came is compared with what comes now. Ids, times and counters vary from run to
run and are compared by shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from math import isclose
from pathlib import Path
from typing import Any

from attrs import define, field
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openclaw.devices.identity import BadPublicKey, Claim, encode_base64url, raw_public_key, signature_holds
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import MemoryGateway

CAPTURES = Path(__file__).parent.parent / "fixtures" / "captures"

UUID = re.compile(r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")
PLACEHOLDER = re.compile(r"<[A-Z_0-9]+>|\{\{[A-Z_]+\}\}")
#: How clients call a close frame without a code.
NO_CODE = 1005

COUNTERS = {"seq", "presence", "health", "uptimeMs", "durationMs", "maxPayload", "age"}

#: Events that come at their own times; tests of their own look at them.
UNORDERED_EVENTS = {"health", "presence", "tick", "connect.challenge"}


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
    ids: list[str] = field(factory=list)
    read: int = 0


@define
class Replay:
    """
    One replay.

    :ivar overrides: by connection label, or ``label#id``, what ours does instead: ``{"res": frame}`` or
        ``{"close": [code, reason]}``.
    :ivar skip: connections that are not replayed.
    :ivar settle: moves time after each line, for what takes time.
    """

    gateway: MemoryGateway
    overrides: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    skip: Collection[str] = ()
    settle: Callable[[], object] = field(default=lambda: None)
    differences: list[Difference] = field(factory=list)
    _peers: dict[str, _Peer] = field(factory=dict)
    _tokens: dict[str, str] = field(factory=dict)

    def run(self, name: str) -> list[Difference]:
        """
        Replay a capture.

        :return: what differs.
        """
        for line in lines(name):
            if line["conn"] in self.skip:
                continue
            step = getattr(self, f"_{line['dir'].replace('-', '_')}", None)
            if step is not None:
                step(line)
                self.settle()
        return self.differences

    def _open(self, line: Mapping[str, Any]) -> None:
        headers = {"Host": "127.0.0.1:18789", **line.get("headers", {})}
        url = f"ws://127.0.0.1:18789{line.get('path', '/')}"
        self._peers[line["conn"]] = _Peer(self.gateway.client(headers=headers, url=url))

    def _send(self, line: Mapping[str, Any]) -> None:
        peer = self._peers[line["conn"]]
        if "raw" in line:
            raw = line["raw"]
            if not raw.startswith("<"):
                peer.client.send(raw.encode())
            return
        if "control" in line:
            return
        if peer.client.closed is not None:
            self.differences.append(Difference(conn=line["conn"], recorded="open", now=peer.client.closed))
            return
        peer.client.send(self._prepared(peer, line["frame"]))

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
        if "frame" not in line:
            return
        peer = self._peers[line["conn"]]
        frame = line["frame"]
        if frame.get("event") == "connect.challenge":
            peer.recorded_nonce = frame["payload"]["nonce"]
            peer.recorded_ts = frame["payload"]["ts"]
            return
        if frame["type"] == "event":
            return
        override = self.overrides.get(f"{line['conn']}#{frame['id']}") or self.overrides.get(line["conn"], {})
        wanted = override.get("res", frame)
        now = self._next_answer(peer, frame["id"])
        if wanted is not None and (now is None or not same_answer(wanted, now)):
            self.differences.append(Difference(conn=line["conn"], recorded=wanted, now=now))
        if now is not None:
            self._learn(frame, now)

    def _next_answer(self, peer: _Peer, id: Any) -> dict[str, Any] | None:
        answers = [frame for frame in peer.client.frames if frame["type"] == "res"]
        for frame in answers:
            if frame["id"] == id and json.dumps(frame) not in peer.ids:
                peer.ids.append(json.dumps(frame))
                return frame
        return None

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
            self.differences.append(Difference(conn=line["conn"], recorded=[code, reason], now=now))


def same_answer(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """
    Whether a response is the recorded one. ``hello-ok`` is compared by its members and the token's scopes.
    """
    payload = recorded.get("payload")
    if isinstance(payload, Mapping) and payload.get("type") == "hello-ok":
        fresh = now.get("payload", {})
        extra = {"canvasHostUrl"}
        if set(payload) - extra != set(fresh) - extra or set(payload["snapshot"]) != set(fresh["snapshot"]):
            return False
        return same(payload.get("auth"), fresh.get("auth"))
    return same(recorded, now)
