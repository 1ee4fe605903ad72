"""
Counting. It happens where requests are answered and events are sent, so it is a few additions there and nothing else;
what they amount to is put together when somebody asks.

Labels are bounded: methods are those of the table, codes those of the protocol, everything else is a word of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from attrs import define, field

from openclaw.agent.types import Outcome
from openclaw.metrics.families import ANSWER_BOUNDS, LAG_BOUNDS, RUN_BOUNDS, Family, Histogram, single
from openclaw.protocol.codes import ErrorCode

#: Stands for what has no name of its own.
UNKNOWN = "unknown"

#: The outcome of what went well.
OK = "ok"

RUN_OUTCOMES = (OK, "error", "timeout", "aborted")

_CODES = frozenset(str(code) for code in ErrorCode)


class Meters(Protocol):
    """
    Who is told of what happens. Called in the reactor only; never raises.
    """

    def handshake(self, outcome: str) -> None:
        """
        A connection came in, or did not.

        :param outcome: ``ok``, or the word for why not: one of ours, never one of the client's.
        """
        ...

    def answered(self, method: str, code: str | None, seconds: float) -> None:
        """
        A request had its first answer.

        :param method: as the client wrote it.
        :param code: of the error, if it was one.
        :param seconds: since the request was there.
        """
        ...

    def asked(self, route: str, status: int) -> None:
        """
        An HTTP request was answered.

        :param route: one of ``openclaw.web.routes``.
        """
        ...

    def published(self, event: str, sent: int, dropped: int) -> None:
        """
        An event went out.

        :param sent: how many connections got it.
        :param dropped: how many were too slow to get it.
        """
        ...

    def ended(self, outcome: Outcome) -> None:
        """
        A run has its outcome.
        """
        ...

    def late(self, seconds: float) -> None:
        """
        The reactor was so late to a timer.
        """
        ...


class NoMeters:
    """
    Nobody counts.
    """

    def handshake(self, outcome: str) -> None:
        pass

    def answered(self, method: str, code: str | None, seconds: float) -> None:
        pass

    def asked(self, route: str, status: int) -> None:
        pass

    def published(self, event: str, sent: int, dropped: int) -> None:
        pass

    def ended(self, outcome: Outcome) -> None:
        pass

    def late(self, seconds: float) -> None:
        pass


@define(eq=False)
class _Method:
    """
    The requests of one method.

    :ivar took: seconds to the first answer; its counts are all requests.
    :ivar errors: by code.
    """

    took: Histogram = field(factory=lambda: Histogram.empty(ANSWER_BOUNDS))
    errors: Counter[str] = field(factory=Counter)


@define(eq=False)
class Counts:
    """
    Counts in memory. Implements ``Meters``.

    :ivar methods: the names that are told apart.
    """

    methods: Iterable[str] = ()
    _unknown: _Method = field(factory=_Method, init=False)
    _methods: dict[str, _Method] = field(init=False)
    _handshakes: Counter[str] = field(factory=lambda: Counter({OK: 0}), init=False)
    _http: Counter[tuple[str, int]] = field(factory=Counter, init=False)
    _sent: Counter[str] = field(factory=Counter, init=False)
    _dropped: Counter[str] = field(factory=Counter, init=False)
    _runs: Counter[str] = field(factory=lambda: Counter(dict.fromkeys(RUN_OUTCOMES, 0)), init=False)
    _ran: dict[str, Histogram] = field(init=False)
    _late: Histogram = field(factory=lambda: Histogram.empty(LAG_BOUNDS), init=False)

    def __attrs_post_init__(self) -> None:
        self._methods = {name: _Method() for name in self.methods}
        self._ran = {outcome: Histogram.empty(RUN_BOUNDS) for outcome in RUN_OUTCOMES}

    def handshake(self, outcome: str) -> None:
        self._handshakes[outcome] += 1

    def answered(self, method: str, code: str | None, seconds: float) -> None:
        row = self._methods.get(method, self._unknown)
        row.took.add(seconds)
        if code is not None:
            row.errors[code if code in _CODES else UNKNOWN] += 1

    def asked(self, route: str, status: int) -> None:
        self._http[route, status // 100] += 1

    def published(self, event: str, sent: int, dropped: int) -> None:
        self._sent[event] += sent
        if dropped:
            self._dropped[event] += dropped

    def ended(self, outcome: Outcome) -> None:
        word = "timeout" if outcome.code == ErrorCode.AGENT_TIMEOUT else outcome.status
        self._runs[word] += 1
        if outcome.started_at_ms is not None:
            self._ran[word].add(max(0, outcome.ended_at_ms - outcome.started_at_ms) / 1000)

    def late(self, seconds: float) -> None:
        self._late.add(seconds)

    # -- reading ------------------------------------------------------------------------------------------------------

    def families(self) -> Iterator[Family]:
        """
        What has been counted until now; it does not change any more.
        """
        yield Family(
            "counter",
            "openclaw_handshakes",
            "WebSocket connections that came in (ok) or did not, by why.",
            ("outcome",),
            _labelled(self._handshakes),
        )
        yield from self._requests()
        yield Family(
            "counter",
            "openclaw_http_requests",
            "Answered HTTP requests, by kind of address and class of status.",
            ("route", "status"),
            {(route, f"{status}xx"): count for (route, status), count in self._http.items()},
        )
        yield Family(
            "counter", "openclaw_events_sent", "Events given to connections.", ("event",), _labelled(self._sent)
        )
        yield Family(
            "counter",
            "openclaw_events_dropped",
            "Events that connections were too slow to get.",
            ("event",),
            _labelled(self._dropped),
        )
        yield Family("counter", "openclaw_runs", "Runs that have ended.", ("outcome",), _labelled(self._runs))
        yield Family(
            "histogram",
            "openclaw_run_duration_seconds",
            "From the beginning of a run to its end; waiting for its turn not counted.",
            ("outcome",),
            {(outcome,): took.copy() for outcome, took in self._ran.items()},
        )
        yield single(
            "histogram",
            "openclaw_reactor_lag_seconds",
            "How late the reactor was to its own timer, looked at once a second and ten times while it works.",
            self._late.copy(),
        )

    def _requests(self) -> Iterator[Family]:
        rows = {**self._methods, UNKNOWN: self._unknown}
        seen = {name: row for name, row in rows.items() if any(row.took.counts)}
        codes: dict[tuple[str, ...], int] = {}
        for name, row in seen.items():
            codes[name, OK] = sum(row.took.counts) - row.errors.total()
            codes |= {(name, code): count for code, count in row.errors.items()}
        yield Family(
            "counter",
            "openclaw_requests",
            "Requests on the WebSocket, by method and outcome.",
            ("method", "code"),
            codes,
        )
        yield Family(
            "histogram",
            "openclaw_request_duration_seconds",
            "From a request on the WebSocket to its first answer.",
            ("method",),
            {(name,): row.took.copy() for name, row in seen.items()},
        )


def _labelled(counts: Counter[str]) -> dict[tuple[str, ...], int]:
    return {(name,): count for name, count in counts.items()}
