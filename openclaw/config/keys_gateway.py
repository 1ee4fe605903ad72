"""
Keys of the gateway itself: ``gateway``, ``canvasHost``, ``logging`` and ``hooks``.
"""

from __future__ import annotations

from openclaw.config.keys_common import BOOL, COUNT, NAMES, PORT, POSITIVE, SECRET, STR, choice, obj
from openclaw.config.schema import Each, Obj, Record, Shape, Text

_IPV4 = Text(pattern=r"\d{1,3}(?:\.\d{1,3}){3}", meaning="an IPv4 address")

_RESPONSES = obj(
    enabled=BOOL,
    maxBodyBytes=POSITIVE,
    files=obj(
        allowUrl=BOOL,
        allowedMimes=NAMES,
        maxBytes=POSITIVE,
        maxChars=POSITIVE,
        maxRedirects=COUNT,
        timeoutMs=POSITIVE,
        pdf=obj(maxPages=POSITIVE, maxPixels=POSITIVE, minTextChars=COUNT),
    ),
    images=obj(allowUrl=BOOL, allowedMimes=NAMES, maxBytes=POSITIVE, maxRedirects=COUNT, timeoutMs=POSITIVE),
)

GATEWAY = obj(
    port=PORT,
    mode=choice("local", "remote"),
    bind=choice("auto", "lan", "loopback", "custom", "tailnet"),
    customBindHost=_IPV4,
    maxPayload=POSITIVE,
    controlUi=obj(
        enabled=BOOL,
        basePath=STR,
        root=STR,
        allowedOrigins=NAMES,
        allowInsecureAuth=BOOL,
        dangerouslyDisableDeviceAuth=BOOL,
    ),
    auth=obj(mode=choice("token", "password"), token=SECRET, password=SECRET, allowTailscale=BOOL),
    trustedProxies=NAMES,
    tailscale=obj(mode=choice("off", "serve", "funnel"), resetOnExit=BOOL),
    remote=obj(
        url=STR,
        transport=choice("ssh", "direct"),
        token=SECRET,
        password=SECRET,
        tlsFingerprint=STR,
        sshTarget=STR,
        sshIdentity=STR,
    ),
    reload=obj(mode=choice("off", "restart", "hot", "hybrid"), debounceMs=COUNT),
    shutdown=obj(drainMs=COUNT),
    # The reference drops unknown keys here without a word, so files have them.
    tls=Obj(
        {"enabled": BOOL, "autoGenerate": BOOL, "certPath": STR, "keyPath": STR, "caPath": STR},
        unknown="ignore",
    ),
    # The reference learnt it after 2026.1.30.
    tools=obj(allow=NAMES, deny=NAMES),
    http=obj(endpoints=obj(chatCompletions=obj(enabled=BOOL), responses=_RESPONSES)),
    nodes=obj(browser=obj(mode=choice("auto", "manual", "off"), node=STR), allowCommands=NAMES, denyCommands=NAMES),
)

CANVAS_HOST = obj(enabled=BOOL, root=STR, port=PORT, liveReload=BOOL)

_LEVEL = choice("silent", "fatal", "error", "warn", "info", "debug", "trace")

LOGGING = obj(
    level=_LEVEL,
    file=STR,
    consoleLevel=_LEVEL,
    consoleStyle=choice("pretty", "compact", "json"),
    redactSensitive=choice("off", "tools"),
    redactPatterns=NAMES,
)

_MAPPING = obj(
    id=STR,
    name=STR,
    sessionKey=STR,
    messageTemplate=STR,
    textTemplate=STR,
    to=STR,
    model=STR,
    thinking=STR,
    match=obj(path=STR, source=STR),
    action=choice("wake", "agent"),
    wakeMode=choice("now", "next-heartbeat"),
    deliver=BOOL,
    allowUnsafeExternalContent=BOOL,
    channel=choice("last", "whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"),
    timeoutSeconds=POSITIVE,
    transform=obj(module=Text(required=True), export=STR),
)

_GMAIL = obj(
    account=STR,
    label=STR,
    topic=STR,
    subscription=STR,
    pushToken=SECRET,
    hookUrl=STR,
    model=STR,
    includeBody=BOOL,
    allowUnsafeExternalContent=BOOL,
    maxBytes=POSITIVE,
    renewEveryMinutes=POSITIVE,
    serve=obj(bind=STR, port=PORT, path=STR),
    tailscale=obj(mode=choice("off", "serve", "funnel"), path=STR, target=STR),
    thinking=choice("off", "minimal", "low", "medium", "high"),
)

_INTERNAL = obj(
    enabled=BOOL,
    handlers=Each(obj(event=Text(required=True), module=Text(required=True), export=STR)),
    entries=Record(obj(enabled=BOOL, env=Record(SECRET))),
    load=obj(extraDirs=NAMES),
    installs=Record(Obj(rest=Shape())),
)

HOOKS = obj(
    enabled=BOOL,
    path=STR,
    token=SECRET,
    maxBodyBytes=POSITIVE,
    presets=NAMES,
    transformsDir=STR,
    mappings=Each(_MAPPING),
    gmail=_GMAIL,
    internal=_INTERNAL,
)
