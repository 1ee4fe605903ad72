"""
``wizard.*`` (``methods.md`` 18).
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

import orjson
from twisted.internet.defer import Deferred

from openclaw.agent.providers.known import KNOWN_PROVIDERS
from openclaw.config.auth import resolve_auth
from openclaw.config.devdefaults import make_token
from openclaw.config.paths import gateway_port
from openclaw.config.rewrite import patched
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid, unavailable
from openclaw.methods.table import MethodTable
from openclaw.protocol.types import ABSENT
from openclaw.protocol.wizard import (
    WizardCancelParams,
    WizardNextParams,
    WizardNextResult,
    WizardStartParams,
    WizardStartResult,
    WizardStatusParams,
    WizardStatusResult,
)
from openclaw.sessions.keys import default_agent
from openclaw.wizard.session import AlreadyRunning, NoPendingStep, NotFound
from openclaw.wizard.setup import Changes, Situation, local_flow, marks, provider_choices, remote_flow

methods = MethodTable()


@methods.method("wizard.start", WizardStartParams, result=WizardStartResult)
async def start(context: MethodContext, params: WizardStartParams) -> dict[str, Any]:
    """
    Begin setting up; one may do that at a time.

    :raise Failed: somebody does.
    """
    snapshot = await context.in_thread(context.snapshot)
    situation = Situation(
        config=context.config(),
        exists=snapshot.exists,
        port=gateway_port(None, context.environ, context.config()),
        workspace=str(context.workspace_of(default_agent(context.config())) or ""),
        providers=provider_choices(KNOWN_PROVIDERS, context.environ),
        auth=resolve_auth(context.config(), context.environ),
        written=snapshot.parsed,
        make_token=make_token,
        apply=lambda changes: _apply(context, changes, params.mode or "local"),
    )
    told = (params.workspace or "").strip() or None
    flow = remote_flow(situation) if params.mode == "remote" else local_flow(situation, told)
    try:
        return await context.wizards.start(flow)
    except AlreadyRunning as error:
        raise unavailable(str(error)) from error


@methods.method("wizard.next", WizardNextParams, result=WizardNextResult)
async def next_step(context: MethodContext, params: WizardNextParams) -> dict[str, Any]:
    """
    Answer the step that is shown, and get the next; without an answer the same again.

    :raise Failed: there is no such wizard, or another step is shown.
    """
    answer = params.answer
    value = None if answer is None or answer.value is ABSENT else answer.value
    try:
        return await context.wizards.answer(params.session_id, None if answer is None else answer.step_id, value)
    except (NotFound, NoPendingStep) as error:
        raise invalid(str(error)) from error


@methods.method("wizard.cancel", WizardCancelParams, result=WizardStatusResult)
async def cancel(context: MethodContext, params: WizardCancelParams) -> dict[str, Any]:
    """
    Leave it; nothing is changed.

    :raise Failed: there is no such wizard.
    """
    try:
        return context.wizards.cancel(params.session_id)
    except NotFound as error:
        raise invalid(str(error)) from error


@methods.method("wizard.status", WizardStatusParams, result=WizardStatusResult)
async def status(context: MethodContext, params: WizardStatusParams) -> dict[str, Any]:
    """
    How it stands.

    :raise Failed: there is no such wizard.
    """
    try:
        return context.wizards.status(params.session_id)
    except NotFound as error:
        raise invalid(str(error)) from error


def _apply(context: MethodContext, changes: Changes, mode: str) -> Awaitable[str]:
    """
    Write the changes in one step, with who made them.

    :return: what to tell the person.
    """
    stamps = marks("onboard", mode, context.clock.seconds())
    raw = orjson.dumps(nested({**changes, **stamps})).decode()

    async def write() -> str:
        written = await context.configuration.edit(partial(patched, raw=raw))
        restart = f"\nRestart the gateway for: {', '.join(written.waiting)}" if written.waiting else ""
        return f"Wrote {written.snapshot.path}.{restart}"

    return Deferred.fromCoroutine(write())


def nested(changes: Changes) -> dict[str, Any]:
    """
    Dotted keys as objects in each other.
    """
    whole: dict[str, Any] = {}
    for path, value in changes.items():
        *parents, name = path.split(".")
        inner = whole
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = value
    return whole
