"""
``talk.mode`` and ``voicewake.*`` (``methods.md`` 20.1, 20.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.clock import millis
from openclaw.methods.authorise import READ, WRITE
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid, unavailable
from openclaw.methods.table import MethodTable
from openclaw.protocol.talk import TalkModeEvent, TalkModeParams, VoiceWakeSetParams, VoiceWakeWords
from openclaw.voice.wake import read_wake_words, write_wake_words

#: Platforms of nodes that can talk begin with one of these.
TALKING = ("ios", "ipados", "android")

methods = MethodTable()


@methods.method("talk.mode", TalkModeParams, result=TalkModeEvent, scope=WRITE)
async def mode(context: MethodContext, params: TalkModeParams) -> dict[str, Any]:
    """
    Tell everybody that talk mode was switched. It is not kept.

    :raise Failed: a web page asks, and nobody is there to talk with.
    """
    caller = context.caller
    if caller.client_mode == "webchat" or caller.client_id == "webchat-ui":
        platforms = (platform.strip().lower() for platform in context.node_platforms())
        if not any(platform.startswith(TALKING) for platform in platforms):
            raise unavailable("talk disabled: no connected iOS/Android nodes")
    told = {"enabled": params.enabled, "phase": params.phase, "ts": millis(context.clock)}
    context.broadcast("talk.mode", told, drop_if_slow=True)
    return told


@methods.method("voicewake.get", result=VoiceWakeWords, scope=READ)
async def wake_words(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    The words that wake a node.
    """
    return {"triggers": await context.in_thread(read_wake_words, context.state_dir)}


@methods.method("voicewake.set", takes=VoiceWakeSetParams, result=VoiceWakeWords, scope=WRITE, durable=True)
async def set_wake_words(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Other words; none are the defaults.

    :raise Failed: there is no list of them.
    """
    triggers = params.get("triggers")
    if not isinstance(triggers, list):
        raise invalid("voicewake.set requires triggers: string[]")
    words = await context.in_thread(write_wake_words, context.state_dir, triggers, millis(context.clock))
    context.broadcast("voicewake.changed", {"triggers": words}, drop_if_slow=True)
    return {"triggers": words}
