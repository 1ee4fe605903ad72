"""
``openclaw onboard``: from nothing to a gateway that works, by flags alone or by questions (``cli.md`` 9.2).
"""

from __future__ import annotations

import io
import secrets
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from openclaw.cli.arguments import Arguments
from openclaw.cli.config_change import gateway_runs
from openclaw.cli.context import Context
from openclaw.cli.exits import CONFIGURATION, CommandFailed, UsageError
from openclaw.cli.first_steps import Say, await_gateway, first_answer, has_model, install_service, prepare
from openclaw.cli.repairs import has_terminal
from openclaw.cli.setup_write import write_changes
from openclaw.cli.target import dig, local_port
from openclaw.config.loader import Snapshot, load
from openclaw.config.paths import expand, workspace_dir

RISK = """\
Non-interactive onboarding requires explicit risk acknowledgement.
Read: https://docs.openclaw.ai/security
Re-run with: openclaw onboard --non-interactive --accept-risk ..."""
BINDS = ("loopback", "lan", "tailnet", "auto", "custom")
#: What the questions ask for: nothing is taken for an answer that nobody sees.
_ASKED = (
    *("auth_choice", "gateway_bind", "gateway_auth", "gateway_token", "gateway_password"),
    *("tailscale", "tailscale_reset_on_exit", "remote_url", "remote_token", "json"),
)


@frozen(kw_only=True)
class Key:
    """
    A way to a provider of models.

    :ivar flag: the option with its key.
    :ivar variable: what the gateway reads it from.
    """

    flag: str
    variable: str
    provider: str


#: By the names of ``--auth-choice``.
KEYS: Mapping[str, Key] = {
    "apiKey": Key(flag="anthropic_api_key", variable="ANTHROPIC_API_KEY", provider="anthropic"),
    "token": Key(flag="token", variable="ANTHROPIC_OAUTH_TOKEN", provider="anthropic"),
    "setup-token": Key(flag="token", variable="ANTHROPIC_OAUTH_TOKEN", provider="anthropic"),
    "openai-api-key": Key(flag="openai_api_key", variable="OPENAI_API_KEY", provider="openai"),
    "openrouter-api-key": Key(flag="openrouter_api_key", variable="OPENROUTER_API_KEY", provider="openrouter"),
    "moonshot-api-key": Key(flag="moonshot_api_key", variable="MOONSHOT_API_KEY", provider="moonshot"),
    "gemini-api-key": Key(flag="gemini_api_key", variable="GEMINI_API_KEY", provider="google"),
    "zai-api-key": Key(flag="zai_api_key", variable="ZAI_API_KEY", provider="zai"),
}


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
    if options.reset:
        _reset(context, options)
    snapshot = load(context.environ, context.home)
    if not snapshot.valid:
        told = context.command("openclaw doctor")
        raise CommandFailed(f"Config invalid. Run `{told}` to repair it, then re-run onboarding.", CONFIGURATION)
    if not options.non_interactive:
        from openclaw.cli.terminal import prompter
        from openclaw.cli.wizard import onboard

        return onboard(context, options, prompter(context), pause)
    return (
        _remote(context, options, snapshot) if options.mode == "remote" else _local(context, options, snapshot, pause)
    )


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
        _port(options.gateway_port)


def _reset(context: Context, options: Namespace) -> None:
    """
    Begin anew: what was there goes to the trash.
    """
    from openclaw.cli.reset import run as reset

    told = evolve(context, out=io.StringIO()) if options.json else context
    reset(told, ["--scope", "full", "--yes"])


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
    parser.option("--daemon-runtime", metavar="<name>", help="accepted: there is only Python")
    return parser


# -- remote -----------------------------------------------------------------------------------------------------------


def _remote(context: Context, options: Namespace, snapshot: Snapshot) -> int:
    url = (options.remote_url or "").strip()
    if not url:
        raise CommandFailed("Missing --remote-url for remote mode.")
    changes: dict[str, Any] = {"gateway.mode": "remote", "gateway.remote.url": url}
    if options.remote_token:
        changes["gateway.remote.token"] = options.remote_token
    write_changes(context, changes, "onboard", "remote")
    if options.json:
        context.json({"mode": "remote", "remoteUrl": url, "auth": "token" if options.remote_token else "none"})
    else:
        context.line(f"Updated {context.short(snapshot.path)}")
    return 0


