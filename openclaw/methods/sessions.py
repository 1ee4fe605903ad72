"""
``sessions.*`` (``methods.md`` 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import evolve

from openclaw.clock import millis
from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.models import model_defaults, picked_model
from openclaw.methods.runs import ended
from openclaw.methods.table import MethodTable
from openclaw.protocol.convert import unstructure
from openclaw.protocol.sessions import (
    SessionsCompactParams,
    SessionsCompactResult,
    SessionsDeleteParams,
    SessionsDeleteResult,
    SessionsListParams,
    SessionsListResult,
    SessionsPatchParams,
    SessionsPatchResult,
    SessionsPreviewParams,
    SessionsPreviewResult,
    SessionsResetParams,
    SessionsResetResult,
    SessionsResolveParams,
    SessionsResolveResult,
)
from openclaw.sessions.keys import agent_of, canonical_key, default_agent, main_session_key, normalize_agent_id
from openclaw.sessions.patch import Surroundings, after_reset, checked_label, patched
from openclaw.sessions.rows import entry, list_row
from openclaw.sessions.titles import derived_title, last_text, preview_items
from openclaw.store.interfaces import Entry, Session, Unit

#: Rows of a list that was asked for without a limit: what an answer costs does not grow with the number of sessions.
MOST_ROWS = 1_000

#: How far back the last thing said is looked for.
LAST_MESSAGES = 20

PREVIEW_KEYS = 64
PREVIEW_ITEMS = 12
MOST_PREVIEW_ITEMS = 50
PREVIEW_CHARS = 240
MOST_PREVIEW_CHARS = 2_000
PREVIEW_DEPTH = 200

#: Entries that stay in a transcript which is cut without saying how far.
MOST_LINES = 400
TOKEN_COUNTS = frozenset({"inputTokens", "outputTokens", "totalTokens"})

methods = MethodTable()


@methods.method("sessions.list", SessionsListParams, result=SessionsListResult, scope=READ)
async def list_sessions(context: MethodContext, params: SessionsListParams) -> dict[str, Any]:
    """
    Sessions, newest first, with titles and last messages where they are asked for.
    """
    now = millis(context.clock)
    agent_id = normalize_agent_id(params.agent_id) if params.agent_id else None

    def read(unit: Unit) -> list[dict[str, Any]]:
        found = unit.sessions.search(
            agent_id=agent_id,
            spawned_by=params.spawned_by,
            label=(params.label or "").strip() or None,
            text=(params.search or "").strip() or None,
            updated_since_ms=None if params.active_minutes is None else max(0, now - params.active_minutes * 60_000),
            include_global=bool(params.include_global) and agent_id is None,
            include_unknown=bool(params.include_unknown) and agent_id is None,
            limit=params.limit or MOST_ROWS,
        )
        return [_row(unit, session, params) for session in found]

    rows = await context.store.read(read)
    return {
        "ts": now,
        "path": str(context.store_path),
        "count": len(rows),
        "defaults": model_defaults(context).members(),
        "sessions": rows,
    }


def _row(unit: Unit, session: Session, params: SessionsListParams) -> dict[str, Any]:
    row = list_row(session)
    if params.include_derived_titles:
        first = unit.entries.first_user(session.session_id)
        row["derivedTitle"] = derived_title(session, None if first is None else first.body.get("message"))
    if params.include_last_message:
        last = last_text(_messages(unit.entries.messages(session.session_id, LAST_MESSAGES)))
        if last is not None:
            row["lastMessagePreview"] = last
    return row


def _messages(entries: Iterable[Entry]) -> Iterator[Mapping[str, Any]]:
    return (entry.body["message"] for entry in entries if isinstance(entry.body.get("message"), Mapping))


@methods.method("sessions.preview", SessionsPreviewParams, result=SessionsPreviewResult, scope=READ)
async def preview(context: MethodContext, params: SessionsPreviewParams) -> dict[str, Any]:
    """
    The last few messages of several sessions.
    """
    config = context.config()
    keys = [key for given in params.keys if (key := given.strip())][:PREVIEW_KEYS]
    limit = min(params.limit or PREVIEW_ITEMS, MOST_PREVIEW_ITEMS)
    max_chars = min(params.max_chars or PREVIEW_CHARS, MOST_PREVIEW_CHARS)

    def read(unit: Unit) -> list[dict[str, Any]]:
        return [one(unit, key) for key in keys]

    def one(unit: Unit, key: str) -> dict[str, Any]:
        session = unit.sessions.get(canonical_key(key, config))
        if session is None:
            return {"key": key, "status": "missing", "items": []}
        messages = _messages(unit.entries.messages(session.session_id, PREVIEW_DEPTH))
        items = preview_items(messages, limit, max_chars)
        return {"key": key, "status": "ok" if items else "empty", "items": items}

    return {"ts": millis(context.clock), "previews": await context.store.read(read)}


@methods.method("sessions.resolve", SessionsResolveParams, result=SessionsResolveResult, advertised=False)
async def resolve(context: MethodContext, params: SessionsResolveParams) -> dict[str, Any]:
    """
    Find the key of one session.

    :raise Failed: none or several were named, found or meant.
    """
    named = [text for text in (params.key, params.session_id, params.label) if text and text.strip()]
    if len(named) > 1:
        raise invalid("Provide either key, sessionId, or label (not multiple)")
    if not named:
        raise invalid("Either key, sessionId, or label is required")
    if params.key and params.key.strip():
        return await _resolve_key(context, params.key.strip())
    session_id = (params.session_id or "").strip()
    label = checked_label(params.label) if params.label is not None and not session_id else None

    def read(unit: Unit) -> list[str]:
        found = unit.sessions.by_session_id(session_id) if session_id else unit.sessions.by_label(label or "")
        return [session.key for session in found if _meant(session, params)]

    keys = await context.store.read(read)
    what = f"sessionId: {session_id}" if session_id else f"label: {label}"
    if not keys:
        raise invalid(f"No session found: {session_id}" if session_id else f"No session found with {what}")
    if len(keys) > 1:
        raise invalid(f"Multiple sessions found {'for' if session_id else 'with'} {what} ({', '.join(sorted(keys))})")
    return {"ok": True, "key": keys[0]}


async def _resolve_key(context: MethodContext, given: str) -> dict[str, Any]:
    key = canonical_key(given, context.config())
    if await context.store.read(lambda unit: unit.sessions.get(key)) is None:
        raise invalid(f"No session found: {given}")
    return {"ok": True, "key": key}


def _meant(session: Session, params: SessionsResolveParams) -> bool:
    if session.key == "global" and not params.include_global:
        return False
    if session.key == "unknown" and not params.include_unknown:
        return False
    if params.agent_id and normalize_agent_id(params.agent_id) != session.agent_id:
        return False
    return not params.spawned_by or session.members.get("spawnedBy") == params.spawned_by


@methods.method("sessions.patch", SessionsPatchParams, result=SessionsPatchResult, durable=True)
async def patch(context: MethodContext, params: SessionsPatchParams) -> dict[str, Any]:
    """
    Change settings of a session; it is made if there is none. All of a patch counts, or nothing.

    :raise InvalidPatch: a setting is not allowed.
    """
    key = _required_key(context, params.key)
    config, environ = context.config(), context.environ
    agent_id = agent_of(key, default_agent(config))
    changes = {name: value for name, value in unstructure(params).items() if name != "key"}
    now = millis(context.clock)
    session_id = context.make_id()

    def write(unit: Unit) -> Session:
        old = unit.sessions.get(key)
        around = Surroundings(
            key=key,
            label_taken=lambda label: any(other.key != key for other in unit.sessions.by_label(label)),
            pick_model=lambda word: picked_model(config, environ, word, agent_id),
        )
        members = patched(old.members if old is not None else {}, changes, around)
        session = (
            Session(key=key, agent_id=agent_id, session_id=session_id, updated_at_ms=now, members=members)
            if old is None
            else evolve(old, updated_at_ms=max(now, old.updated_at_ms), members=members)
        )
        unit.sessions.put(session)
        return session

    session = await context.store.write(write)
    return {"ok": True, "path": str(context.store_path), "key": key, "entry": entry(session)}


def _required_key(context: MethodContext, given: str) -> str:
    if not given.strip():
        raise invalid("key required")
    return canonical_key(given, context.config())


@methods.method("sessions.reset", SessionsResetParams, result=SessionsResetResult, durable=True)
async def reset(context: MethodContext, params: SessionsResetParams) -> dict[str, Any]:
    """
    Start a fresh transcript under a key. Runs that are going on are not stopped.
    """
    key = _required_key(context, params.key)
    agent_id = agent_of(key, default_agent(context.config()))
    now = millis(context.clock)
    session_id = context.make_id()

    def write(unit: Unit) -> Session:
        old = unit.sessions.get(key)
        members = after_reset(old.members if old is not None else {})
        session = Session(key=key, agent_id=agent_id, session_id=session_id, updated_at_ms=now, members=members)
        unit.sessions.put(session)
        return session

    session = await context.store.write(write)
    return {"ok": True, "key": key, "entry": entry(session)}


@methods.method("sessions.compact", SessionsCompactParams, result=SessionsCompactResult, durable=True)
async def compact(context: MethodContext, params: SessionsCompactParams) -> dict[str, Any]:
    """
    Cut a transcript down to its last entries; those before go to the archive. No model is asked.
    """
    key = _required_key(context, params.key)
    most = params.max_lines or MOST_LINES
    now = millis(context.clock)

    def write(unit: Unit) -> dict[str, Any]:
        session = unit.sessions.get(key)
        if session is None:
            return {"compacted": False, "reason": "no sessionId"}
        count = unit.entries.count(session.session_id)
        if count == 0:
            return {"compacted": False, "reason": "no transcript"}
        if count <= most:
            return {"compacted": False, "kept": count}
        unit.entries.keep_last(session.session_id, most, now)
        unit.sessions.put(evolve(session, updated_at_ms=max(now, session.updated_at_ms), members=uncounted(session)))
        return {"compacted": True, "archived": str(context.store_path), "kept": most}

    return {"ok": True, "key": key, **await context.store.write(write)}


def uncounted(session: Session) -> dict[str, Any]:
    """
    The members of a session whose context is not the one that was counted.
    """
    return {name: value for name, value in session.members.items() if name not in TOKEN_COUNTS}


@methods.method("sessions.delete", SessionsDeleteParams, result=SessionsDeleteResult, durable=True)
async def delete(context: MethodContext, params: SessionsDeleteParams) -> dict[str, Any]:
    """
    Forget a session, after its runs were ended.

    :raise Failed: it is the main session, or its runs did not end in time.
    """
    config = context.config()
    key = _required_key(context, params.key)
    main = main_session_key(config)
    if key == main:
        raise invalid(f"Cannot delete the main session ({main}).")
    await ended(context, key, params.key)
    now = millis(context.clock)
    archiving = params.delete_transcript is not False

    def write(unit: Unit) -> tuple[bool, bool]:
        session = unit.sessions.get(key)
        if session is None:
            return False, False
        archived = archiving and unit.entries.archive(session.session_id, now)
        return unit.sessions.delete(key), archived

    deleted, archived = await context.store.write(write)
    # The transcript went nowhere but out of the listings: it is in the same database.
    return {"ok": True, "key": key, "deleted": deleted, "archived": [str(context.store_path)] if archived else []}
