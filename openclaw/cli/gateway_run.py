"""
``openclaw gateway run``: check that the gateway may start, then become it.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from openclaw.cli.context import Context
from openclaw.cli.exits import TRY_AGAIN, CommandFailed, ConfigurationRefused, UsageError, code_for
from openclaw.cli.target import dig, read_config
from openclaw.config.auth import check_start, resolve_auth
from openclaw.config.devdefaults import ensure_dev_config
from openclaw.config.loader import Snapshot
from openclaw.config.paths import config_path, gateway_port, workspace_dir
from openclaw.errors import OpenClawError

_CHOICES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ws_log": (("auto", "full", "compact"), 'Invalid --ws-log (use "auto", "full", "compact")'),
    "auth": (("token", "password"), 'Invalid --auth (use "token" or "password")'),
    "tailscale": (("off", "serve", "funnel"), 'Invalid --tailscale (use "off", "serve", or "funnel")'),
}
_BINDS = ("loopback", "lan", "tailnet", "auto", "custom")


class BadOption(UsageError):
    """
    An option of the gateway has a value that it cannot have; the text is the reference's, without a prefix.
    """

    def __str__(self) -> str:
        return str(self.args[0])


def run(context: Context, options: Namespace) -> int:
    """
    :return: the exit code of the gateway, after it has ended.
    :raise ConfigurationRefused: it must not start with this configuration.
    """
    check_options(options)
    port = _port(options.port)
    if options.compact:
        options.ws_log = "compact"
    if options.dev or context.environ.get("OPENCLAW_PROFILE", "").strip().lower() == "dev":
        make_dev_config(context)
    snapshot = read_config(context)
    guard(context, options, snapshot)
    if options.token:
        context.environ["OPENCLAW_GATEWAY_TOKEN"] = options.token
    effective = gateway_port(port, snapshot.environment, snapshot.model)
    if options.force:
        from openclaw.cli.ports import free_port

        for line in free_port(effective):
            context.line(line)
    # Ports that are derived follow the one that is used.
    context.environ["OPENCLAW_GATEWAY_PORT"] = str(effective)

    from openclaw.gateway.run import run_gateway

    # What follows is the gateway's own output: nothing of ours may come late.
    context.out.flush()
    try:
        return run_gateway(gateway_options(options, effective), context.environ)
    except OpenClawError as error:
        if code_for(error) != TRY_AGAIN:
            raise
        from openclaw.cli.start_failure import lines

        raise CommandFailed("\n".join(lines(context, error, effective)), TRY_AGAIN) from error


def check_options(options: Namespace) -> None:
    """
    :raise UsageError: the values make no sense, whatever the configuration says.
    """
    if options.reset and not options.dev:
        raise BadOption("Use --reset with --dev.")
    for name, (choices, text) in _CHOICES.items():
        value = getattr(options, name)
        if value is not None and value not in choices:
            raise BadOption(text)
    _port(options.port)


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.strip().isdecimal() or not 1 <= int(text) <= 65535:
        raise BadOption("Invalid port")
    return int(text)


def make_dev_config(context: Context) -> None:
    """
    A development gateway needs no preparation: what is missing is made here.
    """
    path = config_path(context.environ, context.home)
    workspace = workspace_dir(context.environ, context.home)
    if ensure_dev_config(path, workspace=workspace):
        context.line(f"Dev config ready: {context.short(path)}")
        from openclaw.agent.workspace import ensure_workspace

        ensure_workspace(workspace)
        context.line(f"Dev workspace ready: {context.short(workspace)}")


def guard(context: Context, options: Namespace, snapshot: Snapshot) -> None:
    """
    Refuse to start a gateway that was not set up, or that would be open to everybody.

    :raise ConfigurationRefused: nothing says that this machine should be a gateway.
    :raise StartRefused: there is no secret, or not the right one for the way it listens.
    :raise UsageError: ``--bind`` names no way of listening.
    """
    mode = dig(snapshot.config, "gateway", "mode")
    if mode != "local" and not options.allow_unconfigured:
        if not snapshot.exists:
            raise ConfigurationRefused(
                f"Missing config. Run `{context.command('openclaw setup')}` or set gateway.mode=local"
                " (or pass --allow-unconfigured)."
            )
        raise ConfigurationRefused(
            f"Gateway start blocked: set gateway.mode=local (current: {mode or 'unset'}) or pass --allow-unconfigured."
        )
    if options.bind is not None and options.bind not in _BINDS:
        raise BadOption('Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")')
    config = snapshot.require()
    auth = resolve_auth(
        config,
        snapshot.environment,
        mode=options.auth,
        token=options.token,
        password=options.password,
        tailscale_mode=options.tailscale,
    )
    # The gateway logs the warnings itself.
    check_start(config, auth, bind=options.bind, tailscale_mode=options.tailscale)
    if config.hooks.enabled and not (config.hooks.token or "").strip():
        raise ConfigurationRefused("Gateway failed to start: Error: hooks.enabled requires hooks.token")


def gateway_options(options: Namespace, port: int) -> dict[str, object]:
    """
    What the gateway is told of the command line.
    """
    return {
        "port": port,
        "bind": options.bind,
        "token": options.token,
        "auth": options.auth,
        "password": options.password,
        "tailscale": options.tailscale,
        "tailscale_reset_on_exit": options.tailscale_reset_on_exit,
        "verbose": options.verbose,
        "ws_log": options.ws_log,
        "raw_stream": options.raw_stream,
        "raw_stream_path": Path(options.raw_stream_path) if options.raw_stream_path else None,
    }
