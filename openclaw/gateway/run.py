"""
``openclaw gateway``: the process around the service tree.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from openclaw.agent.providers.catalog import ECHO, UnknownModel, default_ref
from openclaw.config.binding import LOOPBACK
from openclaw.config.model import Config
from openclaw.config.paths import profiled
from openclaw.config.start import StartOptions
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting
from openclaw.gateway.tap import make_setting
from openclaw.gateway.tuning import tune_process
from openclaw.store.lock import Waiting

_log = Logger(namespace="gateway")


def run_gateway(options: StartOptions, environ: MutableMapping[str, str]) -> int:
    """
    Run a gateway until a signal ends it.

    :return: the exit code.
    :raise OpenClawError: it cannot start.
    """
    _install_reactor()
    from twisted.internet import reactor

    from openclaw.gateway.assembly import build, make_life

    home = Path.home()
    tune_process()
    setting = make_setting(options, environ, home, under_twistd=False)
    life = make_life(reactor)
    gateway = build(setting, reactor, life)
    try:
        if life.lock is not None:
            # Nothing runs yet, so that there is nobody to keep waiting while an old gateway comes to its end.
            life.lock.acquire(Waiting(sleep=time.sleep))
        # Before anybody can see that we are there and ask us to end.
        _take_signals(gateway, reactor)
        gateway.startService()
        announce(setting, gateway)
        running: Any = reactor
        running.addSystemEventTrigger("before", "shutdown", gateway.stopService)
        running.run(installSignalHandlers=False)
    finally:
        if life.logging is not None:
            life.logging.stop()
    if life.fatal is not None:
        raise life.fatal
    return life.exit_code


def announce(setting: Setting, gateway: Gateway) -> None:
    """
    Say where the gateway is and how to talk to it.
    """
    logging = gateway.life.logging
    addresses = [listening.getHost() for listening in gateway.listener.ports]
    for line in announcement(setting.config, setting.environ, addresses, logging.path if logging else None):
        _log.info("{line}", line=line)


def announcement(
    config: Config, environ: Mapping[str, str], addresses: Sequence[Any], log_path: Path | None
) -> Iterator[str]:
    """
    What is said: scripts wait for ``listening on ws://``.

    :param addresses: of Twisted's kind, at least one.
    """
    first, *others = addresses
    # However it listens, it does so on loopback too, where browsers have keys without TLS.
    page = f"http://{LOOPBACK[0]}:{first.port}{config.gateway.control_ui.prefix}/"
    yield f"agent model: {model_line(config, environ)}"
    yield f"listening on {_url(first)} (PID {os.getpid()})"
    yield from (f"listening on {_url(other)}" for other in others)
    if log_path is not None:
        yield f"log file: {log_path}"
    command = profiled(environ, "openclaw dashboard")
    yield f"dashboard: {page} ({command} prints the address with the token)"
    yield f"talk to it: {profiled(environ, 'openclaw agent --message hi')}"


def _url(address: Any) -> str:
    return f"ws://[{address.host}]:{address.port}" if ":" in address.host else f"ws://{address.host}:{address.port}"


def model_line(config: Config, environ: Mapping[str, str]) -> str:
    """
    Which model the default agent will use: configured, or found by its provider's key.
    """
    try:
        ref = default_ref(config, environ, config.agents.default_id)
    except UnknownModel as error:
        return str(error)
    return f"{ref} (none configured)" if str(ref) == ECHO.ref else str(ref)


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

    def fatal() -> None:
        if not stopping:
            stopping.append(gateway.stopService())
            stopping[0].addBoth(lambda result: reactor.stop())

    gateway.life.on_fatal = fatal
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
