"""
``config.*`` (``methods.md`` 13).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.logger import Logger

from openclaw import __version__
from openclaw.clock import millis
from openclaw.config.form import config_form
from openclaw.config.loader import Snapshot
from openclaw.config.redact import redact, redact_value
from openclaw.config.rewrite import patched, replaced
from openclaw.config.sentinel import write_sentinel
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

#: Clients that are programs of their own on a person's device. Phones read the key for speech from the configuration.
NATIVE_CLIENTS = frozenset({"openclaw-ios", "openclaw-android", "openclaw-macos"})
NATIVE_READS = frozenset({"talk.apiKey"})

#: How long clients may have a restart wait, in milliseconds.
DEFAULT_DELAY_MS = 2_000
MOST_DELAY_MS = 60_000
DOCTOR_HINT = "Run: openclaw doctor --non-interactive"

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
    Replace the file. Nothing restarts.

    :raise ConfigError: nothing was written.
    """
    return _answer(context, await context.configuration.write(params.base_hash, _replacing(context, params.raw)))


@methods.method("config.apply", ConfigApplyParams, result=ConfigApplied, durable=True)
async def apply(context: MethodContext, params: ConfigApplyParams) -> dict[str, Any]:
    """
    Replace the file, and leave a note for the gateway after the next start.

    :raise ConfigError: nothing was written.
    """
    written = await context.configuration.write(params.base_hash, _replacing(context, params.raw))
    return await _with_restart(context, written, params, "config.apply")


@methods.method("config.patch", ConfigPatchParams, result=ConfigApplied, durable=True)
async def patch(context: MethodContext, params: ConfigPatchParams) -> dict[str, Any]:
    """
    Merge a part into the file, and leave a note for the gateway after the next start.

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
    The answer with the note, and what becomes of the restart: the gateway cannot do that by itself yet, so that
    ``ok`` is false.
    """
    delay = DEFAULT_DELAY_MS if params.restart_delay_ms is None else min(params.restart_delay_ms, MOST_DELAY_MS)
    session_key, note = (params.session_key or "").strip(), (params.note or "").strip()
    payload = {
        "kind": "config-apply",
        "status": "ok",
        "ts": millis(context.clock),
        **({"sessionKey": session_key} if session_key else {}),
        "message": note or None,
        "doctorHint": DOCTOR_HINT,
        "stats": {"mode": mode, "root": str(written.snapshot.path)},
    }
    try:
        path: str | None = str(await context.in_thread(write_sentinel, context.state_dir, payload))
    except OSError as error:
        _log.warn("The note for after the restart could not be written: {why}", why=error)
        path = None
    restart = {"ok": False, "pid": os.getpid(), "signal": "SIGUSR1", "delayMs": delay, "reason": mode, "mode": "none"}
    return {**_answer(context, written), "restart": restart, "sentinel": {"path": path, "payload": payload}}


def readable_secrets(caller: Caller) -> frozenset[str]:
    """
    Paths of the secrets that a caller may read: a paired native client reads what it cannot do without.
    """
    paired = caller.device_id is not None and caller.client_id in NATIVE_CLIENTS
    return NATIVE_READS if paired and ADMIN in caller.scopes else frozenset()
