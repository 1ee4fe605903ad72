"""
Device tokens: one for each device and role (``protocol.md`` 11).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.errors import OpenClawError
from openclaw.protocol.scopes import covers, holds
from openclaw.store.interfaces import Unit


@frozen(kw_only=True)
class UnknownDeviceRole(OpenClawError):
    """
    The device is not paired, or not for this role.
    """

    device_id: str
    role: str

    def __str__(self) -> str:
        return "unknown deviceId/role"


def issue(
    old: Mapping[str, Any] | None,
    *,
    role: str,
    scopes: Sequence[str],
    now_ms: int,
    make_token: Callable[[], str],
) -> dict[str, Any]:
    """
    A new token in place of an old one; what is known of the old one's life is kept.
    """
    token: dict[str, Any] = {
        "token": make_token(),
        "role": role,
        "scopes": sorted(scopes),
        "createdAtMs": (old or {}).get("createdAtMs", now_ms),
    }
    if old is not None:
        token["rotatedAtMs"] = now_ms
        if "lastUsedAtMs" in old:
            token["lastUsedAtMs"] = old["lastUsedAtMs"]
    return token


def accepts(record: Mapping[str, Any] | None, *, role: str, scopes: Sequence[str], token: str) -> bool:
    """
    Whether a token opens the door for this device, role and scopes. Compared in constant time.
    """
    live = (record or {}).get("tokens", {}).get(role)
    if record is None or live is None or "revokedAtMs" in live:
        return False
    same = hmac.compare_digest(live["token"].encode("utf-8"), token.encode("utf-8"))
    return same and covers(granted(record, role), scopes)


def granted(record: Mapping[str, Any], role: str) -> tuple[str, ...]:
    """
    The scopes that a device's token opens: its own, as far as the device is approved for them. Records that come from
    elsewhere may hold a token that is wider than the approval.
    """
    approved = record.get("scopes", ())
    return tuple(scope for scope in record["tokens"][role]["scopes"] if holds(approved, scope))


def ensure(
    unit: Unit,
    record: Mapping[str, Any],
    *,
    role: str,
    scopes: Sequence[str],
    used: bool,
    now_ms: int,
    make_token: Callable[[], str],
) -> Mapping[str, Any]:
    """
    The token that ``hello-ok`` hands out: the live one if it covers the scopes, else a new one.

    :param used: whether this connection came in with it.
    :return: the token record.
    """
    live = record.get("tokens", {}).get(role)
    token: Mapping[str, Any]
    if live is not None and "revokedAtMs" not in live and covers(granted(record, role), scopes):
        token = {**live, "lastUsedAtMs": now_ms} if used else live
    else:
        token = issue(live, role=role, scopes=scopes, now_ms=now_ms, make_token=make_token)
    if token is not live:
        unit.devices.put(record["deviceId"], {**record, "tokens": {**record.get("tokens", {}), role: token}})
    return token


def rotate(
    unit: Unit,
    device_id: str,
    role: str,
    scopes: Sequence[str] | None,
    *,
    now_ms: int,
    make_token: Callable[[], str],
) -> Mapping[str, Any]:
    """
    Replace a device's token.

    :param scopes: of the new token; ``None`` keeps the old token's, else the device's.
    :return: the new token record, the token in it.
    :raise UnknownDeviceRole: the device is not paired for this role.
    """
    record = _paired(unit, device_id, role)
    old = record.get("tokens", {}).get(role)
    wanted = scopes if scopes is not None else (old or record).get("scopes", ())
    token = issue(old or {"createdAtMs": now_ms}, role=role, scopes=wanted, now_ms=now_ms, make_token=make_token)
    fresh = {**record, "tokens": {**record.get("tokens", {}), role: token}}
    if scopes is not None:
        fresh["scopes"] = list(scopes)
    unit.devices.put(device_id, fresh)
    return token


def revoke(unit: Unit, device_id: str, role: str, *, now_ms: int) -> Mapping[str, Any]:
    """
    End a device's token. Open connections stay open.

    :raise UnknownDeviceRole: the device has no token for this role.
    """
    record = _paired(unit, device_id, role)
    token = record.get("tokens", {}).get(role)
    if token is None:
        raise UnknownDeviceRole(device_id=device_id, role=role)
    ended = {**token, "revokedAtMs": now_ms}
    unit.devices.put(device_id, {**record, "tokens": {**record["tokens"], role: ended}})
    return ended


def _paired(unit: Unit, device_id: str, role: str) -> Mapping[str, Any]:
    record = unit.devices.get(device_id)
    if record is None or role not in record.get("roles", ()):
        raise UnknownDeviceRole(device_id=device_id, role=role)
    return record
