"""
Reading the log file: ``logs.tail``.
"""

from collections.abc import Sequence
from typing import Annotated

from attrs import frozen

from openclaw.protocol.types import Maximum, Minimum, NonEmptyString, NonNegative


@frozen(kw_only=True)
class LogsTailParams:
    """
    Ask for what the log has gained.

    :ivar cursor: where the last answer ended; if missing, reading begins ``max_bytes`` before the end of the file.
    :ivar limit: lines; 500 if missing.
    :ivar max_bytes: 250 000 if missing.
    """

    cursor: NonNegative | None = None
    limit: Annotated[int, Minimum(1), Maximum(5000)] | None = None
    max_bytes: Annotated[int, Minimum(1), Maximum(1000000)] | None = None


@frozen(kw_only=True)
class LogsTailResult:
    """
    The newest lines of the log.

    :ivar cursor: where to go on next time.
    :ivar truncated: the file has older lines than were read.
    :ivar reset: the cursor was beyond the file or too far behind, so that reading began anew.
    """

    file: NonEmptyString
    cursor: NonNegative
    size: NonNegative
    lines: Sequence[str]
    truncated: bool | None = None
    reset: bool | None = None
