"""
``node.event`` (``methods.md`` 10.5): what nodes tell of themselves. What makes no sense is passed over in silence, as
nodes know it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from openclaw.agent.types import Inbound
from openclaw.methods.agents import agent_exists
from openclaw.methods.context import MethodContext
from openclaw.methods.table import MethodTable
from openclaw.nodes.registry import ConnectedNode
from openclaw.protocol.calls import Done
from openclaw.protocol.frames import NotJson, parse_json
from openclaw.protocol.nodes import NodeEventParams
from openclaw.protocol.types import ABSENT
from openclaw.sessions import levels
from openclaw.sessions.keys import agent_of, canonical_key, default_agent, main_session_key

#: A message from a node that is longer is none.
MOST_TEXT = 20_000
MOST_KEY = 512

#: Of a command and of what it printed, a note tells so much.
MOST_COMMAND = 400
MOST_OUTPUT = 2_000

#: A run of a node takes no longer, whatever it says.
MOST_SECONDS = 10**7

#: Only the gateway itself begins a line so.
_FORGED = re.compile(r"^(?=\s*System:)", re.MULTILINE | re.IGNORECASE)

Payload = Mapping[str, Any]

methods = MethodTable()


@methods.method("node.event", NodeEventParams, result=Done, role="node", durable=True)
async def event(context: MethodContext, params: NodeEventParams) -> dict[str, Any]:
    """
    Something happened on a node: a voice was heard, a person asks, a command ended, a session is to be followed.
    """
    node = context.nodes.connected.of_connection(context.caller.connection_id)
    payload = _payload(params)
    happening = EVENTS.get(params.event)
    if node is not None and happening is not None and payload is not None:
        await happening(context, node, params.event, payload)
    return {"ok": True}


def _payload(params: NodeEventParams) -> Payload | None:
    value: Any = None if params.payload is ABSENT else params.payload
    if params.payload_json is not None:
        try:
            value = parse_json(params.payload_json)
        except NotJson:
            return None
    return value if isinstance(value, Mapping) else None


def _text(payload: Payload, name: str, most: int = MOST_TEXT) -> str:
    """
    A member as a trimmed text; empty where it is none, or too long to be meant.
    """
    value = payload.get(name)
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= most else ""


async def _follow(context: MethodContext, node: ConnectedNode, name: str, payload: Payload) -> None:
    key = _text(payload, "sessionKey", MOST_KEY)
    if not key:
        return
    canonical = canonical_key(key, context.config())
    subscriptions = context.nodes.subscriptions
    act = subscriptions.follow if name == "chat.subscribe" else subscriptions.leave
    act(node.connection_id, canonical)


async def _heard(context: MethodContext, node: ConnectedNode, name: str, payload: Payload) -> None:
    """
    Somebody spoke to a node.
    """
    text = _text(payload, "text")
    if text:
        key = _text(payload, "sessionKey", MOST_KEY) or main_session_key(context.config())
        await _run(context, f"voice-{context.make_id()}", key, text, thinking="low")


async def _asked(context: MethodContext, node: ConnectedNode, name: str, payload: Payload) -> None:
    """
    Somebody asks the agent on a node. The answer goes to those who follow the session: there is no channel to deliver
    it to.
    """
    message = _text(payload, "message")
    if not message:
        return
    key = _text(payload, "sessionKey", MOST_KEY) or f"node-{node.node_id}"
    seconds = payload.get("timeoutSeconds")
    timeout = None
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
        timeout = timedelta(seconds=min(seconds, MOST_SECONDS))
    await _run(
        context,
        context.make_id(),
        key,
        message,
        thinking=levels.thinking_level(_text(payload, "thinking")) if payload.get("thinking") else None,
        timeout=timeout,
    )


async def _run(
    context: MethodContext,
    run_id: str,
    key: str,
    message: str,
    *,
    thinking: str | None,
    timeout: timedelta | None = None,
) -> None:
    await context.ready()
    await context.agents.submit(
        Inbound(
            run_id=run_id,
            session_key=canonical_key(key, context.config()),
            shown_key=key,
            origin="node",
            dedupe_key=f"node:{run_id}",
            message=message,
            thinking=thinking,
            timeout=timeout,
        )
    )


async def _executed(context: MethodContext, node: ConnectedNode, name: str, payload: Payload) -> None:
    """
    A command began, ended, or was not run: the next prompt of its session tells so, and that of its agent's heartbeat
    may come soon.
    """
    key = _text(payload, "sessionKey", MOST_KEY) or f"node-{node.node_id}"
    note = exec_note(node.node_id, name, payload)
    config = context.config()
    canonical = canonical_key(key, config)
    context.agents.note(canonical, note)
    agent_id = agent_of(canonical, default_agent(config))
    if agent_exists(config, agent_id):
        context.heartbeats.request(agent_id, "exec-event")


def exec_note(node_id: str, name: str, payload: Payload) -> str:
    """
    What a prompt is told of a command on a node. Nothing in it can pass for a note of the gateway.
    """
    told = {member: _line(payload.get(member)) for member in ("runId", "command", "reason")}
    about = f"node={node_id}" + (f" id={told['runId']}" if told["runId"] else "")
    command = f": {told['command']}" if told["command"] else ""
    if name == "exec.started":
        return f"Exec started ({about}){command}"
    if name == "exec.denied":
        reason = f", {told['reason']}" if told["reason"] else ""
        return f"Exec denied ({about}{reason}){command}"
    code = payload.get("exitCode")
    known = isinstance(code, int) and not isinstance(code, bool)
    how = "timeout" if payload.get("timedOut") is True else f"code {code if known else '?'}"
    output = payload.get("output")
    text = output.strip() if isinstance(output, str) else ""
    if len(text) > MOST_OUTPUT:
        text = f"…{text[-MOST_OUTPUT:]}"
    return f"Exec finished ({about}, {how})" + (f"\n{_FORGED.sub('> ', text)}" if text else "")


def _line(value: Any) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= MOST_COMMAND else f"{text[:MOST_COMMAND]}…"


EVENTS: Final[Mapping[str, Callable[[MethodContext, ConnectedNode, str, Payload], Awaitable[None]]]] = {
    "chat.subscribe": _follow,
    "chat.unsubscribe": _follow,
    "voice.transcript": _heard,
    "agent.request": _asked,
    "exec.started": _executed,
    "exec.finished": _executed,
    "exec.denied": _executed,
}
