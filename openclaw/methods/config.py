"""
``config.*`` (``methods.md`` 13).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted.logger import Logger

from openclaw import __version__
from openclaw.clock import millis
from openclaw.config.form import config_form
from openclaw.config.loader import Snapshot
from openclaw.config.redact import redact, redact_value
from openclaw.config.rewrite import patched, replaced
from openclaw.config.sentinel import DEFAULT_DELAY_MS, MOST_DELAY_MS, sentinel, told, write_sentinel
from openclaw.logs.records import iso_utc
from openclaw.methods.authorise import ADMIN
from openclaw.methods.context import Caller, MethodContext, Written
from openclaw.methods.table import MethodTable
from openclaw.protocol.config import (
    ConfigApplied,
    ConfigApplyParams,
    ConfigGetParams,
    ConfigPatchParams,
    ConfigSchemaParams,
    ConfigSchemaResponse,
    ConfigSetParams,
    ConfigSnapshot,
    ConfigWritten,
)
from openclaw.sessions.keys import canonical_key

#: Clients that are programs of their own on a person's device. Phones read the key for speech from the configuration.
NATIVE_CLIENTS = frozenset({"openclaw-ios", "openclaw-android", "openclaw-macos"})
NATIVE_READS = frozenset({"talk.apiKey"})


methods = MethodTable()
_log = Logger()


@methods.method("config.get", ConfigGetParams, result=ConfigSnapshot)
async def get(context: MethodContext, params: ConfigGetParams) -> dict[str, Any]:
    """
    The configuration file and what it means, without its secrets.
    """
    keep = readable_secrets(context.caller)
    return dict(await context.in_thread(lambda: redact(context.snapshot(), keep=keep)))


@methods.method("config.schema", ConfigSchemaParams, result=ConfigSchemaResponse)
async def schema(context: MethodContext, params: ConfigSchemaParams) -> dict[str, Any]:
    """
    What the file may hold, as a JSON Schema, and how a form shows it.
    """
    form = await context.in_thread(config_form)
    return {**form, "version": __version__, "generatedAt": iso_utc(context.clock.seconds())}


@methods.method("config.set", ConfigSetParams, result=ConfigWritten, durable=True)
async def set_config(context: MethodContext, params: ConfigSetParams) -> dict[str, Any]:
    """
    Replace the file. What follows is decided as for a change by hand (``gateway.reload.mode``).

    :raise ConfigError: nothing was written.
    """
    return _answer(context, await context.configuration.write(params.base_hash, _replacing(context, params.raw)))


@methods.method("config.apply", ConfigApplyParams, result=ConfigApplied, durable=True)
async def apply(context: MethodContext, params: ConfigApplyParams) -> dict[str, Any]:
    """
    Replace the file, and restart if that needs one.

    :raise ConfigError: nothing was written.
    """
    written = await context.configuration.write(params.base_hash, _replacing(context, params.raw))
    return await _with_restart(context, written, params, "config.apply")


@methods.method("config.patch", ConfigPatchParams, result=ConfigApplied, durable=True)
async def patch(context: MethodContext, params: ConfigPatchParams) -> dict[str, Any]:
    """
    Merge a part into the file, and restart if that needs one.

    :raise ConfigError: nothing was written.
    """
    written = await context.configuration.write(params.base_hash, partial(patched, raw=params.raw))
    return await _with_restart(context, written, params, "config.patch")


def _replacing(context: MethodContext, raw: str) -> Callable[[Snapshot], str]:
    keep = readable_secrets(context.caller)
    return partial(replaced, raw=raw, environ=context.configuration.environ, home=context.home, keep=keep)


def _answer(context: MethodContext, written: Written) -> dict[str, Any]:
    keep = readable_secrets(context.caller)
    return {
        "ok": True,
        "path": str(written.snapshot.path),
        "config": redact_value(written.snapshot.config, keep=keep),
        "hash": written.snapshot.hash,
        "restartNeeded": list(written.waiting),
    }


async def _with_restart(
    context: MethodContext, written: Written, params: ConfigPatchParams | ConfigApplyParams, mode: str
) -> dict[str, Any]:
    """
    The answer, with the restart and the note for after it. What counts already needs neither: the session is told at
    once.
    """
    delay = restart_delay_ms(params.restart_delay_ms)
    payload = sentinel(
        "config-apply",
        now_ms=millis(context.clock),
        mode=mode,
        root=str(written.snapshot.path),
        session_key=params.session_key,
        message=params.note,
    )
    path, comes = None, None
    if written.waiting:
        path = await leave_note(context, payload)
        comes = context.restart(mode, delay / 1000)
    elif params.session_key or params.note:
        context.agents.note(canonical_key(payload.get("sessionKey", ""), context.config()), told(payload))
    restart = {
        "ok": comes is not None,
        "pid": os.getpid(),
        "signal": "SIGUSR1",
        "delayMs": delay if comes is None else round(comes * 1000),
        "reason": mode,
        "mode": "none" if comes is None else "emit",
    }
    return {**_answer(context, written), "restart": restart, "sentinel": {"path": path, "payload": payload}}


def restart_delay_ms(asked: int | None) -> int:
    """
    How long a restart waits, in milliseconds.
    """
    return DEFAULT_DELAY_MS if asked is None else min(asked, MOST_DELAY_MS)


async def leave_note(context: MethodContext, payload: Mapping[str, Any]) -> str | None:
    """
    Leave a note for the gateway after the restart.

    :return: its file; ``None`` if it could not be written.
    """
    try:
        return str(await context.in_thread(write_sentinel, context.state_dir, payload))
    except OSError as error:
        _log.warn("The note for after the restart could not be written: {why}", why=error)
        return None


def readable_secrets(caller: Caller) -> frozenset[str]:
    """
    Paths of the secrets that a caller may read: a paired native client reads what it cannot do without.
    """
    paired = caller.device_id is not None and caller.client_id in NATIVE_CLIENTS
    return NATIVE_READS if paired and ADMIN in caller.scopes else frozenset()
