"""
The system's lookup.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from openclaw.egress.errors import NameNotFound
from openclaw.egress.fetch import Egress
from openclaw.egress.resolving import LOOKUPS_AT_ONCE, SystemNames


@define(eq=False)
class Threads:
    """
    A reactor whose threads wait for the test.
    """

    waiting: list[Callable[[], None]] = field(factory=list)

    def getThreadPool(self) -> Threads:
        return self

    def callFromThread(self, call: Callable[..., object], *arguments: object) -> None:
        call(*arguments)

    def callInThreadWithCallback(self, ended: Any, call: Any, *arguments: Any, **named: Any) -> None:
        def work() -> None:
            try:
                result = call(*arguments, **named)
            except Exception:
                ended(False, Failure())
            else:
                ended(True, result)

        self.waiting.append(work)

    def run(self) -> None:
        self.waiting.pop(0)()


class SystemNamesTests(SynchronousTestCase):
    """
    With threads and answers that the test gives.
    """

    def setUp(self) -> None:
        self.threads = Threads()
        self.asked: list[object] = []
        self.error: Exception | None = None
        self.names = SystemNames(self.threads, self.getaddrinfo)

    def getaddrinfo(self, *arguments: object, **named: object) -> list[Any]:
        self.asked.append((arguments, named))
        if self.error is not None:
            raise self.error
        stream = socket.SOCK_STREAM
        return [
            (socket.AF_INET6, stream, 6, "", ("fe80::1%lo", 0, 0, 1)),
            (socket.AF_INET, stream, 6, "", ("8.8.8.8", 0)),
        ]

    def look(self, host: str = "example.com") -> Deferred[Any]:
        return Deferred.fromCoroutine(self.names(host))

    def test_addresses(self) -> None:
        """
        Every address of the name, each once, zones included.
        """
        looking = self.look()
        self.threads.run()
        self.assertEqual(self.successResultOf(looking), ["fe80::1%lo", "8.8.8.8"])
        self.assertEqual(self.asked, [(("example.com", None), {"type": socket.SOCK_STREAM})])

    def test_unknown(self) -> None:
        """
        No such name, and nobody who could say, are two things.
        """
        for number, text in {
            socket.EAI_NONAME: "getaddrinfo ENOTFOUND example.com",
            socket.EAI_AGAIN: "getaddrinfo EAI_AGAIN example.com",
        }.items():
            self.error = socket.gaierror(number, "no")
            looking = self.look()
            self.threads.run()
            self.assertEqual(str(self.failureResultOf(looking, NameNotFound).value), text)

    def test_turns(self) -> None:
        """
        A few at once. Who leaves does not free the thread, so nobody can take them all by asking and leaving.
        """
        first = [self.look() for _ in range(LOOKUPS_AT_ONCE)]
        last = self.look("last.example")
        for looking in first:
            looking.cancel()
            self.failureResultOf(looking, CancelledError)
        self.assertEqual(len(self.threads.waiting), LOOKUPS_AT_ONCE)
        self.error = OSError("any")
        self.threads.run()
        self.error = None
        self.assertEqual(len(self.threads.waiting), LOOKUPS_AT_ONCE)
        while self.threads.waiting:
            self.threads.run()
        self.assertEqual(len(self.successResultOf(last)), 2)

    def test_default(self) -> None:
        """
        Nobody has to name it.
        """
        egress = Egress(self.threads)
        assert isinstance(egress.resolve, SystemNames)
        self.assertIs(egress.resolve.getaddrinfo, socket.getaddrinfo)
