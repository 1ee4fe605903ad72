"""
How answers are spoken: what people prefer, and who can speak (``methods.md`` 20.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from openclaw.config.model import Config
from openclaw.config.paths import expand
from openclaw.voice.settings import read_settings, write_settings

PROVIDERS = ("openai", "elevenlabs", "edge")
AUTO_MODES = ("off", "always", "inbound", "tagged")

OPENAI_MODELS = ("gpt-4o-mini-tts", "tts-1", "tts-1-hd")
OPENAI_VOICES = ("alloy", "ash", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer")
ELEVENLABS_MODELS = ("eleven_multilingual_v2", "eleven_turbo_v2_5", "eleven_monolingual_v1")
OPENAI_URL = "https://api.openai.com/v1"


@frozen(kw_only=True)
class Speech:
    """
    How answers are spoken now.

    :ivar auto: which answers are spoken without being asked for.
    :ivar provider: who speaks; it need not be one who can.
    :ivar openai_key: ``None`` where there is none.
    """

    auto: str
    provider: str
    prefs_path: Path
    openai_key: str | None
    elevenlabs_key: str | None

    @property
    def enabled(self) -> bool:
        return self.auto != "off"

    def can(self, provider: str) -> bool:
        """
        Whether a provider is set up. What we do not speak ourselves is not.
        """
        return provider == "openai" and self.openai_key is not None

    @property
    def order(self) -> list[str]:
        """
        Who is asked to speak, one after the other.
        """
        return [self.provider, *(name for name in PROVIDERS if name != self.provider)]


def prefs_path(config: Config, state_dir: Path, home: Path) -> Path:
    """
    Where preferences are kept: ``messages.tts.prefsPath``, else with the other settings.
    """
    told = config.messages.tts.prefs_path
    return expand(told, home) if told else state_dir / "settings" / "tts.json"


def read_speech(config: Config, environ: Mapping[str, str], path: Path) -> Speech:
    """
    Preferences win over the configuration. Blocks.

    :raise SettingsUnreadable: the preferences are no JSON object.
    """
    tts = config.messages.tts
    told = read_settings(path).get("tts")
    preferred: Mapping[str, Any] = told if isinstance(told, dict) else {}
    openai_key = tts.openai.api_key or environ.get("OPENAI_API_KEY", "").strip() or None
    elevenlabs_key = tts.elevenlabs.api_key or _first(environ, "ELEVENLABS_API_KEY", "XI_API_KEY")
    auto = preferred.get("auto")
    provider = preferred.get("provider")
    if provider not in PROVIDERS:
        by_key = "openai" if openai_key else "elevenlabs" if elevenlabs_key else "edge"
        provider = tts.provider or by_key
    return Speech(
        auto=auto if auto in AUTO_MODES else tts.auto,
        provider=provider,
        prefs_path=path,
        openai_key=openai_key,
        elevenlabs_key=elevenlabs_key,
    )


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    return next((value for name in names if (value := environ.get(name, "").strip())), None)


def change_speech(path: Path, **members: str) -> None:
    """
    Keep preferences; those that are not named, and members that we do not know, stay. Blocks.
    """
    settings = read_settings(path)
    told = settings.get("tts")
    write_settings(path, {**settings, "tts": {**(told if isinstance(told, dict) else {}), **members}})
