"""
Every key that a configuration may hold, and the shape of its value.

``gateway.customBindHost``, ``.maxPayload``, ``.shutdown``, ``.controlUi.root`` and ``.controlUi.allowedOrigins`` are
ours: the reference 2026.1.30 refuses a file with them, so that the program never writes one by itself.
"""

from __future__ import annotations

from openclaw.config.keys_agents import AGENTS, MODELS, TOOLS
from openclaw.config.keys_channels import CHANNELS, MESSAGES, SESSION
from openclaw.config.keys_common import (
    BOOL,
    COUNT,
    NAMES,
    PORT,
    POSITIVE,
    REAL,
    SECRET,
    STR,
    choice,
    obj,
)
from openclaw.config.keys_gateway import CANVAS_HOST, GATEWAY, HOOKS, LOGGING
from openclaw.config.schema import Choice, Each, KeyPath, Number, Obj, Record, Shape, Text

_AUTO = choice(True, False, "auto")

_COMMANDS = obj(
    native=_AUTO,
    nativeSkills=_AUTO,
    text=BOOL,
    bash=BOOL,
    bashForegroundMs=Number(least=0, most=30000),
    config=BOOL,
    debug=BOOL,
    restart=BOOL,
    useAccessGroups=BOOL,
)

_BROWSER = obj(
    enabled=BOOL,
    evaluateEnabled=BOOL,
    controlUrl=STR,
    cdpUrl=STR,
    remoteCdpTimeoutMs=COUNT,
    remoteCdpHandshakeTimeoutMs=COUNT,
    color=STR,
    executablePath=STR,
    headless=BOOL,
    noSandbox=BOOL,
    attachOnly=BOOL,
    defaultProfile=STR,
    snapshotDefaults=obj(mode=choice("efficient")),
    profiles=Record(
        obj(cdpPort=PORT, cdpUrl=STR, driver=choice("openclaw", "extension"), color=Text(required=True)),
        keys="[a-z0-9-]+",
    ),
)

_TALK = obj(
    voiceId=STR,
    voiceAliases=Record(STR),
    modelId=STR,
    outputFormat=STR,
    apiKey=SECRET,
    interruptOnSpeech=BOOL,
)

_WEB = obj(
    enabled=BOOL,
    heartbeatSeconds=POSITIVE,
    reconnect=obj(initialMs=POSITIVE, maxMs=POSITIVE, factor=REAL, jitter=REAL, maxAttempts=COUNT),
)

_AUTH = obj(
    profiles=Record(
        obj(
            provider=Text(required=True),
            mode=Choice(("api_key", "oauth", "token"), required=True),
            email=STR,
        )
    ),
    order=Record(NAMES),
    cooldowns=obj(
        billingBackoffHours=REAL,
        billingBackoffHoursByProvider=Record(REAL),
        billingMaxHours=REAL,
        failureWindowHours=REAL,
    ),
)

_BINDING = obj(
    agentId=Text(required=True),
    match=Obj(
        {
            "channel": Text(required=True),
            "accountId": STR,
            "peer": obj(kind=choice("dm", "group", "channel"), id=STR),
            "guildId": STR,
            "teamId": STR,
        },
        required=True,
    ),
)

_DIAGNOSTICS = obj(
    enabled=BOOL,
    flags=NAMES,
    otel=Obj({"headers": Record(SECRET)}, rest=Shape()),
    cacheTrace=Obj(rest=Shape()),
)

_APPROVALS = obj(
    exec=obj(
        enabled=BOOL,
        mode=choice("session", "targets", "both"),
        agentFilter=NAMES,
        sessionFilter=NAMES,
        targets=Each(Obj(rest=Shape())),
    )
)

_SKILLS = obj(
    allowBundled=NAMES,
    load=obj(extraDirs=NAMES, watch=BOOL, watchDebounceMs=COUNT),
    install=obj(preferBrew=BOOL, nodeManager=choice("npm", "pnpm", "yarn", "bun")),
    entries=Record(obj(enabled=BOOL, apiKey=SECRET, env=Record(SECRET), config=Record(Shape()))),
)

_PLUGINS = obj(
    enabled=BOOL,
    allow=NAMES,
    deny=NAMES,
    load=obj(paths=NAMES),
    slots=obj(memory=STR),
    entries=Record(obj(enabled=BOOL, config=Record(Shape()))),
    installs=Record(Obj(rest=Shape())),
)

_ENV = Obj(
    {"vars": Record(SECRET), "shellEnv": obj(enabled=BOOL, timeoutMs=COUNT)},
    rest=SECRET,
)

#: The whole file.
ROOT = obj(
    meta=obj(lastTouchedVersion=STR, lastTouchedAt=STR),
    env=_ENV,
    wizard=obj(
        lastRunAt=STR,
        lastRunVersion=STR,
        lastRunCommit=STR,
        lastRunCommand=STR,
        lastRunMode=choice("local", "remote"),
    ),
    diagnostics=_DIAGNOSTICS,
    logging=LOGGING,
    update=obj(channel=choice("stable", "beta", "dev"), checkOnStart=BOOL),
    browser=_BROWSER,
    ui=obj(
        seamColor=Text(pattern="#?[0-9a-fA-F]{6}", meaning="a colour such as FF4500"),
        assistant=obj(name=Text(most=50), avatar=Text(most=200)),
    ),
    auth=_AUTH,
    models=MODELS,
    nodeHost=obj(browserProxy=obj(enabled=BOOL, allowProfiles=NAMES)),
    agents=AGENTS,
    tools=TOOLS,
    bindings=Each(_BINDING),
    broadcast=Obj({"strategy": choice("parallel", "sequential")}, rest=NAMES),
    audio=obj(transcription=obj(command=NAMES, timeoutSeconds=POSITIVE)),
    media=obj(preserveFilenames=BOOL),
    messages=MESSAGES,
    commands=_COMMANDS,
    approvals=_APPROVALS,
    session=SESSION,
    cron=obj(enabled=BOOL, store=STR, maxConcurrentRuns=POSITIVE),
    hooks=HOOKS,
    web=_WEB,
    channels=CHANNELS,
    discovery=obj(
        mdns=obj(mode=choice("off", "minimal", "full")),
        wideArea=obj(enabled=BOOL, domain=STR),
    ),
    canvasHost=CANVAS_HOST,
    talk=_TALK,
    gateway=GATEWAY,
    skills=_SKILLS,
    plugins=_PLUGINS,
)


def shape_at(path: KeyPath) -> Shape | None:
    """
    The shape of the value at a path, or ``None`` where no key is known.
    """
    shape: Shape | None = ROOT
    for part in path:
        if shape is None:
            return None
        shape = shape.child(part)
    return shape