# -- local ------------------------------------------------------------------------------------------------------------


def _local(context: Context, options: Namespace, snapshot: Snapshot, pause: Callable[[float], None]) -> int:
    changes = _gateway(options, snapshot)
    changes |= _model(context, options, snapshot)
    workspace = workspace_dir(context.environ, context.home, snapshot.model)
    if options.workspace is not None:
        workspace = expand(options.workspace, context.home)
    changes["agents.defaults.workspace"] = str(workspace)
    write_changes(context, changes, "onboard", "local")
    say = (lambda line: None) if options.json else context.line
    say(f"Updated {context.short(snapshot.path)}")

    prepare(context, workspace, say)
    installs = options.install_daemon and not options.no_install_daemon
    if installs:
        install_service(context, changes["gateway.port"], say)
    answered = _greet(context, options, installs, say, pause)
    if options.json:
        report = _report(options, changes, installs)
        context.json({**report, "answered": True} if answered else report)
    return 0


def _gateway(options: Namespace, snapshot: Snapshot) -> dict[str, Any]:
    bind, auth = options.gateway_bind or "loopback", options.gateway_auth or "token"
    tailscale = options.tailscale or "off"
    if bind not in BINDS:
        raise CommandFailed(f"Invalid --gateway-bind (use {'|'.join(BINDS)}).")
    if auth not in ("token", "password"):
        raise CommandFailed("Invalid --gateway-auth (use token|password).")
    if tailscale not in ("off", "serve", "funnel"):
        raise CommandFailed("Invalid --tailscale (use off|serve|funnel).")
    port = _port(options.gateway_port or str(local_port(snapshot)))
    if tailscale != "off":
        # What Tailscale hands on comes from this machine.
        bind = "loopback"
    if tailscale == "funnel":
        auth = "password"
    changes: dict[str, Any] = {
        "gateway.mode": "local",
        "gateway.port": port,
        "gateway.bind": bind,
        "gateway.auth.mode": auth,
        "gateway.tailscale.mode": tailscale,
        "gateway.tailscale.resetOnExit": options.tailscale_reset_on_exit,
    }
    known = dig(snapshot.config, "gateway", "auth")
    if auth == "token":
        token = (options.gateway_token or "").strip() or dig(known, "token")
        changes["gateway.auth.token"] = token or secrets.token_hex(24)
        return changes
    password = options.gateway_password or dig(known, "password")
    if not password:
        raise CommandFailed("Missing --gateway-password for password auth.")
    return {**changes, "gateway.auth.password": password}


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CommandFailed("Invalid --gateway-port")
    return int(text)


def _model(context: Context, options: Namespace, snapshot: Snapshot) -> dict[str, Any]:
    """
    The key of a provider, and its first model as the default where there is none.
    """
    choice = options.auth_choice or "skip"
    given = [name for name, key in KEYS.items() if getattr(options, key.flag)]
    if choice == "skip" and given:
        choice = given[0]
    if choice == "skip":
        return {}
    key = KEYS.get(choice)
    if key is None:
        raise CommandFailed(
            f'--auth-choice "{choice}" is not here: choose one of skip, {", ".join(KEYS)},'
            " or configure the provider under models.providers."
        )
    text = (getattr(options, key.flag) or "").strip()
    if not text and not context.environ.get(key.variable, "").strip():
        raise CommandFailed(f"Missing --{key.flag.replace('_', '-')} (or {key.variable} in env).")

    from openclaw.agent.providers.known import KNOWN_PROVIDERS

    changes: dict[str, Any] = {f"env.vars.{key.variable}": text} if text else {}
    if not dig(snapshot.config, "agents", "defaults", "model", "primary"):
        changes["agents.defaults.model.primary"] = f"{key.provider}/{KNOWN_PROVIDERS[key.provider].models[0].id}"
    return changes


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


def _report(options: Namespace, changes: Mapping[str, Any], installed: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "mode": "local",
        "workspace": changes["agents.defaults.workspace"],
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
