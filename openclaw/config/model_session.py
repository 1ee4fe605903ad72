"""
The model of ``session`` and ``messages``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

QueueMode = Literal["steer", "followup", "collect", "steer-backlog", "steer+backlog", "queue", "interrupt"]
TypingMode = Literal["never", "instant", "thinking", "message"]


@frozen(kw_only=True)
class ResetPolicy:
    """
    When a session starts afresh.

    :param at_hour: local hour of the daily reset.
    :param idle_minutes: in mode ``idle`` 60 when not told; in mode ``daily`` an additional limit.
    """

    mode: Literal["daily", "idle"] = "daily"
    at_hour: int = 4
    idle_minutes: int | None = None

    @property
    def idle_limit(self) -> int | None:
        """
        The minutes of silence after which the session is stale, if there is such a limit.
        """
        return self.idle_minutes or (60 if self.mode == "idle" else None)


@frozen(kw_only=True)
class SendRuleMatch:
    """
    What a rule of the send policy looks at.
    """

    channel: str | None = None
    chat_type: Literal["direct", "group", "channel"] | None = None
    key_prefix: str | None = None


@frozen(kw_only=True)
class SendRule:
    """
    One rule of ``session.sendPolicy.rules``.
    """

    action: Literal["allow", "deny"]
    match: SendRuleMatch = SendRuleMatch()


@frozen(kw_only=True)
class SendPolicy:
    """
    ``session.sendPolicy``.
    """

    default: Literal["allow", "deny"] = "allow"
    rules: tuple[SendRule, ...] = ()


@frozen(kw_only=True)
class SessionConfig:
    """
    ``session``.

    :param reset: also follows the old ``idleMinutes``.
    :param store: a path of the reference's session store, read by the import only.
    """

    scope: Literal["per-sender", "global"] = "per-sender"
    dm_scope: Literal["main", "per-peer", "per-channel-peer", "per-account-channel-peer"] = "main"
    identity_links: Mapping[str, tuple[str, ...]] = field(factory=dict)
    reset: ResetPolicy = ResetPolicy()
    reset_by_type: Mapping[str, ResetPolicy] = field(factory=dict)
    reset_by_channel: Mapping[str, ResetPolicy] = field(factory=dict)
    idle_minutes: int | None = None
    reset_triggers: tuple[str, ...] = ("/new", "/reset")
    store: str | None = None
    send_policy: SendPolicy = SendPolicy()
    typing_interval_seconds: int = 6
    typing_mode: TypingMode | None = None


@frozen(kw_only=True)
class QueueConfig:
    """
    ``messages.queue``.
    """

    mode: QueueMode = "collect"
    by_channel: Mapping[str, QueueMode] = field(factory=dict)
    debounce_ms: int = 1000
    debounce_ms_by_channel: Mapping[str, int] = field(factory=dict)
    cap: int = 20
    drop: Literal["old", "new", "summarize"] = "summarize"


@frozen(kw_only=True)
class OpenAISpeech:
    """
    ``messages.tts.openai``.
    """

    api_key: str | None = None
    model: str = "gpt-4o-mini-tts"
    voice: str = "alloy"


@frozen(kw_only=True)
class ElevenLabsSpeech:
    """
    ``messages.tts.elevenlabs``.
    """

    api_key: str | None = None


@frozen(kw_only=True)
class SpeechConfig:
    """
    ``messages.tts``.

    :param prefs_path: where preferences of clients are kept, in place of ``settings/tts.json``.
    :param max_text_length: longer texts are not spoken.
    """

    auto: Literal["off", "always", "inbound", "tagged"] = "off"
    provider: Literal["elevenlabs", "openai", "edge"] | None = None
    openai: OpenAISpeech = OpenAISpeech()
    elevenlabs: ElevenLabsSpeech = ElevenLabsSpeech()
    prefs_path: str | None = None
    max_text_length: int = 4096
    timeout_ms: int = 30000


@frozen(kw_only=True)
class MessagesConfig:
    """
    ``messages``.
    """

    queue: QueueConfig = QueueConfig()
    tts: SpeechConfig = SpeechConfig()
    message_prefix: str | None = None
    response_prefix: str | None = None
    ack_reaction: str | None = None
    ack_reaction_scope: Literal["group-mentions", "group-all", "direct", "all"] = "group-mentions"
    remove_ack_after_reply: bool = False
