"""
Tests for :mod:`openclaw.config.model`.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.loader import evaluate
from openclaw.config.model import Config


def model(text: str) -> Config:
    """
    The model of a text.
    """
    return evaluate(text, Path("/c.json"), {}, Path("/h")).require()


class ModelTests(SynchronousTestCase):
    """
    From the file to attributes.
    """

    def test_names(self) -> None:
        """
        Attributes are the file's keys in snake_case.
        """
        config = model("""{
          gateway: {
            auth: {token: "t"}, customBindHost: "10.0.0.1", trustedProxies: ["10.0.0.2"],
            controlUi: {basePath: "/ui/"}, shutdown: {drainMs: 5}, maxPayload: 1024,
          },
          agents: {defaults: {model: {primary: "a/b", fallbacks: ["c/d"]}, models: {"a/b": {alias: "x"}}}},
          models: {providers: {x: {baseUrl: "http://x", headers: {A: "b"}, models: []}}},
          session: {reset: {atHour: 6}, resetByType: {dm: {mode: "idle"}}},
        }""")
        self.assertEqual(config.gateway.auth.token, "t")
        self.assertEqual(config.gateway.custom_bind_host, "10.0.0.1")
        self.assertEqual(config.gateway.trusted_proxies, ("10.0.0.2",))
        self.assertEqual(config.gateway.control_ui.prefix, "/ui")
        self.assertEqual(config.gateway.shutdown.drain_ms, 5)
        self.assertEqual(config.agents.defaults.model.primary, "a/b")
        self.assertEqual(config.agents.defaults.model.fallbacks, ("c/d",))
        self.assertEqual(config.agents.defaults.models["a/b"].alias, "x")
        self.assertEqual(config.models.providers["x"].base_url, "http://x")
        self.assertEqual(config.session.reset.at_hour, 6)
        self.assertEqual(config.session.reset_by_type["dm"].idle_limit, 60)

    def test_short_forms(self) -> None:
        """
        A model may be a plain name, and a whole number may be written as a float.
        """
        config = model('{agents: {defaults: {model: "a/b"}, list: [{id: "x", model: "c/d"}]}, gateway: {port: 5.0}}')
        self.assertEqual(config.agents.defaults.model.primary, "a/b")
        agent = config.agents.find("x")
        assert agent is not None
        assert agent.model is not None
        self.assertEqual(agent.model.primary, "c/d")
        self.assertIs(type(config.gateway.port), int)

    def test_empty_secret(self) -> None:
        """
        A secret of nothing but blanks is an unset one.
        """
        self.assertIsNone(model('{gateway: {auth: {token: "  "}}}').gateway.auth.token)

    def test_secrets_are_not_shown(self) -> None:
        """
        The text of a model contains no secret.
        """
        config = model("""{
          env: {K: "hush-1"}, gateway: {auth: {token: "hush-2", password: "hush-3"}, remote: {token: "hush-4"}},
          models: {providers: {x: {baseUrl: "u", apiKey: "hush-5", headers: {A: "hush-6"}, models: []}}},
          hooks: {token: "hush-7"}, talk: {apiKey: "hush-8"},
        }""")
        self.assertNotIn("hush", repr(config))

    def test_old_idle_minutes(self) -> None:
        """
        The old key sets the policy as long as the new ones are absent.
        """
        self.assertEqual(model("{session: {idleMinutes: 9}}").session.reset.idle_limit, 9)
        self.assertEqual(model("{session: {idleMinutes: 9, reset: {}}}").session.reset.mode, "daily")

    def test_default_agent(self) -> None:
        """
        The default agent is the marked one, else the first, else main.
        """
        self.assertEqual(model("{}").agents.default_id, "main")
        self.assertEqual(model('{agents: {list: [{id: "a"}, {id: "b"}]}}').agents.default_id, "a")
        self.assertEqual(model('{agents: {list: [{id: "a"}, {id: "b", default: true}]}}').agents.default_id, "b")

    def test_effective(self) -> None:
        """
        Known keys without an attribute are found in the effective mapping, which cannot be changed by accident.
        """
        config = model('{skills: {allowBundled: ["x"]}}')
        self.assertEqual(config.effective["skills"], {"allowBundled": ["x"]})
        self.assertIsInstance(config.effective, MappingProxyType)
