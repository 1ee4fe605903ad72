"""
What begins by itself: heartbeats and jobs, put together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from openclaw.agent.runtime import AgentRuntime
from openclaw.gateway.cron import CronService
from openclaw.gateway.cron_runs import CronRunner
from openclaw.gateway.heartbeats import HeartbeatService
from openclaw.gateway.life import Life


def make_schedule(
    agents: AgentRuntime,
    life: Life,
    *,
    in_thread: Callable[..., Deferred[Any]],
    workspace_of: Callable[[str], Path],
    store_path: Path,
    ready: Callable[[], Deferred[None]],
) -> tuple[HeartbeatService, CronService]:
    """
    Heartbeats and the scheduler, on what the agents have.

    :param store_path: the file that jobs are in, as clients are told it.
    :param ready: fires when everything is imported.
    """
    heartbeats = HeartbeatService(
        switch=life.heartbeats,
        store=agents.store,
        config=agents.config,
        clock=agents.clock,
        agents=agents,
        publish=agents.publish,
        make_id=agents.make_id,
        workspace_of=workspace_of,
        in_thread=in_thread,
    )
    runner = CronRunner(
        store=agents.store,
        config=agents.config,
        clock=agents.clock,
        agents=agents,
        heartbeats=heartbeats,
    )
    off = agents.environ.get("OPENCLAW_SKIP_CRON") == "1"
    cron = CronService(
        store=agents.store,
        clock=agents.clock,
        publish=agents.publish,
        work=runner.run,
        make_id=agents.make_id,
        store_path=store_path,
        enabled=lambda: not off and agents.config().cron.enabled,
        ready=ready,
    )
    return heartbeats, cron
