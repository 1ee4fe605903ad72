"""
What the effective configuration says where the file is silent, and paths made absolute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

_PATH_ENDINGS = ("dir", "path", "paths", "file", "root", "workspace")
_PATH_LISTS = ("paths", "pathPrepend")


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """
    A copy with the defaults that ``config.get`` shows.
    """
    filled: dict[str, Any] = deepcopy(dict(config))
    commands = filled.setdefault("commands", {})
    commands.setdefault("native", "auto")
    commands.setdefault("nativeSkills", "auto")
    defaults = filled.setdefault("agents", {}).setdefault("defaults", {})
    defaults.setdefault("maxConcurrent", 4)
    defaults.setdefault("subagents", {}).setdefault("maxConcurrent", 8)
    filled.setdefault("messages", {}).setdefault("ackReactionScope", "group-mentions")
    if "mainKey" in filled.get("session", {}):
        filled["session"]["mainKey"] = "main"
    if "logging" in filled:
        filled["logging"].setdefault("redactSensitive", "tools")
    for name, channel in filled.get("channels", {}).items():
        if name != "defaults" and isinstance(channel, dict):
            channel.setdefault("dmPolicy", "pairing")
            channel.setdefault("groupPolicy", "allowlist")
    for entry in _model_entries(filled):
        _fill_model(entry)
    return filled


def _model_entries(config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for provider in config.get("models", {}).get("providers", {}).values():
        yield from provider["models"]


def _fill_model(entry: dict[str, Any]) -> None:
    entry.setdefault("reasoning", False)
    entry.setdefault("input", ["text"])
    cost = entry.setdefault("cost", {})
    for kind in ("input", "output", "cacheRead", "cacheWrite"):
        cost.setdefault(kind, 0)
    window = entry.setdefault("contextWindow", 200000)
    entry.setdefault("maxTokens", min(8192, window))


def expand_paths(value: Any, home: Path, key: str = "") -> Any:
    """
    Replace a leading ``~`` in the texts whose key names a path.
    """
    if isinstance(value, dict):
        return {name: expand_paths(member, home, name) for name, member in value.items()}
    if isinstance(value, list):
        inner = key if key in _PATH_LISTS else ""
        return [expand_paths(member, home, inner) for member in value]
    if (isinstance(value, str) and key.lower().endswith(_PATH_ENDINGS)) or key in _PATH_LISTS:
        return _expand(value, home)
    return value


def _expand(value: Any, home: Path) -> Any:
    if not isinstance(value, str) or not (value == "~" or value.startswith(("~/", "~\\"))):
        return value
    return str(home) + value[1:]
