"""
Rules between keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openclaw.config.schema import KeyPath, Report


def cross_checks(config: dict[str, Any], report: Report) -> None:
    """
    Note what is wrong with a configuration whose shapes are right.
    """
    for path, policy in _policies(config):
        if policy.get("allow") and policy.get("alsoAllow"):
            report.add(
                path,
                f"{path[0]} cannot set both allow and alsoAllow in the same scope (merge alsoAllow into allow, or"
                " remove allow and use profile + alsoAllow)",
            )


def _policies(config: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    yield ("tools",), config.get("tools", {})
