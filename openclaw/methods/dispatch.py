"""
From a request frame to its answer, in the order of ``methods.md`` 1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field

from openclaw.clock import millis
from openclaw.methods import idempotency
from openclaw.methods.authorise import refusal
from openclaw.methods.context import MethodContext
from openclaw.methods.idempotency import Remembered
from openclaw.methods.mapping import Refused, invalid, refused
from openclaw.methods.table import Method, Staged
from openclaw.protocol.convert import structure
from openclaw.protocol.features import METHOD_ORDER
from openclaw.protocol.frames import ErrorShape
from openclaw.protocol.types import ABSENT
from openclaw.protocol.validate import violations
from openclaw.store.interfaces import Answer


class Respond(Protocol):
    """
    Sends one answer on the request's id, if the client is still there.
    """

    def __call__(self, *, ok: bool, payload: Any = ..., error: ErrorShape | None = ...) -> None:
        """
        :param payload: ``ABSENT`` for none; ``None`` is a ``null`` on the wire.
        """
        ...


@define(eq=False)
class Dispatcher:
    """
    Answers requests by a table of methods.
    """

    table: Mapping[str, Method]
    _remembered: Remembered = field(factory=Remembered, init=False)

    def advertised(self) -> list[str]:
        """
        The names for ``hello-ok``: what works, in the order that clients know.
        """
        return [name for name in METHOD_ORDER if name in self.table and self.table[name].advertised]

    async def answer(self, context: MethodContext, request: Mapping[str, Any], respond: Respond) -> None:
        """
        Answer a request, once or, for a staged answer, twice.

        :param context: with the request's own caller.
        :param request: a valid request frame.
        :return: when the last answer was given. It never fails.
        """
        name = request["method"]
        try:
            row = self._row(context, name)
            params = checked(row, request.get("params"))
            if needs_conversations(name):
                await context.ready()
            if row.remembered is not None:
                await self._again(context, row, params, respond)
                return
            result = await row.handler(context, params)
            if isinstance(result, Staged):
                respond(ok=True, payload=result.first)
                result = await result.outcome
            respond(ok=True, payload=result)
        except Exception as error:
            answer = refused(error, name, context.make_id)
            respond(ok=False, payload=answer.payload, error=answer.error)

    def _row(self, context: MethodContext, name: str) -> Method:
        row = self.table.get(name)
        why = refusal(name, row, role=context.caller.role, scopes=context.caller.scopes)
        if why is not None:
            raise invalid(why)
        if row is None:
            raise invalid(f"unknown method: {name}")
        return row

    async def _again(self, context: MethodContext, row: Method, params: Any, respond: Respond) -> None:
        key = f"{row.remembered}:{params.idempotency_key}"

        async def work() -> Answer:
            try:
                payload, error = await row.handler(context, params), None
            except Exception as failure:
                told: Refused = refused(failure, row.name, context.make_id)
                payload, error = told.payload, told.error
            return Answer(
                key=key,
                ok=error is None,
                payload=idempotency.payload_record(payload),
                error=None if error is None else idempotency.error_record(error),
                written_at_ms=millis(context.clock),
            )

        answer = await self._remembered.once(key, context.store, context.clock, work)
        error = None if answer.error is None else idempotency.read_error(answer.error)
        respond(ok=answer.ok, payload=idempotency.read_payload(answer.payload), error=error)


def needs_conversations(name: str) -> bool:
    """
    Whether a method reads or continues conversations, which must be whole then.
    """
    return name == "agent" or name.startswith(("chat.", "sessions."))


def checked(row: Method, params: Any) -> Any:
    """
    The parameters as the handler takes them.

    :param params: as they came; missing and ``null`` both mean none.
    :raise Failed: they are not what the method takes.
    """
    given = {} if params is None or params is ABSENT else params
    if row.prepare is not None:
        given = row.prepare(given)
    if row.params is None:
        return given if isinstance(given, Mapping) else {}
    wrong = violations(row.params, given)
    if wrong is not None:
        raise invalid(f"invalid {row.name} params: {wrong}")
    return structure(row.params, given)
