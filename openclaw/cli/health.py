"""
``openclaw health``: how the running gateway is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context, age
from openclaw.cli.rpc import connected
from openclaw.cli.target import read_config, resolve_target

#: Newest sessions to show.
_RECENT = 5


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: 0 whenever the gateway answers, however it is.
    """
    parser = Arguments("health", "How the running gateway is.")
    add_client_options(parser)
    parser.option("--verbose", "--debug", action="store_true", help="ask the channels anew, and say where we ask")
    options = parser.take(arguments)
    target = resolve_target(context, options, read_config(context, lenient=True))
    with connected(context, options, target) as client:
        payload = client.call("health", {"probe": True} if options.verbose else {}, timeout=options.timeout / 1000)
    if options.json:
        context.json(payload)
        return 0
    if options.verbose:
        context.line("\n".join(target.lines()))
    for line in (*config_lines(context, payload), *channel_lines(payload), *agent_lines(context, payload)):
        context.line(line)
    return 0


def config_lines(context: Context, payload: Mapping[str, Any]) -> Iterator[str]:
    """
    Nothing as long as the file can be used.
    """
    problem = payload.get("configProblem")
    if problem:
        yield f"Configuration: the file cannot be used, the gateway goes on with the one before it ({problem})"
        yield context.command("Where, and how to go back: openclaw doctor")


def channel_lines(payload: Mapping[str, Any]) -> Iterator[str]:
    """
    One line for each channel.
    """
    channels, labels = payload.get("channels") or {}, payload.get("channelLabels") or {}
    for name in payload.get("channelOrder") or channels:
        channel = channels.get(name)
        yield f"{labels.get(name, name)}: {_channel(channel if isinstance(channel, Mapping) else {})}"


def _channel(channel: Mapping[str, Any]) -> str:
    probe = channel.get("probe")
    if isinstance(probe, Mapping):
        if probe.get("ok"):
            bot = (probe.get("bot") or {}).get("username")
            return "ok" + (f" (@{bot})" if bot else "") + f" ({probe.get('elapsedMs', 0)}ms)"
        return f"failed ({probe.get('status') or 'unknown'})" + (f" - {probe['error']}" if probe.get("error") else "")
    if isinstance(channel.get("linked"), bool):
        known = channel.get("authAgeMs")
        linked = f"linked (auth age {age(known)})" if isinstance(known, int | float) else "linked"
        return linked if channel["linked"] else "not linked"
    if isinstance(channel.get("configured"), bool):
        return "configured" if channel["configured"] else "not configured"
    return "unknown"


def agent_lines(context: Context, payload: Mapping[str, Any]) -> Iterator[str]:
    """
    Agents, how often they wake by themselves, and the newest conversations.
    """
    agents = payload.get("agents") or []
    default = payload.get("defaultAgentId")
    named = [f"{agent['agentId']} (default)" if agent.get("isDefault") else agent["agentId"] for agent in agents]
    yield f"Agents: {', '.join(named) or default}"
    beats = [f"{agent.get('heartbeat', {}).get('every', 'disabled')} ({agent['agentId']})" for agent in agents]
    yield f"Heartbeat interval: {', '.join(beats) or 'disabled'}"
    sessions = payload.get("sessions") or {}
    path = context.short(str(sessions.get("path", "")))
    yield f"Session store ({default}): {path} ({sessions.get('count', 0)} entries)"
    for session in (sessions.get("recent") or [])[:_RECENT]:
        passed = session.get("age")
        told = f"{age(passed)} ago" if isinstance(passed, int | float) else "no activity"
        yield f"- {session.get('key')} ({told})"
