"""
Text to a sound file through an OpenAI-compatible speech endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import orjson
from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime

from openclaw.config.files import make_private_directory, replace_file
from openclaw.config.model_session import OpenAISpeech
from openclaw.errors import OpenClawError

#: The longest sound that is taken, in bytes.
MOST_BYTES = 25 * 1024 * 1024
#: How much of an error's body is told.
MOST_ERROR_TEXT = 200
#: Sound files are for who asked; after this they are forgotten, in seconds.
KEPT_SECONDS = 3600.0


@frozen(kw_only=True)
class SpeechFailed(OpenClawError):
    """
    A provider did not speak.
    """

    why: str

    def __str__(self) -> str:
        return self.why


class HttpClient(Protocol):
    """
    The part of ``treq.client.HTTPClient`` that is used here.
    """

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]: ...


async def openai_speech(
    client: HttpClient,
    clock: IReactorTime,
    *,
    base_url: str,
    key: str,
    settings: OpenAISpeech,
    text: str,
    sound: str,
    limit_seconds: float,
) -> bytes:
    """
    :param sound: the format, ``mp3`` or ``opus``.
    :raise SpeechFailed: there was no answer, or a refusal.
    """
    body = {"model": settings.model, "input": text, "voice": settings.voice, "response_format": sound}
    asking = Deferred.fromCoroutine(_post(client, f"{base_url.rstrip('/')}/audio/speech", key, body))
    try:
        return await asking.addTimeout(limit_seconds, clock)
    except DeferredTimeout:
        raise SpeechFailed(why=f"openai: no answer in {limit_seconds:g} s") from None


async def _post(client: HttpClient, url: str, key: str, body: Any) -> bytes:
    headers = {"authorization": [f"Bearer {key}"], "content-type": ["application/json"]}
    try:
        response = await client.request(
            "POST", url, headers=headers, data=orjson.dumps(body), allow_redirects=False, unbuffered=True
        )
        received = await _read(response)
    except (CancelledError, SpeechFailed):
        raise
    except Exception as error:
        raise SpeechFailed(why=f"openai: {type(error).__name__}: {error}") from error
    if response.code != 200:
        explanation = " ".join(received[:MOST_ERROR_TEXT].decode("utf-8", "replace").split())
        raise SpeechFailed(why=f"OpenAI TTS API error ({response.code}): {explanation}")
    return received


async def _read(response: Any) -> bytes:
    received = bytearray()

    def collect(data: bytes) -> None:
        received.extend(data)
        if len(received) > MOST_BYTES:
            raise SpeechFailed(why=f"openai: the sound is longer than {MOST_BYTES} bytes")

    await response.collect(collect)
    return bytes(received)


def keep_sound(directory: Path, data: bytes, *, suffix: str, make_id: Callable[[], str], now: float) -> Path:
    """
    Put a sound into a file of its own, and forget those that nobody wants any more. Blocks.
    """
    make_private_directory(directory)
    for old in directory.glob("voice-*"):
        if now - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    path = directory / f"voice-{make_id()}.{suffix}"
    replace_file(path, data)
    return path
