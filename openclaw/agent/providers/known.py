"""
Providers and models that need no configuration beyond a key.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from openclaw.agent.providers.base import Cost
from openclaw.config.defaults import MODEL_ALIASES


@frozen(kw_only=True)
class KnownModel:
    """
    A model of a provider we know.
    """

    id: str
    name: str
    reasoning: bool = False
    inputs: tuple[str, ...] = ("text", "image")
    context_window: int = 200_000
    max_tokens: int = 8_192
    cost: Cost = field(factory=Cost)


@frozen(kw_only=True)
class KnownProvider:
    """
    A provider we know.

    :ivar keys: environment variables that may hold its key, the first that is set counts.
    :ivar models: the first is taken when nothing names one.
    """

    base_url: str
    keys: tuple[str, ...]
    api: str = "openai-completions"
    models: tuple[KnownModel, ...] = ()


_ANTHROPIC = (
    KnownModel(
        id="claude-opus-4-5",
        name="Claude Opus 4.5",
        reasoning=True,
        max_tokens=64_000,
        cost=Cost(input=5, output=25, cache_read=0.5, cache_write=6.25),
    ),
    KnownModel(
        id="claude-sonnet-4-5",
        name="Claude Sonnet 4.5",
        reasoning=True,
        max_tokens=64_000,
        cost=Cost(input=3, output=15, cache_read=0.3, cache_write=3.75),
    ),
    KnownModel(
        id="claude-haiku-4-5",
        name="Claude Haiku 4.5",
        reasoning=True,
        max_tokens=64_000,
        cost=Cost(input=1, output=5, cache_read=0.1, cache_write=1.25),
    ),
)

_OPENAI = (
    KnownModel(
        id="gpt-5.2",
        name="GPT-5.2",
        reasoning=True,
        context_window=400_000,
        max_tokens=128_000,
        cost=Cost(input=1.75, output=14, cache_read=0.175),
    ),
    KnownModel(
        id="gpt-5-mini",
        name="GPT-5 mini",
        reasoning=True,
        context_window=400_000,
        max_tokens=128_000,
        cost=Cost(input=0.25, output=2, cache_read=0.025),
    ),
)

_GEMINI = (
    KnownModel(
        id="gemini-3-pro-preview",
        name="Gemini 3 Pro",
        reasoning=True,
        context_window=1_048_576,
        max_tokens=65_536,
    ),
    KnownModel(
        id="gemini-3-flash-preview",
        name="Gemini 3 Flash",
        reasoning=True,
        context_window=1_048_576,
        max_tokens=65_536,
    ),
)

#: In the order in which a default is looked for.
KNOWN_PROVIDERS: Mapping[str, KnownProvider] = {
    "anthropic": KnownProvider(
        base_url="https://api.anthropic.com",
        keys=("ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"),
        api="anthropic-messages",
        models=_ANTHROPIC,
    ),
    "openai": KnownProvider(
        base_url="https://api.openai.com/v1",
        keys=("OPENAI_API_KEY",),
        models=_OPENAI,
    ),
    "google": KnownProvider(
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        keys=("GEMINI_API_KEY",),
        models=_GEMINI,
    ),
    "openrouter": KnownProvider(
        base_url="https://openrouter.ai/api/v1",
        keys=("OPENROUTER_API_KEY",),
        models=(KnownModel(id="openrouter/auto", name="OpenRouter Auto"),),
    ),
    "groq": KnownProvider(
        base_url="https://api.groq.com/openai/v1",
        keys=("GROQ_API_KEY",),
        models=(KnownModel(id="openai/gpt-oss-120b", name="GPT-OSS 120B", reasoning=True, inputs=("text",)),),
    ),
    "xai": KnownProvider(
        base_url="https://api.x.ai/v1",
        keys=("XAI_API_KEY",),
        models=(KnownModel(id="grok-4", name="Grok 4", context_window=256_000),),
    ),
    "mistral": KnownProvider(
        base_url="https://api.mistral.ai/v1",
        keys=("MISTRAL_API_KEY",),
        models=(KnownModel(id="mistral-large-latest", name="Mistral Large", context_window=128_000),),
    ),
    "cerebras": KnownProvider(
        base_url="https://api.cerebras.ai/v1",
        keys=("CEREBRAS_API_KEY",),
        models=(KnownModel(id="zai-glm-4.7", name="GLM 4.7", inputs=("text",), context_window=128_000),),
    ),
    "moonshot": KnownProvider(
        base_url="https://api.moonshot.ai/v1",
        keys=("MOONSHOT_API_KEY",),
        models=(KnownModel(id="kimi-k2.5", name="Kimi K2.5", context_window=256_000),),
    ),
    "zai": KnownProvider(
        base_url="https://api.z.ai/api/paas/v4",
        keys=("ZAI_API_KEY", "Z_AI_API_KEY"),
        models=(KnownModel(id="glm-4.7", name="GLM 4.7", inputs=("text",)),),
    ),
}

#: Variables of providers that have no entry above but may be configured under ``models.providers``.
OTHER_KEYS: Mapping[str, tuple[str, ...]] = {
    "vercel-ai-gateway": ("AI_GATEWAY_API_KEY",),
    "kimi-coding": ("KIMI_API_KEY", "KIMICODE_API_KEY"),
    "minimax": ("MINIMAX_API_KEY",),
    "opencode": ("OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY"),
    "github-copilot": ("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"),
    "venice": ("VENICE_API_KEY",),
    "synthetic": ("SYNTHETIC_API_KEY",),
    "xiaomi": ("XIAOMI_API_KEY",),
    "qwen-portal": ("QWEN_OAUTH_TOKEN", "QWEN_PORTAL_API_KEY"),
    "chutes": ("CHUTES_OAUTH_TOKEN", "CHUTES_API_KEY"),
}

#: Other spellings of provider names.
PROVIDER_ALIASES: Mapping[str, str] = {
    "z.ai": "zai",
    "z-ai": "zai",
    "opencode-zen": "opencode",
    "qwen": "qwen-portal",
    "kimi-code": "kimi-coding",
}

#: Short names, active only where the model they stand for is listed in ``agents.defaults.models``.
BUILTIN_ALIASES = MODEL_ALIASES

#: The only models that think at ``xhigh``.
XHIGH_MODELS = frozenset({"openai/gpt-5.2", "openai-codex/gpt-5.2-codex", "openai-codex/gpt-5.1-codex"})
