"""
What of heartbeats belongs to the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define


@define
class HeartbeatSwitch:
    """
    Whether heartbeats may run, and the last one (``methods.md`` 5.5, 5.6). It belongs to the process: on again after a
    start, and left alone by a restart in place.
    """

    enabled: bool = True
    last: Mapping[str, Any] | None = None
