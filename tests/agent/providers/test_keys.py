"""
Keys and headers that a command prints.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers import keys
from openclaw.agent.providers.base import ResolvedModel
from openclaw.agent.providers.catalog import resolve_model
from openclaw.agent.providers.keys import KeyCommandFailed, has_commands, run_key_command, with_commands_run
from openclaw.config.model import build


def model(environ: dict[str, str] | None = None, **provider: Any) -> ResolvedModel:
    entry = {"baseUrl": "http://model.test/v1", "models": [{"id": "m", "name": "M"}], **provider}
    return resolve_model(build({"models": {"providers": {"mock": entry}}}), environ or {})


class ResolvedTests(SynchronousTestCase):
    def test_run(self) -> None:
        """
        Commands for the key and for headers are run; what they print is taken without the line break.
        """
        told = model(apiKey="! pass show x", headers={"X-One": "!one", "X-Two": "plain"})
        self.assertTrue(has_commands(told))
        ready = with_commands_run(told, lambda command: f"<{command}>\n")
        self.assertEqual(ready.api_key, "<pass show x>")
        self.assertEqual(dict(ready.headers), {"x-one": "<one>", "x-two": "plain"})
        self.assertFalse(has_commands(ready))

    def test_no_command(self) -> None:
        """
        What stands in the environment is a key, whatever it looks like: nothing of it is run.
        """
        told = model({"MY_KEY": "!rm"}, apiKey="MY_KEY", headers={"X-One": "MY_KEY"})
        self.assertFalse(has_commands(told))
        self.assertEqual(with_commands_run(told, self.fail), told)


class CommandTests(SynchronousTestCase):
    def test_printed(self) -> None:
        """
        A command line is run as it stands.
        """
        self.assertEqual(run_key_command("echo a | tr a b"), "b\n")

    def test_failures(self) -> None:
        """
        What goes wrong is said without the command and without what it printed.
        """
        self.patch(keys, "KEY_COMMAND_SECONDS", 0.05)
        cases = {
            "echo secret; exit 3": "exit code 3",
            "true": "it printed nothing",
            "sleep 5": "it took longer than 0.05 seconds",
        }
        for command, reason in cases.items():
            error = self.assertRaises(KeyCommandFailed, run_key_command, command)
            self.assertEqual(str(error), f"The configured command for a model's key failed: {reason}.")
