"""
The process-wide heartbeat switch (``methods.md`` 5.5, 5.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define


@define
class HeartbeatSwitch:
    """
    Whether heartbeats may run, and the last one. In memory: on again after a start.
    """

    enabled: bool = True
    _last: Mapping[str, Any] | None = None

    def last(self) -> Mapping[str, Any] | None:
        return self._last

    def enable(self, enabled: bool) -> None:
        self.enabled = enabled
