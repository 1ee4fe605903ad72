"""
Pairing of devices: when it is needed, what waits for a decision, and what an approval writes (``protocol.md`` 10).

Everything here is a function of one store unit, so that it happens in one transaction with what else the caller does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.devices.tokens import issue
from openclaw.pairing import Requested, take, waiting
from openclaw.protocol.scopes import covers
from openclaw.store.interfaces import Unit

#: Members of a paired record that follow the device's latest connection; an absent value removes the member.
FOLLOWED = ("displayName", "platform", "clientId", "clientMode", "role", "remoteIp")


@frozen(kw_only=True)
class DeviceClaim:
    """
    What a verified device asks for.

    :ivar public_key: unpadded base64url of the raw key.
    :ivar scopes: the effective scopes.
    """

    device_id: str
    public_key: str
    role: str
    scopes: Sequence[str]
    client_id: str
    client_mode: str
    platform: str
    display_name: str | None = None
    remote_ip: str | None = None

    def members(self) -> dict[str, Any]:
        """
        The members that a request and a paired record share, by wire name.
        """
        members: dict[str, Any] = {
            "deviceId": self.device_id,
            "publicKey": self.public_key,
            "displayName": self.display_name,
            "platform": self.platform,
            "clientId": self.client_id,
            "clientMode": self.client_mode,
            "role": self.role,
            "remoteIp": self.remote_ip,
        }
        return {name: value for name, value in members.items() if value is not None}


def union(*lists: Sequence[str]) -> list[str]:
    """
    All members in order of first appearance.
    """
    return list(dict.fromkeys(item for items in lists for item in items))


def granted_scopes(record: Mapping[str, Any], more: Sequence[str]) -> dict[str, list[str]]:
    """
    The member of a record for the scopes that its device is approved for; none for none.
    """
    scopes = union(record.get("scopes", ()), more)
    return {"scopes": scopes} if scopes else {}


def needs_pairing(record: Mapping[str, Any] | None, claim: DeviceClaim) -> bool:
    """
    Whether a device has to be approved before it may come in with this claim.
    """
    if record is None or record.get("publicKey") != claim.public_key:
        return True
    if claim.role not in record.get("roles", ()):
        return True
    return not covers(record.get("scopes", ()), claim.scopes)


def request(unit: Unit, claim: DeviceClaim, *, silent: bool, now_ms: int, make_id: Callable[[], str]) -> Requested:
    """
    Find or make the pairing request of a device. One that waits is reused unchanged.
    """
    for record in waiting(unit.device_requests, now_ms):
        if record["deviceId"] == claim.device_id:
            return Requested(record=record, created=False)
    known = unit.devices.get(claim.device_id)
    record = {
        "requestId": make_id(),
        **claim.members(),
        "roles": [claim.role],
        "scopes": list(claim.scopes),
        "silent": silent,
        "isRepair": known is not None,
        "ts": now_ms,
    }
    unit.device_requests.put(record["requestId"], record)
    return Requested(record=record, created=True)


def approve(unit: Unit, request_id: str, *, now_ms: int, make_token: Callable[[], str]) -> Mapping[str, Any]:
    """
    Approve a waiting request: roles and scopes are merged, and the request's role gets a new token.

    :return: the paired record.
    :raise UnknownRequest: nothing with this id waits.
    """
    asked = take(unit.device_requests, request_id, now_ms)
    old = unit.devices.get(asked["deviceId"])
    if old is not None and old.get("publicKey") != asked["publicKey"]:
        old = None
    record: dict[str, Any] = {**(old or {})}
    for name in FOLLOWED:
        record.pop(name, None)
    record |= {name: asked[name] for name in ("deviceId", "publicKey", *FOLLOWED) if name in asked}
    record["roles"] = union((old or {}).get("roles", ()), asked["roles"])
    record |= granted_scopes(old or {}, asked["scopes"])
    record["createdAtMs"] = (old or {}).get("createdAtMs", now_ms)
    record["approvedAtMs"] = now_ms
    record["tokens"] = {
        **(old or {}).get("tokens", {}),
        asked["role"]: issue(
            (old or {}).get("tokens", {}).get(asked["role"]),
            role=asked["role"],
            scopes=asked["scopes"],
            now_ms=now_ms,
            make_token=make_token,
        ),
    }
    unit.devices.put(asked["deviceId"], record)
    return record


def reject(unit: Unit, request_id: str, *, now_ms: int) -> Mapping[str, Any]:
    """
    Refuse a waiting request.

    :return: the request.
    :raise UnknownRequest: nothing with this id waits.
    """
    return take(unit.device_requests, request_id, now_ms)


def refresh(unit: Unit, record: Mapping[str, Any], claim: DeviceClaim) -> Mapping[str, Any]:
    """
    Bring a known device's record up to its latest connection; nothing is written when nothing changed.
    """
    fresh = {name: value for name, value in record.items() if name not in FOLLOWED} | claim.members()
    fresh["roles"] = union(record.get("roles", ()), [claim.role])
    fresh |= granted_scopes(record, claim.scopes)
    if fresh != record:
        unit.devices.put(claim.device_id, fresh)
    return fresh


def redacted(record: Mapping[str, Any]) -> dict[str, Any]:
    """
    A paired record as clients see it: tokens as a list sorted by role, without the tokens themselves.
    """
    tokens = [
        {name: value for name, value in token.items() if name != "token"}
        for _, token in sorted(record.get("tokens", {}).items())
    ]
    return {**{name: value for name, value in record.items() if name != "tokens"}, "tokens": tokens}
