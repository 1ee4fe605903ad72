"""
How runs fail, apart from what providers say (``providers/errors.py``).
"""

from __future__ import annotations

from attrs import frozen

from openclaw.errors import OpenClawError


@frozen
class UnknownRun(OpenClawError):
    """
    There is no such run.
    """

    run_id: str

    def __str__(self) -> str:
        return f"There is no run {self.run_id}."


@frozen
class RunRefused(OpenClawError):
    """
    The run cannot be done as it was asked for; the text is for whoever asked.
    """

    message: str

    def __str__(self) -> str:
        return self.message


@frozen
class NotReady(OpenClawError):
    """
    Parts that the request needs have not come up yet.

    :ivar parts: their names, as ``/readyz`` tells them.
    """

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return f"The gateway is still starting: {', '.join(self.parts)}."


@frozen
class RuntimeStopped(OpenClawError):
    """
    The agent runtime takes no more work.
    """

    def __str__(self) -> str:
        return "The gateway is stopping."


@frozen
class Ended(OpenClawError):
    """
    Somebody ended the run from outside.

    :ivar reason: ``rpc``, ``stop``, ``timeout`` (expired), ``deadline`` (the agent's own limit) or ``shutdown``.
    """

    reason: str

    def __str__(self) -> str:
        return f"The run was ended: {self.reason}."
