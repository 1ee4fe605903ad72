"""
What a start of the gateway is given, and the guards before one (``cli.md`` 4.2): for ``openclaw gateway`` and for
``twistd openclaw-gateway`` alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, frozen

from openclaw.config.auth import ResolvedAuth, StartRefused, check_start, resolve_auth
from openclaw.config.issues import ConfigError
from openclaw.config.model_hooks import hooks_problem
from openclaw.config.paths import profiled

if TYPE_CHECKING:
    from openclaw.config.loader import Snapshot
    from openclaw.config.model import Config
    from openclaw.config.model_gateway import AuthMode, TailscaleConfig, TailscaleMode

_CHOICES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ws_log": (("auto", "full", "compact"), 'Invalid --ws-log (use "auto", "full", "compact")'),
    "auth": (("token", "password"), 'Invalid --auth (use "token" or "password")'),
    "tailscale": (("off", "serve", "funnel"), 'Invalid --tailscale (use "off", "serve", or "funnel")'),
}
_BINDS = ("loopback", "lan", "tailnet", "auto", "custom")


class OptionInvalid(ConfigError):
    """
    An option has a value that it cannot have; the text is the reference's, without a prefix.
    """

    def __str__(self) -> str:
        return str(self.args[0])


@frozen(kw_only=True)
class StartOptions:
    """
    What the command line says of a start; ``None`` leaves it to the configuration.

    :param bind: not looked at before the configuration was: ``cli.md`` has this order.
    :param allow_unconfigured: start also where nothing says that this machine should be a gateway.
    """

    port: int | None = None
    bind: str | None = None
    auth: AuthMode | None = None
    token: str | None = None
    password: str | None = None
    tailscale: TailscaleMode | None = None
    tailscale_reset_on_exit: bool = False
    ws_log: Literal["auto", "full", "compact"] = "auto"
    verbose: bool = False
    allow_unconfigured: bool = False


@frozen(kw_only=True)
class Start:
    """
    A start that nothing speaks against.

    :param tailscale: with what the command line says.
    :param warnings: sentences for the log.
    """

    config: Config
    auth: ResolvedAuth
    tailscale: TailscaleConfig
    warnings: tuple[str, ...]


def read_options(given: Mapping[str, Any]) -> StartOptions:
    """
    Options as they were typed.

    :param given: by the names of :class:`StartOptions`; what is missing has its default, other names mean nothing here.
    :raise OptionInvalid: one of them has a value that makes no sense, whatever the configuration says.
    """
    told = {name: given[name] for name in StartOptions.__annotations__ if given.get(name) is not None}
    for name, (choices, text) in _CHOICES.items():
        if name in told and told[name] not in choices:
            raise OptionInvalid(text)
    if "port" in told:
        told["port"] = _port(str(told["port"]))
    return StartOptions(**told)


def _port(text: str) -> int:
    if not (text.isascii() and text.strip().isdecimal() and 1 <= int(text) <= 65535):
        raise OptionInvalid("Invalid port")
    return int(text)


def check(snapshot: Snapshot, options: StartOptions, environ: Mapping[str, str]) -> Start:
    """
    Refuse a gateway that was not set up, that would be open to everybody, or that would not do what it was told.

    :param environ: only names the profile, for the commands in the texts.
    :raise ConfigInvalid: the file cannot be used.
    :raise OptionInvalid: ``--bind`` names no way of listening.
    :raise StartRefused: with what to do about it.
    """
    config = snapshot.require()
    if not options.allow_unconfigured:
        _check_mode(snapshot, config, environ)
    if options.bind is not None and options.bind not in _BINDS:
        raise OptionInvalid('Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")')
    auth = resolve_auth(
        config,
        snapshot.environment,
        mode=options.auth,
        token=options.token,
        password=options.password,
        tailscale_mode=options.tailscale,
    )
    warnings = check_start(config, auth, bind=options.bind, tailscale_mode=options.tailscale)
    problem = hooks_problem(config.hooks, (auth.token, auth.password))
    if problem is not None:
        raise StartRefused(f"Gateway failed to start: Error: {problem}")
    configured = config.gateway.tailscale
    tailscale = evolve(
        configured,
        mode=options.tailscale or configured.mode,
        reset_on_exit=options.tailscale_reset_on_exit or configured.reset_on_exit,
    )
    return Start(config=config, auth=auth, tailscale=tailscale, warnings=warnings)


def _check_mode(snapshot: Snapshot, config: Config, environ: Mapping[str, str]) -> None:
    mode = config.gateway.mode
    if mode == "local":
        return
    if not snapshot.exists:
        raise StartRefused(
            f"Missing config. Run `{profiled(environ, 'openclaw setup')}` or set gateway.mode=local"
            " (or pass --allow-unconfigured)."
        )
    raise StartRefused(
        f"Gateway start blocked: set gateway.mode=local (current: {mode or 'unset'}) or pass --allow-unconfigured."
    )
