"""
Who may call what (``protocol.md`` 17), as a pure function of role, scopes and the method's row.
"""

from __future__ import annotations

from typing import Final

from openclaw.methods.table import Method
from openclaw.protocol.scopes import ADMIN, PAIRING, READ, WRITE, holds

__all__ = ["ADMIN", "NODE_ONLY", "PAIRING", "READ", "WRITE", "holds", "refusal"]

#: Methods that only nodes call, also before they exist: their refusal says so.
NODE_ONLY: Final = frozenset({"node.invoke.result", "node.event", "skills.bins"})


def refusal(name: str, row: Method | None, *, role: str, scopes: frozenset[str]) -> str | None:
    """
    Why a caller may not call a method.

    :param row: ``None`` for a name that is not in the table.
    :return: the message, or ``None`` if it may.
    """
    for_nodes = name in NODE_ONLY or (row is not None and row.role == "node")
    if for_nodes != (role == "node"):
        return f"unauthorized role: {role}"
    if for_nodes:
        return None
    # Only admins learn that a method does not exist.
    wanted = ADMIN if row is None else row.scope
    return None if holds(scopes, wanted) else f"missing scope: {wanted}"
