"""
Every family of methods there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openclaw.methods import (
    agent,
    agents,
    approvals,
    browser,
    channels,
    chat,
    config,
    cron,
    devices,
    health,
    logs,
    models,
    node_events,
    node_pair,
    nodes,
    sessions,
    skills,
    status,
    system,
    talk,
    tts,
    update,
    usage,
    wizard,
)
from openclaw.methods.table import Method, merged

FAMILIES: Final = (
    health,
    status,
    system,
    agent,
    agents,
    approvals,
    models,
    chat,
    sessions,
    config,
    cron,
    logs,
    devices,
    nodes,
    node_pair,
    node_events,
    skills,
    talk,
    tts,
    browser,
    channels,
    update,
    usage,
    wizard,
)

METHODS: Final[Mapping[str, Method]] = merged(family.methods for family in FAMILIES)
