"""
What is told of updates.
"""

from __future__ import annotations

from pathlib import Path

from openclaw.methods.update import outlook
from tests.methods.support import MethodCase


class UpdateTests(MethodCase):
    def test_nothing_is_updated(self) -> None:
        """
        The answer says that nothing was done, and nothing restarts.
        """
        answer = self.ask("update.run", {"note": "n", "sessionKey": "agent:main:main", "restartDelayMs": 500})
        self.assertEqual((answer["result"]["status"], answer["restart"]["ok"]), ("skipped", False))
        self.assertEqual(self.events, [])

    def test_installations(self) -> None:
        """
        A checkout is told from anything else, with what would update it.
        """
        root = Path(self.mktemp())
        (root / ".git").mkdir(parents=True)
        told = outlook(root)
        self.assertEqual((told["mode"], told["reason"]), ("git", "update-by-hand"))
        self.assertEqual([step["command"] for step in told["steps"]], ["git pull --ff-only", "bin/openclaw --version"])
        told = outlook(root / ".git")
        self.assertEqual((told["mode"], told["reason"], told["steps"]), ("unknown", "not-git-install", []))
