"""
What a run needs from around it, in one bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.approvals import Approvals
from openclaw.agent.lanes import Lanes
from openclaw.agent.notes import Notes
from openclaw.agent.providers.base import Model, ResolvedModel
from openclaw.agent.retry import RetryPolicy
from openclaw.agent.tools import Offered, Tool, all_of_them
from openclaw.agent.types import Publish
from openclaw.config.model import Config
from openclaw.store.interfaces import Store


@frozen(kw_only=True)
class World:
    """
    Everything a run acts on.

    :ivar make_model: from a resolved model to one that can be asked.
    :ivar in_thread: runs blocking work off the reactor's thread.
    :ivar workspace_of: the workspace of an agent.
    """

    store: Store
    config: Callable[[], Config]
    publish: Publish
    clock: IReactorTime
    environ: Mapping[str, str]
    make_id: Callable[[], str]
    make_entry_id: Callable[[], str]
    workspace_of: Callable[[str], Path]
    make_model: Callable[[ResolvedModel], Model]
    in_thread: Callable[..., Deferred[Any]]
    zone: Callable[[], tzinfo]
    run_command: Callable[[str], str]
    lanes: Lanes
    notes: Notes
    approvals: Approvals
    tools: Sequence[Tool] = ()
    offered: Offered = all_of_them
    retries: RetryPolicy = RetryPolicy()  # noqa: RUF009  # frozen
