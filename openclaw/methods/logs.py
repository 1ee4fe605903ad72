"""
``logs.tail`` (``methods.md`` 17).
"""

from __future__ import annotations

from typing import Any

from openclaw.logs.tail import DEFAULT_BYTES, DEFAULT_LINES, LogUnreadable, TailResult
from openclaw.logs.tail import tail as read_tail
from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import unavailable
from openclaw.methods.table import MethodTable
from openclaw.protocol.logs import LogsTailParams, LogsTailResult

methods = MethodTable()


@methods.method("logs.tail", LogsTailParams, result=LogsTailResult, scope=READ)
async def tail(context: MethodContext, params: LogsTailParams) -> dict[str, Any]:
    """
    What the log has gained since a cursor, or its end.

    :raise Failed: the log cannot be read.
    """
    try:
        result: TailResult = await context.in_thread(
            read_tail,
            context.log_path(),
            cursor=params.cursor,
            limit=params.limit or DEFAULT_LINES,
            max_bytes=params.max_bytes or DEFAULT_BYTES,
        )
    except LogUnreadable as error:
        raise unavailable(str(error)) from error
    return {
        "file": result.file,
        "cursor": result.cursor,
        "size": result.size,
        "lines": list(result.lines),
        "truncated": result.truncated,
        "reset": result.reset,
    }
