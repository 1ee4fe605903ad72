"""
What scopes stand for: the one rule by which methods, tokens and pairing compare them (``design.md`` 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

ADMIN: Final = "operator.admin"
READ: Final = "operator.read"
WRITE: Final = "operator.write"
PAIRING: Final = "operator.pairing"
APPROVALS: Final = "operator.approvals"

#: What a scope stands for beside itself. ``operator.admin`` stands for everything.
IMPLIED: Final = {WRITE: frozenset({READ})}


def holds(scopes: Iterable[str], wanted: str) -> bool:
    """
    Whether somebody with some scopes has a scope, by itself or implied.
    """
    return any(scope in (wanted, ADMIN) or wanted in IMPLIED.get(scope, ()) for scope in scopes)


def covers(scopes: Iterable[str], wanted: Iterable[str]) -> bool:
    """
    Whether somebody with some scopes has all the others.
    """
    held = tuple(scopes)
    return all(holds(held, scope) for scope in wanted)
