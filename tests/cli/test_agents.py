"""
``openclaw agents``.
"""

from __future__ import annotations

import json

from tests.cli.harness import CommandCase


class AgentsTests(CommandCase):
    """
    Reading and changing the list.
    """

    def test_list(self) -> None:
        """
        Without a list there is one agent; a list says what each has.
        """
        workspace = f"{self.home}/.openclaw/workspace"
        self.assertEqual(
            self.openclaw("agents", "--json").json, [{"id": "main", "workspace": workspace, "isDefault": True}]
        )
        self.configure({"agents": {"list": [{"id": "a"}, {"id": "b", "name": "B", "model": "x/y"}]}})
        out = self.openclaw("agents", "list").out
        self.assertEqual(
            out,
            "- a (default)\n  Workspace: ~/.openclaw/workspace\n"
            "- b (B)\n  Workspace: ~/.openclaw/workspace-b\n  Model: x/y\n",
        )

    def test_add(self) -> None:
        """
        The first that is added does not take the place of the default agent; what is there already is not added.
        """
        path = self.configure("{} // mine\n")
        outcome = self.openclaw("agents", "add", "work", "--workspace", "~/work", "--json")
        self.assertEqual(outcome.json, {"agentId": "work", "workspace": f"{self.home}/work"}, outcome.err)
        self.assertTrue((self.home / "work" / "AGENTS.md").exists())
        self.assertIn("// mine", path.read_text())
        self.assertEqual(self.openclaw("agents", "add", "more", "--workspace", "~/more").code, 0)
        listed = self.openclaw("agents", "--json").json
        self.assertEqual([row["id"] for row in listed], ["main", "work", "more"])
        for taken in ("work", "main"):
            self.assertEqual(self.openclaw("agents", "add", taken, "--workspace", "~/w").code, 1)
        self.assertEqual(self.openclaw("agents", "add", "No Id", "--workspace", "~/w").code, 2)
        self.assertEqual(self.openclaw("agents", "add", "x").code, 2)

    def test_set_identity(self) -> None:
        """
        Only what is given changes, of the agent that is named.
        """
        path = self.configure(
            {"agents": {"list": [{"id": "a"}, {"id": "b", "identity": {"name": "Old", "emoji": "x"}}]}}
        )
        outcome = self.openclaw("agents", "set-identity", "--agent", "b", "--name", "New")
        self.assertEqual(outcome.out, "Identity of b: name. Restart the gateway to apply.\n", outcome.err)
        self.assertEqual(json.loads(path.read_text())["agents"]["list"][1]["identity"], {"name": "New", "emoji": "x"})
        self.assertEqual(self.openclaw("agents", "set-identity", "--agent", "c", "--name", "N").code, 1)
        self.assertEqual(self.openclaw("agents", "set-identity").code, 2)
        self.assertEqual(self.openclaw("agents", "set-identity", "--workspace", "x", "--name", "N").code, 2)

    def test_included(self) -> None:
        """
        A list in another file is left alone, and that is told.
        """
        path = self.configure({"agents": {"$include": "./agents.json"}})
        path.with_name("agents.json").write_text(json.dumps({"list": [{"id": "a"}]}))
        before = path.read_text()
        outcome = self.openclaw("agents", "add", "b", "--workspace", "~/b")
        self.assertEqual((outcome.code, path.read_text()), (1, before))
        self.assertIn("includes", outcome.err)
