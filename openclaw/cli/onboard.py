"""
``openclaw onboard``: from nothing to a gateway that works, by flags alone or by questions (``cli.md`` 9.2).
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openclaw.cli.arguments import Arguments
from openclaw.cli.config_change import gateway_runs
from openclaw.cli.context import Context
from openclaw.cli.exits import CONFIGURATION, CommandFailed, UsageError
from openclaw.cli.first_steps import Say, await_gateway, first_answer, has_model, install_service, prepare, reset_all
from openclaw.cli.onboard_changes import BINDS, KEYS, NODE_MANAGERS, local_changes, port_of, remote_changes
from openclaw.cli.setup_write import check_alone, write_changes
from openclaw.cli.terminal import has_terminal, prompter
from openclaw.config.loader import Snapshot, load, missing
from openclaw.config.paths import workspace_dir

RISK = """\
Non-interactive onboarding requires explicit risk acknowledgement.
Read: https://docs.openclaw.ai/security
Re-run with: openclaw onboard --non-interactive --accept-risk ..."""
#: What the questions ask for: nothing is taken for an answer that nobody sees.
_ASKED = (
    *("auth_choice", "gateway_bind", "gateway_auth", "gateway_token", "gateway_password"),
    *("tailscale", "tailscale_reset_on_exit", "remote_url", "remote_token", "node_manager", "json"),
)


def run(context: Context, arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    """
    :param pause: waits, in seconds.
    :return: the exit code.
    :raise CommandFailed: a flag has a value that it cannot have; nothing was written.
    """
    options = _parser().take(arguments)
    if options.non_interactive and not options.accept_risk:
        raise CommandFailed(RISK)
    if options.mode not in ("local", "remote"):
        raise CommandFailed(f'Invalid --mode "{options.mode}" (use local|remote).')
    if not options.non_interactive:
        _check_questions(context, options)
    snapshot = load(context.environ, context.home)
    if options.reset:
        snapshot = missing(snapshot.path, context.environ, context.home)
    if not snapshot.valid:
        told = context.command("openclaw doctor")
        raise CommandFailed(f"Config invalid. Run `{told}` to repair it, then re-run onboarding.", CONFIGURATION)
    if not options.non_interactive:
        from openclaw.cli.wizard import onboard

        return onboard(context, options, snapshot, prompter(context), pause)
    if options.mode == "remote":
        return _remote(context, options, snapshot)
    return _local(context, options, snapshot, pause)


def _check_questions(context: Context, options: Namespace) -> None:
    """
    :raise CommandFailed: nobody can be asked.
    :raise UsageError: an option answers what is asked for anyway.
    """
    if not has_terminal(context):
        raise CommandFailed(
            "There is no terminal to ask on. Give the answers as options:\n"
            "openclaw onboard --non-interactive --accept-risk [--auth-choice ...] [--install-daemon]"
        )
    for name in (*_ASKED, *(key.flag for key in KEYS.values())):
        if getattr(options, name) not in (None, False):
            raise UsageError(f"--{name.replace('_', '-')} needs --non-interactive: the questions ask for that")
    if options.gateway_port is not None:
        port_of(options.gateway_port)


def _parser() -> Arguments:
    parser = Arguments("onboard", "Set up a gateway.")
    for name in ("non-interactive", "accept-risk", "install-daemon", "json", "reset", "tailscale-reset-on-exit"):
        parser.option(f"--{name}", action="store_true")
    parser.option("--no-install-daemon", "--skip-daemon", action="store_true", help="no service, as without the option")
    for name in ("skip-channels", "skip-skills", "skip-ui"):
        parser.option(f"--{name}", action="store_true", help="accepted: it is not asked for anyway")
    parser.option("--skip-health", action="store_true", help="neither wait for the gateway nor ask the agent")
    parser.option("--mode", metavar="<mode>", default="local", help="local or remote")
    parser.option("--flow", metavar="<flow>", help="accepted: the questions ask which way to go")
    parser.option("--workspace", metavar="<dir>", help="where the agent's files are")
    parser.option("--auth-choice", metavar="<choice>", help=f"skip, {', '.join(KEYS)}")
    for flag in dict.fromkeys(key.flag for key in KEYS.values()):
        parser.option(f"--{flag.replace('_', '-')}", metavar="<key>", help="else from the environment")
    parser.option("--gateway-port", metavar="<port>")
    parser.option("--gateway-bind", metavar="<mode>", help=", ".join(BINDS))
    parser.option("--gateway-auth", metavar="<mode>", help="token, or else password")
    parser.option("--gateway-token", metavar="<token>", help="made when none is given")
    parser.option("--gateway-password", metavar="<password>")
    parser.option("--tailscale", metavar="<mode>", help="off, or else serve or funnel")
    parser.option("--remote-url", metavar="<url>")
    parser.option("--remote-token", metavar="<token>")
    parser.option("--node-manager", metavar="<name>", help=f"for the packages of skills: {', '.join(NODE_MANAGERS)}")
    parser.option("--daemon-runtime", metavar="<name>", help="accepted: there is only Python")
    return parser


# -- by options ------------------------------------------------------------------------------------------------------


def _remote(context: Context, options: Namespace, snapshot: Snapshot) -> int:
    changes = remote_changes(options)
    _begin(context, options, changes)
    if options.json:
        told = {"mode": "remote", "remoteUrl": changes["gateway.remote.url"]}
        context.json({**told, "auth": "token" if "gateway.remote.token" in changes else "none"})
    else:
        context.line(f"Updated {context.short(snapshot.path)}")
    return 0


def _local(context: Context, options: Namespace, snapshot: Snapshot, pause: Callable[[float], None]) -> int:
    changes = local_changes(context, options, snapshot)
    _begin(context, options, changes)
    say = (lambda line: None) if options.json else context.line
    say(f"Updated {context.short(snapshot.path)}")

    workspace = workspace_dir(context.environ, context.home, load(context.environ, context.home).model)
    prepare(context, workspace, say)
    installs = options.install_daemon and not options.no_install_daemon
    if installs:
        install_service(context, changes["gateway.port"], say)
    answered = _greet(context, options, installs, say, pause)
    if options.json:
        report = _report(options, changes, workspace, installs)
        context.json({**report, "answered": True} if answered else report)
    return 0


def _begin(context: Context, options: Namespace, changes: Mapping[str, Any]) -> None:
    """
    Everything that was told has proved to be possible.
    """
    if options.reset:
        check_alone(context, changes, "onboard", options.mode)
        reset_all(context, quiet=options.json)
    write_changes(context, changes, "onboard", options.mode)


# -- the end ----------------------------------------------------------------------------------------------------------


def _greet(context: Context, options: Namespace, installed: bool, say: Say, pause: Callable[[float], None]) -> bool:
    """
    Wait for the gateway, if there is one to wait for, let the agent answer, and say what comes next.

    :return: whether a message was answered.
    :raise CommandFailed: the gateway does not answer, or the agent does not.
    """
    snapshot = load(context.environ, context.home)
    answered = False
    if not options.skip_health and (installed or gateway_runs(context, snapshot)):
        await_gateway(context, pause)
        say("Gateway OK")
        if has_model(context):
            for line in first_answer(context):
                say(f"Agent: {line}")
            answered = True
    else:
        say(f"Start it: {context.command('openclaw gateway')}")
    say(f"Talk to it: {context.command('openclaw agent --agent main --message hi')}")
    return answered


def _report(options: Namespace, changes: Mapping[str, Any], workspace: Path, installed: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "mode": "local",
        "workspace": str(workspace),
        "authChoice": options.auth_choice or "skip",
        "gateway": {
            "port": changes["gateway.port"],
            "bind": changes["gateway.bind"],
            "authMode": changes["gateway.auth.mode"],
            "tailscaleMode": changes["gateway.tailscale.mode"],
        },
        "installDaemon": installed,
        "skipSkills": options.skip_skills,
        "skipHealth": options.skip_health,
    }
    return {**told, "daemonRuntime": "python"} if installed else told
