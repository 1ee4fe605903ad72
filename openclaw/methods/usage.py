"""
``usage.*`` (``methods.md`` 21).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from openclaw.clock import MACHINE_ZONE, millis
from openclaw.config.model import Config
from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.table import MethodTable
from openclaw.protocol.usage import UsageCostParams, UsageCostResult, UsageStatusResult
from openclaw.usage import PriceList, Prices, summed, window_start_ms

DEFAULT_DAYS = 30
#: More than anybody keeps; the window's start must still be a date.
MOST_DAYS = 3_660
#: How long an answer is given again, in milliseconds.
KEPT_MS = 30_000

methods = MethodTable()


@methods.method("usage.status", result=UsageStatusResult, scope=READ)
async def status(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    What is left of subscriptions. Providers are reached with keys only, so there are none.
    """
    return {"updatedAt": millis(context.clock), "providers": []}


@methods.method("usage.cost", takes=UsageCostParams, result=UsageCostResult, scope=READ)
async def cost(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Tokens and dollars of the last days, today included. An answer is kept for half a minute.
    """
    days = _days(params.get("days"))
    kept: dict[int, dict[str, Any]] = context.derived.get("usage.cost", dict)
    now = millis(context.clock)
    known = kept.get(days)
    if known is not None and now - known["updatedAt"] < KEPT_MS:
        return known
    start = window_start_ms(now, days, MACHINE_ZONE)
    prices = price_list(context.config())
    sums = await context.store.read(lambda unit: summed(unit.entries.said_since(start), prices, MACHINE_ZONE))
    answer = {"updatedAt": now, "days": days, **sums}
    # Only few windows are asked for again and again.
    if len(kept) >= 8:
        kept.clear()
    kept[days] = answer
    return answer


def _days(value: Any) -> int:
    """
    A number or a text that is one; anything else is the default.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return DEFAULT_DAYS
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return DEFAULT_DAYS
    return max(1, min(MOST_DAYS, math.floor(value)))


def price_list(config: Config) -> PriceList:
    """
    The prices that the owner has configured.
    """

    def prices(provider: str, model: str) -> Prices | None:
        configured = config.models.providers.get(provider)
        found = (entry.cost for entry in configured.models if entry.id == model) if configured is not None else ()
        for told in found:
            known = Prices(
                input=told.input, output=told.output, cache_read=told.cache_read, cache_write=told.cache_write
            )
            return known if any((known.input, known.output, known.cache_read, known.cache_write)) else None
        return None

    return prices
