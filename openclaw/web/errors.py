"""
How requests of several kinds fail.
"""

from __future__ import annotations

from attrs import frozen

from openclaw.errors import OpenClawError


@frozen
class UnknownAgent(OpenClawError):
    """
    A request is for an agent that is not there.
    """

    agent_id: str

    def __str__(self) -> str:
        return f'Unknown agent id "{self.agent_id}".'
