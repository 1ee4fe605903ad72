"""
Following one run from inside the gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.logger import Logger

from openclaw.agent.types import Publish

#: Gets the stream of an ``agent`` event and its data, as ``methods.md`` 6.2 has them.
Listener = Callable[[str, Mapping[str, Any]], None]


@define(eq=False)
class Following:
    """
    Publishes events, and tells those of a run to whoever follows it.
    """

    _log = Logger()
    publish: Publish
    _listeners: dict[str, Listener] = field(factory=dict, init=False)

    def __call__(self, event: str, payload: Mapping[str, Any], *, drop_if_slow: bool = False) -> None:
        if event == "agent":
            self._tell(payload)
        self.publish(event, payload, drop_if_slow=drop_if_slow)

    def follow(self, run_id: str, listener: Listener) -> Callable[[], None]:
        """
        :param run_id: of a run that may not be there yet; it has one follower at most.
        :return: ends it.
        """
        self._listeners[run_id] = listener
        return lambda: self._forget(run_id)

    def _forget(self, run_id: str) -> None:
        self._listeners.pop(run_id, None)

    def _tell(self, payload: Mapping[str, Any]) -> None:
        listener = self._listeners.get(payload["runId"])
        if listener is None:
            return
        try:
            listener(payload["stream"], payload["data"])
        except Exception:
            self._log.failure("A follower of the run {run} failed.", run=payload["runId"])
