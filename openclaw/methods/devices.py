"""
``device.pair.*`` and ``device.token.*`` (``methods.md`` 11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openclaw.clock import millis
from openclaw.devices import pairing, tokens
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import MethodTable
from openclaw.pairing import waiting
from openclaw.protocol.devices import (
    DevicePairApproveParams,
    DevicePairApproveResult,
    DevicePairListParams,
    DevicePairListResult,
    DevicePairRejectParams,
    DevicePairRejectResult,
    DeviceTokenRevokeParams,
    DeviceTokenRevokeResult,
    DeviceTokenRotateParams,
    DeviceTokenRotateResult,
)
from openclaw.protocol.scopes import PAIRING, holds
from openclaw.store.interfaces import Unit

methods = MethodTable()


@methods.method("device.pair.list", DevicePairListParams, result=DevicePairListResult, scope=PAIRING)
async def list_devices(context: MethodContext, params: DevicePairListParams) -> dict[str, Any]:
    """
    What waits for a decision and what is paired, newest first, without tokens.
    """
    now = millis(context.clock)

    def read(unit: Unit) -> tuple[Sequence[Mapping[str, Any]], list[Mapping[str, Any]]]:
        return waiting(unit.device_requests, now), [record for _, record in unit.devices.all()]

    # Listing forgets what has expired, so that it writes.
    pending, paired = await context.store.write(read)
    newest = sorted(paired, key=lambda record: -record.get("approvedAtMs", 0))
    return {
        "pending": [dict(record) for record in pending],
        "paired": [pairing.redacted(record) for record in newest],
    }


@methods.method(
    "device.pair.approve", DevicePairApproveParams, result=DevicePairApproveResult, scope=PAIRING, durable=True
)
async def approve(context: MethodContext, params: DevicePairApproveParams) -> dict[str, Any]:
    """
    Let a device in. Nobody lets in more than they hold themselves.

    :raise UnknownRequest: nothing with this id waits.
    :raise Failed: the request asks for what the caller does not hold.
    """
    now = millis(context.clock)
    caller = context.caller

    def write(unit: Unit) -> Mapping[str, Any]:
        asked = unit.device_requests.get(params.request_id)
        for scope in () if asked is None else asked.get("scopes", ()):
            if not holds(caller.scopes, scope):
                raise invalid(f"missing scope: {scope}")
        return pairing.approve(unit, params.request_id, now_ms=now, make_token=context.make_token)

    device = await context.store.write(write)
    _tell(context, params.request_id, device["deviceId"], "approved", now)
    return {"requestId": params.request_id, "device": pairing.redacted(device)}


@methods.method(
    "device.pair.reject", DevicePairRejectParams, result=DevicePairRejectResult, scope=PAIRING, durable=True
)
async def reject(context: MethodContext, params: DevicePairRejectParams) -> dict[str, Any]:
    """
    Keep a device out.

    :raise UnknownRequest: nothing with this id waits.
    """
    now = millis(context.clock)
    request = await context.store.write(lambda unit: pairing.reject(unit, params.request_id, now_ms=now))
    _tell(context, params.request_id, request["deviceId"], "rejected", now)
    return {"requestId": params.request_id, "deviceId": request["deviceId"]}


def _tell(context: MethodContext, request_id: str, device_id: str, decision: str, now: int) -> None:
    event = {"requestId": request_id, "deviceId": device_id, "decision": decision, "ts": now}
    context.broadcast("device.pair.resolved", event, drop_if_slow=True, scope=PAIRING)


@methods.method(
    "device.token.rotate", DeviceTokenRotateParams, result=DeviceTokenRotateResult, scope=PAIRING, durable=True
)
async def rotate(context: MethodContext, params: DeviceTokenRotateParams) -> dict[str, Any]:
    """
    Give a device a new token. It gets no scope that not caller, device and request all imply.

    :raise UnknownDeviceRole: the device is not paired for this role.
    """
    now = millis(context.clock)
    caller = context.caller

    def write(unit: Unit) -> Mapping[str, Any]:
        scopes = granted(caller, unit.devices.get(params.device_id) or {}, params.role.strip(), params.scopes)
        return tokens.rotate(
            unit, params.device_id, params.role.strip(), scopes, now_ms=now, make_token=context.make_token
        )

    token = await context.store.write(write)
    return {
        "deviceId": params.device_id,
        "role": token["role"],
        "token": token["token"],
        "scopes": list(token["scopes"]),
        "rotatedAtMs": token.get("rotatedAtMs", token["createdAtMs"]),
    }


def granted(caller: Caller, device: Mapping[str, Any], role: str, asked: Sequence[str] | None) -> list[str] | None:
    """
    The scopes of a new token, sorted.

    :param asked: as the request says; ``None`` asks for those of the old token, else of the device.
    :return: ``None`` where the old scopes can stay as they are.
    """
    approved = device.get("scopes", ())
    old = device.get("tokens", {}).get(role, device).get("scopes", ())
    wanted = {scope.strip() for scope in (old if asked is None else asked)} - {""}
    fitting = {scope for scope in wanted if holds(caller.scopes, scope) and holds(approved, scope)}
    if asked is None and fitting == wanted:
        return None
    return sorted(fitting)


@methods.method(
    "device.token.revoke", DeviceTokenRevokeParams, result=DeviceTokenRevokeResult, scope=PAIRING, durable=True
)
async def revoke(context: MethodContext, params: DeviceTokenRevokeParams) -> dict[str, Any]:
    """
    End a device's token. Open connections stay open.

    :raise UnknownDeviceRole: the device has no token for this role.
    """
    now = millis(context.clock)
    role = params.role.strip()
    token = await context.store.write(lambda unit: tokens.revoke(unit, params.device_id, role, now_ms=now))
    return {"deviceId": params.device_id, "role": role, "revokedAtMs": token["revokedAtMs"]}
