"""
Keys of agents: ``agents``, ``models`` and ``tools``.
"""

from __future__ import annotations

from openclaw.config.keys_common import (
    BOOL,
    CHUNK,
    COALESCE,
    COUNT,
    DURATION,
    GROUP_CHAT,
    HEADERS,
    NAMES,
    POLICY,
    PORT,
    POSITIVE,
    REAL,
    SECRET,
    SEND_POLICY,
    STR,
    TYPING_MODE,
    choice,
    obj,
)
from openclaw.config.schema import AnyOf, Choice, Each, Number, Obj, Record, Shape, Text

_SHARE = Number(whole=False, least=0, most=1)
_MODEL = obj(primary=STR, fallbacks=NAMES)
_MODEL_OR_NAME = AnyOf((STR, _MODEL))
_ANY = Obj(rest=Shape())

_HUMAN_DELAY = obj(mode=choice("off", "natural", "custom"), minMs=COUNT, maxMs=COUNT)

_HEARTBEAT = obj(
    every=DURATION,
    activeHours=obj(
        start=Text(pattern=r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", meaning="a time such as 08:30"),
        end=Text(pattern=r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", meaning="a time such as 22:00"),
        timezone=STR,
    ),
    model=STR,
    session=STR,
    prompt=STR,
    to=STR,
    target=STR,
    includeReasoning=BOOL,
    ackMaxChars=COUNT,
)

_MEMORY_SEARCH = obj(
    enabled=BOOL,
    sources=Each(choice("memory", "sessions")),
    extraPaths=NAMES,
    experimental=obj(sessionMemory=BOOL),
    provider=choice("openai", "gemini", "local"),
    remote=obj(
        baseUrl=STR,
        apiKey=SECRET,
        headers=HEADERS,
        batch=obj(enabled=BOOL, wait=BOOL, concurrency=POSITIVE, pollIntervalMs=COUNT, timeoutMinutes=POSITIVE),
    ),
    fallback=choice("none", "openai", "gemini", "local"),
    model=STR,
    local=obj(modelPath=STR, modelCacheDir=STR),
    store=obj(driver=choice("sqlite"), path=STR, vector=obj(enabled=BOOL, extensionPath=STR)),
    chunking=obj(tokens=POSITIVE, overlap=COUNT),
    sync=obj(
        onSessionStart=BOOL,
        onSearch=BOOL,
        watch=BOOL,
        watchDebounceMs=COUNT,
        intervalMinutes=COUNT,
        sessions=obj(deltaBytes=COUNT, deltaMessages=COUNT),
    ),
    query=obj(
        maxResults=POSITIVE,
        minScore=_SHARE,
        hybrid=obj(enabled=BOOL, vectorWeight=_SHARE, textWeight=_SHARE, candidateMultiplier=POSITIVE),
    ),
    cache=obj(enabled=BOOL, maxEntries=POSITIVE),
)

_LIMIT = AnyOf((STR, REAL, obj(soft=COUNT, hard=COUNT)))

_SANDBOX = obj(
    mode=choice("off", "non-main", "all"),
    workspaceAccess=choice("none", "ro", "rw"),
    sessionToolsVisibility=choice("spawned", "all"),
    scope=choice("session", "agent", "shared"),
    perSession=BOOL,
    workspaceRoot=STR,
    docker=obj(
        image=STR,
        containerPrefix=STR,
        workdir=STR,
        readOnlyRoot=BOOL,
        tmpfs=NAMES,
        network=STR,
        user=STR,
        capDrop=NAMES,
        env=Record(SECRET),
        setupCommand=STR,
        pidsLimit=POSITIVE,
        memory=AnyOf((STR, REAL)),
        memorySwap=AnyOf((STR, REAL)),
        cpus=Number(whole=False, above=0),
        ulimits=Record(_LIMIT),
        seccompProfile=STR,
        apparmorProfile=STR,
        dns=NAMES,
        extraHosts=NAMES,
        binds=NAMES,
    ),
    browser=obj(
        enabled=BOOL,
        image=STR,
        containerPrefix=STR,
        cdpPort=PORT,
        vncPort=PORT,
        noVncPort=PORT,
        headless=BOOL,
        enableNoVnc=BOOL,
        allowHostControl=BOOL,
        allowedControlUrls=NAMES,
        allowedControlHosts=NAMES,
        allowedControlPorts=Each(PORT),
        autoStart=BOOL,
        autoStartTimeoutMs=POSITIVE,
    ),
    prune=obj(idleHours=COUNT, maxAgeDays=COUNT),
)

_CLI_BACKEND = obj(
    command=Text(required=True),
    args=NAMES,
    output=choice("json", "text", "jsonl"),
    resumeOutput=choice("json", "text", "jsonl"),
    input=choice("arg", "stdin"),
    maxPromptArgChars=POSITIVE,
    env=Record(SECRET),
    clearEnv=NAMES,
    modelArg=STR,
    modelAliases=Record(STR),
    sessionArg=STR,
    sessionArgs=NAMES,
    resumeArgs=NAMES,
    sessionMode=choice("always", "existing", "none"),
    sessionIdFields=NAMES,
    systemPromptArg=STR,
    systemPromptMode=choice("append", "replace"),
    systemPromptWhen=choice("first", "always", "never"),
    imageArg=STR,
    imageMode=choice("repeat", "list"),
    serialize=BOOL,
)

_COMPACTION = obj(
    mode=choice("default", "safeguard"),
    reserveTokensFloor=COUNT,
    maxHistoryShare=Number(whole=False, least=0.1, most=0.9),
    memoryFlush=obj(enabled=BOOL, softThresholdTokens=COUNT, prompt=STR, systemPrompt=STR),
)

_PRUNING = obj(
    mode=choice("off", "cache-ttl"),
    ttl=STR,
    keepLastAssistants=COUNT,
    softTrimRatio=_SHARE,
    hardClearRatio=_SHARE,
    minPrunableToolChars=COUNT,
    tools=obj(allow=NAMES, deny=NAMES),
    softTrim=obj(maxChars=COUNT, headChars=COUNT, tailChars=COUNT),
    hardClear=obj(enabled=BOOL, placeholder=STR),
)

_DEFAULTS = obj(
    model=_MODEL_OR_NAME,
    imageModel=_MODEL_OR_NAME,
    models=Record(obj(alias=STR, params=Record(Shape()))),
    workspace=STR,
    repoRoot=STR,
    skipBootstrap=BOOL,
    bootstrapMaxChars=POSITIVE,
    userTimezone=STR,
    timeFormat=choice("auto", "12", "24"),
    envelopeTimezone=STR,
    envelopeTimestamp=choice("on", "off"),
    envelopeElapsed=choice("on", "off"),
    contextTokens=POSITIVE,
    timeoutSeconds=POSITIVE,
    mediaMaxMb=Number(whole=False, above=0),
    maxConcurrent=POSITIVE,
    subagents=obj(maxConcurrent=POSITIVE, archiveAfterMinutes=POSITIVE, model=_MODEL_OR_NAME),
    thinkingDefault=choice("off", "minimal", "low", "medium", "high", "xhigh"),
    verboseDefault=choice("off", "on", "full"),
    elevatedDefault=choice("off", "on", "ask", "full"),
    blockStreamingDefault=choice("off", "on"),
    blockStreamingBreak=choice("text_end", "message_end"),
    blockStreamingChunk=CHUNK,
    blockStreamingCoalesce=COALESCE,
    humanDelay=_HUMAN_DELAY,
    typingIntervalSeconds=POSITIVE,
    typingMode=TYPING_MODE,
    heartbeat=_HEARTBEAT,
    compaction=_COMPACTION,
    contextPruning=_PRUNING,
    cliBackends=Record(_CLI_BACKEND),
    memorySearch=_MEMORY_SEARCH,
    sandbox=_SANDBOX,
)

_PROFILE = choice("minimal", "coding", "messaging", "full")
_BY_PROVIDER = Record(obj(**POLICY, profile=_PROFILE))
_ALLOWED = obj(**POLICY)
_ELEVATED = obj(enabled=BOOL, allowFrom=Record(Each(AnyOf((STR, REAL)))))

_EXEC: dict[str, Shape] = {
    "host": choice("sandbox", "gateway", "node"),
    "security": choice("deny", "allowlist", "full"),
    "ask": choice("off", "on-miss", "always"),
    "node": STR,
    "pathPrepend": NAMES,
    "safeBins": NAMES,
    "backgroundMs": POSITIVE,
    "timeoutSec": POSITIVE,
    "cleanupMs": POSITIVE,
    "notifyOnExit": BOOL,
    "applyPatch": obj(enabled=BOOL, allowModels=NAMES),
}

_AGENT = obj(
    id=Text(required=True),
    default=BOOL,
    name=STR,
    workspace=STR,
    agentDir=STR,
    model=_MODEL_OR_NAME,
    memorySearch=_MEMORY_SEARCH,
    humanDelay=_HUMAN_DELAY,
    heartbeat=_HEARTBEAT,
    identity=obj(name=STR, theme=STR, emoji=STR, avatar=STR),
    groupChat=GROUP_CHAT,
    subagents=obj(allowAgents=NAMES, model=_MODEL_OR_NAME),
    sandbox=_SANDBOX,
    tools=obj(
        **POLICY,
        profile=_PROFILE,
        byProvider=_BY_PROVIDER,
        elevated=_ELEVATED,
        exec=Obj({**_EXEC, "approvalRunningNoticeMs": COUNT}),
        sandbox=obj(tools=_ALLOWED),
    ),
)

AGENTS = obj(defaults=_DEFAULTS, list=Each(_AGENT))

_API = choice(
    "openai-completions",
    "openai-responses",
    "anthropic-messages",
    "google-generative-ai",
    "github-copilot",
    "bedrock-converse-stream",
)

_MODEL_ENTRY = obj(
    id=Text(least=1, required=True),
    name=Text(least=1, required=True),
    api=_API,
    reasoning=BOOL,
    input=Each(choice("text", "image")),
    cost=obj(input=REAL, output=REAL, cacheRead=REAL, cacheWrite=REAL),
    contextWindow=Number(whole=False, above=0),
    maxTokens=Number(whole=False, above=0),
    headers=HEADERS,
    compat=obj(
        supportsStore=BOOL,
        supportsDeveloperRole=BOOL,
        supportsReasoningEffort=BOOL,
        maxTokensField=choice("max_completion_tokens", "max_tokens"),
    ),
)

MODELS = obj(
    mode=choice("merge", "replace"),
    providers=Record(
        obj(
            baseUrl=Text(least=1, required=True),
            apiKey=SECRET,
            auth=choice("api-key", "aws-sdk", "oauth", "token"),
            api=_API,
            headers=HEADERS,
            authHeader=BOOL,
            models=Each(_MODEL_ENTRY, required=True),
        )
    ),
    bedrockDiscovery=obj(
        enabled=BOOL,
        region=STR,
        providerFilter=NAMES,
        refreshInterval=COUNT,
        defaultContextWindow=POSITIVE,
        defaultMaxTokens=POSITIVE,
    ),
)

_DEEPGRAM = obj(detectLanguage=BOOL, punctuate=BOOL, smartFormat=BOOL)
_PROVIDER_OPTIONS = Record(Record(AnyOf((STR, REAL, BOOL))))

_MEDIA_MODEL = obj(
    provider=STR,
    model=STR,
    capabilities=Each(choice("image", "audio", "video")),
    type=choice("provider", "cli"),
    command=STR,
    args=NAMES,
    prompt=STR,
    maxChars=POSITIVE,
    maxBytes=POSITIVE,
    timeoutSeconds=POSITIVE,
    language=STR,
    providerOptions=_PROVIDER_OPTIONS,
    deepgram=_DEEPGRAM,
    baseUrl=STR,
    headers=HEADERS,
    profile=STR,
    preferredProfile=STR,
)

_MEDIA_KIND = obj(
    enabled=BOOL,
    scope=SEND_POLICY,
    maxBytes=POSITIVE,
    maxChars=POSITIVE,
    prompt=STR,
    timeoutSeconds=POSITIVE,
    language=STR,
    providerOptions=_PROVIDER_OPTIONS,
    deepgram=_DEEPGRAM,
    baseUrl=STR,
    headers=HEADERS,
    attachments=obj(
        mode=choice("first", "all"), maxAttachments=POSITIVE, prefer=choice("first", "last", "path", "url")
    ),
    models=Each(_MEDIA_MODEL),
)

_WEB_TOOLS = obj(
    search=obj(
        enabled=BOOL,
        provider=choice("brave", "perplexity"),
        apiKey=SECRET,
        maxResults=POSITIVE,
        timeoutSeconds=POSITIVE,
        cacheTtlMinutes=Number(whole=False, least=0),
        perplexity=obj(apiKey=SECRET, baseUrl=STR, model=STR),
    ),
    fetch=obj(
        enabled=BOOL,
        maxChars=POSITIVE,
        timeoutSeconds=POSITIVE,
        cacheTtlMinutes=Number(whole=False, least=0),
        maxRedirects=COUNT,
        userAgent=STR,
    ),
)

TOOLS = obj(
    **POLICY,
    profile=_PROFILE,
    byProvider=_BY_PROVIDER,
    exec=Obj(_EXEC),
    elevated=_ELEVATED,
    agentToAgent=obj(enabled=BOOL, allow=NAMES),
    message=obj(
        allowCrossContextSend=BOOL,
        crossContext=obj(
            allowWithinProvider=BOOL,
            allowAcrossProviders=BOOL,
            marker=obj(enabled=BOOL, prefix=STR, suffix=STR),
        ),
        broadcast=obj(enabled=BOOL),
    ),
    subagents=obj(tools=_ALLOWED),
    sandbox=obj(tools=_ALLOWED),
    web=_WEB_TOOLS,
    media=obj(models=Each(_MEDIA_MODEL), concurrency=POSITIVE, image=_MEDIA_KIND, audio=_MEDIA_KIND, video=_MEDIA_KIND),
    links=obj(
        enabled=BOOL,
        scope=SEND_POLICY,
        maxLinks=POSITIVE,
        timeoutSeconds=POSITIVE,
        models=Each(obj(type=Choice(("cli",)), command=Text(required=True), args=NAMES, timeoutSeconds=POSITIVE)),
    ),
)
