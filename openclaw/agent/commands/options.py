"""
``/think``, ``/verbose`` and ``/model``: settings of the session.
"""

from __future__ import annotations

from openclaw.agent.commands.base import Command, CommandContext, CommandResult, answer
from openclaw.agent.commands.status import session_model, session_ref
from openclaw.agent.providers.catalog import (
    ModelRefParts,
    NoApiKey,
    UnknownModel,
    aliases,
    default_ref,
    find_ref,
    is_allowed,
    resolve_model,
    thinking_default,
    thinking_levels,
)
from openclaw.agent.providers.choices import choices
from openclaw.sessions.levels import THINKING, thinking_level, verbose_level

#: Models that a list names.
MOST_LISTED = 50

VERBOSE_ANSWERS = {
    "on": "⚙️ Verbose logging enabled.",
    "full": "⚙️ Verbose logging set to full.",
    "off": "⚙️ Verbose logging disabled.",
}


def think(context: CommandContext, arguments: str) -> CommandResult:
    """
    How much the model thinks before it answers.
    """
    model = session_model(context)
    levels = ", ".join(thinking_levels(model) if model is not None else THINKING)
    word = arguments.strip()
    if not word:
        default = thinking_default(context.config, model) if model is not None else "off"
        level = context.members.get("thinkingLevel") or default
        return answer(f"Current thinking level: {level}.\nOptions: {levels}.")
    chosen = thinking_level(word)
    if chosen is None:
        return answer(f'Unrecognized thinking level "{word}". Valid levels: {levels}.')
    if model is not None and chosen not in thinking_levels(model):
        return answer(f'Thinking level "{chosen}" is not supported for {model.ref}. Valid levels: {levels}.')
    text = "Thinking disabled." if chosen == "off" else f"Thinking level set to {chosen}."
    return answer(text, thinkingLevel=chosen)


def verbose(context: CommandContext, arguments: str) -> CommandResult:
    """
    Whether tool calls are shown.
    """
    word = arguments.strip()
    if not word:
        level = context.members.get("verboseLevel") or context.config.agents.defaults.verbose_default
        return answer(f"Current verbose level: {level}.\nOptions: on, full, off.")
    chosen = verbose_level(word)
    if chosen is None:
        return answer(f'Unrecognized verbose level "{word}". Valid levels: off, on, full.')
    return answer(VERBOSE_ANSWERS[chosen], verboseLevel=chosen)


def model(context: CommandContext, arguments: str) -> CommandResult:
    """
    Which model answers in this session.
    """
    config, environ = context.config, context.environ
    word = arguments.strip()
    if not word or word.lower() in ("status", "list"):
        listed = _listed(context) if word.lower() == "list" else "List: /model list"
        return answer(f"Current: {session_ref(context)}\n\n{listed}\nSwitch: /model <provider/model>\nMore: /status")
    default = default_ref(config, environ, context.agent_id)
    try:
        ref = default if word.lower() == "default" else find_ref(config, word, environ)
    except UnknownModel:
        return answer(f'Unrecognized model "{word}".')
    if not is_allowed(config, ref, environ):
        return answer(f'Model "{ref}" is not allowed. Choose one of agents.defaults.models.')
    try:
        resolve_model(config, environ, ref)
    except UnknownModel:
        return answer(f'Unrecognized model "{word}".')
    except NoApiKey as error:
        return answer(str(error))
    dropped = {"authProfileOverride": None, "authProfileOverrideSource": None}
    if ref == default:
        text = f"Model reset to default ({label(context, ref)})."
        return answer(text, providerOverride=None, modelOverride=None, **dropped)
    text = f"Model set to {label(context, ref)}."
    return answer(text, providerOverride=ref.provider, modelOverride=ref.model_id, **dropped)


def _listed(context: CommandContext) -> str:
    """
    The models that can be chosen, the first ones of many.
    """
    config, environ = context.config, context.environ
    refs = (ModelRefParts(choice.provider, choice.model_id) for choice in choices(config, environ))
    lines = [f"- {label(context, ref)}" for ref in refs if is_allowed(config, ref, environ)]
    more = [f"… and {len(lines) - MOST_LISTED} more"] if len(lines) > MOST_LISTED else []
    return "\n".join(["Models:", *lines[:MOST_LISTED], *more])


def label(context: CommandContext, ref: ModelRefParts) -> str:
    """
    A model by its alias, where it has one.
    """
    names = {known: alias for alias, known in aliases(context.config).items()}
    alias = names.get(str(ref))
    return f"{alias} ({ref})" if alias else str(ref)


THINK_COMMAND = Command(
    names=("think", "thinking", "t"), description="Set the thinking level.", group="Options", run=think
)
VERBOSE_COMMAND = Command(names=("verbose", "v"), description="Show tool calls or not.", group="Options", run=verbose)
MODEL_COMMAND = Command(names=("model",), description="Show or set the model.", group="Options", run=model)
