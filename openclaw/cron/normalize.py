"""
What clients and models write for a job, brought into the form of the protocol (``methods.md`` 16.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_DIGITS = re.compile(r"\d{1,15}")


def normalize_add(params: Any) -> Any:
    """
    A new job as it was meant. What cannot be read stays as it is, for the check to tell of.
    """
    if not isinstance(params, Mapping):
        return params
    job = _parts(_unwrapped(params))
    job.setdefault("wakeMode", "next-heartbeat")
    payload = job.get("payload")
    kind = payload.get("kind") if isinstance(payload, Mapping) else None
    if "sessionTarget" not in job and kind in ("systemEvent", "agentTurn"):
        job["sessionTarget"] = "main" if kind == "systemEvent" else "isolated"
    return job


def normalize_update(params: Any) -> Any:
    """
    A change of a job as it was meant.
    """
    if not isinstance(params, Mapping):
        return params
    patch = params.get("patch")
    return {**params, "patch": _parts(_unwrapped(patch))} if isinstance(patch, Mapping) else params


def _unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("data", "job"):
        inner = value.get(name)
        if isinstance(inner, Mapping):
            return inner
    return value


def _parts(value: Mapping[str, Any]) -> dict[str, Any]:
    job = dict(value)
    if "agentId" in job:
        agent_id = job["agentId"]
        if isinstance(agent_id, str):
            job["agentId"] = agent_id.strip()
            if not job["agentId"]:
                del job["agentId"]
    enabled = job.get("enabled")
    if isinstance(enabled, str) and enabled.strip().lower() in ("true", "false"):
        job["enabled"] = enabled.strip().lower() == "true"
    if isinstance(job.get("schedule"), Mapping):
        job["schedule"] = _schedule(job["schedule"])
    if isinstance(job.get("payload"), Mapping):
        job["payload"] = _payload(job["payload"])
    return job


def _schedule(value: Mapping[str, Any]) -> dict[str, Any]:
    schedule = dict(value)
    given = schedule.get("atMs", schedule.get("at"))
    if isinstance(given, str):
        at_ms = parse_moment(given)
        if at_ms is not None:
            schedule["atMs"] = at_ms
            schedule.pop("at", None)
    if "kind" not in schedule:
        kinds = {"atMs": "at", "at": "at", "everyMs": "every", "expr": "cron"}
        found = [kind for name, kind in kinds.items() if name in schedule]
        if found:
            schedule["kind"] = found[0]
    return schedule


def _payload(value: Mapping[str, Any]) -> dict[str, Any]:
    payload = dict(value)
    # The older name of the member.
    provider = payload.pop("provider", None)
    if "channel" not in payload and isinstance(provider, str):
        payload["channel"] = provider
    if isinstance(payload.get("channel"), str):
        payload["channel"] = payload["channel"].strip().lower()
        if not payload["channel"]:
            del payload["channel"]
    return payload


def parse_moment(text: str) -> int | None:
    """
    A moment as ISO 8601, in UTC if it names no zone, or as digits.

    :return: milliseconds since the epoch; ``None`` if it is neither.
    """
    text = text.strip()
    if _DIGITS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        at_ms = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return at_ms if at_ms >= 0 else None
