"""
``/status``: the session at a glance.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaw import __version__
from openclaw.agent.commands.base import Command, CommandContext, CommandResult, answer
from openclaw.agent.providers.base import ResolvedModel
from openclaw.agent.providers.catalog import ModelRefParts, default_ref, parse_ref, resolve_model, thinking_default
from openclaw.agent.queue import queue_settings
from openclaw.errors import OpenClawError


def status(context: CommandContext, arguments: str) -> CommandResult:
    """
    Lines with no data are left out.
    """
    return answer("\n".join(_lines(context)))


def session_ref(context: CommandContext) -> ModelRefParts:
    """
    The model that the session uses now.
    """
    members = context.members
    override, provider = members.get("modelOverride"), members.get("providerOverride")
    if override:
        return parse_ref(f"{provider}/{override}" if provider else str(override))
    return default_ref(context.config, context.environ, context.agent_id)


def session_model(context: CommandContext) -> ResolvedModel | None:
    """
    The same with all that is known of it; ``None`` when it cannot be used.
    """
    try:
        return resolve_model(context.config, context.environ, session_ref(context))
    except OpenClawError:
        # The status card shows the name; the reason is told when a run needs the model.
        return None


def _lines(context: CommandContext) -> Iterator[str]:
    members = context.members
    model = session_model(context)
    yield f"🦞 OpenClaw {__version__}"
    yield f"🧠 Model: {session_ref(context)}{_key(model)}"
    if members.get("inputTokens") or members.get("outputTokens"):
        read, written = members.get("inputTokens", 0), members.get("outputTokens", 0)
        yield f"🧮 Tokens: {short(read)} in / {short(written)} out"
    window = model.context_window if model is not None else members.get("contextTokens") or 200_000
    window = context.config.agents.defaults.context_tokens or window
    used = members.get("totalTokens") or 0
    percent = round(100 * used / window) if window else 0
    compactions = members.get("compactionCount") or 0
    yield f"📚 Context: {short(used)}/{short(window)} ({percent}%) · 🧹 Compactions: {compactions}"
    yield f"🧵 Session: {context.session_key} • {_age(context)}"
    default = thinking_default(context.config, model) if model is not None else "off"
    yield f"⚙️ Runtime: direct · Think: {members.get('thinkingLevel') or default}{_verbose(context)}"
    queue = queue_settings(context.config, members, members.get("lastChannel"))
    yield f"🪢 Queue: {queue.mode} (depth {context.queued})"


def _key(model: ResolvedModel | None) -> str:
    if model is None or not model.api_key:
        return ""
    source = model.key_source if model.key_source.startswith("env ") else "models.json"
    return f" · 🔑 api-key {masked(model.api_key)} ({source})"


def _verbose(context: CommandContext) -> str:
    level = context.members.get("verboseLevel") or context.config.agents.defaults.verbose_default
    return "" if level == "off" else f" · Verbose: {level}"


def masked(secret: str) -> str:
    """
    A secret that its owner recognises. Short ones would be given away.
    """
    if secret.startswith("!"):
        return "(command)"
    return f"{secret[:4]}…{secret[-4:]}" if len(secret) >= 16 else "…"


def short(number: int) -> str:
    """
    ``950``, ``1.1k``, ``128k``, ``1.2m``.
    """
    if number < 1_000:
        return str(number)
    for unit, size in (("k", 1_000), ("m", 1_000_000)):
        value = number / size
        if value < 10:
            return f"{value:.1f}{unit}"
        if value < 999.5:
            return f"{value:.0f}{unit}"
    return f"{number / 1_000_000:.0f}m"


def _age(context: CommandContext) -> str:
    if context.updated_at_ms is None:
        return "updated just now"
    seconds = max(0, context.now_ms - context.updated_at_ms) // 1000
    for name, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"updated {seconds // size}{name} ago"
    return "updated just now"


STATUS_COMMAND = Command(
    names=("status",),
    description="Show the session, its model and its queue.",
    group="Status",
    run=status,
    inline=True,
    takes_arguments=False,
)
