"""
``tts.*`` (``methods.md`` 20.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaw.methods.authorise import READ, WRITE
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid, unavailable
from openclaw.methods.table import MethodTable
from openclaw.protocol.talk import (
    TtsConvertParams,
    TtsConvertResult,
    TtsProvidersResult,
    TtsSetProviderParams,
    TtsSetProviderResult,
    TtsStatusResult,
    TtsSwitchResult,
)
from openclaw.voice import convert
from openclaw.voice.speech import (
    ELEVENLABS_MODELS,
    OPENAI_MODELS,
    OPENAI_URL,
    OPENAI_VOICES,
    PROVIDERS,
    Speech,
    change_speech,
    prefs_path,
    read_speech,
)

#: Where voice messages are Opus; elsewhere they are MP3.
VOICE_CHANNELS = frozenset({"telegram"})

methods = MethodTable()


def _path(context: MethodContext) -> Path:
    return prefs_path(context.config(), context.state_dir, context.home)


async def _speech(context: MethodContext) -> Speech:
    speech: Speech = await context.in_thread(read_speech, context.config(), context.environ, _path(context))
    return speech


@methods.method("tts.status", result=TtsStatusResult, scope=READ)
async def status(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Whether answers are spoken, and by whom.
    """
    speech = await _speech(context)
    others = [name for name in speech.order[1:] if speech.can(name)]
    return {
        "enabled": speech.enabled,
        "auto": speech.auto,
        "provider": speech.provider,
        "fallbackProvider": others[0] if others else None,
        "fallbackProviders": others,
        "prefsPath": str(speech.prefs_path),
        "hasOpenAIKey": speech.openai_key is not None,
        "hasElevenLabsKey": speech.elevenlabs_key is not None,
        "edgeEnabled": speech.can("edge"),
    }


@methods.method("tts.providers", result=TtsProvidersResult, scope=READ)
async def providers(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Who there is to speak, and who is set up.
    """
    speech = await _speech(context)
    rows = [
        {"id": "openai", "name": "OpenAI", "models": list(OPENAI_MODELS), "voices": list(OPENAI_VOICES)},
        {"id": "elevenlabs", "name": "ElevenLabs", "models": list(ELEVENLABS_MODELS)},
        {"id": "edge", "name": "Edge TTS", "models": []},
    ]
    return {
        "providers": [{**row, "configured": speech.can(str(row["id"]))} for row in rows],
        "active": speech.provider,
    }


@methods.method("tts.enable", result=TtsSwitchResult, scope=WRITE, durable=True)
async def enable(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Speak every answer.
    """
    await context.in_thread(change_speech, _path(context), auto="always")
    return {"enabled": True}


@methods.method("tts.disable", result=TtsSwitchResult, scope=WRITE, durable=True)
async def disable(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Speak none.
    """
    await context.in_thread(change_speech, _path(context), auto="off")
    return {"enabled": False}


@methods.method("tts.setProvider", takes=TtsSetProviderParams, result=TtsSetProviderResult, scope=WRITE, durable=True)
async def set_provider(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Prefer somebody to speak.

    :raise Failed: nobody knows that provider.
    """
    provider = params.get("provider")
    provider = provider.strip() if isinstance(provider, str) else None
    if provider not in PROVIDERS:
        raise invalid("Invalid provider. Use openai, elevenlabs, or edge.")
    await context.in_thread(change_speech, _path(context), provider=provider)
    return {"provider": provider}


@methods.method("tts.convert", takes=TtsConvertParams, result=TtsConvertResult, scope=WRITE)
async def convert_text(context: MethodContext, params: Mapping[str, Any]) -> dict[str, Any]:
    """
    Speak a text into a file. The preferred provider comes first; each that cannot makes room for the next.

    :raise Failed: there is no text, it is too long, or nobody can.
    """
    text = params.get("text")
    if not isinstance(text, str) or not text.strip():
        raise invalid("tts.convert requires text")
    most = context.config().messages.tts.max_text_length
    if len(text) > most:
        raise unavailable(f"TTS conversion failed: Text too long ({len(text)} chars, max {most})")
    channel = params.get("channel")
    sound = "opus" if isinstance(channel, str) and channel.strip().lower() in VOICE_CHANNELS else "mp3"
    speech = await _speech(context)
    why = _why_not(speech.order[-1], speech)
    for provider in filter(speech.can, speech.order):
        try:
            data = await _openai(context, speech, text.strip(), sound)
        except convert.SpeechFailed as error:
            why = str(error)
            continue
        path = await context.in_thread(
            convert.keep_sound,
            context.state_dir / "media" / "tts",
            data,
            suffix=sound,
            make_id=context.make_id,
            now=context.clock.seconds(),
        )
        return {
            "audioPath": str(path),
            "provider": provider,
            "outputFormat": sound,
            "voiceCompatible": sound == "opus",
        }
    raise unavailable(f"TTS conversion failed: {why}")


def _why_not(provider: str, speech: Speech) -> str:
    if provider == "openai" or (provider == "elevenlabs" and speech.elevenlabs_key is None):
        return f"No API key for {provider}"
    return f"{provider} is not supported by this gateway; use openai"


async def _openai(context: MethodContext, speech: Speech, text: str, sound: str) -> bytes:
    config = context.config()
    provider = config.models.providers.get("openai")
    told = context.environ.get("OPENAI_TTS_BASE_URL", "").strip()
    assert speech.openai_key is not None
    return await convert.openai_speech(
        context.http(),
        context.clock,
        base_url=told or (provider.base_url if provider is not None else None) or OPENAI_URL,
        key=speech.openai_key,
        settings=config.messages.tts.openai,
        text=text,
        sound=sound,
        limit_seconds=config.messages.tts.timeout_ms / 1000,
    )
