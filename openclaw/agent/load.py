"""
How much there is to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from openclaw.agent.run import ActiveRun

#: How many runs are in a lane and ``waiting`` for their turn, ``running``, or ``paused`` until a person has decided.
Load = Counter[tuple[str, str]]


def load_of(runs: Iterable[ActiveRun]) -> Load:
    """
    :return: by lane and what they do. A lane has the name that whoever asked for the run has given it.
    """
    return Counter((run.inbound.lane, _doing(run)) for run in runs)


def _doing(run: ActiveRun) -> str:
    if run.paused:
        return "paused"
    return "running" if run.begun else "waiting"
