"""
Updating the program: ``update.run``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import frozen

from openclaw.protocol.types import NonNegative, Positive


@frozen(kw_only=True)
class UpdateRunParams:
    """
    Update the program and restart.

    :ivar session_key: the session to be told when the gateway is back.
    :ivar note: what to tell it.
    :ivar timeout_ms: for each step of the update.
    """

    session_key: str | None = None
    note: str | None = None
    restart_delay_ms: NonNegative | None = None
    timeout_ms: Positive | None = None


@frozen(kw_only=True)
class UpdateStep:
    """
    A command that updates the program.

    :ivar exit_code: ``None`` where it was not run.
    """

    name: str
    command: str
    cwd: str
    duration_ms: int
    exit_code: int | None


@frozen(kw_only=True)
class UpdateOutcome:
    """
    What became of an update.

    :ivar mode: how the program is installed: a checkout, or something that we do not know.
    :ivar root: where it is installed.
    :ivar before: ``version``, and ``sha`` of a checkout.
    """

    status: Literal["ok", "skipped", "error"]
    mode: Literal["git", "unknown"]
    root: str
    reason: str | None = None
    before: Mapping[str, Any]
    steps: Sequence[UpdateStep]
    duration_ms: int


@frozen(kw_only=True)
class UpdateRestart:
    """
    Whether the gateway restarts.
    """

    ok: bool
    reason: str


@frozen(kw_only=True)
class UpdateRunResult:
    """
    The outcome, and whether a restart follows.
    """

    ok: bool
    result: UpdateOutcome
    restart: UpdateRestart
