"""
The methods: names, who may call them, what they take, and the functions behind them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from openclaw.errors import OpenClawError
from openclaw.methods.context import MethodContext


@frozen(kw_only=True)
class Failed(OpenClawError):
    """
    A method failed with the answer that clients know for it.

    :ivar code: a wire code (``openclaw.protocol.codes``).
    :ivar payload: some failures carry one beside the error (``agent``, ``chat.send``).
    """

    code: str
    message: str
    details: Any = None
    payload: Any = None

    def __str__(self) -> str:
        return self.message


@frozen(kw_only=True)
class Staged:
    """
    Two answers on one request id (``protocol.md`` 22): one now, one when the work has ended.

    :ivar outcome: gives the payload of the second answer, or raises as a handler may.
    """

    first: Any
    outcome: Awaitable[Any]


Handler = Callable[[MethodContext, Any], Awaitable[Any]]


@frozen(kw_only=True)
class Method:
    """
    One row of the method table.

    :ivar params: the definition that parameters are checked against; ``None`` means an object that is not checked.
    :ivar scope: the operator scope it needs; ``operator.admin`` where the protocol names no other.
    :ivar role: ``operator`` or ``node``.
    :ivar advertised: whether ``hello-ok`` names it.
    :ivar idempotent: repeats with the same ``idempotencyKey`` get the first answer.
    :ivar remembered: the name space under which the dispatcher keeps answers; ``None`` where a run's record does that.
    :ivar durable: ``ok: true`` is only sent after a commit.
    """

    name: str
    handler: Handler
    params: type | None = None
    scope: str = "operator.admin"
    role: str = "operator"
    advertised: bool = True
    idempotent: bool = False
    remembered: str | None = None
    durable: bool = False


@define
class MethodTable:
    """
    The methods of one family.
    """

    rows: dict[str, Method] = field(factory=dict)

    def method(
        self,
        name: str,
        params: type | None = None,
        *,
        scope: str = "operator.admin",
        role: str = "operator",
        advertised: bool = True,
        idempotent: bool = False,
        remembered: str | None = None,
        durable: bool = False,
    ) -> Callable[[Callable[[MethodContext, Any], Awaitable[Any]]], Handler]:
        """
        Say that a function is behind a method.
        """

        def add(handler: Callable[[MethodContext, Any], Awaitable[Any]]) -> Handler:
            assert name not in self.rows, name
            self.rows[name] = Method(
                name=name,
                handler=handler,
                params=params,
                scope=scope,
                role=role,
                advertised=advertised,
                idempotent=idempotent or remembered is not None,
                remembered=remembered,
                durable=durable,
            )
            return handler

        return add


def merged(tables: Iterable[MethodTable]) -> Mapping[str, Method]:
    """
    All families as one mapping by name.
    """
    rows: dict[str, Method] = {}
    for table in tables:
        for name, row in table.rows.items():
            assert name not in rows, name
            rows[name] = row
    return rows
