"""
``/new``, ``/reset`` and ``/stop``.
"""

from __future__ import annotations

from typing import Any

from openclaw.agent.commands.base import Command, CommandContext, CommandResult
from openclaw.agent.providers.catalog import (
    ModelRefParts,
    UnknownModel,
    aliases,
    find_key,
    find_ref,
    is_allowed,
    normal_provider,
)
from openclaw.agent.providers.known import KNOWN_PROVIDERS
from openclaw.sessions.text import GREETING

#: Members that do not survive a fresh start; ``sessions.reset`` keeps more.
DROPPED_BY_NEW = (
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "providerOverride",
    "modelOverride",
    "authProfileOverride",
    "authProfileOverrideSource",
    "authProfileOverrideCompactionCount",
    "inputTokens",
    "outputTokens",
    "totalTokens",
    "skillsSnapshot",
    "sessionFile",
)


def fresh_members() -> dict[str, Any]:
    """
    Changes of an entry whose session starts afresh.
    """
    return {
        **dict.fromkeys(DROPPED_BY_NEW),
        "compactionCount": 0,
        "systemSent": False,
        "abortedLastRun": False,
    }


def new(context: CommandContext, arguments: str) -> CommandResult:
    """
    Start afresh: with a greeting, with another model, or with a first message.
    """
    changes = fresh_members()
    text = arguments.strip()
    if not text:
        return CommandResult(prompt=GREETING, changes=changes, resets=True)
    ref = _model(context, text)
    if ref is not None:
        changes |= {"providerOverride": ref.provider, "modelOverride": ref.model_id}
        return CommandResult(prompt=GREETING, changes=changes, resets=True)
    return CommandResult(prompt=arguments, changes=changes, resets=True)


def _model(context: CommandContext, text: str) -> ModelRefParts | None:
    """
    Only an alias, or a whole reference to a model that may be chosen, is not a message.
    """
    if len(text.split()) != 1:
        return None
    config = context.config
    provider, slash, _ = text.partition("/")
    if text.lower() not in aliases(config) and not (slash and normal_provider(provider) in _providers(context)):
        return None
    try:
        ref = find_ref(config, text, context.environ)
    except UnknownModel:
        return None
    return ref if is_allowed(config, ref, context.environ) else None


def _providers(context: CommandContext) -> set[str]:
    """
    Providers that can be asked: those in the configuration, and known ones whose key is there.
    """
    config, environ = context.config, context.environ
    told = [*config.models.providers, *(ref.partition("/")[0] for ref in config.agents.defaults.models if "/" in ref)]
    known = {name for name in KNOWN_PROVIDERS if find_key(config, name, environ) is not None}
    return known | {normal_provider(name) for name in told}


def stop(context: CommandContext, arguments: str) -> CommandResult:
    """
    End what runs and waits in this session.
    """
    return CommandResult(answer="⚙️ Agent was aborted.", stops=True)


NEW_COMMAND = Command(
    names=("new",), description="Start a new session, with a first message or a model.", group="Session", run=new
)
RESET_COMMAND = Command(names=("reset",), description="The same as /new.", group="Session", run=new)
STOP_COMMAND = Command(
    names=("stop",), description="Stop the current answer.", group="Session", run=stop, takes_arguments=False
)
