"""
The configured agents: ``agents.list``.
"""

from collections.abc import Sequence
from typing import Literal

from attrs import frozen

from openclaw.protocol.types import NonEmptyString


@frozen(kw_only=True)
class AgentSummaryIdentity:
    """
    What the configuration and the workspace say of an agent's looks.
    """

    name: NonEmptyString | None = None
    theme: NonEmptyString | None = None
    emoji: NonEmptyString | None = None
    avatar: NonEmptyString | None = None
    avatar_url: NonEmptyString | None = None


@frozen(kw_only=True)
class AgentSummary:
    """
    One configured agent.
    """

    id: NonEmptyString
    name: NonEmptyString | None = None
    identity: AgentSummaryIdentity | None = None


@frozen(kw_only=True)
class AgentsListParams:
    """
    Ask for the agents. No parameters.
    """


@frozen(kw_only=True)
class AgentsListResult:
    """
    The agents and how sessions are made for them.

    :ivar main_key: the last part of the key of each agent's main session.
    :ivar scope: whether senders have sessions of their own.
    """

    default_id: NonEmptyString
    main_key: NonEmptyString
    scope: Literal["per-sender", "global"]
    agents: Sequence[AgentSummary]
