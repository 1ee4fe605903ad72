"""
Keys of conversations: ``session``, ``messages`` and ``channels``.
"""

from __future__ import annotations

from openclaw.config.keys_common import (
    BOOL,
    CHUNK,
    COALESCE,
    COUNT,
    GROUP_CHAT,
    NAMES,
    POLICY,
    POSITIVE,
    REAL,
    SECRET,
    SEND_POLICY,
    STR,
    TYPING_MODE,
    choice,
    obj,
)
from openclaw.config.schema import AnyOf, Each, Number, Obj, Record, Shape

_RESET = obj(mode=choice("daily", "idle"), atHour=Number(least=0, most=23), idleMinutes=POSITIVE)

SESSION = obj(
    scope=choice("per-sender", "global"),
    dmScope=choice("main", "per-peer", "per-channel-peer", "per-account-channel-peer"),
    identityLinks=Record(NAMES),
    resetTriggers=NAMES,
    idleMinutes=POSITIVE,
    reset=_RESET,
    resetByType=obj(dm=_RESET, group=_RESET, thread=_RESET),
    resetByChannel=Record(_RESET),
    store=STR,
    typingIntervalSeconds=POSITIVE,
    typingMode=TYPING_MODE,
    mainKey=STR,
    sendPolicy=SEND_POLICY,
    agentToAgent=obj(maxPingPongTurns=Number(least=0, most=5)),
)

_QUEUE_MODE = choice("steer", "followup", "collect", "steer-backlog", "steer+backlog", "queue", "interrupt")
_QUEUE_CHANNELS = (
    "whatsapp",
    "telegram",
    "discord",
    "slack",
    "mattermost",
    "signal",
    "imessage",
    "msteams",
    "webchat",
)

_VOICE = obj(stability=REAL, similarityBoost=REAL, style=REAL, useSpeakerBoost=BOOL, speed=REAL)

_TTS = obj(
    auto=choice("off", "always", "inbound", "tagged"),
    mode=choice("final", "all"),
    provider=choice("elevenlabs", "openai", "edge"),
    summaryModel=STR,
    modelOverrides=obj(
        enabled=BOOL,
        allowText=BOOL,
        allowProvider=BOOL,
        allowVoice=BOOL,
        allowModelId=BOOL,
        allowVoiceSettings=BOOL,
        allowNormalization=BOOL,
        allowSeed=BOOL,
    ),
    elevenlabs=obj(
        apiKey=SECRET,
        baseUrl=STR,
        voiceId=STR,
        modelId=STR,
        seed=COUNT,
        applyTextNormalization=choice("auto", "on", "off"),
        languageCode=STR,
        voiceSettings=_VOICE,
    ),
    openai=obj(apiKey=SECRET, model=STR, voice=STR),
    edge=obj(
        enabled=BOOL,
        voice=STR,
        lang=STR,
        outputFormat=STR,
        pitch=STR,
        rate=STR,
        volume=STR,
        saveSubtitles=BOOL,
        proxy=STR,
        timeoutMs=Number(least=1000, most=120000),
    ),
    prefsPath=STR,
    maxTextLength=POSITIVE,
    timeoutMs=Number(least=1000, most=120000),
)

MESSAGES = obj(
    messagePrefix=STR,
    responsePrefix=STR,
    groupChat=GROUP_CHAT,
    queue=obj(
        mode=_QUEUE_MODE,
        byChannel=Obj(dict.fromkeys(_QUEUE_CHANNELS, _QUEUE_MODE)),
        debounceMs=COUNT,
        debounceMsByChannel=Record(COUNT),
        cap=POSITIVE,
        drop=choice("old", "new", "summarize"),
    ),
    inbound=obj(debounceMs=COUNT, byChannel=Record(COUNT)),
    ackReaction=STR,
    ackReactionScope=choice("group-mentions", "group-all", "direct", "all"),
    removeAckAfterReply=BOOL,
    tts=_TTS,
)

_IDS = Each(AnyOf((STR, REAL)))
_GROUP_POLICY = choice("open", "disabled", "allowlist")
_VISIBILITY = obj(showOk=BOOL, showAlerts=BOOL, useIndicator=BOOL)
_ALLOWED = obj(**POLICY)
_GROUP: dict[str, Shape] = {"requireMention": BOOL, "tools": _ALLOWED, "toolsBySender": Record(_ALLOWED)}

