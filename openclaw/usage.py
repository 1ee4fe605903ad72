"""
What models have cost, by local day (``methods.md`` 21.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from attrs import define, frozen

from openclaw.store.interfaces import Entry

TOKENS = ("input", "output", "cacheRead", "cacheWrite", "totalTokens")


@frozen(kw_only=True)
class Prices:
    """
    Of one model, in dollars for a million tokens.
    """

    input: float
    output: float
    cache_read: float
    cache_write: float

    def of(self, usage: Mapping[str, Any]) -> float:
        """
        What some tokens cost.
        """
        parts = (
            _number(usage.get("input")) * self.input,
            _number(usage.get("output")) * self.output,
            _number(usage.get("cacheRead")) * self.cache_read,
            _number(usage.get("cacheWrite")) * self.cache_write,
        )
        return sum(parts) / 1_000_000


#: Finds the prices of a provider's model; ``None`` where nobody knows them.
PriceList = Callable[[str, str], Prices | None]


@define
class Total:
    """
    Tokens and dollars of some answers.

    :ivar missing: answers of which nobody knows what they cost.
    """

    tokens: dict[str, float]
    cost: float = 0.0
    missing: int = 0

    @classmethod
    def empty(cls) -> Total:
        return cls(tokens=dict.fromkeys(TOKENS, 0))

    def add(self, usage: Mapping[str, Any], cost: float | None) -> None:
        for name in TOKENS:
            self.tokens[name] += _number(usage.get(name))
        self.cost += cost or 0.0
        self.missing += cost is None

    def members(self) -> dict[str, Any]:
        """
        As clients know it.
        """
        return {**self.tokens, "totalCost": self.cost, "missingCostEntries": self.missing}


def window_start_ms(now_ms: int, days: int, zone: tzinfo) -> int:
    """
    The local midnight at which a window of some days begins; today is one of them.
    """
    today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    # Aware arithmetic in one zone is arithmetic of the wall clock.
    return int((midnight - timedelta(days=days - 1)).timestamp() * 1000)


def summed(entries: Iterable[Entry], prices: PriceList, zone: tzinfo) -> dict[str, Any]:
    """
    The sums of some answers of models, for each local day and together.
    """
    days: dict[str, Total] = {}
    everything = Total.empty()
    for entry in entries:
        message = entry.body.get("message")
        usage = message.get("usage") if isinstance(message, Mapping) else None
        if not isinstance(usage, Mapping) or not any(_number(usage.get(name)) for name in TOKENS):
            continue
        cost = _cost(message, usage, prices)
        date = datetime.fromtimestamp(entry.timestamp_ms / 1000, UTC).astimezone(zone).date().isoformat()
        for total in (days.setdefault(date, Total.empty()), everything):
            total.add(usage, cost)
    daily = [{"date": date, **days[date].members()} for date in sorted(days)]
    return {"daily": daily, "totals": everything.members()}


def _cost(message: Any, usage: Mapping[str, Any], prices: PriceList) -> float | None:
    told = usage.get("cost")
    total = told.get("total") if isinstance(told, Mapping) else None
    if _number(total):
        return _number(total)
    known = prices(str(message.get("provider")), str(message.get("model")))
    return None if known is None else known.of(usage)


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
