"""
``openclaw models``.
"""

from __future__ import annotations

import json
import os

from tests.cli.harness import CommandCase, GatewayCase

CONFIG = {
    "agents": {
        "defaults": {
            "model": {"primary": "mine", "fallbacks": ["anthropic/claude-opus-4-5"]},
            "models": {"lab/small": {"alias": "mine"}, "lab/gone": {}},
        },
        "list": [{"id": "main"}, {"id": "work", "model": "openai/gpt-5.2"}],
    },
    "models": {
        "providers": {
            "lab": {
                "baseUrl": "http://127.0.0.1:1234/v1",
                "api": "openai-completions",
                "apiKey": "very-secret",
                "models": [{"id": "small", "name": "Small", "contextWindow": 32000}],
            }
        }
    },
}


class ListTests(CommandCase):
    """
    Which models there are.
    """

    def test_json(self) -> None:
        """
        What the configuration names, with what it does with each; those that do not exist, too.
        """
        self.configure(CONFIG)
        listed = self.openclaw("models", "list", "--json").json
        self.assertEqual(listed["count"], 3)
        rows = {row["key"]: row for row in listed["models"]}
        self.assertEqual(
            rows["lab/small"],
            {
                "key": "lab/small",
                "name": "Small",
                "input": ["text"],
                "contextWindow": 32000,
                "local": True,
                "available": True,
                "tags": ["default", "configured", "alias:mine"],
                "missing": False,
            },
        )
        self.assertEqual((rows["lab/gone"]["missing"], rows["lab/gone"]["available"]), (True, False))
        opus = rows["anthropic/claude-opus-4-5"]
        self.assertEqual((opus["tags"][0], opus["available"], opus["missing"]), ("fallback#1", False, False))

    def test_choice(self) -> None:
        """
        Options leave models out, or add all that are known.
        """
        self.configure(CONFIG)
        everything = self.openclaw("models", "list", "--all", "--plain").out.splitlines()
        self.assertEqual(everything[0], "lab/small")
        self.assertIn("openai/gpt-5.2", everything)
        few = self.openclaw("models", "list", "--all", "--plain", "--provider", "Anthropic").out.splitlines()
        self.assertEqual({key.partition("/")[0] for key in few}, {"anthropic"})
        self.assertEqual(self.openclaw("models", "list", "--local", "--plain").out, "lab/small\nlab/gone\n")
        self.assertEqual(self.openclaw("models", "list", "--provider", "nobody").out, "No models found.\n")

    def test_table(self) -> None:
        """
        People get a table.
        """
        self.configure(CONFIG)
        lines = self.openclaw("models", "list").out.splitlines()
        self.assertEqual(lines[1].split()[1:-1:2], ["Model", "Input", "Ctx", "Local", "Auth", "Tags"])
        self.assertIn("32k", lines[3])

    def test_nothing_configured(self) -> None:
        """
        Then there is the built-in one.
        """
        self.assertEqual(self.openclaw("models", "list", "--plain").out, "builtin/echo\n")


class StatusTests(CommandCase):
    """
    What is used, and with which keys.
    """

    def test_json(self) -> None:
        """
        Where keys are from is told, keys are not.
        """
        self.configure(CONFIG)
        outcome = self.openclaw("models", "status", "--json")
        self.assertNotIn("very-secret", outcome.out)
        told = outcome.json
        self.assertEqual((told["defaultModel"], told["resolvedDefault"]), ("mine", "lab/small"))
        self.assertEqual(told["fallbacks"], ["anthropic/claude-opus-4-5"])
        self.assertEqual(told["aliases"]["mine"], "lab/small")
        self.assertEqual(
            told["auth"],
            {
                "providers": [
                    {"provider": "lab", "source": "models.providers.lab.apiKey"},
                    {"provider": "anthropic", "source": None},
                ],
                "missingProvidersInUse": ["anthropic"],
            },
        )

    def test_check(self) -> None:
        """
        A missing key fails the check, and nothing else does.
        """
        self.configure(CONFIG)
        self.assertEqual(self.openclaw("models", "status").code, 0)
        self.assertEqual(self.openclaw("models", "status", "--check").code, 1)
        self.environ["ANTHROPIC_API_KEY"] = "k"
        self.assertEqual(self.openclaw("models", "status", "--check").code, 0)

    def test_people(self) -> None:
        """
        The same for people.
        """
        self.configure(CONFIG)
        out = self.openclaw("models").out
        self.assertIn("Default  : lab/small\n", out)
        self.assertIn("Key      : anthropic: missing\n", out)

    def test_agent(self) -> None:
        """
        An agent has its own model; who is no agent is told.
        """
        self.configure(CONFIG)
        self.assertEqual(self.openclaw("models", "status", "--agent", "work", "--plain").out, "openai/gpt-5.2\n")
        outcome = self.openclaw("models", "status", "--agent", "nobody")
        self.assertEqual((outcome.code, outcome.err), (1, 'Error: Unknown agent id "nobody".\n'))

    def test_words(self) -> None:
        """
        Options of other subcommands are usage errors.
        """
        self.assertEqual(self.openclaw("models", "status", "--all").code, 2)
        self.assertEqual(self.openclaw("models", "list", "--check").code, 2)
        self.assertEqual(self.openclaw("models", "scan").code, 2)
        self.assertEqual(self.openclaw("models", "set").code, 2)


class SetTests(GatewayCase):
    """
    Another default.
    """

    def test_set(self) -> None:
        """
        Only the first model changes; a name in the short form stays one string.
        """
        path = self.configure(CONFIG)
        outcome = self.openclaw("models", "set", "openai/gpt-5.2")
        self.assertEqual(outcome.out, "Default model: openai/gpt-5.2. Restart the gateway to apply.\n", outcome.err)
        self.assertIn("Warning: No API key found", outcome.err)
        expected = {"primary": "openai/gpt-5.2", "fallbacks": ["anthropic/claude-opus-4-5"]}
        self.assertEqual(json.loads(path.read_text())["agents"]["defaults"]["model"], expected)
        path.write_text(json.dumps(CONFIG | {"agents": {"defaults": {"model": "lab/small"}}}))
        self.assertEqual(self.openclaw("models", "set", "openai/gpt-5.2").code, 0)
        self.assertEqual(json.loads(path.read_text())["agents"]["defaults"]["model"], "openai/gpt-5.2")

    def test_unknown(self) -> None:
        """
        A model that cannot be asked is no default.
        """
        path = self.configure(CONFIG)
        before = path.read_text()
        outcome = self.openclaw("models", "set", "nobody/nothing")
        self.assertEqual((outcome.code, outcome.err), (1, "Error: Unknown model: nobody/nothing\n"))
        self.assertEqual(path.read_text(), before)

    def test_through_the_gateway(self) -> None:
        """
        A gateway that runs with this file writes.
        """
        path = self.home / ".openclaw" / "openclaw.json"
        told = {"pid": os.getpid(), "configPath": str(path)}
        (self.home / ".openclaw" / "gateway.lock").write_text(json.dumps(told))
        self.gateway.methods["config.set"] = {"ok": True, "restartNeeded": []}
        before = path.read_text()
        outcome = self.openclaw("models", "set", "openai/gpt-5.2")
        self.assertEqual(outcome.out, "Default model: openai/gpt-5.2. The running gateway follows it.\n")
        sent = json.loads(self.gateway.requests[-1]["params"]["raw"])
        self.assertEqual(sent["agents"]["defaults"]["model"], {"primary": "openai/gpt-5.2"})
        self.assertEqual(path.read_text(), before)
