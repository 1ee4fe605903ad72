"""
``openclaw onboard`` on a terminal: questions, then everything that they lead to, up to a message that was answered.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from attrs import evolve

from openclaw.agent.providers.known import KNOWN_PROVIDERS
from openclaw.cli.config_change import gateway_runs
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.cli.first_steps import (
    await_gateway,
    first_answer,
    has_model,
    install_service,
    own_gateway,
    passing_gateway,
    prepare,
    reset_all,
)
from openclaw.cli.rpc import connect, identity_path
from openclaw.cli.setup_write import check_alone, lasting, write_changes
from openclaw.cli.tables import plain
from openclaw.cli.target import dig, local_port
from openclaw.cli.terminal import answered
from openclaw.client.errors import RequestFailed
from openclaw.client.identity import load_identity
from openclaw.config.auth import resolve_auth
from openclaw.config.devdefaults import make_token
from openclaw.config.loader import Snapshot, load
from openclaw.config.paths import expand, workspace_dir
from openclaw.wizard.prompts import Declined, Prompter
from openclaw.wizard.setup import Changes, Situation, local_flow, provider_choices, remote_flow

RESET = "Configuration, conversations and the agents' files go to the trash now. Go on?"
#: Ways on while devices may still come to be paired.
_AGAIN, _ON = "again", "on"
_LIMIT_MS = 10_000
_LONGEST_NAME = 60


def situation_of(context: Context, snapshot: Snapshot, command: str, mode: str, port: int | None = None) -> Situation:
    """
    What is there, for the questions of a wizard.

    :param command: the one that asks.
    :param mode: ``local`` or ``remote``.
    :param port: of the gateway, where the command was told; written also where it is not asked for.
    """

    async def apply(changes: Changes) -> str:
        told_port = {} if port is None else {"gateway.port": port}
        done = write_changes(context, {**told_port, **_expanded(context, changes)}, command, mode)
        told = f"Updated {context.short(snapshot.path)}"
        if done.waiting and not done.restarts:
            told += f"\nRestart the gateway for: {', '.join(done.waiting)}"
        return told

    return Situation(
        config=snapshot.require(),
        exists=snapshot.exists,
        port=port or local_port(snapshot),
        workspace=str(workspace_dir(context.environ, context.home, snapshot.model)),
        # With what ``.env`` files and the configuration itself hold.
        providers=provider_choices(KNOWN_PROVIDERS, snapshot.environment),
        auth=resolve_auth(snapshot.require(), lasting(context, snapshot)),
        written=snapshot.parsed,
        make_token=make_token,
        apply=apply,
    )


def _expanded(context: Context, changes: Changes) -> Changes:
    key = "agents.defaults.workspace"
    return {**changes, key: str(expand(changes[key], context.home))} if key in changes else changes


def onboard(
    context: Context,
    options: Namespace,
    snapshot: Snapshot,
    ask: Prompter,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """
    :param snapshot: what there is to begin with.
    :param pause: waits, in seconds.
    :return: the exit code.
    :raise CommandFailed: the person did not want to go on, or something cannot be; the text says how to go on.
    """
    port = int(options.gateway_port) if options.gateway_port else None
    situation = situation_of(context, snapshot, "onboard", options.mode, port)
    if options.reset:
        situation = _anew(context, situation, ask, options.mode)
    if options.mode == "remote":
        answered(remote_flow(situation)(ask))
        context.line(f"See whether it is reached: {context.command('openclaw gateway probe')}")
        return 0
    workspace = (options.workspace or "").strip()
    told = str(expand(workspace, context.home)) if workspace else None
    answered(local_flow(situation, told)(ask))
    _carry_on(context, options, ask, pause)
    return 0


def _anew(context: Context, situation: Situation, ask: Prompter, mode: str) -> Situation:
    """
    Nothing goes to the trash before all questions were answered.
    """

    async def apply(changes: Changes) -> str:
        if not await ask.confirm(RESET, initial=False):
            raise Declined("what is there stays")
        check_alone(context, changes, "onboard", mode)
        reset_all(context)
        return await situation.apply(changes)

    return evolve(situation, apply=apply)


def _carry_on(context: Context, options: Namespace, ask: Prompter, pause: Callable[[float], None]) -> None:
    """
    From the configuration to a gateway that works.
    """
    snapshot = load(context.environ, context.home)
    prepare(context, workspace_dir(context.environ, context.home, snapshot.model), context.line)
    service = _service(context, options, ask, local_port(snapshot))
    if options.skip_health:
        context.line(f"Start it: {context.command('openclaw gateway')}")
        return
    there = service or gateway_runs(context, snapshot)
    if not there:
        context.line("No gateway runs. One is started for the next steps, and ends with them.")
    with nullcontext(lambda: None) if there else passing_gateway(context) as ended:
        await_gateway(context, pause, ended)
        context.line("Gateway OK")
        pair(context, ask)
        _greet(context)
    if not there:
        context.line(f"Start it: {context.command('openclaw gateway')}")
    context.line(f"Open its page: {context.command('openclaw dashboard')}")
    context.line(f"Talk to it: {context.command('openclaw agent --message hi')}")


def _service(context: Context, options: Namespace, ask: Prompter, port: int) -> bool:
    """
    :return: whether the service runs the gateway now.
    """
    if options.no_install_daemon:
        return False
    question = "Run the gateway as a service of this machine?"
    if not options.install_daemon and not _yes(ask, question, initial=True):
        return False
    try:
        install_service(context, port, context.line)
    except CommandFailed as error:
        # Where nothing supervises, as in a container, there is still a gateway to be had.
        context.problem(str(error))
        return False
    return True


def pair(context: Context, ask: Prompter) -> None:
    """
    This machine's command line is the first client; others may follow.
    """
    mine = load_identity(identity_path(context), now=context.now).device_id
    paired = _call(context, "device.pair.list").get("paired") or []
    if any(dig(device, "deviceId") == mine for device in paired):
        context.line("Paired: the command line of this machine")
    if not _yes(ask, "Pair an app or another machine now?", initial=False):
        context.line(f"Later: {context.command('openclaw devices list')}")
        return
    target = own_gateway(context)
    context.line(f"Let it connect to {target.url}, with the token of this gateway; then look here.")
    if target.bind == "loopback":
        context.line("The gateway listens on this machine only: from another one, by an SSH tunnel or Tailscale.")
    while (chosen := _select(ask, "Which one may come in?", _waiting(context))) != _ON:
        if chosen == _AGAIN:
            continue
        try:
            _call(context, "device.pair.approve", {"requestId": chosen})
        except RequestFailed as error:
            # It has waited too long, or somebody else has decided.
            context.problem(str(error))
        else:
            context.line("Paired.")


def _waiting(context: Context) -> list[Mapping[str, Any]]:
    options: list[Mapping[str, Any]] = [
        {
            "value": request["requestId"],
            "label": _shown(request.get("displayName") or request["deviceId"]),
            "hint": _shown(", ".join(filter(None, (request.get("role"), request.get("remoteIp"))))),
        }
        for request in _call(context, "device.pair.list").get("pending") or []
    ]
    return [*options, {"value": _AGAIN, "label": "Look again"}, {"value": _ON, "label": "Go on"}]


def _call(context: Context, method: str, params: Mapping[str, Any] | None = None) -> Any:
    """
    Each on a connection of its own: a person may take longer between two than one lasts.
    """
    with connect(context, own_gateway(context), timeout_ms=_LIMIT_MS) as client:
        return client.call(method, params or {}, timeout=_LIMIT_MS / 1000)


def _shown(text: str) -> str:
    """
    What a device says of itself, before it is let in.
    """
    return plain(text, "?")[:_LONGEST_NAME]


def _greet(context: Context) -> None:
    if not has_model(context):
        context.line(f"No model was chosen: {context.command('openclaw configure --section model')}")
        return
    context.line("Asking the agent to say hello ...")
    for line in first_answer(context):
        context.line(f"  {line}")


def _yes(ask: Prompter, question: str, *, initial: bool) -> bool:
    return bool(answered(ask.confirm(question, initial=initial)))


def _select(ask: Prompter, question: str, options: list[Mapping[str, Any]]) -> Any:
    return answered(ask.select(question, options, initial=options[0]["value"]))