_COMMON: dict[str, Shape] = {
    "name": STR,
    "enabled": BOOL,
    "markdown": obj(tables=choice("off", "bullets", "code")),
    "configWrites": BOOL,
    "dmPolicy": choice("pairing", "allowlist", "open", "disabled"),
    "allowFrom": _IDS,
    "groupAllowFrom": _IDS,
    "groupPolicy": _GROUP_POLICY,
    "historyLimit": COUNT,
    "dmHistoryLimit": COUNT,
    "dms": Record(obj(historyLimit=COUNT)),
    "textChunkLimit": POSITIVE,
    "chunkMode": choice("length", "newline"),
    "blockStreaming": BOOL,
    "blockStreamingCoalesce": COALESCE,
    "heartbeat": _VISIBILITY,
    "mediaMaxMb": Number(whole=False, above=0),
    "responsePrefix": STR,
}

_TOPIC: dict[str, Shape] = {
    "requireMention": BOOL,
    "skills": NAMES,
    "enabled": BOOL,
    "allowFrom": _IDS,
    "systemPrompt": STR,
}
_AUTO = choice(True, False, "auto")

_TELEGRAM: dict[str, Shape] = {
    **_COMMON,
    "botToken": SECRET,
    "tokenFile": STR,
    "capabilities": AnyOf((NAMES, obj(inlineButtons=choice("off", "dm", "group", "all", "allowlist")))),
    "commands": obj(native=_AUTO, nativeSkills=_AUTO),
    "customCommands": Each(obj(command=STR, description=STR)),
    "replyToMode": choice("off", "first", "all"),
    "streamMode": choice("off", "partial", "block"),
    "draftChunk": CHUNK,
    "timeoutSeconds": POSITIVE,
    "retry": obj(attempts=POSITIVE, minDelayMs=COUNT, maxDelayMs=COUNT, jitter=REAL),
    "network": obj(autoSelectFamily=BOOL),
    "proxy": STR,
    "webhookUrl": STR,
    "webhookSecret": SECRET,
    "webhookPath": STR,
    "actions": obj(reactions=BOOL, sendMessage=BOOL, deleteMessage=BOOL, sticker=BOOL),
    "reactionNotifications": choice("off", "own", "all"),
    "reactionLevel": choice("off", "ack", "minimal", "extensive"),
    "linkPreview": BOOL,
    "groups": Record(Obj({**_GROUP, **_TOPIC, "topics": Record(Obj(_TOPIC))})),
}

_WHATSAPP: dict[str, Shape] = {
    **_COMMON,
    "capabilities": NAMES,
    "sendReadReceipts": BOOL,
    "messagePrefix": STR,
    "selfChatMode": BOOL,
    "debounceMs": COUNT,
    "ackReaction": obj(emoji=STR, direct=BOOL, group=choice("always", "mentions", "never")),
    "groups": Record(Obj(_GROUP)),
}

# The keys of these are not written down anywhere we go by: they load as they are.
_OTHER = Obj(rest=Shape())
_OTHER_IDS = (
    "discord",
    "slack",
    "signal",
    "imessage",
    "msteams",
    "mattermost",
    "googlechat",
    "matrix",
    "line",
    "zalo",
    "zalouser",
    "nostr",
    "twitch",
    "tlon",
    "bluebubbles",
    "nextcloud-talk",
    "webchat",
)

CHANNEL_IDS = ("telegram", "whatsapp", *_OTHER_IDS)

CHANNELS = Obj(
    {
        "defaults": obj(groupPolicy=_GROUP_POLICY, heartbeat=_VISIBILITY),
        "telegram": Obj({**_TELEGRAM, "accounts": Record(Obj(_TELEGRAM))}),
        "whatsapp": Obj(
            {
                **_WHATSAPP,
                "actions": obj(reactions=BOOL, sendMessage=BOOL, polls=BOOL),
                "accounts": Record(Obj({**_WHATSAPP, "authDir": STR})),
            }
        ),
        **dict.fromkeys(_OTHER_IDS, _OTHER),
    }
)
