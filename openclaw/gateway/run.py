"""
``openclaw gateway``: the process around the service tree.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from openclaw.gateway.assembly import Setting
from openclaw.gateway.service import Gateway
from openclaw.gateway.tap import make_setting

_log = Logger(namespace="gateway")

#: Files that a busy gateway may have open.
OPEN_FILES = 65_536


def run_gateway(options: Mapping[str, Any], environ: MutableMapping[str, str]) -> int:
    """
    Run a gateway until a signal ends it.

    :param options: by the names of ``openclaw gateway``: ``port``, ``bind``, ``token``, ``password``, ``auth``,
        ``verbose``, ``ws_log``.
    :return: the exit code.
    :raise OpenClawError: it cannot start.
    """
    _install_reactor()
    from twisted.internet import reactor

    from openclaw.gateway.assembly import build, make_life

    home = Path.home()
    raise_open_files()
    setting = make_setting(options, environ, home, under_twistd=False)
    life = make_life(reactor)
    gateway = build(setting, reactor, life)
    try:
        gateway.startService()
        announce(setting, gateway)
        _take_signals(gateway, reactor)
        running: Any = reactor
        running.addSystemEventTrigger("before", "shutdown", gateway.stopService)
        running.run(installSignalHandlers=False)
    finally:
        if life.logging is not None:
            life.logging.stop()
    return life.exit_code


def announce(setting: Setting, gateway: Gateway) -> None:
    """
    Say where the gateway is and how to talk to it.
    """
    port = gateway.listener.bound_port()
    base = setting.config.gateway.control_ui.base_path or ""
    model = setting.config.agents.defaults.model.primary if setting.config.agents.defaults.model else None
    lines = [
        f"listening on ws://{setting.hosts[0]}:{port} (PID {os.getpid()})",
        f"agent model: {model or 'builtin/echo (none configured)'}",
        f"dashboard: http://127.0.0.1:{port}{base}/ (openclaw dashboard prints the address with the token)",
        "talk to it: openclaw agent --message hi",
    ]
    for line in lines:
        _log.info("{line}", line=line)


def raise_open_files() -> None:
    """
    Raise the soft limit of open files as far as the hard limit lets us.
    """
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _install_reactor() -> None:
    if "twisted.internet.reactor" not in sys.modules and sys.platform.startswith("linux"):
        from twisted.internet import epollreactor

        epollreactor.install()


def _take_signals(gateway: Gateway, reactor: Any) -> None:
    stopping: list[Deferred[Any]] = []

    def stop(number: int, frame: Any) -> None:
        reactor.callFromThread(_stop, number)

    def _stop(number: int) -> None:
        if stopping:
            _log.warn("A second signal: leaving at once.")
            reactor.callLater(0, os._exit, gateway.life.exit_code)
            return
        _log.info("signal {name} received", name=signal.Signals(number).name)
        stopping.append(gateway.stopService())
        stopping[0].addBoth(lambda result: reactor.stop())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
