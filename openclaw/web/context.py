"""
What the pages know of the gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import field, frozen

from openclaw.config.model import Config
from openclaw.web.hosts import machine_names


@frozen(kw_only=True)
class WebContext:
    """
    Everything is asked anew for each request, so a reload of the configuration needs nothing here.

    :ivar pending: names of the parts that are not ready yet.
    :ivar names: the names of this machine, by which clients may call it.
    :ivar workspace: where an agent's own files are, for its ``IDENTITY.md`` and avatar; ``None`` leaves them unread.
    """

    config: Callable[[], Config]
    pending: Callable[[], list[str]]
    names: frozenset[str] = field(factory=machine_names)
    home: Path = field(factory=Path.home)
    workspace: Callable[[str], Path] | None = None
