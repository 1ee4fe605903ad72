"""
Leave to run commands: the approvals file and single questions (``exec.approval*``).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import frozen

from openclaw.protocol.types import ABSENT, Absent, NonEmptyString, NonNegative, Positive


@frozen(kw_only=True)
class ExecApprovalsGetParams:
    """
    Ask for the approvals file of the gateway's host. No parameters.
    """


@frozen(kw_only=True)
class ExecApprovalsSocket:
    """
    Where the program that asks people is reached.
    """

    path: str | None = None
    token: str | None = None


@frozen(kw_only=True)
class ExecApprovalsDefaults:
    """
    What holds for agents that say nothing else.

    :ivar ask_fallback: what happens when nobody can be asked.
    """

    security: str | None = None
    ask: str | None = None
    ask_fallback: str | None = None
    auto_allow_skills: bool | None = None


@frozen(kw_only=True)
class ExecAllowlistEntry:
    """
    One command that may run.

    :ivar pattern: of the program's resolved path.
    :ivar last_used_at: milliseconds since the epoch.
    """

    id: NonEmptyString | None = None
    pattern: str
    last_used_at: NonNegative | None = None
    last_used_command: str | None = None
    last_resolved_path: str | None = None


@frozen(kw_only=True)
class ExecApprovalsAgent:
    """
    What holds for one agent.
    """

    security: str | None = None
    ask: str | None = None
    ask_fallback: str | None = None
    auto_allow_skills: bool | None = None
    allowlist: Sequence[ExecAllowlistEntry] | None = None


@frozen(kw_only=True)
class ExecApprovalsFile:
    """
    The approvals file.

    :ivar agents: by agent id.
    """

    version: Literal[1]
    socket: ExecApprovalsSocket | None = None
    defaults: ExecApprovalsDefaults | None = None
    agents: Mapping[str, ExecApprovalsAgent] | None = None


@frozen(kw_only=True)
class ExecApprovalsSetParams:
    """
    Replace the approvals file of the gateway's host.

    :ivar base_hash: hash of the file that the new one was made from.
    """

    file: ExecApprovalsFile
    base_hash: NonEmptyString | None = None


@frozen(kw_only=True)
class ExecApprovalsNodeGetParams:
    """
    Ask for a node's approvals file.
    """

    node_id: NonEmptyString


@frozen(kw_only=True)
class ExecApprovalsNodeSetParams:
    """
    Replace a node's approvals file.

    :ivar base_hash: hash of the file that the new one was made from.
    """

    node_id: NonEmptyString
    file: ExecApprovalsFile
    base_hash: NonEmptyString | None = None


@frozen(kw_only=True)
class ExecApprovalsSnapshot:
    """
    An approvals file and where it is. The socket's token is left out.
    """

    path: NonEmptyString
    exists: bool
    hash: NonEmptyString
    file: ExecApprovalsFile


@frozen(kw_only=True)
class ExecApprovalRequestParams:
    """
    Ask people for leave to run a command; the answer comes when they have decided.

    :ivar id: the asker's own choice of an id.
    :ivar timeout_ms: how long the question stands; two minutes if missing.
    """

    id: NonEmptyString | None = None
    command: NonEmptyString
    cwd: str | Absent | None = ABSENT
    host: str | Absent | None = ABSENT
    security: str | Absent | None = ABSENT
    ask: str | Absent | None = ABSENT
    agent_id: str | Absent | None = ABSENT
    resolved_path: str | Absent | None = ABSENT
    session_key: str | Absent | None = ABSENT
    timeout_ms: Positive | None = None


@frozen(kw_only=True)
class ExecApprovalRequestResult:
    """
    What was decided. Times are milliseconds since the epoch.

    :ivar decision: ``null`` when nobody decided in time.
    """

    id: NonEmptyString
    decision: Literal["allow-once", "allow-always", "deny"] | None
    created_at_ms: NonNegative
    expires_at_ms: NonNegative


@frozen(kw_only=True)
class ExecApprovalResolveParams:
    """
    Decide.

    :ivar decision: ``allow-once``, ``allow-always`` or ``deny``.
    """

    id: NonEmptyString
    decision: NonEmptyString


@frozen(kw_only=True)
class ExecApprovalAsked:
    """
    The command that somebody has to decide on; ``null`` where nothing was said.
    """

    command: NonEmptyString
    cwd: str | None
    host: str | None
    security: str | None
    ask: str | None
    agent_id: str | None
    resolved_path: str | None
    session_key: str | None


@frozen(kw_only=True)
class ExecApprovalRequestedEvent:
    """
    A command waits for a decision. Times are milliseconds since the epoch.
    """

    id: NonEmptyString
    request: ExecApprovalAsked
    created_at_ms: NonNegative
    expires_at_ms: NonNegative


@frozen(kw_only=True)
class ExecApprovalResolvedEvent:
    """
    Somebody decided on a command.

    :ivar resolved_by: the name of the client, else its id.
    :ivar ts: milliseconds since the epoch.
    """

    id: NonEmptyString
    decision: Literal["allow-once", "allow-always", "deny"]
    resolved_by: str | None
    ts: NonNegative
