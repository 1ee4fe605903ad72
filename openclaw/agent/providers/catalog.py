"""
From what people write of models and keys to a model that can be asked (``agent.md`` 13 and 14).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve, frozen

from openclaw.agent.providers.base import COMMAND_MARK, Cost, ResolvedModel
from openclaw.agent.providers.compat import guessed_compat
from openclaw.agent.providers.known import (
    BUILTIN_ALIASES,
    KNOWN_PROVIDERS,
    OTHER_KEYS,
    PROVIDER_ALIASES,
    XHIGH_MODELS,
    KnownModel,
)
from openclaw.config.model import Config
from openclaw.config.model_agents import ModelEntry, ProviderConfig
from openclaw.errors import OpenClawError

ECHO = ResolvedModel(
    provider="builtin",
    model_id="echo",
    api="echo",
    base_url="",
    name="Echo (no model configured)",
    key_source="none needed",
)

DEFAULT_PROVIDER = "anthropic"

THINKING_LEVELS = ("off", "minimal", "low", "medium", "high", "xhigh")


@frozen
class UnknownModel(OpenClawError):
    """
    No provider or model of that name.
    """

    ref: str

    def __str__(self) -> str:
        return f"Unknown model: {self.ref}"


@frozen
class ModelNotAllowed(OpenClawError):
    """
    The model is not in ``agents.defaults.models``.
    """

    ref: str

    def __str__(self) -> str:
        return f"model not allowed: {self.ref}"


@frozen
class NoApiKey(OpenClawError):
    """
    A provider needs a key and none was found.
    """

    provider: str

    def __str__(self) -> str:
        names = env_names(self.provider)
        hint = f"set {names[0]} in the gateway's environment or " if names else ""
        return (
            f'No API key found for provider "{self.provider}". '
            f"Configure auth for this agent ({hint}set models.providers.{self.provider}.apiKey)."
        )


@frozen
class ModelRefParts:
    """
    A reference in its two parts.
    """

    provider: str
    model_id: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model_id}"


# -- references -------------------------------------------------------------------------------------------------------


def normal_provider(name: str) -> str:
    """
    A provider's one spelling.
    """
    lowered = name.strip().lower()
    return PROVIDER_ALIASES.get(lowered, lowered)


def parse_ref(text: str, default_provider: str = DEFAULT_PROVIDER) -> ModelRefParts:
    """
    Read ``provider/model`` or a bare model id.

    :raise UnknownModel: there is nothing to read.
    """
    provider, slash, model_id = text.strip().partition("/")
    if not slash:
        provider, model_id = default_provider, provider
    if not provider.strip() or not model_id.strip():
        raise UnknownModel(text)
    return ModelRefParts(normal_provider(provider), model_id.strip())


def aliases(config: Config) -> dict[str, str]:
    """
    Aliases in force, lower-cased, with the reference each stands for.
    """
    listed = {str(parse_ref(ref)): ref for ref in config.agents.defaults.models}
    found = {alias: ref for alias, ref in BUILTIN_ALIASES.items() if ref in listed}
    for ref, allowed in config.agents.defaults.models.items():
        if allowed.alias:
            found[allowed.alias.strip().lower()] = str(parse_ref(ref))
    return found


def find_ref(config: Config, text: str, environ: Mapping[str, str]) -> ModelRefParts:
    """
    Read an alias or a reference; a bare id belongs to the default model's provider.
    """
    wanted = text.strip()
    named = aliases(config).get(wanted.lower())
    if named is not None:
        return parse_ref(named)
    if "/" in wanted:
        return parse_ref(wanted)
    return parse_ref(wanted, default_ref(config, environ).provider)


def is_allowed(config: Config, ref: ModelRefParts, environ: Mapping[str, str]) -> bool:
    """
    Whether people may switch to a model: everything goes while there is no list.
    """
    listed = config.agents.defaults.models
    if not listed:
        return True
    allowed = {str(parse_ref(entry)) for entry in listed}
    return str(ref) in allowed or ref == default_ref(config, environ)


# -- defaults ---------------------------------------------------------------------------------------------------------


def default_ref(config: Config, environ: Mapping[str, str], agent_id: str | None = None) -> ModelRefParts:
    """
    The model an agent uses when nobody chose one.
    """
    agent = config.agents.find(agent_id) if agent_id is not None else None
    primary = (agent.model.primary if agent is not None and agent.model is not None else None) or (
        config.agents.defaults.model.primary
    )
    if primary is not None:
        named = aliases(config).get(primary.strip().lower())
        return parse_ref(named or primary)
    for name, provider in config.models.providers.items():
        if provider.models:
            return ModelRefParts(normal_provider(name), provider.models[0].id)
    for name, known in KNOWN_PROVIDERS.items():
        if known.models and find_key(config, name, environ) is not None:
            return ModelRefParts(name, known.models[0].id)
    return ModelRefParts(ECHO.provider, ECHO.model_id)


def fallback_refs(config: Config, agent_id: str | None = None) -> list[ModelRefParts]:
    """
    Models to try after the first one.
    """
    agent = config.agents.find(agent_id) if agent_id is not None else None
    own = agent.model if agent is not None else None
    texts = own.fallbacks if own is not None and own.fallbacks else config.agents.defaults.model.fallbacks
    known = aliases(config)
    return [parse_ref(known.get(text.strip().lower(), text)) for text in texts]


# -- credentials ------------------------------------------------------------------------------------------------------


def env_names(provider: str) -> tuple[str, ...]:
    """
    Environment variables that may hold a provider's key.
    """
    known = KNOWN_PROVIDERS.get(provider)
    return known.keys if known is not None else OTHER_KEYS.get(provider, ())


@frozen
class _Key:
    text: str
    source: str
    bearer: bool = False


def find_key(config: Config, provider: str, environ: Mapping[str, str]) -> _Key | None:
    """
    The environment first, then the configuration.

    :return: the text is still a ``!command`` where the configuration says so.
    """
    for name in env_names(provider):
        value = environ.get(name, "").strip()
        if value:
            return _Key(value, f"env {name}", bearer="OAUTH" in name)
    configured = _provider(config, provider)
    told = (configured.api_key or "").strip() if configured is not None else ""
    if not told:
        return None
    bearer = configured is not None and configured.auth in ("token", "oauth")
    variable = _variable(told)
    if variable is not None and environ.get(variable):
        return _Key(environ[variable].strip(), f"env {variable}", bearer)
    return _Key(told, f"models.providers.{provider}.apiKey", bearer)


def _variable(text: str) -> str | None:
    found = re.fullmatch(r"\$\{(\w+)\}|([A-Za-z_][A-Za-z0-9_]*)", text)
    return (found.group(1) or found.group(2)) if found else None


def _provider(config: Config, name: str) -> ProviderConfig | None:
    for told, provider in config.models.providers.items():
        if normal_provider(told) == name:
            return provider
    return None


def _value(text: str, environ: Mapping[str, str]) -> str:
    """
    A header as it is sent: a variable's value, or the text itself.
    """
    variable = _variable(text)
    return environ.get(variable) or text if variable is not None else text


# -- resolving --------------------------------------------------------------------------------------------------------


def resolve_model(
    config: Config,
    environ: Mapping[str, str],
    ref: ModelRefParts | None = None,
    *,
    agent_id: str | None = None,
) -> ResolvedModel:
    """
    Everything needed to ask a model, except what commands have to print first (``keys``).

    :param ref: the session's or the message's choice; ``None`` means the agent's default.
    :raise UnknownModel: no such provider, or the provider lists its models and this one is not among them.
    :raise NoApiKey: the provider needs a key and there is none.
    """
    chosen = ref or default_ref(config, environ, agent_id)
    if chosen.provider == ECHO.provider and chosen.model_id == ECHO.model_id:
        return ECHO
    model = evolve(_describe(config, chosen), cache_ttl=_cache_ttl(config, chosen))
    configured = _provider(config, chosen.provider)
    key = find_key(config, chosen.provider, environ)
    if key is None:
        # Servers on the own machine often want no key at all.
        if configured is None:
            raise NoApiKey(chosen.provider)
        return _with_headers(model, environ)
    bearer = key.bearer or bool(configured is not None and configured.auth_header)
    return _with_headers(
        evolve(
            model,
            api_key=key.text,
            key_source=key.source,
            bearer=bearer,
            key_is_command=key.text.startswith(COMMAND_MARK) and not key.source.startswith("env "),
        ),
        environ,
    )


def _cache_ttl(config: Config, ref: ModelRefParts) -> str:
    for listed, allowed in config.agents.defaults.models.items():
        if parse_ref(listed) == ref:
            return "1h" if allowed.params.get("cacheControlTtl") == "1h" else "5m"
    return "5m"


def _with_headers(model: ResolvedModel, environ: Mapping[str, str]) -> ResolvedModel:
    commands = frozenset(name.lower() for name, text in model.headers.items() if text.startswith(COMMAND_MARK))
    headers = {name.lower(): _value(text, environ) for name, text in model.headers.items()}
    return evolve(model, headers=headers, header_commands=commands)


def _describe(config: Config, ref: ModelRefParts) -> ResolvedModel:
    configured = _provider(config, ref.provider)
    if configured is not None:
        entry = next((model for model in configured.models if model.id == ref.model_id), None)
        if entry is not None:
            return _from_entry(ref, configured, entry)
    merged = config.models.mode == "merge"
    known = KNOWN_PROVIDERS.get(ref.provider) if merged else None
    if configured is None and known is None:
        raise UnknownModel(str(ref))
    # OpenRouter's own model is ``openrouter/auto`` there, and people say that without the provider before it.
    ids = (ref.model_id, str(ref))
    listed = next((model for model in known.models if model.id in ids), None) if known else None
    if listed is None and configured is not None and configured.models and known is None:
        raise UnknownModel(str(ref))
    base_url = configured.base_url if configured is not None else (known.base_url if known else "")
    api = (configured.api if configured is not None else None) or (known.api if known else None)
    model = ResolvedModel(
        provider=ref.provider,
        model_id=listed.id if listed else ref.model_id,
        name=listed.name if listed else ref.model_id,
        api=api or "openai-completions",
        base_url=base_url.rstrip("/"),
        headers=configured.headers if configured is not None else {},
        compat=guessed_compat(ref.provider, base_url),
    )
    return _with_known(model, listed)


def _with_known(model: ResolvedModel, known: KnownModel | None) -> ResolvedModel:
    if known is None:
        return model
    return evolve(
        model,
        reasoning=known.reasoning,
        inputs=known.inputs,
        cost=known.cost,
        context_window=known.context_window,
        max_tokens=known.max_tokens,
    )


def _from_entry(ref: ModelRefParts, provider: ProviderConfig, entry: ModelEntry) -> ResolvedModel:
    cost = entry.cost
    return ResolvedModel(
        provider=ref.provider,
        model_id=ref.model_id,
        name=entry.name,
        api=entry.api or provider.api or _known_api(ref.provider),
        base_url=provider.base_url.rstrip("/"),
        headers={**provider.headers, **entry.headers},
        reasoning=entry.reasoning,
        inputs=entry.input,
        cost=Cost(
            input=cost.input,
            output=cost.output,
            cache_read=cost.cache_read,
            cache_write=cost.cache_write,
        ),
        compat=guessed_compat(ref.provider, provider.base_url, entry.compat),
        context_window=entry.context_window,
        max_tokens=entry.max_tokens,
    )


def _known_api(provider: str) -> str:
    known = KNOWN_PROVIDERS.get(provider)
    return known.api if known is not None else "openai-completions"


# -- levels -----------------------------------------------------------------------------------------------------------


def thinking_default(config: Config, model: ResolvedModel) -> str:
    """
    How much a model thinks when nobody said.
    """
    return config.agents.defaults.thinking_default or ("low" if model.reasoning else "off")


def thinking_levels(model: ResolvedModel) -> tuple[str, ...]:
    """
    Levels a model has.
    """
    return THINKING_LEVELS if model.ref in XHIGH_MODELS else THINKING_LEVELS[:-1]
