"""
How providers fail.
"""

from __future__ import annotations

from attrs import frozen

from openclaw.errors import OpenClawError

#: Statuses after which asking again may help.
TRANSIENT = frozenset({408, 409, 429})


@frozen
class ProviderError(OpenClawError):
    """
    A provider did not give a whole answer.
    """

    message: str

    def __str__(self) -> str:
        return self.message

    @property
    def transcript(self) -> str:
        """
        The error as a transcript keeps it.
        """
        return self.message

    @property
    def transient(self) -> bool:
        """
        Whether asking again may help.
        """
        return False


@frozen(kw_only=True)
class ProviderRefused(ProviderError):
    """
    The provider answered with an error status.

    :ivar retry_after: seconds the provider asked to wait.
    """

    status: int
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"HTTP {self.status}: {self.message}"

    @property
    def transcript(self) -> str:
        return f"{self.status} {self.message}"

    @property
    def transient(self) -> bool:
        return self.status in TRANSIENT or self.status >= 500


@frozen
class ProviderUnreachable(ProviderError):
    """
    No connection, or it was lost before the answer began.
    """

    @property
    def transient(self) -> bool:
        return True


@frozen
class StreamBroken(ProviderError):
    """
    The answer began and ended too early.
    """

    @property
    def transient(self) -> bool:
        return True


@frozen
class AnswerRefused(ProviderError):
    """
    The provider stopped the answer on purpose (content filter, refusal). Asking again does not help.
    """


@frozen
class ProviderOverloaded(ProviderError):
    """
    The provider said inside its stream that it cannot answer now.
    """

    @property
    def transient(self) -> bool:
        return True


@frozen
class GarbledAnswer(ProviderError):
    """
    What came is not the protocol that was configured. Asking again does not help.
    """
