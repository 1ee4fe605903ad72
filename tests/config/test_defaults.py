"""
Tests for :mod:`openclaw.config.defaults`: what depends on models and credentials.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.defaults import with_defaults

HOME = Path("/nonexistent")


def filled(config: dict[str, Any], home: Path = HOME, **environ: str) -> dict[str, Any]:
    """
    The effective configuration.
    """
    return with_defaults(config, environ, home)


class ModelTests(SynchronousTestCase):
    """
    Aliases of models that are listed.
    """

    def test_aliases(self) -> None:
        """
        Known models get their short name, unless they have one or it is taken.
        """
        models = {
            "anthropic/claude-opus-4-5": {},
            "openai/gpt-5.2": {"alias": ""},
            "openai/gpt-5-mini": {"params": {}},
            "mine/x": {"alias": "gemini"},
            "google/gemini-3-pro-preview": {},
        }
        found = filled({"agents": {"defaults": {"models": models}}})["agents"]["defaults"]["models"]
        self.assertEqual(
            {name: entry.get("alias") for name, entry in found.items()},
            {
                "anthropic/claude-opus-4-5": "opus",
                "openai/gpt-5.2": "",
                "openai/gpt-5-mini": "gpt-mini",
                "mine/x": "gemini",
                "google/gemini-3-pro-preview": None,
            },
        )
        self.assertEqual(models["anthropic/claude-opus-4-5"], {})


class AnthropicTests(SynchronousTestCase):
    """
    What follows from a credential of Anthropic's.
    """

    def defaults(self, config: dict[str, Any], **environ: str) -> tuple[Any, Any]:
        """
        Pruning, and how often an agent wakes.
        """
        found = filled(config, HOME, **environ)["agents"]["defaults"]
        return found.get("contextPruning"), found.get("heartbeat", {}).get("every")

    def test_none(self) -> None:
        """
        Without one nothing is added.
        """
        self.assertEqual(self.defaults({}, OPENAI_API_KEY="x", ANTHROPIC_API_KEY=" "), (None, None))

    def test_environment(self) -> None:
        """
        A key and a token of the environment differ in how often an agent wakes; the token comes first.
        """
        pruning = {"mode": "cache-ttl", "ttl": "1h"}
        self.assertEqual(self.defaults({}, ANTHROPIC_API_KEY="x"), (pruning, "30m"))
        self.assertEqual(self.defaults({}, ANTHROPIC_API_KEY="x", ANTHROPIC_OAUTH_TOKEN="y"), (pruning, "1h"))

    def test_profiles(self) -> None:
        """
        Profiles of the file come before the environment: the first in order, else when all are of one kind.
        """
        key, token = {"provider": "anthropic", "mode": "api_key"}, {"provider": "anthropic", "mode": "token"}
        other = {"provider": "openai", "mode": "oauth"}
        both = {"profiles": {"a": key, "b": token}}
        cases: list[tuple[dict[str, Any], str | None]] = [
            ({"profiles": {"a": key, "c": other}}, "30m"),
            ({"profiles": {"b": token}}, "1h"),
            ({**both, "order": {"anthropic": ["gone", "b", "a"]}}, "1h"),
            ({"profiles": {"c": other}}, None),
            (both, None),
        ]
        for auth, every in cases:
            self.assertEqual(self.defaults({"auth": auth})[1], every, auth)
        self.assertEqual(self.defaults({"auth": both}, ANTHROPIC_API_KEY="x")[1], "30m")

    def test_file_wins(self) -> None:
        """
        What the file says stays.
        """
        config = {"agents": {"defaults": {"contextPruning": {"mode": "off"}, "heartbeat": {"every": "5m"}}}}
        self.assertEqual(self.defaults(config, ANTHROPIC_API_KEY="x"), ({"mode": "off"}, "5m"))
        config = {"agents": {"defaults": {"contextPruning": {"ttl": "5m"}}}}
        self.assertEqual(self.defaults(config, ANTHROPIC_API_KEY="x"), ({"ttl": "5m", "mode": "cache-ttl"}, "30m"))


class TalkTests(SynchronousTestCase):
    """
    The key for speech.
    """

    def test_environment(self) -> None:
        """
        The environment's key stands in for one that the file lacks.
        """
        self.assertEqual(filled({}, ELEVENLABS_API_KEY=" k ")["talk"], {"apiKey": "k"})
        self.assertEqual(filled({"talk": {"apiKey": ""}}, ELEVENLABS_API_KEY="k")["talk"], {"apiKey": "k"})
        self.assertEqual(filled({"talk": {"apiKey": "mine"}}, ELEVENLABS_API_KEY="k")["talk"], {"apiKey": "mine"})
        self.assertNotIn("talk", filled({}))

    def test_shell_files(self) -> None:
        """
        Else the first file of a shell that sets it.
        """
        home = Path(self.mktemp())
        home.mkdir()
        (home / ".zshrc").write_text("x=1\n  export ELEVENLABS_API_KEY='from zsh'\n")
        (home / ".bashrc").write_text("ELEVENLABS_API_KEY=from-bash\n")
        self.assertEqual(filled({}, home)["talk"], {"apiKey": "from zsh"})
        (home / ".profile").write_text("# ELEVENLABS_API_KEY=no\nMY_ELEVENLABS_API_KEY=no\n")
        self.assertEqual(filled({}, home)["talk"], {"apiKey": "from zsh"})
        (home / ".zshrc").unlink()
        self.assertEqual(filled({}, home)["talk"], {"apiKey": "from-bash"})
