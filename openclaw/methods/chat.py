"""
``chat.*``: the conversation as a chat client sees it (``methods.md`` 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from openclaw.agent.commands.base import CommandContext
from openclaw.agent.commands.prepare import read_text
from openclaw.agent.transcript import append_message, entry_id, injected_message
from openclaw.agent.types import Inbound
from openclaw.clock import millis
from openclaw.methods import attachments
from openclaw.methods.agents import check_agent
from openclaw.methods.authorise import READ, WRITE
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.models import thinking_of
from openclaw.methods.runs import chat_answer, ended
from openclaw.methods.table import MethodTable
from openclaw.protocol.chat import (
    ChatAbortParams,
    ChatAbortResult,
    ChatFailure,
    ChatHistoryParams,
    ChatHistoryResult,
    ChatInjectParams,
    ChatInjectResult,
    ChatSendParams,
    ChatSendResult,
)
from openclaw.protocol.codes import ErrorCode
from openclaw.sessions import levels
from openclaw.sessions.keys import agent_of, canonical_key, default_agent
from openclaw.sessions.policy import sending_denied
from openclaw.sessions.text import shown_message
from openclaw.store.interfaces import TERMINAL_STATES, Session, Unit

HISTORY_LIMIT = 200
MAX_HISTORY_BYTES = 6_291_456

#: A message that is one of these ends the runs of its session.
STOP_WORDS = frozenset({"/stop", "stop", "esc", "abort", "wait", "exit", "interrupt"})

DEFAULT_TIMEOUT = timedelta(minutes=10)
EXPIRY_GRACE = timedelta(minutes=1)
LEAST_EXPIRY = timedelta(minutes=2)
MOST_EXPIRY = timedelta(hours=24)

#: What a message from a chat client says of its session.
WEBCHAT_MEMBERS: Mapping[str, Any] = {
    "chatType": "direct",
    "deliveryContext": {"channel": "webchat"},
    "lastChannel": "webchat",
    "origin": {"provider": "webchat", "surface": "webchat", "chatType": "direct"},
}

methods = MethodTable()


@methods.method(
    "chat.send",
    ChatSendParams,
    result=ChatSendResult | ChatAbortResult,
    failure=ChatFailure,
    errors=(ErrorCode.AGENT_TIMEOUT,),
    scope=WRITE,
    idempotent=True,
    durable=True,
)
async def send(context: MethodContext, params: ChatSendParams) -> dict[str, Any]:
    """
    Start a run with a user's message. The answer comes once the message is stored, before the run.
    """
    text = params.message.strip()
    if not text and not attachments.has_content(params.attachments):
        raise invalid("message or attachment required")
    images = attachments.images(params.attachments)
    key = canonical_key(params.session_key, context.config())
    if text.lower() not in STOP_WORDS:
        await check_agent(context, "chat.send", key)
    await check_sending(context, key, text)
    if text.lower() in STOP_WORDS:
        return _aborted(await ended(context, key, params.session_key, reason="stop"))
    accepted = await context.agents.submit(
        Inbound(
            run_id=params.idempotency_key,
            session_key=key,
            shown_key=params.session_key,
            origin="chat",
            dedupe_key=f"chat:{params.idempotency_key}",
            message=params.message,
            images=images,
            commands=True,
            message_id=params.idempotency_key,
            thinking=_inline_level(params.thinking, text),
            expires=expiry(params.timeout_ms),
            members=WEBCHAT_MEMBERS,
        )
    )
    if not accepted.repeated:
        return {"runId": accepted.run_id, "status": "started"}
    if accepted.state not in TERMINAL_STATES:
        return {"runId": accepted.run_id, "status": "in_flight"}
    return chat_answer(await context.agents.outcome(accepted.run_id))


async def check_sending(context: MethodContext, key: str, text: str = "") -> None:
    """
    Refuse messages to a session whose policy says so.

    :param text: passes all the same if it is only a command, which no model is asked about; one of them may lift the
        refusal.
    :raise Failed: sending is denied.
    """
    session = await context.store.read(lambda unit: unit.sessions.get(key))
    members = session.members if session is not None else {}
    denied = sending_denied(context.config().session.send_policy, key, members)
    if denied and not _is_command(context, key, text):
        raise invalid("send blocked by session policy")


def _is_command(context: MethodContext, key: str, text: str) -> bool:
    if text.lower() in STOP_WORDS:
        return True
    config = context.config()
    surroundings = CommandContext(
        session_key=key,
        agent_id=agent_of(key, default_agent(config)),
        members={},
        config=config,
        environ=context.environ,
        now_ms=millis(context.clock),
    )
    return read_text(text, surroundings).prepared.answer is not None


def _inline_level(word: str | None, text: str) -> str | None:
    if word is None or not text or text.startswith("/"):
        return None
    return levels.thinking_level(word)


def expiry(timeout_ms: int | None) -> timedelta:
    """
    How long after its start a chat run is ended, for a client's own limit.
    """
    asked = timedelta(milliseconds=min(timeout_ms, 10**9)) if timeout_ms else DEFAULT_TIMEOUT
    return min(max(asked + EXPIRY_GRACE, LEAST_EXPIRY), MOST_EXPIRY)


@methods.method("chat.history", ChatHistoryParams, result=ChatHistoryResult, scope=READ)
async def history(context: MethodContext, params: ChatHistoryParams) -> dict[str, Any]:
    """
    The latest messages of a session, oldest first; none for a session that does not exist.
    """
    config = context.config()
    key = canonical_key(params.session_key, config)
    limit = params.limit or HISTORY_LIMIT

    def read(unit: Unit) -> tuple[Session | None, Sequence[Any]]:
        session = unit.sessions.get(key)
        if session is None:
            return None, []
        entries = unit.entries.messages(session.session_id, limit)
        messages = (shown_message(entry.body["message"]) for entry in entries if entry.body.get("message"))
        return session, fitting(messages, MAX_HISTORY_BYTES)

    session, messages = await context.store.read(read)
    members = session.members if session is not None else {}
    return {
        "sessionKey": params.session_key,
        **({} if session is None else {"sessionId": session.session_id}),
        "messages": messages,
        "thinkingLevel": thinking_of(context, members, agent_of(key, default_agent(config))),
    }


def fitting(newest_first: Iterable[Any], most_bytes: int) -> Sequence[Any]:
    """
    The newest messages whose JSON array is not larger than ``most_bytes``, oldest first; at least the last one. No
    more are taken than one that does not fit.
    """
    size = len("[]")
    messages: list[Any] = []
    for message in newest_first:
        size += len(orjson.dumps(message)) + (1 if messages else 0)
        if size > most_bytes and messages:
            break
        messages.append(message)
    return messages[::-1]


@methods.method("chat.abort", ChatAbortParams, result=ChatAbortResult, scope=WRITE)
async def abort(context: MethodContext, params: ChatAbortParams) -> dict[str, Any]:
    """
    End one run of a session, or all of them, whoever started them.

    :raise Failed: the run belongs to another session, or it takes too long.
    """
    key = canonical_key(params.session_key, context.config())
    run_id = params.run_id
    run_ids = await ended(context, key, params.session_key, run_id=run_id)
    if run_id is not None and not run_ids:
        run = await context.store.read(lambda unit: unit.runs.get(run_id))
        if run is not None and run.state not in TERMINAL_STATES and run.session_key != key:
            raise invalid("runId does not match sessionKey")
    return _aborted(run_ids)


def _aborted(run_ids: Sequence[str]) -> dict[str, Any]:
    return {"ok": True, "aborted": bool(run_ids), "runIds": list(run_ids)}


@methods.method("chat.inject", ChatInjectParams, result=ChatInjectResult, advertised=False, durable=True)
async def inject(context: MethodContext, params: ChatInjectParams) -> dict[str, Any]:
    """
    Append a message of the assistant without a model.

    :raise Failed: there is no such session, or nothing was said in it yet.
    """
    key = canonical_key(params.session_key, context.config())
    text = f"[{params.label}]\n\n{params.message}" if params.label else params.message
    now = millis(context.clock)
    message = injected_message(text, now)

    def write(unit: Unit) -> str:
        session = unit.sessions.get(key)
        if session is None:
            raise invalid("session not found")
        if unit.entries.leaf(session.session_id) is None:
            raise invalid("transcript file not found")
        entry = append_message(
            unit,
            lambda: entry_id(context.make_id()),
            session_id=session.session_id,
            run_id=None,
            now_ms=now,
            message=message,
        )
        return entry.id

    message_id = await context.store.write(write)
    event = {
        "runId": f"inject-{message_id}",
        "sessionKey": params.session_key,
        "seq": 0,
        "state": "final",
        "message": message,
    }
    context.broadcast("chat", event)
    return {"ok": True, "messageId": message_id}
