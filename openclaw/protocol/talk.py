"""
Talk mode, wake words and speech: ``talk.mode``, ``voicewake.*``, ``tts.*``.
"""

from collections.abc import Sequence
from typing import Literal

from attrs import frozen

from openclaw.protocol.types import NonEmptyString, NonEmptyStrings, NonNegative


@frozen(kw_only=True)
class TalkModeParams:
    """
    Switch talk mode.

    :ivar phase: what the talking side is doing right now, in its own words.
    """

    enabled: bool
    phase: str | None = None


@frozen(kw_only=True)
class TalkModeEvent:
    """
    Talk mode was switched; also the answer to who switched it.

    :ivar ts: milliseconds since the epoch.
    """

    enabled: bool
    phase: str | None
    ts: NonNegative


@frozen(kw_only=True)
class VoiceWakeWords:
    """
    The words that wake a node: the answer of ``voicewake.*`` and the event ``voicewake.changed``.
    """

    triggers: NonEmptyStrings


@frozen(kw_only=True)
class TtsStatusResult:
    """
    Whether answers are spoken, and by whom.

    :ivar auto: ``always``, ``off``, ``inbound`` or ``tagged``.
    :ivar fallback_provider: who speaks when ``provider`` cannot; ``null`` for nobody.
    :ivar prefs_path: the file with these settings.
    """

    enabled: bool
    auto: NonEmptyString
    provider: NonEmptyString
    fallback_provider: str | None
    fallback_providers: Sequence[str]
    prefs_path: NonEmptyString
    has_openai_key: bool
    has_eleven_labs_key: bool
    edge_enabled: bool


@frozen(kw_only=True)
class TtsProvider:
    """
    One that can speak.
    """

    id: NonEmptyString
    name: NonEmptyString
    configured: bool
    models: Sequence[str]
    voices: Sequence[str] | None = None


@frozen(kw_only=True)
class TtsProvidersResult:
    """
    Who there is to speak.

    :ivar active: the id of the one that is preferred.
    """

    providers: Sequence[TtsProvider]
    active: NonEmptyString


@frozen(kw_only=True)
class TtsSwitchResult:
    """
    Whether every answer is spoken now.
    """

    enabled: bool


@frozen(kw_only=True)
class TtsSetProviderResult:
    """
    Who is preferred now.
    """

    provider: NonEmptyString


@frozen(kw_only=True)
class TtsConvertResult:
    """
    A file with the spoken text.

    :ivar voice_compatible: whether channels show it as a voice message.
    """

    audio_path: NonEmptyString
    provider: NonEmptyString
    output_format: NonEmptyString
    voice_compatible: bool


@frozen(kw_only=True)
class VoiceWakeSetParams:
    """
    Other words to wake a node.

    :ivar triggers: the first 32 of them count; none are the defaults.
    """

    triggers: Sequence[str]


@frozen(kw_only=True)
class TtsSetProviderParams:
    """
    Prefer somebody to speak.
    """

    provider: Literal["openai", "elevenlabs", "edge"]


@frozen(kw_only=True)
class TtsConvertParams:
    """
    Speak a text into a file.

    :ivar channel: where it will be heard; some want a format of their own.
    """

    text: NonEmptyString
    channel: str | None = None
