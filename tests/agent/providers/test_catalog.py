"""
From what people write of models and keys to a model that can be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.catalog import (
    ECHO,
    NoApiKey,
    UnknownModel,
    aliases,
    default_ref,
    fallback_refs,
    find_ref,
    is_allowed,
    parse_ref,
    resolve_model,
    thinking_default,
    thinking_levels,
)
from openclaw.agent.providers.choices import choices
from openclaw.config.model import Config, build


def config(defaults: Mapping[str, Any] | None = None, **providers: Mapping[str, Any]) -> Config:
    return build({"agents": {"defaults": defaults or {}}, "models": {"providers": providers}})


MOCK = {"baseUrl": "http://model.test/v1/", "apiKey": "sk-mock", "models": [{"id": "m1", "name": "M 1"}]}


class DefaultTests(SynchronousTestCase):
    def test_echo(self) -> None:
        """
        Without a model and without any key the embedded model answers; any of them ends that.
        """
        self.assertEqual(resolve_model(config(), {}), ECHO)
        self.assertEqual([choice.ref for choice in choices(config(), {})], ["builtin/echo"])
        self.assertEqual(default_ref(config(), {"ANTHROPIC_API_KEY": "k"}).provider, "anthropic")
        self.assertEqual(default_ref(config(), {"OPENAI_API_KEY": "k"}).provider, "openai")
        self.assertEqual(str(default_ref(config(mock=MOCK), {})), "mock/m1")
        chosen = config({"model": {"primary": "anthropic/claude-opus-4-5"}})
        self.assertRaises(NoApiKey, resolve_model, chosen, {})

    def test_agent(self) -> None:
        """
        An agent's own model wins over the general one, and so do its fallbacks.
        """
        own = {"primary": "mock/own", "fallbacks": ["mock/m1"]}
        both = build(
            {
                "agents": {
                    "defaults": {"model": {"primary": "mock/m1", "fallbacks": ["mock/m2"]}},
                    "list": [{"id": "main"}, {"id": "ops", "model": own}],
                }
            }
        )
        self.assertEqual(str(default_ref(both, {}, "ops")), "mock/own")
        self.assertEqual(str(default_ref(both, {}, "main")), "mock/m1")
        self.assertEqual([str(ref) for ref in fallback_refs(both, "ops")], ["mock/m1"])
        self.assertEqual([str(ref) for ref in fallback_refs(both, "main")], ["mock/m2"])


class ReferenceTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """
        The provider ends at the first slash; a bare id belongs to a given provider; half a reference is none.
        """
        self.assertEqual(str(parse_ref(" OpenRouter/meta/llama ")), "openrouter/meta/llama")
        self.assertEqual(str(parse_ref("claude")), "anthropic/claude")
        for text in ("", "/", "a/", "/b"):
            self.assertRaises(UnknownModel, parse_ref, text)

    def test_aliases(self) -> None:
        """
        Own aliases count in any case; built-in ones only while their model is listed.
        """
        listed = config({"models": {"mock/m1": {"alias": "Fast"}, "anthropic/claude-opus-4-5": {}}}, mock=MOCK)
        self.assertEqual(aliases(listed), {"fast": "mock/m1", "opus": "anthropic/claude-opus-4-5"})
        self.assertEqual(str(find_ref(listed, "FAST", {})), "mock/m1")
        self.assertEqual(aliases(config()), {})

    def test_allowed(self) -> None:
        """
        Without a list everything goes, with one only what is on it, and the default.
        """
        self.assertTrue(is_allowed(config(), parse_ref("mock/any"), {}))
        listed = config({"model": {"primary": "mock/m1"}, "models": {"mock/m2": {}}})
        allowed = [is_allowed(listed, parse_ref(ref), {}) for ref in ("mock/m1", "mock/m2", "mock/m3")]
        self.assertEqual(allowed, [True, True, False])


class ResolveTests(SynchronousTestCase):
    def test_configured(self) -> None:
        """
        A configured model has its provider's address and key; others of that provider do not exist.
        """
        model = resolve_model(config(mock=MOCK), {})
        self.assertEqual((model.ref, model.base_url, model.api_key), ("mock/m1", "http://model.test/v1", "sk-mock"))
        self.assertNotIn("sk-mock", repr(model))
        self.assertRaises(UnknownModel, resolve_model, config(mock=MOCK), {}, parse_ref("mock/other"))
        self.assertRaises(UnknownModel, resolve_model, config(mock=MOCK), {}, parse_ref("nope/none"))

    def test_keys(self) -> None:
        """
        The environment comes first, a configured key may name a variable, a command is told apart.
        """
        found = resolve_model(config(), {"ANTHROPIC_OAUTH_TOKEN": "oat", "ANTHROPIC_API_KEY": "api"})
        self.assertEqual((found.api_key, found.bearer), ("oat", True))
        for told in ("${MY_KEY}", "MY_KEY"):
            named = resolve_model(config(mock={**MOCK, "apiKey": told}), {"MY_KEY": "secret"})
            self.assertEqual((named.api_key, named.key_source), ("secret", "env MY_KEY"))
        told_by = resolve_model(config(mock={**MOCK, "apiKey": "!pass show x"}), {})
        self.assertEqual((told_by.api_key, told_by.key_is_command), ("!pass show x", True))

    def test_no_key(self) -> None:
        """
        A server of one's own may want no key; a known provider always does.
        """
        own = {name: value for name, value in MOCK.items() if name != "apiKey"}
        self.assertIsNone(resolve_model(config(mock=own), {}).api_key)
        error = self.assertRaises(NoApiKey, resolve_model, config(), {}, parse_ref("openai/gpt-5.2"))
        self.assertIn("openai", str(error))

    def test_own_name_twice(self) -> None:
        """
        OpenRouter's own model has the provider's name there, too, whether or not that was said twice.
        """
        for text in ("openrouter/auto", "openrouter/openrouter/auto"):
            model = resolve_model(config(), {"OPENROUTER_API_KEY": "k"}, parse_ref(text))
            self.assertEqual((model.provider, model.model_id), ("openrouter", "openrouter/auto"))
        other = resolve_model(config(), {"OPENROUTER_API_KEY": "k"}, parse_ref("openrouter/meta/llama"))
        self.assertEqual(other.model_id, "meta/llama")

    def test_compat(self) -> None:
        """
        What a server understands is guessed from its name or address, unless it is configured.
        """
        plain = resolve_model(config(deepseek=MOCK), {}).compat
        self.assertEqual((plain.supports_store, plain.supports_developer_role), (False, False))
        self.assertFalse(resolve_model(config(xai=MOCK), {}).compat.supports_reasoning_effort)
        self.assertEqual(resolve_model(config(mistral=MOCK), {}).compat.max_tokens_field, "max_tokens")
        told = {**MOCK, "models": [{"id": "m1", "name": "M", "compat": {"supportsStore": True}}]}
        self.assertTrue(resolve_model(config(deepseek=told), {}).compat.supports_store)
        self.assertTrue(resolve_model(config(mock=MOCK), {}).compat.supports_store)

    def test_levels(self) -> None:
        """
        A model that reasons thinks a little unless told otherwise; only some think as hard as can be.
        """
        model = resolve_model(config(mock=MOCK), {})
        self.assertEqual(thinking_default(config(), model), "off")
        self.assertNotIn("xhigh", thinking_levels(model))
        best = resolve_model(config(), {"OPENAI_API_KEY": "k"}, parse_ref("openai/gpt-5.2"))
        self.assertIn("xhigh", thinking_levels(best))
        self.assertEqual(thinking_default(config(), best), "low")
        self.assertEqual(thinking_default(config({"thinkingDefault": "high"}), model), "high")
