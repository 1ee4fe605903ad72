"""
Sessions that others start: what is wanted of whoever runs them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from attrs import frozen

from openclaw.agent.providers.catalog import ModelRefParts


@frozen(kw_only=True)
class Subagent:
    """
    What is to be done in a session of its own.

    :ivar requester: canonical key of the session that wants it and is told how it ended.
    :ivar agent_id: who is to do it.
    :ivar model: ``None`` for the agent's own.
    :ivar timeout: ``None`` for the agent's own.
    :ivar forget: whether the session is deleted when the requester has been told.
    :ivar trust: of the run that wants it.
    """

    requester: str
    agent_id: str
    task: str
    trust: str
    label: str | None = None
    model: ModelRefParts | None = None
    thinking: str | None = None
    timeout: timedelta | None = None
    forget: bool = False


@frozen(kw_only=True)
class Started:
    """
    It is durable, and will run.
    """

    session_key: str
    run_id: str


class Subagents(Protocol):
    """
    Sessions that others have started.
    """

    async def start(self, wanted: Subagent) -> Started:
        """
        :raise OpenClawError: it was not taken.
        """
        ...
