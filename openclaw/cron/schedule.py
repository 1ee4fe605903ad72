"""
When a job is due. Schedules are JSON objects as the wire has them; times are milliseconds since the epoch.

A cron expression has five fields, or six with seconds first. How expressions and clock changes go together is Debian's
rule, as cronsim has it: a job for a certain time of day runs once where that time comes twice, and right after the gap
where it does not come; a job whose minute or hour begins with a star goes by real time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from openclaw.clock import MACHINE_ZONE
from openclaw.cron.errors import CronRefused

#: Names for expressions; the reference does not know them.
ALIASES: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

#: No job runs more often; what is asked for in between is left out.
LEAST_EVERY_MS: Final = 1000

#: Characters of an expression.
MAX_EXPRESSION: Final = 400

#: Looks at an expression that jumps back over the clock's change.
_TRIES: Final = 400

#: Beyond this a ``datetime`` has no day (the end of the year 9998).
MAX_MS: Final = 253_370_764_800_000


def next_after(
    schedule: Mapping[str, Any], after_ms: int, *, created_ms: int, zone: tzinfo = MACHINE_ZONE
) -> int | None:
    """
    The first due time later than ``after_ms``.

    :param created_ms: when the job was made: what ``every`` is counted from unless it has an anchor.
    :param zone: of expressions that name none.
    :return: ``None`` if there is none.
    :raise CronRefused: the schedule makes no sense.
    """
    kind = schedule.get("kind")
    if kind == "at":
        at_ms = int(schedule["atMs"])
        return at_ms if at_ms > after_ms else None
    if kind == "every":
        return _next_every(int(schedule["everyMs"]), schedule.get("anchorMs"), created_ms, after_ms)
    return _next_cron(str(schedule["expr"]), zone_of(schedule.get("tz"), zone), after_ms)


def check_schedule(schedule: Mapping[str, Any], now_ms: int) -> None:
    """
    :raise CronRefused: the schedule makes no sense.
    """
    for name in ("atMs", "everyMs", "anchorMs"):
        value = schedule.get(name)
        if value is not None and value > MAX_MS:
            raise CronRefused(f"schedule.{name} is beyond the end of the calendar")
    next_after(schedule, now_ms, created_ms=now_ms)


def zone_of(name: str | None, otherwise: tzinfo = MACHINE_ZONE) -> tzinfo:
    """
    :param name: of an IANA time zone; nothing means ``otherwise``.
    :raise CronRefused: there is no such zone.
    """
    if name is None or not name.strip():
        return otherwise
    try:
        return _zone(name.strip())
    except (ValueError, OSError, LookupError):
        raise CronRefused(f"RangeError: Invalid time zone specified: {name.strip()[:80]}") from None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _next_every(every_ms: int, anchor_ms: int | None, created_ms: int, after_ms: int) -> int | None:
    # A multiple of what was asked for, so that all times are still in its series.
    step = every_ms * -(-LEAST_EVERY_MS // every_ms)
    anchor = created_ms if anchor_ms is None else int(anchor_ms)
    first = 1 if anchor_ms is None else 0
    due = anchor + step * max(first, (after_ms - anchor) // step + 1)
    return due if due <= MAX_MS else None


def _next_cron(expression: str, zone: tzinfo, after_ms: int) -> int | None:
    fields = _fields(expression)
    # One certain second is that of the expression without it, so that it keeps what is said of clock changes.
    second = int(fields[0]) if len(fields) == 6 and fields[0].isascii() and fields[0].isdigit() else None
    if second is not None and second < 60:
        fields = fields[1:]
    else:
        second = 0
    shifted_ms = after_ms - second * 1000
    if not 0 <= shifted_ms <= MAX_MS:
        return None
    try:
        dues = CronSim(" ".join(fields), datetime.fromtimestamp(shifted_ms // 1000, zone))
        for _ in range(_TRIES):
            due_ms = int(next(dues).timestamp()) * 1000
            # In an hour that comes twice the first may be meant, which is over.
            if due_ms > shifted_ms:
                return due_ms + second * 1000
    except StopIteration:
        return None
    except (CronSimError, ValueError, OverflowError, AssertionError, TypeError, RecursionError) as error:
        why = str(error) or "invalid configuration format"
        raise CronRefused(f"TypeError: CronPattern: {why} ('{expression}')") from None
    return None


def _fields(expression: str) -> list[str]:
    fields = ALIASES.get(expression.strip().lower(), expression).split()
    if len(fields) not in (5, 6) or len(expression) > MAX_EXPRESSION:
        raise CronRefused(
            f"TypeError: CronPattern: invalid configuration format ('{expression[:MAX_EXPRESSION]}'),"
            " exactly five or six space separated parts are required."
        )
    return fields
