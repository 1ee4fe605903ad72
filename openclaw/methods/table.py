"""
The methods: names, who may call them, what they take and answer, and the functions behind them.

A row names the definition of its answer, which stands beside that of its parameters in the protocol package::

    @methods.method("cron.list", CronListParams, result=CronListResult, scope=READ)

``result`` is a frozen attrs class, a union of such classes, or whatever the annotation of a field may be
(``Sequence[PresenceEntry]``, ``HeartbeatEvent | None``; ``Done`` is ``{"ok": true}``; ``Any`` is an answer of somebody
else's making). A key that is always there has no default, one that may be missing has ``None`` as default, and one that
may be ``null`` has ``None`` in its annotation (``openclaw.protocol.types``). A class takes no keys but its own, except
into a field marked with ``Extra``. Events are described in ``openclaw.protocol.events`` in the same way.

Handlers go on to answer plain values. The gateway does not check them; every test does (``openclaw.testing.wire``),
and the document that ``openclaw protocol schema --asyncapi`` prints is made from these rows.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from openclaw.errors import OpenClawError
from openclaw.methods.context import MethodContext
from openclaw.protocol.calls import Call


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
class Method(Call):
    """
    One row of the method table.

    :ivar remembered: the name space under which the dispatcher keeps answers; ``None`` where a run's record does that.
    :ivar prepare: brings parameters into their form before they are checked.
    """

    handler: Handler
    remembered: str | None = None
    prepare: Callable[[Any], Any] | None = None


@define
class MethodTable:
    """
    The methods of one family.
    """

    rows: dict[str, Method] = field(factory=dict)

    def method(
        self, name: str, params: type | None = None, *, result: Any, remembered: str | None = None, **said: Any
    ) -> Callable[[Callable[[MethodContext, Any], Awaitable[Any]]], Handler]:
        """
        Say that a function is behind a method.

        :param result: what it answers.
        :param said: the other members of ``Call``.
        """

        def add(handler: Callable[[MethodContext, Any], Awaitable[Any]]) -> Handler:
            assert name not in self.rows, name
            idempotent = said.pop("idempotent", False) or remembered is not None
            self.rows[name] = Method(
                name=name,
                handler=handler,
                params=params,
                result=result,
                summary=summary(handler),
                idempotent=idempotent,
                remembered=remembered,
                **said,
            )
            return handler

        return add


def summary(handler: Callable[..., Any]) -> str:
    """
    What a docstring says, without its fields, marks and references.
    """
    told, *_ = re.split(r"^:", inspect.getdoc(handler) or "", flags=re.MULTILINE)
    return re.sub(r" \(``[^)]*\)", "", " ".join(told.split())).replace("``", "`")


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
