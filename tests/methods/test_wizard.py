"""
Setting up over the wire.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openclaw.config.loader import load
from openclaw.methods.wizard import nested
from tests.methods.support import MethodCase


class WizardTests(MethodCase):
    def setUp(self) -> None:
        super().setUp()
        self.workspace = Path(self.mktemp()).absolute()
        self.configure({}, workspace_of=lambda agent_id: self.workspace)
        self.path = self.context.state_dir / "openclaw.json"
        self.path.parent.mkdir(parents=True)

    def answer(self, shown: dict[str, Any], value: Any = None) -> dict[str, Any]:
        answer = {"stepId": shown["step"]["id"], "value": value}
        told: dict[str, Any] = self.ask("wizard.next", {"sessionId": self.wizard, "answer": answer})
        return told

    def test_configured(self) -> None:
        """
        What was answered stands in the file, with who wrote it, and counts for the next start.
        """
        shown = self.ask("wizard.start", {"mode": "local", "workspace": " /srv/ws "})
        self.wizard = shown["sessionId"]
        for value in (None, None, True, "quickstart", None, "modify", "openrouter", "sk-or", "openrouter/auto"):
            shown = self.answer(shown, value)
        self.assertEqual((shown["step"]["title"], self.path.exists()), ("Configured", True))
        self.assertTrue(shown["step"]["message"].startswith(f"Wrote {self.path}."))
        self.assertEqual(self.answer(shown), {"done": True, "status": "done"})
        config = load({}, self.context.home, path=self.path).config
        self.assertEqual(len(config["gateway"]["auth"]["token"]), 64)
        self.assertEqual(config["agents"]["defaults"]["workspace"], "/srv/ws")
        self.assertEqual(config["env"]["vars"], {"OPENROUTER_API_KEY": "sk-or"})
        self.assertEqual(config["wizard"]["lastRunMode"], "local")

    def test_not_written(self) -> None:
        """
        A file that cannot be used ends the wizard, and is left as it is.
        """
        shown = self.ask("wizard.start", {})
        self.wizard = shown["sessionId"]
        self.path.write_text("{")
        for value in (None, None, True, "quickstart", None, "modify", "skip"):
            shown = self.answer(shown, value)
        self.assertEqual((shown["done"], shown["status"]), (True, "error"))
        self.assertEqual(self.path.read_text(), "{")

    def test_refusals(self) -> None:
        """
        One at a time; others than the one that runs are not known.
        """
        shown = self.ask("wizard.start", {})
        self.wizard = shown["sessionId"]
        self.assertEqual(self.refused("wizard.start", {}, code="UNAVAILABLE"), "wizard already running")
        self.assertEqual(self.ask("wizard.status", {"sessionId": self.wizard}), {"status": "running"})
        for method in ("wizard.next", "wizard.cancel", "wizard.status"):
            self.assertEqual(self.refused(method, {"sessionId": "other"}), "wizard not found")
        self.assertEqual(
            self.refused("wizard.next", {"sessionId": self.wizard, "answer": {"stepId": "bad"}}),
            "Error: wizard: no pending step",
        )
        self.assertEqual(
            self.ask("wizard.cancel", {"sessionId": self.wizard}), {"status": "cancelled", "error": "cancelled"}
        )

    def test_nested(self) -> None:
        """
        Dotted keys share their parents.
        """
        self.assertEqual(nested({"a.b": 1, "a.c.d": 2, "e": 3}), {"a": {"b": 1, "c": {"d": 2}}, "e": 3})
