"""
Short child processes with limits behind one small interface, so that tests need no child; and work that may never end,
in threads that keep nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from openclaw.errors import OpenClawError

T = TypeVar("T")

#: Runs work in a thread of its own that does not keep the process from ending.
Spawn = Callable[[Callable[[], None]], object]


@frozen(kw_only=True)
class Finished:
    """
    What a child process left.
    """

    exit_code: int
    output: bytes
    errors: bytes = b""


@frozen(kw_only=True)
class ProcessFailed(OpenClawError):
    """
    A child process could not be run to its end.
    """

    program: str
    why: str

    def __str__(self) -> str:
        return f"{self.program}: {self.why}"


class Runner(Protocol):
    """
    Runs a program to its end.
    """

    def __call__(
        self, command: Sequence[str], *, limit: timedelta, most_bytes: int, stdin: bytes = b""
    ) -> Deferred[Finished]:
        """
        :param limit: the child is killed after this.
        :param most_bytes: of standard output, and of standard error; more kills the child.
        :param stdin: all that the child can read there.
        :return: fires when the child has ended by itself. Cancelling it kills the child.
        :raise ProcessFailed: it could not be started, took too long or said too much.
        """
        ...


class _Collector(ProcessProtocol):
    def __init__(self, program: str, most_bytes: int, stdin: bytes) -> None:
        self.program = program
        self.most_bytes = most_bytes
        self.stdin = stdin
        self.output = bytearray()
        self.errors = bytearray()
        self.why: str | None = None
        self.done: Deferred[Finished] = Deferred(lambda deferred: self.kill("cancelled"))

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self.stdin)
        self.transport.closeStdin()
        self.stdin = b""

    def kill(self, why: str) -> None:
        self.why = why
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")

    def outReceived(self, data: bytes) -> None:
        self._collect(self.output, data)

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted calls it
        self._collect(self.errors, data)

    def _collect(self, collected: bytearray, data: bytes) -> None:
        collected += data
        if len(collected) > self.most_bytes and self.why is None:
            self.kill("too much output")

    def processEnded(self, reason: Failure) -> None:
        if self.why is not None:
            self.done.errback(ProcessFailed(program=self.program, why=self.why))
            return
        code = 0 if reason.check(ProcessDone) else getattr(reason.value, "exitCode", None)
        code = -1 if code is None else code
        self.done.callback(Finished(exit_code=code, output=bytes(self.output), errors=bytes(self.errors)))


@define(kw_only=True)
class ReactorRunner:
    """
    Runs programs as children of this process.

    :ivar environ: their whole environment.
    """

    reactor: Any
    environ: Mapping[str, str]

    def __call__(
        self, command: Sequence[str], *, limit: timedelta, most_bytes: int, stdin: bytes = b""
    ) -> Deferred[Finished]:
        spawner: IReactorProcess = self.reactor
        collector = _Collector(command[0], most_bytes, stdin)
        spawner.spawnProcess(collector, command[0], list(command), env=dict(self.environ))
        timer = self.reactor.callLater(limit.total_seconds(), collector.kill, "took too long")

        def stop_timer(result: Any) -> Any:
            if timer.active():
                timer.cancel()
            return result

        return collector.done.addBoth(stop_timer)


def in_own_thread(reactor: Any, spawn: Spawn, work: Callable[[], T]) -> Deferred[T]:
    """
    Run work of somebody else's, whatever it does: one that never ends keeps its thread and nothing more.

    :param reactor: is told from threads.
    :return: fires with what it gives, or with what it raises, ``SystemExit`` too. Cancelling it only ends the waiting.
    """
    done: Deferred[T] = Deferred()

    def tell(result: Any) -> None:
        if not done.called:
            done.callback(result)

    def run() -> None:
        try:
            result: Any = work()
        except BaseException:
            result = Failure()
        reactor.callFromThread(tell, result)

    spawn(run)
    return done
