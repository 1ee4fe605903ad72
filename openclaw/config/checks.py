"""
Rules between keys, for a configuration whose shapes are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openclaw.config.keys_channels import CHANNEL_IDS
from openclaw.config.schema import KeyPath, Report

Section = Mapping[str, Any]

_DURATION = re.compile(r"\s*\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)?\s*", re.IGNORECASE)
_TARGETS = frozenset({"last", "none", *CHANNEL_IDS})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def cross_checks(config: Section, report: Report) -> None:
    """
    Note what is wrong with keys taken together.
    """
    _check_tool_policies(config, report)
    _check_heartbeats(config, report)
    _check_open_policies(config, report)
    _check_agent_directories(config, report)
    _check_avatars(config, report)
    _check_broadcast(config, report)


def _agents(config: Section) -> list[Section]:
    agents: list[Section] = config.get("agents", {}).get("list", [])
    return agents


def _check_tool_policies(config: Section, report: Report) -> None:
    for path, policy in _policies(config):
        if policy.get("allow") and policy.get("alsoAllow"):
            scope = "tools" if path[-1] == "tools" and "agents" not in path else "agent tools"
            report.add(
                path,
                f"{scope} cannot set both allow and alsoAllow in the same scope (merge alsoAllow into allow, or"
                " remove allow and use profile + alsoAllow)",
            )


def _policies(config: Section) -> Iterator[tuple[KeyPath, Section]]:
    yield ("tools",), config.get("tools", {})
    for index, agent in enumerate(_agents(config)):
        yield ("agents", "list", index, "tools"), agent.get("tools", {})


def _check_heartbeats(config: Section, report: Report) -> None:
    for path, heartbeat in _heartbeats(config):
        every = heartbeat.get("every")
        if every is not None and not _DURATION.fullmatch(every):
            report.add((*path, "every"), "invalid duration (use ms, s, m, h)", "a duration such as 30m")
        target = heartbeat.get("target")
        if target is not None and target.strip().lower() not in _TARGETS:
            message = f"unknown heartbeat target: {target}"
            report.add((*path, "target"), message, "last, none or a channel")


def _heartbeats(config: Section) -> Iterator[tuple[KeyPath, Section]]:
    defaults = config.get("agents", {}).get("defaults", {})
    yield ("agents", "defaults", "heartbeat"), defaults.get("heartbeat", {})
    for index, agent in enumerate(_agents(config)):
        yield ("agents", "list", index, "heartbeat"), agent.get("heartbeat", {})


def _check_open_policies(config: Section, report: Report) -> None:
    for name in ("telegram", "whatsapp"):
        channel = config.get("channels", {}).get(name)
        if channel is None:
            continue
        places: list[tuple[KeyPath, Section]] = [(("channels", name), channel)]
        for account, section in channel.get("accounts", {}).items():
            places.append((("channels", name, "accounts", account), section))
        for path, section in places:
            allowed = [str(entry).strip() for entry in section.get("allowFrom", ())]
            if section.get("dmPolicy") == "open" and "*" not in allowed:
                where = f"channels.{name}" + (".accounts.*" if len(path) > 2 else "")
                message = f'{where}.dmPolicy="open" requires {where}.allowFrom to include "*"'
                report.add((*path, "allowFrom"), message, 'an array with "*"')


def _check_agent_directories(config: Section, report: Report) -> None:
    owners: dict[str, list[str]] = {}
    for agent in _agents(config):
        if agent.get("agentDir"):
            owners.setdefault(agent["agentDir"].rstrip("/"), []).append(agent["id"])
    shared = {directory: names for directory, names in owners.items() if len(names) > 1}
    if shared:
        lines = [f"- {directory}: " + ", ".join(f'"{name}"' for name in names) for directory, names in shared.items()]
        report.add(
            ("agents", "list"),
            "\n".join(
                [
                    "Duplicate agentDir detected (multi-agent config).",
                    "Each agent must have a unique agentDir; sharing it mixes up sessions and credentials.",
                    *lines,
                ]
            ),
        )


def _check_avatars(config: Section, report: Report) -> None:
    for index, agent in enumerate(_agents(config)):
        avatar = agent.get("identity", {}).get("avatar", "").strip()
        path = ("agents", "list", index, "identity", "avatar")
        if not avatar or avatar.lower().startswith(("http://", "https://", "data:")):
            continue
        if avatar.startswith(("~", "/", "\\")) or _SCHEME.match(avatar):
            report.add(path, "identity.avatar must be a workspace-relative path, http(s) URL, or data URI.")
        elif _leaves(avatar):
            report.add(path, "identity.avatar must stay within the agent workspace.")


def _leaves(relative: str) -> bool:
    """
    Whether a relative path climbs out of where it begins.
    """
    depth = 0
    for part in relative.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return False


def _check_broadcast(config: Section, report: Report) -> None:
    known = {agent["id"] for agent in _agents(config)}
    if not known:
        return
    for peer, names in config.get("broadcast", {}).items():
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if name not in known:
                report.add(("broadcast", peer, index), f'Unknown agent id "{name}" (not in agents.list).')
