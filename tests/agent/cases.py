"""
The base of tests that need a runtime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.testing.model import Step
from tests.agent.fakes import House, said


class HouseCase(SynchronousTestCase):
    """
    Makes houses, and sees that nothing is left on their clocks.
    """

    def house(self, *scripts: Sequence[Step], config: Mapping[str, Any] | None = None, **more: Any) -> House:
        house = House(Path(self.mktemp()), list(scripts) or [said("Hello")], config or {}, **more)
        self.addCleanup(lambda: self.assertEqual(house.clock.getDelayedCalls(), []))
        return house

    def assert_one_end(self, house: House, run_id: str, state: str) -> None:
        """
        There was exactly one terminal chat event, and the stored outcome agrees.
        """
        self.assertEqual(house.terminal(run_id), [state])
        status = {"final": "ok", "error": "error", "aborted": "aborted"}[state]
        self.assertEqual(self.successResultOf(house.runtime.outcome(run_id)).status, status)
