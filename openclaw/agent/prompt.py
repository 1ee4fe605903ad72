"""
The system prompt: what the agent is told of itself, its tools and its workspace (``agent.md`` 12.2).
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from openclaw.agent.providers.base import ToolSpec
from openclaw.agent.providers.catalog import aliases
from openclaw.agent.text import SILENT
from openclaw.agent.workspace import SUBAGENT_FILES, context_files, ensure_workspace
from openclaw.config.model import Config


def build_system_prompt(
    *,
    workspace: Path,
    config: Config,
    agent_id: str,
    model: str,
    thinking: str,
    tools: Sequence[ToolSpec],
    extra: str | None,
    now: float,
    zone: tzinfo,
    minimal: bool = False,
) -> str:
    """
    The whole prompt. Creates the workspace on first use. Blocks.

    :param extra: what the caller adds for this run.
    :param minimal: for a sub-agent, which speaks to nobody: without what the agent knows of itself and its owner.
    """
    if not config.agents.defaults.skip_bootstrap:
        ensure_workspace(workspace)
    sections = [
        *_about(config, workspace, tools),
        _date(now, zone),
        *([f"## For this conversation\n{extra.strip()}"] if extra and extra.strip() else []),
        _project(workspace, config.agents.defaults.bootstrap_max_chars, minimal),
        *([] if minimal else [_silence()]),
        _runtime(agent_id, model, thinking),
    ]
    return "\n\n".join(sections)


def _runtime(agent_id: str, model: str, thinking: str) -> str:
    system = f"{platform.system()} ({platform.machine()})"
    return f"## Runtime\nagent={agent_id} | os={system} | model={model} | thinking={thinking}"


def _about(config: Config, workspace: Path, tools: Sequence[ToolSpec]) -> Iterator[str]:
    yield "You are a personal assistant. You live in an OpenClaw gateway on your owner's machine."
    if tools:
        lines = "\n".join(f"- {tool.name}: {tool.description.partition(chr(10))[0]}" for tool in tools)
        manner = "Use a tool without announcing it when the step is plain; say a word first when it is long or risky."
        yield f"## Tools\n{lines}\n\n{manner}"
    named = aliases(config)
    if named:
        yield "## Model aliases\n" + "\n".join(f"- {alias}: {ref}" for alias, ref in sorted(named.items()))
    yield f"## Workspace\nYour folder is {workspace}. Paths that are not absolute are in it."


def _date(now: float, zone: tzinfo) -> str:
    # Without the time of day: the prompt stays the same all day, so providers can cache it.
    day = datetime.fromtimestamp(now, zone)
    return f"## Date\nToday is {day:%A, %Y-%m-%d} (time zone {day:%Z})."


def _project(workspace: Path, max_chars: int, minimal: bool) -> str:
    introduction = (
        "## Your files\nThese files are in your workspace. They are yours: keep them up to date. "
        "Where SOUL.md says who you are, be that."
    )
    parts = ["## Files\nThese files are in your workspace." if minimal else introduction]
    found = context_files(workspace, max_chars)
    parts.extend(f"### {name}\n{text}" for name, text in found if not minimal or name in SUBAGENT_FILES)
    return "\n\n".join(parts)


def _silence() -> str:
    rule = f"When nothing should be said, answer with {SILENT} and nothing else. Never put it beside other text."
    return f"## Silence\n{rule}"
