"""
``openclaw gateway``: the process around the service tree.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorSocket
from twisted.logger import Logger

from openclaw.config.start import StartOptions
from openclaw.gateway.announce import announce
from openclaw.gateway.root import Root
from openclaw.gateway.sockets import KeptSockets
from openclaw.gateway.tap import make_setting
from openclaw.gateway.tuning import tune_process
from openclaw.store.lock import PATIENCE_SECONDS, Waiting

_log = Logger(namespace="gateway")


#: How long to wait for a gateway that was made to leave, in seconds: its runs may end first.
FORCED_SECONDS = 30.0


def run_gateway(options: StartOptions, environ: MutableMapping[str, str], *, forced: bool = False) -> int:
    """
    Run a gateway until a signal ends it.

    :param forced: whether another one was just made to leave.
    :return: the exit code.
    :raise OpenClawError: it cannot start.
    """
    _install_reactor()
    from twisted.internet import reactor

    from openclaw.gateway.assembly import make_life, make_root

    home = Path.home()
    tune_process()
    life = make_life(reactor)
    sockets = life.sockets = KeptSockets(reactor=cast(IReactorSocket, reactor))
    sockets.take_over(environ, os.getpid())
    # Each start reads what the variables say from where we began: what was read from files may be another.
    root = make_root(
        lambda warn: make_setting(options, dict(environ), home, under_twistd=False, warn=warn),
        reactor,
        life,
        announce,
        environ,
    )
    try:
        if life.lock is not None:
            # Nothing runs yet, so that there is nobody to keep waiting while an old gateway comes to its end.
            life.lock.acquire(Waiting(sleep=time.sleep, seconds=FORCED_SECONDS if forced else PATIENCE_SECONDS))
        # Before anybody can see that we are there and ask us to end.
        _take_signals(root, reactor)
        root.startService()
        running: Any = reactor
        running.addSystemEventTrigger("before", "shutdown", root.stopService)
        running.run()
    finally:
        if life.logging is not None:
            life.logging.stop()
    if life.fatal is not None:
        raise life.fatal
    return life.exit_code


def _install_reactor() -> None:
    if "twisted.internet.reactor" not in sys.modules and sys.platform.startswith("linux"):
        from twisted.internet import epollreactor

        epollreactor.install()


def _take_signals(root: Root, reactor: Any) -> None:
    stopping: list[Deferred[Any]] = []

    def stop(number: int, frame: Any) -> None:
        reactor.callFromThread(_stop, number)

    def _stop(number: int) -> None:
        if stopping:
            _log.warn("A second signal: leaving at once.")
            reactor.callLater(0, os._exit, root.life.exit_code)
            return
        name = signal.Signals(number).name
        _log.info("signal {name} received", name=name)
        _log.info("received {name}; shutting down", name=name)
        stopping.append(root.stopService())
        stopping[0].addBoth(lambda result: reactor.stop())

    def fatal() -> None:
        if not stopping:
            stopping.append(root.stopService())
            stopping[0].addBoth(lambda result: reactor.stop())

    def take() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)

    root.life.on_fatal = fatal
    take()
    # The reactor has to hear of children that end (SIGCHLD), and takes SIGTERM when it begins with that.
    reactor.callWhenRunning(take)
