"""
``health``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import log_form, unavailable
from openclaw.methods.table import MethodTable
from openclaw.protocol.system import HealthParams, HealthSnapshot

methods = MethodTable()

_log = Logger()


@methods.method("health", takes=HealthParams, result=HealthSnapshot, scope=READ)
async def health(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    The health snapshot. Only ``probe: true`` asks the channels anew.

    :raise Failed: the snapshot could not be made.
    """
    try:
        return await context.health.current(probe=params.get("probe") is True)
    except CancelledError:
        raise
    except Exception as error:
        _log.failure("The health snapshot failed.")
        raise unavailable(log_form(error)) from error
