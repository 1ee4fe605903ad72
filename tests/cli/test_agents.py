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
            self.openclaw("agents", "--json").json,
            [
                {
                    "id": "main",
                    "workspace": workspace,
                    "agentDir": f"{self.home}/.openclaw/agents/main/agent",
                    "bindings": 0,
                    "isDefault": True,
                }
            ],
        )
        self.configure({"agents": {"list": [{"id": "a"}, {"id": "b", "name": "B", "model": "x/y"}]}})
        out = self.openclaw("agents", "list").out
        self.assertEqual(
            out,
            "- a (default)\n  Workspace: ~/.openclaw/workspace\n  Agent dir: ~/.openclaw/agents/a/agent\n"
            "  Routing rules: 0\n  Routing: default (no explicit rules)\n"
            "- b (B)\n  Workspace: ~/.openclaw/workspace-b\n  Agent dir: ~/.openclaw/agents/b/agent\n  Model: x/y\n"
            "  Routing rules: 0\n",
        )

    def test_bindings(self) -> None:
        """
        Which channels lead to each.
        """
        binding = {"agentId": "b", "match": {"channel": "telegram", "accountId": "work"}}
        self.configure({"agents": {"list": [{"id": "a"}, {"id": "b"}]}, "bindings": [binding]})
        rows = self.openclaw("agents", "list", "--bindings", "--json").json
        self.assertEqual([row["bindingDetails"] for row in rows], [[], ["telegram accountId=work"]])
        out = self.openclaw("agents", "list", "--bindings").out
        self.assertIn("  Routing rules: 1\n  - telegram accountId=work\n", out)
        outcome = self.openclaw("agents", "add", "c", "--workspace", "~/c", "--bind", "telegram:work")
        self.assertEqual((outcome.code, outcome.err), (1, 'Unknown channel "telegram".\n'))

    def test_delete(self) -> None:
        """
        Out of the configuration with what names it, and its own files into the trash; comments stay.
        """
        shared = self.home / "shared"
        work, state = self.home / "work", self.home / ".openclaw" / "agents" / "b" / "sessions"
        for directory in (shared, work, state):
            directory.mkdir(parents=True)
            (directory / "file").write_text("x")
        path = self.configure(
            "{agents: {list: [{id: 'a', workspace: '~/shared'}, {id: 'b', workspace: '~/work'}, // two\n"
            " {id: 'c', workspace: '~/shared'}]},\n"
            " bindings: [{agentId: 'b', match: {channel: 'telegram'}}, {agentId: 'a', match: {channel: 'slack'}}],\n"
            " tools: {agentToAgent: {allow: ['a', 'b']}}} // mine\n"
        )
        before = path.read_text()
        self.assertEqual(self.openclaw("agents", "delete", "b").code, 1)
        self.assertEqual(path.read_text(), before)
        told = self.openclaw("agents", "delete", "b", "--force", "--json").json
        self.assertEqual((told["agentId"], told["removedBindings"], told["removedAllow"]), ("b", 1, 1))
        self.assertEqual(told["workspace"], str(work))
        rows = self.openclaw("agents", "list", "--bindings", "--json").json
        self.assertEqual([(row["id"], row["bindings"]) for row in rows], [("a", 1), ("c", 0)])
        self.assertIn("// mine", path.read_text())
        self.assertFalse(work.exists() or state.exists())
        kept = sorted(file.parent.name.rpartition("-")[0] for file in (self.home / ".Trash").glob("*/file"))
        self.assertEqual(kept, ["sessions", "work"])
        outcome = self.openclaw("agents", "delete", "c", "--force")
        self.assertTrue(outcome.out.startswith("Deleted agent: c. "), outcome.err)
        self.assertTrue(shared.exists())
        for name in ("main", "b", "none"):
            self.assertEqual(self.openclaw("agents", "delete", name, "--force").code, 1)

    def test_add(self) -> None:
        """
        The first that is added does not take the place of the default agent; what is there already is not added.
        """
        path = self.configure("{} // mine\n")
        outcome = self.openclaw("agents", "add", "work", "--workspace", "~/work", "--json")
        told = {
            "agentId": "work",
            "name": "work",
            "workspace": f"{self.home}/work",
            "agentDir": f"{self.home}/.openclaw/agents/work/agent",
            "bindings": {"added": [], "skipped": [], "conflicts": []},
        }
        self.assertEqual(outcome.json, told, outcome.err)
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
