"""
``openclaw approvals``.
"""

from __future__ import annotations

import json
from typing import Any

from tests.cli.harness import NOW, CommandCase, GatewayCase

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
NOW_MS = int(NOW * 1000)


class LocalTests(CommandCase):
    """
    The file of this machine.
    """

    def content(self) -> Any:
        return json.loads((self.home / ".openclaw" / "exec-approvals.json").read_text())

    def test_none(self) -> None:
        """
        Where there is none it is said, on one line for programs, and none is made.
        """
        outcome = self.openclaw("approvals", "get", "--json")
        file = '{"version":1,"socket":{},"defaults":{},"agents":{}}'
        told = f'{{"path":"~/.openclaw/exec-approvals.json","exists":false,"hash":"{EMPTY}","file":{file}}}\n'
        self.assertEqual((outcome.code, outcome.out), (0, told))
        self.assertFalse((self.home / ".openclaw").exists())
        out = self.openclaw("approvals").out
        self.assertTrue(out.startswith("Showing local approvals.\n┌"))
        self.assertIn("│ Exists    │ no ", out)
        self.assertIn("│ Defaults  │ none ", out)
        self.assertIn("No allowlist entries.", out)

    def test_allowlist(self) -> None:
        """
        Entries come and go; nothing else in the file changes.
        """
        self.openclaw("approvals", "allowlist", "add", "/usr/bin/git", "--agent", "main")
        token = self.content()["socket"]["token"]
        self.openclaw("exec-approvals", "allowlist", "add", "~/bin/*")
        (entry,) = self.content()["agents"]["*"]["allowlist"]
        self.assertEqual((entry["pattern"], entry["lastUsedAt"], len(entry["id"])), ("~/bin/*", NOW_MS, 36))
        again = self.openclaw("approvals", "allowlist", "add", "~/bin/*")
        self.assertEqual((again.code, again.out), (0, "Already allowlisted.\n"))
        out = self.openclaw("approvals").out
        self.assertIn("│ local  │ main  │ /usr/bin/git │ 0s ago", out)
        removed = self.openclaw("approvals", "allowlist", "remove", "~/bin/*", "--json").json
        self.assertEqual(removed["file"]["agents"]["*"], {"allowlist": []})
        self.assertEqual(self.openclaw("approvals", "allowlist", "remove", "x").out, "Pattern not found.\n")
        self.assertEqual(self.content()["socket"]["token"], token)
        self.assertEqual(len(self.content()["agents"]["main"]["allowlist"]), 1)

    def test_set(self) -> None:
        """
        New rules come from a file, as people write JSON.
        """
        (self.home / "rules.json5").write_text(
            "{version: 1, defaults: {security: 'allowlist', autoAllowSkills: true}, }"
        )
        outcome = self.openclaw("approvals", "set", "--file", "rules.json5")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("security=allowlist, autoAllowSkills=on", outcome.out)
        self.assertEqual(self.content()["defaults"], {"security": "allowlist", "autoAllowSkills": True})

    def test_refused(self) -> None:
        """
        What makes no sense is said, and changes nothing.
        """
        (self.home / "bad.json").write_text('{"version": 1, "agents": {"main": {"allow": []}}}')
        (self.home / "half.json").write_text("{")
        for words, told in (
            (["set"], "Provide --file or --stdin."),
            (["set", "--stdin", "--file", "x"], "Use either --file or --stdin (not both)."),
            (["set", "--file", "bad.json"], "these are no approvals: "),
            (["set", "--file", "half.json"], "these are no approvals: "),
            (["allowlist"], "unknown command"),
            (["allowlist", "add"], "missing required argument 'pattern'"),
            (["allowlist", "add", " "], "Pattern required."),
            (["get", "--agent", "x"], "unknown option '--agent' of 'approvals get'"),
            (["get", "--gateway", "--node", "x"], "--gateway and --node exclude each other"),
            (["nope"], "unknown command 'approvals nope'"),
        ):
            outcome = self.openclaw("approvals", *words)
            self.assertEqual(outcome.code, 2, words)
            self.assertIn(told, outcome.err)
        self.assertEqual(self.openclaw("approvals", "set", "--file", "nothing").code, 1)
        self.assertFalse((self.home / ".openclaw").exists())


class RemoteTests(GatewayCase):
    """
    Files elsewhere.
    """

    def answer(self, method: str, **members: Any) -> dict[str, Any]:
        file = {"version": 1, "socket": {"path": "/s"}, "defaults": {}, "agents": {}}
        told = {"path": "/root/.openclaw/exec-approvals.json", "exists": True, "hash": "h", "file": file, **members}
        self.gateway.methods[f"{method}.get"] = self.gateway.methods[f"{method}.set"] = told
        return told

    def test_gateway(self) -> None:
        """
        The gateway's own is read and written over the wire, with the hash of what was read.
        """
        told = self.answer("exec.approvals")
        self.assertEqual(self.openclaw("approvals", "get", "--gateway", "--json").json, told)
        outcome = self.openclaw("approvals", "allowlist", "add", "/bin/ls", "--gateway")
        self.assertNotIn("Showing local", outcome.out)
        params = self.gateway.requests[-1]["params"]
        self.assertEqual(params["baseHash"], "h")
        (entry,) = params["file"]["agents"]["*"]["allowlist"]
        self.assertEqual(entry, {"pattern": "/bin/ls", "lastUsedAt": NOW_MS})

    def test_node(self) -> None:
        """
        A node's is asked for by the id, or by the name that leads to it.
        """
        self.answer("exec.approvals.node")
        nodes = [{"nodeId": "n1", "displayName": "Mac"}, {"nodeId": "n2", "displayName": "mac2"}]
        self.gateway.methods["node.list"] = {"nodes": nodes}
        for name, expected in (("n2", "n2"), ("MAC", "n1"), ("other", "other")):
            outcome = self.openclaw("approvals", "get", "--node", name)
            self.assertEqual(self.gateway.requests[-1]["params"], {"nodeId": expected})
            self.assertIn(f"│ node:{expected}", outcome.out)
        nodes.append({"nodeId": "n3", "displayName": "mac"})
        outcome = self.openclaw("approvals", "get", "--node", "mac")
        self.assertEqual((outcome.code, outcome.err), (1, "Error: ambiguous node: mac (matches: n1, n3)\n"))

    def test_odd_answers(self) -> None:
        """
        Without a hash nothing is written; what is no file is not shown as one.
        """
        self.answer("exec.approvals", hash="")
        outcome = self.openclaw("approvals", "allowlist", "add", "/bin/ls", "--gateway")
        self.assertEqual((outcome.code, outcome.err), (1, "Exec approvals hash missing; reload and retry.\n"))
        self.gateway.methods["exec.approvals.get"] = {}
        outcome = self.openclaw("approvals", "get", "--gateway")
        self.assertEqual(outcome.code, 1)
        self.assertEqual(outcome.err, "Error: gateway did not answer with its approvals.\n")
