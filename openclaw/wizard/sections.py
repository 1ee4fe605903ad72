"""
Changing one part of a configuration that is there: the sections of ``openclaw configure`` (``cli.md`` 9.3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from openclaw.wizard.prompts import Flow, Prompter
from openclaw.wizard.setup import Changes, Situation, model, network, required

NODE_MANAGERS = tuple({"value": name, "label": name} for name in ("npm", "pnpm", "bun"))
SEARCH = (
    {"value": "brave", "label": "Brave Search"},
    {"value": "perplexity", "label": "Perplexity"},
    {"value": "off", "label": "No search"},
)
#: Where the key of each is kept.
_SEARCH_KEYS = {"brave": "tools.web.search.apiKey", "perplexity": "tools.web.search.perplexity.apiKey"}


async def workspace(ask: Prompter, situation: Situation) -> Changes:
    """
    Where the agent's files are.
    """
    path = await ask.text("Workspace directory", initial=situation.workspace, wrong=required)
    return {"agents.defaults.workspace": path}


async def web(ask: Prompter, situation: Situation) -> Changes:
    """
    Searching the web, and fetching pages.
    """
    changes: dict[str, Any] = {}
    chosen = await ask.select("Web search", SEARCH, initial="brave")
    changes["tools.web.search.enabled"] = chosen != "off"
    if chosen != "off":
        changes["tools.web.search.provider"] = chosen
        key = await ask.text("API key of the search (empty keeps the one that is there)", sensitive=True)
        if key:
            changes[_SEARCH_KEYS[chosen]] = key
    changes["tools.web.fetch.enabled"] = await ask.confirm("May the agent fetch web pages?", initial=True)
    return changes


async def gateway(ask: Prompter, situation: Situation) -> Changes:
    """
    A gateway on this machine, and where it listens.
    """
    return {"gateway.mode": "local", **await network(ask, situation)}


async def skills(ask: Prompter, situation: Situation) -> Changes:
    """
    What installs packages of Node that skills need.
    """
    return {"skills.install.nodeManager": await ask.select("Package manager for skills", NODE_MANAGERS, initial="npm")}


#: Those that change the configuration.
SECTIONS: Mapping[str, Callable[[Prompter, Situation], Awaitable[Changes]]] = {
    "workspace": workspace,
    "model": model,
    "web": web,
    "gateway": gateway,
    "skills": skills,
}


def section_flow(situation: Situation, name: str) -> Flow:
    """
    Ask for one section, and write what was answered.
    """

    async def flow(ask: Prompter) -> None:
        changes = await SECTIONS[name](ask, situation)
        if changes:
            await ask.note(await situation.apply(changes), "Configured")

    return flow
