"""
Why something was not fetched. The texts are what clients see, after ``name`` and a colon (``http.md`` 6.5).
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from openclaw.errors import OpenClawError


@frozen
class FetchFailed(OpenClawError):
    """
    The root of them all: who needs no difference catches this one.

    :cvar name: what clients see before the text.
    """

    name: ClassVar[str] = "Error"


@frozen
class InvalidUrl(FetchFailed):
    """
    An address that is none, or one that we do not take.

    :ivar why: in a few words, without the address itself, which may hold a secret.
    """

    why: str = ""

    def __str__(self) -> str:
        return f"Invalid URL: {self.why}" if self.why else "Invalid URL"


@frozen
class UnsupportedProtocol(FetchFailed):
    """
    Neither ``http:`` nor ``https:``.

    :ivar scheme: without the colon.
    """

    scheme: str

    def __str__(self) -> str:
        return f"Invalid URL protocol: {self.scheme}:. Only HTTP/HTTPS allowed."


@frozen
class Blocked(FetchFailed):
    """
    The address leads, or would lead, to where nobody may send us.
    """

    name: ClassVar[str] = "SsrFBlockedError"


@frozen
class BlockedHostname(Blocked):
    """
    A name that always means this machine or its surroundings.
    """

    host: str

    def __str__(self) -> str:
        return f"Blocked hostname: {self.host}"


@frozen
class BlockedAddress(Blocked):
    """
    An address in figures that is not public.
    """

    def __str__(self) -> str:
        return "Blocked: private/internal IP address"


@frozen
class BlockedResolution(Blocked):
    """
    A name with an address that is not public, if only among others.
    """

    def __str__(self) -> str:
        return "Blocked: resolves to private/internal IP address"


@frozen
class NameNotFound(FetchFailed):
    """
    A name without an address.

    :ivar code: ``ENOTFOUND``, or ``EAI_AGAIN`` when nobody could say.
    """

    host: str
    code: str = "ENOTFOUND"

    def __str__(self) -> str:
        return f"getaddrinfo {self.code} {self.host}"


@frozen
class Unreachable(FetchFailed):
    """
    There was no connection, or none with a certificate of that name.
    """

    host: str
    why: str

    def __str__(self) -> str:
        return f"Failed to fetch: cannot connect to {self.host}: {self.why}"


@frozen
class BrokenAnswer(FetchFailed):
    """
    The server's answer is not HTTP, or ended too early.
    """

    host: str
    why: str

    def __str__(self) -> str:
        return f"Failed to fetch: {self.host} did not answer properly: {self.why}"


@frozen
class EncodedAnswer(FetchFailed):
    """
    The body is compressed, which we asked the server not to do: a few bytes can unpack to any number.
    """

    encoding: str

    def __str__(self) -> str:
        return f"Failed to fetch: unsupported content encoding: {self.encoding}"


@frozen
class BadStatus(FetchFailed):
    """
    The server's answer is that there is nothing.
    """

    status: int
    reason: str

    def __str__(self) -> str:
        return f"Failed to fetch: {self.status} {self.reason}".rstrip()


@frozen
class TooManyRedirects(FetchFailed):
    """
    :ivar limit: how many were followed.
    """

    limit: int

    def __str__(self) -> str:
        return f"Too many redirects (limit: {self.limit})"


@frozen
class RedirectWithoutLocation(FetchFailed):
    """
    The server sends us elsewhere and does not say where.
    """

    status: int

    def __str__(self) -> str:
        return f"Redirect missing location header ({self.status})"


@frozen
class ContentTooLarge(FetchFailed):
    """
    :ivar size: bytes, as announced, or as many as had come when it was given up.
    :ivar limit: bytes.
    """

    size: int
    limit: int

    def __str__(self) -> str:
        return f"Content too large: {self.size} bytes (limit: {self.limit} bytes)"


@frozen
class FetchTimedOut(FetchFailed):
    """
    The whole of it, with all redirects, took too long.
    """

    seconds: float

    def __str__(self) -> str:
        return f"Fetch timed out after {self.seconds:g} s"
