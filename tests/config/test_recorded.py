"""
Files of the reference 2026.1.30 and what it made of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.loader import evaluate
from openclaw.config.redact import redact, restore_text

RECORDED = sorted((Path(__file__).parent.parent / "fixtures" / "config").glob("*.json"))


class RecordedTests(SynchronousTestCase):
    """
    Real files load, and mean what they meant.
    """

    def each(self) -> list[tuple[str, dict[str, Any]]]:
        """
        The recordings with their names.
        """
        self.assertTrue(RECORDED)
        return [(path.name, json.loads(path.read_text())) for path in RECORDED]

    def test_effective(self) -> None:
        """
        The effective configuration is the recorded one, without a warning.
        """
        for name, recorded in self.each():
            snapshot = evaluate(recorded["raw"], Path("/c.json"), {}, Path("/h"))
            self.assertEqual((snapshot.issues, snapshot.warnings), ((), ()), name)
            self.assertEqual(snapshot.parsed, recorded["parsed"], name)
            self.assertEqual(snapshot.config, recorded["config"], name)

    def test_redacted_round_trip(self) -> None:
        """
        What a client was shown and sends back unchanged is the file.
        """
        for name, recorded in self.each():
            snapshot = evaluate(recorded["raw"], Path("/c.json"), {}, Path("/h"))
            payload = redact(snapshot)
            self.assertNotIn(recorded["parsed"]["gateway"]["auth"]["token"], json.dumps(payload), name)
            self.assertEqual(restore_text(payload["raw"], payload["parsed"], snapshot), recorded["raw"], name)
