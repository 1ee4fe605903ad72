"""
``models.list``, and what other families need to know of models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.agent.providers.catalog import (
    ModelRefParts,
    UnknownModel,
    default_ref,
    find_ref,
    is_allowed,
)
from openclaw.agent.providers.choices import Choice, choices
from openclaw.config.model import Config
from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import MethodTable
from openclaw.protocol.models import ListedModels, ModelsListParams
from openclaw.sessions.patch import PickedModel
from openclaw.sessions.rows import ModelDefaults

#: The window of a model that nobody described.
DEFAULT_WINDOW = 200_000

methods = MethodTable()


@methods.method("models.list", ModelsListParams, result=ListedModels, scope=READ)
async def list_models(context: MethodContext, params: ModelsListParams) -> dict[str, Any]:
    """
    The models that can be chosen, by provider and name.
    """
    found = sorted(choices(context.config(), context.environ), key=lambda choice: (choice.provider, choice.name))
    return {"models": [_row(choice) for choice in found]}


def _row(choice: Choice) -> dict[str, Any]:
    return {
        "id": choice.model_id,
        "name": choice.name,
        "provider": choice.provider,
        "contextWindow": choice.context_window,
        "reasoning": choice.reasoning,
        "input": list(choice.inputs),
    }


def described(context: MethodContext, ref: ModelRefParts) -> Choice | None:
    """
    What is known of a model.
    """
    found = (
        choice
        for choice in choices(context.config(), context.environ)
        if (choice.provider, choice.model_id) == (ref.provider, ref.model_id)
    )
    return next(found, None)


def model_defaults(context: MethodContext, agent_id: str | None = None) -> ModelDefaults:
    """
    The model of sessions that have no other.
    """
    return context.derived.get(("model defaults", agent_id), lambda: _model_defaults(context, agent_id))


def _model_defaults(context: MethodContext, agent_id: str | None) -> ModelDefaults:
    config = context.config()
    ref = default_ref(config, context.environ, agent_id)
    known = described(context, ref)
    window = config.agents.defaults.context_tokens or (known.context_window if known else DEFAULT_WINDOW)
    return ModelDefaults(provider=ref.provider, model=ref.model_id, context_tokens=window)


def picked_model(config: Config, environ: Mapping[str, str], word: str, agent_id: str) -> PickedModel:
    """
    What a word for a model means in a session of an agent; ``""`` asks for the default.

    :raise Failed: the word names no model at all.
    """
    default = default_ref(config, environ, agent_id)
    if not word:
        return PickedModel(provider=default.provider, model=default.model_id, default=True)
    try:
        ref = find_ref(config, word, environ)
    except UnknownModel:
        raise invalid(f"invalid model: {word}") from None
    return PickedModel(
        provider=ref.provider,
        model=ref.model_id,
        default=ref == default,
        allowed=is_allowed(config, ref, environ),
    )


def thinking_of(context: MethodContext, members: Any, agent_id: str) -> str:
    """
    How much the model of a session thinks: as the session says, else as configured, else as the model is.
    """
    told = members.get("thinkingLevel")
    if isinstance(told, str) and told:
        return told
    config = context.config()
    if config.agents.defaults.thinking_default:
        return config.agents.defaults.thinking_default
    provider, model = members.get("providerOverride"), members.get("modelOverride")
    chosen = ModelRefParts(provider, model) if provider and model else None
    known = described(context, chosen or default_ref(config, context.environ, agent_id))
    return "low" if known is not None and known.reasoning else "off"
