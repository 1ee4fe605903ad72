"""
What the options of ``openclaw onboard`` write into the configuration. Nothing is written here, so that everything can
be refused before anything is changed.
"""

from __future__ import annotations

import secrets
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.cli.setup_write import anew, lasting
from openclaw.cli.target import dig, local_port
from openclaw.config.auth import resolve_auth, weakness
from openclaw.config.loader import Snapshot
from openclaw.config.paths import expand, workspace_dir
from openclaw.wizard.setup import first_model, wrong_url

BINDS = ("loopback", "lan", "tailnet", "auto", "custom")
#: Accepted, as in scripts of before: there is only Python.
RUNTIMES = ("node", "bun", "python")
NODE_MANAGERS = ("npm", "pnpm", "bun")


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


def remote_changes(options: Namespace) -> dict[str, Any]:
    """
    For a machine whose gateway is elsewhere.

    :return: dotted keys with their values.
    :raise CommandFailed: an option is missing, or has a value that it cannot have.
    """
    url = (options.remote_url or "").strip()
    if not url:
        raise CommandFailed("Missing --remote-url for remote mode.")
    if (wrong := wrong_url(url)) is not None:
        raise CommandFailed(f"Invalid --remote-url: {wrong}")
    changes: dict[str, Any] = {"gateway.mode": "remote", "gateway.remote.url": url}
    token = (options.remote_token or "").strip()
    return {**changes, "gateway.remote.token": token} if token else changes


def local_changes(context: Context, options: Namespace, snapshot: Snapshot) -> dict[str, Any]:
    """
    For a gateway on this machine.

    :param snapshot: what is there. Of it nothing is written again that may stand there as a variable or an include.
    :return: dotted keys with their values.
    :raise CommandFailed: an option is missing, or has a value that it cannot have.
    """
    if options.daemon_runtime not in (None, *RUNTIMES):
        raise CommandFailed("Invalid --daemon-runtime (use node or bun)")
    changes = {**_gateway(context, options, snapshot), **_model(context, options, snapshot)}
    told = (options.workspace or "").strip()
    if told:
        path = expand(told, context.home)
        if not next(part for part in (path, *path.parents) if part.exists()).is_dir():
            raise CommandFailed(f"Invalid --workspace: {path} cannot be a directory.")
        changes["agents.defaults.workspace"] = str(path)
    elif not dig(snapshot.config, "agents", "defaults", "workspace"):
        changes["agents.defaults.workspace"] = str(workspace_dir(context.environ, context.home, snapshot.model))
    if options.node_manager is not None and not options.skip_skills:
        if options.node_manager not in NODE_MANAGERS:
            raise CommandFailed("Invalid --node-manager (use npm, pnpm, or bun)")
        changes["skills.install.nodeManager"] = options.node_manager
    return changes


def port_of(text: str) -> int:
    """
    :raise CommandFailed: it is no port.
    """
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CommandFailed("Invalid --gateway-port")
    return int(text)


def _gateway(context: Context, options: Namespace, snapshot: Snapshot) -> dict[str, Any]:
    bind, mode = options.gateway_bind or "loopback", options.gateway_auth or "token"
    tailscale = options.tailscale or "off"
    if bind not in BINDS:
        raise CommandFailed(f"Invalid --gateway-bind (use {'|'.join(BINDS)}).")
    if mode not in ("token", "password"):
        raise CommandFailed("Invalid --gateway-auth (use token|password).")
    if tailscale not in ("off", "serve", "funnel"):
        raise CommandFailed("Invalid --tailscale (use off|serve|funnel).")
    port = port_of(options.gateway_port or str(local_port(snapshot)))
    if tailscale != "off":
        # What Tailscale hands on comes from this machine.
        bind = "loopback"
    if tailscale == "funnel":
        mode = "password"
    changes: dict[str, Any] = {
        "gateway.mode": "local",
        "gateway.port": port,
        "gateway.bind": bind,
        "gateway.auth.mode": mode,
        "gateway.tailscale.mode": tailscale,
        "gateway.tailscale.resetOnExit": options.tailscale_reset_on_exit,
    }
    given = (getattr(options, f"gateway_{mode}") or "").strip()
    known = getattr(resolve_auth(snapshot.require(), lasting(context, snapshot)), mode)
    if not given and not known:
        if mode == "password":
            raise CommandFailed("Missing --gateway-password for password auth.")
        given = secrets.token_hex(24)
    weak = weakness(given or known)
    if weak is not None and bind != "loopback":
        raise CommandFailed(
            f"A {mode} for bind {bind} must be stronger: it {weak}. Give another with --gateway-{mode}."
        )
    return {**changes, f"gateway.auth.{mode}": given} if given else changes


def _model(context: Context, options: Namespace, snapshot: Snapshot) -> dict[str, Any]:
    """
    Keys of providers, and the first model of the one that was chosen as the default where there is none.
    """
    given = {name: key for name, key in KEYS.items() if (getattr(options, key.flag) or "").strip()}
    choice = options.auth_choice or "skip"
    if choice == "skip":
        choice = next(iter(given), choice)
    if choice == "skip":
        return {}
    chosen = KEYS.get(choice)
    if chosen is None:
        raise CommandFailed(
            f'--auth-choice "{choice}" is not here: choose one of skip, {", ".join(KEYS)},'
            " or configure the provider under models.providers."
        )
    environ = anew(context) if options.reset else context.environ
    if chosen not in given.values() and not environ.get(chosen.variable, "").strip():
        raise CommandFailed(f"Missing --{chosen.flag.replace('_', '-')} (or {chosen.variable} in env).")

    from openclaw.agent.providers.known import KNOWN_PROVIDERS

    changes = {f"env.vars.{key.variable}": getattr(options, key.flag).strip() for key in given.values()}
    default = dig(snapshot.config, "agents", "defaults", "model")
    if not isinstance(default, str) and not dig(default, "primary"):
        changes["agents.defaults.model.primary"] = first_model(chosen.provider, KNOWN_PROVIDERS[chosen.provider])
    return changes
