"""
What models have used and cost: ``usage.*``.
"""

from collections.abc import Sequence

from attrs import frozen

from openclaw.protocol.types import NonEmptyString, NonNegative, Positive


@frozen(kw_only=True)
class UsageWindow:
    """
    How much of a subscription is used.

    :ivar reset_at: when it begins anew, in milliseconds since the epoch.
    """

    label: str
    used_percent: float
    reset_at: NonNegative | None = None


@frozen(kw_only=True)
class UsageProvider:
    """
    One subscription.

    :ivar error: why it could not be asked.
    """

    provider: NonEmptyString
    display_name: NonEmptyString
    windows: Sequence[UsageWindow]
    plan: str | None = None
    error: str | None = None


@frozen(kw_only=True)
class UsageStatusResult:
    """
    What is left of subscriptions.

    :ivar updated_at: milliseconds since the epoch.
    """

    updated_at: NonNegative
    providers: Sequence[UsageProvider]


@frozen(kw_only=True)
class UsageTotals:
    """
    Tokens, and dollars as far as prices are known.

    :ivar total_cost: dollars.
    :ivar missing_cost_entries: answers of which nobody knows what they cost.
    """

    input: float
    output: float
    cache_read: float
    cache_write: float
    total_tokens: float
    total_cost: float
    missing_cost_entries: NonNegative


@frozen(kw_only=True)
class UsageDay(UsageTotals):
    """
    The same for one day.

    :ivar date: the local day, ISO 8601.
    """

    date: NonEmptyString


@frozen(kw_only=True)
class UsageCostResult:
    """
    Tokens and dollars of some days, today included.

    :ivar updated_at: milliseconds since the epoch.
    :ivar daily: days without use are left out.
    """

    updated_at: NonNegative
    days: Positive
    daily: Sequence[UsageDay]
    totals: UsageTotals


@frozen(kw_only=True)
class UsageCostParams:
    """
    Ask what models have cost.

    :ivar days: 30 if missing.
    """

    days: float | str | None = None
