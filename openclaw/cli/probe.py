"""
Looking at a gateway from outside: can it be reached, who is it, how is it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.rpc import NotReached, connect
from openclaw.cli.target import Target, dig
from openclaw.client.errors import ClientError, ConnectionClosed

#: What is asked, at once, by the names under which the answers are kept.
QUESTIONS = {"health": "health", "summary": "status", "presence": "system-presence", "config": "config.get"}


@frozen(kw_only=True)
class Probe:
    """
    What came of it.

    :ivar latency_ms: until the gateway had let us in; ``None`` when it did not.
    :ivar answers: by the names of ``QUESTIONS``.
    :ivar error: why it failed.
    :ivar close: code and reason, where the gateway closed the connection.
    """

    target: Target
    latency_ms: int | None = None
    answers: Mapping[str, Any] | None = None
    error: str | None = None
    close: Mapping[str, Any] | None = None

    @property
    def connected(self) -> bool:
        """
        Whether it let us in.
        """
        return self.latency_ms is not None

    @property
    def ok(self) -> bool:
        """
        Whether it also answered everything.
        """
        return self.connected and self.error is None

    def myself(self) -> dict[str, Any] | None:
        """
        The gateway's own entry among those present.
        """
        presence = (self.answers or {}).get("presence")
        entries = presence if isinstance(presence, list) else []
        found = next((entry for entry in entries if dig(entry, "mode") == "gateway"), None)
        return None if found is None else {name: found.get(name) for name in ("host", "ip", "version", "platform")}


def probe(
    context: Context,
    target: Target,
    *,
    timeout_ms: int,
    questions: Sequence[str] = tuple(QUESTIONS),
    clock: Callable[[], float] = time.monotonic,
) -> Probe:
    """
    Connect and ask. Whatever goes wrong is in the result.
    """
    start = clock()
    try:
        client = connect(context, target, timeout_ms=timeout_ms, mode="probe")
    except NotReached as failure:
        error = failure.error
        if isinstance(error, ConnectionClosed):
            text = f"connect failed: {error.cause}" if error.cause else str(error)
            return Probe(target=target, error=text, close={"code": error.code, "reason": error.reason})
        return Probe(target=target, error="timeout")
    except ClientError as error:
        return Probe(target=target, error=f"connect failed: {error}")
    latency = round((clock() - start) * 1000)
    answers: dict[str, Any] = {}
    with client:
        try:
            asked = {name: client.ask(QUESTIONS[name], {}) for name in questions}
            for name, request in asked.items():
                left = max(timeout_ms / 1000 - (clock() - start), 0.05)
                answers[name] = client.result(request, timeout=left)
        except ConnectionClosed as error:
            closed = {"code": error.code, "reason": error.reason}
            return Probe(target=target, latency_ms=latency, answers=answers, error=str(error), close=closed)
        except ClientError as error:
            return Probe(target=target, latency_ms=latency, answers=answers, error=str(error))
    return Probe(target=target, latency_ms=latency, answers=answers)
