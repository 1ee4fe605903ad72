"""
Whether a configuration can be used: shapes first, then what keys mean together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openclaw.config.checks import cross_checks
from openclaw.config.keys import ROOT
from openclaw.config.schema import KeyPath, Report, Unknown


def validate(config: Any, *, skip: Iterable[KeyPath] = ()) -> Report:
    """
    Everything that is wrong with or unknown in a configuration.

    :param skip: keys that have been reported already.
    """
    report = Report()
    ROOT.check(config, (), report)
    if not report.issues:
        cross_checks(config, report)
    told = set(skip)
    groups = [_without(group, told) for group in report.unknown]
    return Report(report.issues, [group for group in groups if group.keys])


def _without(group: Unknown, told: set[KeyPath]) -> Unknown:
    """
    The group less those keys that were told, as such or by something below them.
    """
    return group.only(
        key for key in group.keys if not any(path[: len(group.path) + 1] == (*group.path, key) for path in told)
    )
