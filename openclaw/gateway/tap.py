"""
How the gateway is made: for ``openclaw gateway`` and for ``twistd openclaw-gateway`` alike.

Under ``openclaw gateway`` our own observers log and our own handlers take signals. Under ``twistd`` its options own the
daemon: ``--pidfile``, ``--uid``, ``--logfile`` and the console; our daily file is written beside that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from twisted.logger import Logger
from twisted.python import usage

from openclaw.config.auth import check_start, resolve_auth
from openclaw.config.binding import choose_binding
from openclaw.config.dotenv import fill_environment
from openclaw.config.loader import load
from openclaw.config.paths import apply_profile, gateway_port, state_dir
from openclaw.config.shellenv import ShellSilent, import_shell_environment
from openclaw.errors import OpenClawError
from openclaw.gateway.assembly import Setting, build, make_life
from openclaw.gateway.life import Life
from openclaw.gateway.service import Gateway
from openclaw.gateway.tuning import tune_process

_log = Logger(namespace="gateway")


class Options(usage.Options):
    """
    Options of ``twistd openclaw-gateway``; the same names as those of ``openclaw gateway``.
    """

    optParameters = [  # noqa: RUF012 - Twisted reads it from the class
        ["port", "p", None, "Port to listen on.", int],
        ["bind", "b", None, "loopback, lan, tailnet, auto or custom."],
        ["token", None, None, "Token that clients must know (prefer the configuration file: arguments are visible)."],
        ["auth", None, None, "token or password."],
        ["password", None, None, "Password that clients must know."],
        ["profile", None, None, "Name of the profile."],
        ["ws-log", None, "auto", "auto, full or compact."],
    ]
    optFlags = [  # noqa: RUF012
        ["dev", None, "Use the dev profile."],
        ["allow-unconfigured", None, "Start without gateway.mode=local in the configuration."],
        ["verbose", "v", "Log more."],
    ]


def make_setting(
    options: Mapping[str, Any], environ: MutableMapping[str, str], home: Path, *, under_twistd: bool
) -> Setting:
    """
    Read the configuration and decide where and how to run.

    :raise OpenClawError: the configuration is invalid, or the gateway must not start with it.
    """
    fill_environment(environ, home, Path.cwd())
    snapshot = load(environ, home)
    try:
        # Before the reactor runs: a start may wait for the shell, requests may not.
        if import_shell_environment(environ, snapshot):
            snapshot = load(environ, home)
    except ShellSilent as error:
        _log.warn("{told}", told=str(error))
    config = snapshot.require()
    port = gateway_port(options.get("port"), environ, config)
    directory = state_dir(environ, home)
    auth = resolve_auth(
        config,
        snapshot.environment,
        mode=options.get("auth"),
        token=options.get("token"),
        password=options.get("password"),
    )
    for warning in check_start(config, auth, bind=options.get("bind")):
        _log.warn("{told}", told=warning)
    binding = choose_binding(config, options.get("bind"))
    if binding.warning is not None:
        _log.warn("{told}", told=binding.warning)
    return Setting(
        snapshot=snapshot,
        config=config,
        auth=auth,
        hosts=binding.hosts,
        port=port,
        state_dir=directory,
        home=home,
        environ=snapshot.environment,
        verbose=bool(options.get("verbose")),
        ws_log=options.get("ws-log") or options.get("ws_log") or "auto",
        under_twistd=under_twistd,
    )


def makeService(options: Mapping[str, Any], reactor: Any = None, life: Life | None = None) -> Gateway:
    """
    Make the gateway's service tree, as ``twistd`` asks for it.

    :param reactor: the global one when none is given.
    :raise SystemExit: it must not start; with the reason, which is printed on the terminal, and the exit code 1.
    """
    if reactor is None:
        from twisted.internet import reactor
    environ = os.environ
    home = Path.home()
    life = life or make_life(reactor)
    # The log says why; twistd has no exit codes for us to choose.
    life.on_fatal = life.on_fatal or reactor.stop
    try:
        apply_profile(environ, home, options.get("profile"), bool(options.get("dev")))
        setting = make_setting(options, environ, home, under_twistd=True)
    except OpenClawError as error:
        # Any other exception would reach people as a traceback.
        raise SystemExit(str(error)) from error
    tune_process()
    return build(setting, reactor, life)
