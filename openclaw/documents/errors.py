"""
Why a document was not read. The texts are what clients see (``http.md`` 6.5).
"""

from __future__ import annotations

from attrs import frozen

from openclaw.errors import OpenClawError


@frozen
class UnreadableDocument(OpenClawError):
    """
    The root of them all.
    """


@frozen
class InvalidPdf(UnreadableDocument):
    """
    This is no PDF, or a broken one.
    """

    def __str__(self) -> str:
        return "InvalidPDFException: Invalid PDF structure."


@frozen
class LockedPdf(UnreadableDocument):
    """
    It opens with a password only.
    """

    def __str__(self) -> str:
        return "PasswordException: No password given"


@frozen
class TooCostly(UnreadableDocument):
    """
    Reading it would take more time or memory than one document may.
    """

    def __str__(self) -> str:
        return "Error: The document takes too much time or memory to read."
