"""
Where an answer of ``agent`` is delivered, beside the WebSocket (``methods.md`` 7.5). No channel can do it yet, and who
asks for one is told so.
"""

from __future__ import annotations

from twisted.logger import Logger

from openclaw.methods.context import MethodContext
from openclaw.protocol.agent import AgentParams
from openclaw.sessions.keys import agent_of, default_agent, main_session_key

#: The channel of those who watch the run itself: nothing is sent there.
WEBCHAT = "webchat"
LAST = "last"

#: Where answers go when nothing else is known.
DEFAULT_CHANNEL = "whatsapp"

_log = Logger()


async def undelivered(context: MethodContext, params: AgentParams, session_key: str) -> str | None:
    """
    Deliver an answer as a request asks.

    :return: why that was not possible; ``None`` if it was, if nobody asked for it, or if nobody has to know.
    """
    if params.deliver is not True:
        return None
    channel = (params.reply_channel or params.channel or LAST).strip().lower()
    if channel == LAST:
        channel = await _last_channel(context, session_key)
    if channel == WEBCHAT:
        return None
    why = f"Error: Unknown channel: {channel}"
    config = context.config()
    if session_key in ("global", main_session_key(config, agent_of(session_key, default_agent(config)))):
        # An agent's main session is where its owner reads it; delivery is an extra there.
        _log.warn("The answer in {session} was not delivered: {why}", session=session_key, why=why)
        return None
    return why


async def _last_channel(context: MethodContext, session_key: str) -> str:
    session = await context.store.read(lambda unit: unit.sessions.get(session_key))
    last = None if session is None else session.members.get("lastChannel")
    return last if isinstance(last, str) and last and last != WEBCHAT else DEFAULT_CHANNEL
