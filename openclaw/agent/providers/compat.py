"""
What the many servers that speak ``openai-completions`` understand of it (``agent.md`` 13.3).
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from openclaw.agent.providers.base import Compat
from openclaw.config.model_agents import ModelCompat

_PLAIN = ("cerebras", "x.ai", "xai", "mistral", "chutes", "deepseek", "z.ai", "zai", "opencode")


def guessed_compat(provider: str, base_url: str, told: ModelCompat | None = None) -> Compat:
    """
    What a server understands: as configured, else guessed from its name and address.
    """
    where = f"{provider} {base_url}".lower()
    plain = any(name in where for name in _PLAIN)
    guessed = Compat(
        supports_store=not plain,
        supports_developer_role=not plain,
        supports_reasoning_effort=not any(name in where for name in ("x.ai", "xai", "z.ai", "zai")),
        max_tokens_field="max_tokens"
        if any(name in where for name in ("mistral", "chutes"))
        else "max_completion_tokens",
        short_call_ids="mistral" in where,
        names_tool_results="mistral" in where,
        thinking_as_text="mistral" in where,
        thinking_switch=any(name in where for name in ("z.ai", "zai")),
    )
    if told is None:
        return guessed
    members = ("supports_store", "supports_developer_role", "supports_reasoning_effort", "max_tokens_field")
    said = {name: getattr(told, name) for name in members}
    changes: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    return evolve(guessed, **changes)
