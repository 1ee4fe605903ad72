"""
What the protocol's documents say of a method, apart from the function behind it.
"""

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.scopes import ADMIN


@frozen(kw_only=True)
class Done:
    """
    The answer of a method that has nothing else to say.
    """

    ok: bool


#: Every method may fail with these; ``Call.errors`` names what else one fails with.
COMMON_ERRORS: Final = (ErrorCode.INVALID_REQUEST, ErrorCode.UNAVAILABLE)


@frozen(kw_only=True)
class Call:
    """
    One method as clients see it.

    :ivar summary: what it does, in a sentence or two.
    :ivar params: the definition that parameters are checked against; ``None`` means an object that is not checked.
    :ivar takes: describes the parameters where they are not checked: the method looks for these, and ignores others.
    :ivar result: what an answer with ``ok: true`` carries: a definition, a union of them, or any type that a field of a
        definition may have. The last answer, where there are two.
    :ivar first: what the first of two answers carries.
    :ivar failure: what a failed answer carries beside its error; ``None`` where it carries the error alone.
    :ivar errors: codes that it fails with beside ``COMMON_ERRORS``.
    :ivar scope: the operator scope it needs; ``operator.admin`` where the protocol names no other.
    :ivar role: ``operator`` or ``node``.
    :ivar advertised: whether ``hello-ok`` names it.
    :ivar idempotent: repeats with the same ``idempotencyKey`` get the first answer.
    :ivar durable: ``ok: true`` is only sent after a commit.
    """

    name: str
    summary: str = ""
    params: type | None = None
    takes: type | None = None
    result: Any
    first: Any = None
    failure: Any = None
    errors: Sequence[ErrorCode] = ()
    scope: str = ADMIN
    role: str = "operator"
    advertised: bool = True
    idempotent: bool = False
    durable: bool = False

    def answers(self) -> Any:
        """
        What any answer with ``ok: true`` may carry.
        """
        return self.result if self.first is None else self.first | self.result
