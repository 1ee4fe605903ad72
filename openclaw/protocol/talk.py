"""
Talk mode: ``talk.mode``.
"""

from attrs import frozen


@frozen(kw_only=True)
class TalkModeParams:
    """
    Switch talk mode.

    :ivar phase: what the talking side is doing right now, in its own words.
    """

    enabled: bool
    phase: str | None = None
