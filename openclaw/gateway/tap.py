"""
How the gateway is made: for ``openclaw gateway`` and for ``twistd openclaw-gateway`` alike.

Under ``openclaw gateway`` our own observers log and our own handlers take signals. Under ``twistd`` its options own the
daemon: ``--pidfile``, ``--uid``, ``--logfile`` and the console; our daily file is written beside that.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from twisted.logger import Logger
from twisted.python import usage

from openclaw.config.binding import choose_binding
from openclaw.config.dotenv import fill_environment
from openclaw.config.loader import load
from openclaw.config.paths import apply_profile, gateway_port, state_dir
from openclaw.config.shellenv import ShellSilent, import_shell_environment
from openclaw.config.start import StartOptions, check, read_options
from openclaw.errors import OpenClawError
from openclaw.gateway.announce import announce
from openclaw.gateway.assembly import make_life, make_root
from openclaw.gateway.life import Life
from openclaw.gateway.root import Root
from openclaw.gateway.setting import Setting
from openclaw.gateway.sockets import KeptSockets
from openclaw.gateway.tuning import tune_process
from openclaw.store.claims import claims_of, runtime_dir
from openclaw.tls.pair import ensure_pair

_log = Logger(namespace="gateway")


class Options(usage.Options):
    """
    Options of ``twistd openclaw-gateway``; the same names as those of ``openclaw gateway``.
    """

    optParameters = [  # noqa: RUF012 - Twisted reads it from the class
        ["port", "p", None, "Port to listen on."],
        ["bind", "b", None, "loopback, lan, tailnet, auto or custom."],
        ["token", None, None, "Token that clients must know (prefer the configuration file: arguments are visible)."],
        ["auth", None, None, "token or password."],
        ["password", None, None, "Password that clients must know."],
        ["profile", None, None, "Name of the profile."],
        ["tailscale", None, None, "off, serve or funnel."],
        ["ws-log", None, "auto", "auto, full or compact."],
    ]
    optFlags = [  # noqa: RUF012
        ["tailscale-reset-on-exit", None, "Undo serve or funnel when the gateway stops."],
        ["dev", None, "Use the dev profile."],
        ["allow-unconfigured", None, "Start without gateway.mode=local in the configuration."],
        ["verbose", "v", "Log more."],
    ]


def warn(told: str) -> None:
    """
    Tell of it in the log.
    """
    _log.warn("{told}", told=told)


def make_setting(
    options: StartOptions,
    environ: MutableMapping[str, str],
    home: Path,
    *,
    under_twistd: bool,
    warn: Callable[[str], None] = warn,
    now: Callable[[], float] = time.time,
) -> Setting:
    """
    Read the configuration and decide where and how to run.

    :param warn: told of what is odd; logging is not for threads.
    :param now: seconds since the epoch.
    :raise OpenClawError: the configuration is invalid, or the gateway must not start with it.
    """
    fill_environment(environ, home, Path.cwd())
    snapshot = load(environ, home)
    try:
        # Before the reactor runs: a start may wait for the shell, requests may not.
        if import_shell_environment(environ, snapshot):
            snapshot = load(environ, home)
    except ShellSilent as error:
        warn(str(error))
    start = check(snapshot, options, environ)
    binding = choose_binding(start.config, options.bind)
    for warning in (*start.warnings, *([binding.warning] if binding.warning else [])):
        warn(warning)
    port = gateway_port(options.port, snapshot.environment, start.config)
    state = state_dir(environ, home)
    tls = start.config.gateway.tls
    return Setting(
        snapshot=snapshot,
        config=start.config,
        auth=start.auth,
        hosts=binding.hosts,
        port=port,
        state_dir=state,
        home=home,
        claims=claims_of(start.config, snapshot.environment, home, runtime_dir(environ, os.getuid())),
        tls=ensure_pair(tls, state, home, now) if tls.enabled else None,
        tailscale=start.tailscale,
        # What is derived from the port in a child follows the one that is used.
        environ={**snapshot.environment, "OPENCLAW_GATEWAY_PORT": str(port)},
        own_environ=dict(environ),
        verbose=options.verbose,
        ws_log=options.ws_log,
        under_twistd=under_twistd,
    )


def makeService(options: Mapping[str, Any], reactor: Any = None, life: Life | None = None) -> Root:
    """
    Make the gateway's service tree, as ``twistd`` asks for it.

    :param reactor: the global one when none is given; then the process is ours, and its exit code too.
    :raise SystemExit: it must not start; with the reason, which is printed on the terminal, and the exit code 1.
    """
    environ = os.environ
    home = Path.home()
    owned = reactor is None
    if reactor is None:
        from twisted.internet import reactor
    life = life or make_life(reactor)
    # The log says why.
    life.on_fatal = life.on_fatal or reactor.stop
    tune_process()
    if owned:
        sockets = life.sockets = KeptSockets(reactor=reactor)
        # systemd runs us with -n: a daemon has another pid than the one that it was told of.
        sockets.take_over(environ, os.getpid())
    try:
        told = read_options({name.replace("-", "_"): value for name, value in options.items()})
        apply_profile(environ, home, options.get("profile"), bool(options.get("dev")))
        root = make_root(
            lambda warn: make_setting(told, dict(environ), home, under_twistd=True, warn=warn),
            reactor,
            life,
            announce,
            environ,
        )
    except OpenClawError as error:
        # Any other exception would reach people as a traceback.
        raise SystemExit(str(error)) from error
    if owned:
        atexit.register(leave, life)
    return root


def leave(life: Life, leave_with: Callable[[int], Any] = os._exit) -> None:
    """
    Give the process an exit code. ``twistd`` has none for a service that had to end, and whatever supervises it would
    take that for a success; by now it has written its log and removed its pid file.

    :param leave_with: ends the process.
    """
    if life.exit_code:
        for stream in (sys.stdout, sys.stderr):
            # One that is closed, or was never there, has nothing left to write.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
        leave_with(life.exit_code)
