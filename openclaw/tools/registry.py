"""
All tools of the gateway's, each once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from openclaw.agent.providers.base import ToolSpec
from openclaw.tools import browser, canvas, cron, gateway, memory, message, nodes, sessions, spawn, speech
from openclaw.tools.base import Arguments, GatewayTool, ToolWorld, Work, always, by_action, never, parameters, unless
from openclaw.tools.web import Cache, WebTools

Acts = Callable[[Arguments], bool]


def make_tools(world: ToolWorld) -> Sequence[GatewayTool]:
    """
    In the order of their names.
    """
    schemas = parameters()
    web = WebTools(Cache(world.clock.seconds), Cache(world.clock.seconds))
    return [
        GatewayTool(
            spec=ToolSpec(name=name, description=description, parameters=schemas[name]),
            world=world,
            work=work,
            acts=acts,
        )
        for name, description, work, acts in sorted(_told(web), key=lambda row: row[0])
    ]


def _told(web: WebTools) -> Iterator[tuple[str, str, Work, Acts]]:
    """
    Name, what the model is told of it, what does it, and when it acts.
    """
    yield "agents_list", "List the agents that may be started from here.", sessions.agents_list, never
    yield (
        "browser",
        "Use the browser of a connected device: open pages, look at them, act on them.",
        browser.browser,
        unless(*browser.LOOKING),
    )
    yield (
        "canvas",
        "Show something on a device's canvas: a page, A2UI messages; run JavaScript in it; take a picture of it.",
        by_action(canvas.ACTIONS),
        unless(*canvas.LOOKING),
    )
    yield (
        "cron",
        "Look at, add, change, run and remove scheduled jobs; wake the main session.",
        by_action(cron.ACTIONS),
        unless(*cron.LOOKING),
    )
    yield (
        "gateway",
        "Read and change the gateway's configuration; update it; restart it.",
        by_action(gateway.ACTIONS),
        unless(*gateway.LOOKING),
    )
    yield "memory_get", "Read lines of MEMORY.md or of a note in memory/.", memory.memory_get, never
    yield (
        "memory_search",
        "Search MEMORY.md and the notes in memory/ before answering about earlier work, people, dates or wishes.",
        memory.memory_search,
        never,
    )
    yield "message", "Send a message to somebody through a channel.", by_action(message.ACTIONS), message.acts
    yield (
        "nodes",
        "Look at and use connected devices: notifications, camera, screen, location, programs.",
        by_action(nodes.ACTIONS),
        unless(*nodes.LOOKING),
    )
    yield "session_status", "Show a session's model, use and time; set its model.", sessions.session_status, _sets_model
    yield "sessions_history", "Read the messages of another session.", sessions.sessions_history, never
    yield "sessions_list", "List sessions, with their last messages if wanted.", sessions.sessions_list, never
    yield "sessions_send", "Say something in another session and get its answer.", sessions.sessions_send, always
    yield (
        "sessions_spawn",
        "Have a sub-agent do a task in a session of its own. It goes on by itself; this session is told how it ended.",
        spawn.sessions_spawn,
        always,
    )
    yield "tts", "Speak a text into a sound file.", speech.tts, never
    yield "web_fetch", "Fetch a web page and read its text.", web.fetch, never
    yield "web_search", "Search the web.", web.search, never


def _sets_model(arguments: Arguments) -> bool:
    return arguments.text("model") is not None
