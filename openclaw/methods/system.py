"""
``system-presence``, ``system-event``, ``last-heartbeat``, ``set-heartbeats``, and ``connect`` after the first time
(``methods.md`` 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import MethodTable
from openclaw.protocol.calls import Done
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.connect import ConnectParams, HelloOk, PresenceEntry
from openclaw.protocol.cron import HeartbeatEvent
from openclaw.protocol.system import HeartbeatsResult, SetHeartbeatsParams, SystemEventParams
from openclaw.sessions.keys import main_session_key

methods = MethodTable()


@methods.method("connect", takes=ConnectParams, result=HelloOk, errors=(ErrorCode.NOT_PAIRED,), advertised=False)
async def connect(context: MethodContext, params: Mapping[str, Any]) -> Any:
    """
    Say who connects and with what secret: the first request on every connection, and none but the first.

    :raise Failed: always; here the connection is there already.
    """
    raise invalid("connect is only valid as the first request")


@methods.method("system-presence", result=Sequence[PresenceEntry], scope=READ)
async def presence(context: MethodContext, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    Who is here, newest first.
    """
    return context.presence.listing()


@methods.method("system-event", takes=SystemEventParams, result=Done)
async def event(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Publish a presence line, and leave a note for the main session where it says something new.

    :raise Failed: there is no text.
    """
    text = params.get("text")
    if not isinstance(text, str) or not text.strip():
        raise invalid("text required")
    note = context.presence.system_event(params)
    if note is not None:
        context.agents.note(main_session_key(context.config()), note)
    return {"ok": True}


@methods.method("last-heartbeat", result=HeartbeatEvent | None, scope=READ)
async def last_heartbeat(context: MethodContext, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """
    The last heartbeat, ``None`` before the first.
    """
    return context.heartbeats.last()


@methods.method("set-heartbeats", takes=SetHeartbeatsParams, result=HeartbeatsResult)
async def set_heartbeats(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Turn heartbeats on or off until the process ends.

    :raise Failed: ``enabled`` is no boolean.
    """
    enabled = params.get("enabled")
    if not isinstance(enabled, bool):
        raise invalid("invalid set-heartbeats params: enabled (boolean) required")
    context.heartbeats.enable(enabled)
    return {"ok": True, "enabled": enabled}
