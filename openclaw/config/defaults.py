"""
What the effective configuration says where the file is silent, and paths made absolute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

_PATH_ENDINGS = ("dir", "path", "paths", "file", "root", "workspace")
_PATH_LISTS = ("paths", "pathPrepend")


#: Short names of models, given to those that are listed in ``agents.defaults.models``.
MODEL_ALIASES: Mapping[str, str] = {
    "opus": "anthropic/claude-opus-4-5",
    "sonnet": "anthropic/claude-sonnet-4-5",
    "gpt": "openai/gpt-5.2",
    "gpt-mini": "openai/gpt-5-mini",
    "gemini": "google/gemini-3-pro-preview",
    "gemini-flash": "google/gemini-3-flash-preview",
}

_TALK_KEY = "ELEVENLABS_API_KEY"
_SHELL_FILES = (".profile", ".zprofile", ".zshrc", ".bashrc")
_MOST_SHELL_FILE = 256 * 1024
_ASSIGNMENT = re.compile(rf"""^[ \t]*(?:export[ \t]+)?{_TALK_KEY}[ \t]*=[ \t]*["']?([^\n"']+)["']?""", re.MULTILINE)


def with_defaults(config: Mapping[str, Any], environ: Mapping[str, str], home: Path) -> dict[str, Any]:
    """
    A copy with the defaults that ``config.get`` shows.

    :param environ: credentials in it decide on some of them.
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
    _name_models(defaults.get("models", {}))
    _suit_anthropic(defaults, _anthropic_login(filled.get("auth", {}), environ))
    if not filled.get("talk", {}).get("apiKey", "").strip() and (key := _talk_key(environ, home)):
        filled.setdefault("talk", {})["apiKey"] = key
    return filled


def _name_models(models: Mapping[str, dict[str, Any]]) -> None:
    taken = {entry.get("alias") for entry in models.values()}
    for alias, model in MODEL_ALIASES.items():
        if model in models and "alias" not in models[model] and alias not in taken:
            models[model]["alias"] = alias


def _suit_anthropic(defaults: dict[str, Any], login: str | None) -> None:
    """
    Anthropic forgets its cache after an hour: what is pruned, and how often an agent wakes, follow from that.
    """
    if login is None:
        return
    pruning = defaults.setdefault("contextPruning", {})
    if "mode" not in pruning:
        pruning["mode"] = "cache-ttl"
        pruning.setdefault("ttl", "1h")
    defaults.setdefault("heartbeat", {}).setdefault("every", "1h" if login == "oauth" else "30m")


def _anthropic_login(auth: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    """
    ``oauth`` or ``api_key``, as the first profile in use has it, else as the environment says; ``None`` without any.
    """
    profiles = {
        name: "api_key" if profile.get("mode") == "api_key" else "oauth"
        for name, profile in auth.get("profiles", {}).items()
        if profile.get("provider") == "anthropic"
    }
    for name in auth.get("order", {}).get("anthropic", ()):
        if name in profiles:
            return profiles[name]
    kinds = set(profiles.values())
    if len(kinds) == 1:
        return kinds.pop()
    if environ.get("ANTHROPIC_OAUTH_TOKEN", "").strip():
        return "oauth"
    return "api_key" if environ.get("ANTHROPIC_API_KEY", "").strip() else None


def _talk_key(environ: Mapping[str, str], home: Path) -> str | None:
    """
    The key for speech: from the environment, else as the files of a shell set it, which a service does not run.
    """
    if key := environ.get(_TALK_KEY, "").strip():
        return key
    for name in _SHELL_FILES:
        try:
            with (home / name).open("rb") as file:
                text = file.read(_MOST_SHELL_FILE).decode("utf-8", "replace")
        except OSError:
            continue
        if (found := _ASSIGNMENT.search(text)) and (key := found[1].strip()):
            return key
    return None


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
