"""
What can go wrong with approvals; the texts are those that clients know.
"""

from __future__ import annotations

from attrs import frozen

from openclaw.errors import OpenClawError

_AGAIN = "re-run exec.approvals.get and retry"


@frozen
class ApprovalsHashMissing(OpenClawError):
    """
    New rules came without the hash of those that they replace.
    """

    def __str__(self) -> str:
        return f"exec approvals base hash required; {_AGAIN}"


@frozen
class ApprovalsChanged(OpenClawError):
    """
    The file is not what the writer has read; nothing was written.
    """

    def __str__(self) -> str:
        return f"exec approvals changed since last load; {_AGAIN}"


@frozen
class AlreadyPending(OpenClawError):
    """
    There is a question of this id.
    """

    def __str__(self) -> str:
        return "approval id already pending"


@frozen
class UnknownApproval(OpenClawError):
    """
    There is no such question, or somebody else was quicker.
    """

    def __str__(self) -> str:
        return "unknown approval id"


@frozen
class InvalidDecision(OpenClawError):
    """
    That is none of the three decisions.
    """

    def __str__(self) -> str:
        return "invalid decision"


@frozen
class NobodyToAsk(OpenClawError):
    """
    No client is connected that may approve.
    """

    def __str__(self) -> str:
        return "no client is connected that may approve"


@frozen
class TooManyQuestions(OpenClawError):
    """
    So many questions wait that one more would be lost among them.
    """

    def __str__(self) -> str:
        return "too many approvals are pending"
