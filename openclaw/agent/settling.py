"""
Waiting until a sender has been quiet for a while, so that what came while the agent was busy becomes one turn
(``agent.md`` 9).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.task import deferLater

from openclaw.agent.queue import QueueSettings, channel_of, queue_settings, route
from openclaw.agent.turn import Until
from openclaw.agent.types import Inbound
from openclaw.agent.world import World
from openclaw.clock import millis


async def settled(
    world: World, inbound: Inbound, times: Callable[[], Sequence[int]], until: Until
) -> QueueSettings | None:
    """
    Wait for a sender to be quiet, or for as many messages as become one turn.

    :param times: when the messages that are waiting came, in milliseconds.
    :return: how the session queues; ``None`` for messages that are never put together.
    """
    if route(inbound) is None:
        return None
    session = await world.store.read(lambda unit: unit.sessions.get(inbound.session_key))
    queue = queue_settings(world.config(), {} if session is None else session.members, channel_of(inbound))
    while queue.mode == "collect":
        came = times()
        left = max(came) + queue.debounce_ms - millis(world.clock)
        if left <= 0 or len(came) >= queue.cap:
            break
        await until(lambda seconds=left / 1000: deferLater(world.clock, seconds))  # type: ignore[misc]
    return queue
