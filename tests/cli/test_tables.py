"""
Tables for people.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from openclaw.cli.tables import table


class TableTests(SynchronousTestCase):
    """
    Boxes.
    """

    def test_wrapping(self) -> None:
        """
        A table is as wide as it may be at most, and long cells wrap where words end.
        """
        lines = table(("A", "B"), [("short", "one two/three-four " * 5)], 40)
        self.assertEqual({len(line) for line in lines}, {40})
        self.assertEqual(lines[0][0] + lines[0][-1] + lines[-1][0], "┌┐└")
        self.assertTrue(all(line.endswith(" │") for line in lines[3:-1]), lines)
