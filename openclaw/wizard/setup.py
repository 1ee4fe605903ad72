"""
Setting up a gateway: the questions, and the keys of the configuration that follow from the answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from attrs import frozen

from openclaw import __version__
from openclaw.config.auth import LEAST_SECRET_LENGTH, ResolvedAuth, weakness
from openclaw.config.model import Config
from openclaw.config.raw import dig
from openclaw.wizard.prompts import Declined, Flow, Prompter

SECURITY = (
    "An agent can run commands, read files and send messages for you. Whoever talks to it can try to talk it into"
    " things.\nKeep it on this machine or in your own network, give its token to nobody, and let in only people whom"
    " you trust."
)
RISK = "I understand this is powerful and inherently risky. Continue?"
MODES = (
    {"value": "quickstart", "label": "QuickStart", "hint": "Configure details later via openclaw configure."},
    {"value": "advanced", "label": "Manual", "hint": "Configure port, network, and auth options."},
)
HANDLING = ({"value": "keep", "label": "Use existing values"}, {"value": "modify", "label": "Update values"})
BINDS = (
    {"value": "loopback", "label": "Loopback", "hint": "this machine only"},
    {"value": "lan", "label": "LAN", "hint": "every address of this machine"},
    {"value": "tailnet", "label": "Tailnet", "hint": "this machine's Tailscale address"},
    {"value": "auto", "label": "Auto"},
)
SECRETS = ({"value": "token", "label": "Token"}, {"value": "password", "label": "Password"})
TAILSCALE = (
    {"value": "off", "label": "Off"},
    {"value": "serve", "label": "Serve", "hint": "your tailnet, over HTTPS"},
    {"value": "funnel", "label": "Funnel", "hint": "the whole internet; asks for a password"},
)
#: Names of providers for people.
LABELS: Mapping[str, str] = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "google": "Google Gemini",
    "openrouter": "OpenRouter",
    "groq": "Groq",
    "xai": "xAI",
    "mistral": "Mistral",
    "cerebras": "Cerebras",
    "moonshot": "Moonshot",
    "zai": "Z.AI",
}
SKIP = "skip"
#: A server of one's own, and its name among the providers.
OWN = {"value": "own", "label": "A server of your own", "hint": "what speaks OpenAI's format: Ollama, vLLM, llama.cpp"}
OWN_NAME = "local"

#: Dotted keys of the configuration with their new values.
Changes = Mapping[str, Any]


def marks(command: str, mode: str, seconds: float) -> Changes:
    """
    Who has set up last.

    :param command: as people type it.
    :param mode: ``local`` or ``remote``.
    :param seconds: now, since the epoch.
    """
    moment = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"lastRunAt": moment, "lastRunVersion": __version__, "lastRunCommand": command, "lastRunMode": mode}
    return {f"wizard.{name}": value for name, value in told.items()}


@frozen(kw_only=True)
class ProviderChoice:
    """
    A provider of models that can be set up.

    :ivar key: the variable that holds its key.
    :ivar known: whether there is one already.
    :ivar model: what to ask for first, as ``provider/model``.
    """

    id: str
    label: str
    key: str
    known: bool
    model: str


class KnownProvider(Protocol):
    """
    What must be known of a provider to choose it.
    """

    @property
    def keys(self) -> Sequence[str]:
        """
        Variables that may hold its key.
        """

    @property
    def models(self) -> Sequence[Any]:
        """
        Objects with an ``id``; the first is the one to begin with.
        """


def first_model(name: str, provider: KnownProvider) -> str:
    """
    The model to begin with, as ``provider/model``.
    """
    return f"{name}/{provider.models[0].id}"


def provider_choices(known: Mapping[str, KnownProvider], environ: Mapping[str, str]) -> list[ProviderChoice]:
    """
    The providers, with what is there of them already.
    """
    choices = []
    for name, provider in known.items():
        key = next((key for key in provider.keys if environ.get(key, "").strip()), None)
        choices.append(
            ProviderChoice(
                id=name,
                label=LABELS[name],
                key=key or provider.keys[-1],
                known=key is not None,
                model=first_model(name, provider),
            )
        )
    return choices


@frozen(kw_only=True)
class Situation:
    """
    What is there when the wizard begins.

    :ivar exists: whether there is a configuration file.
    :ivar workspace: where the agent's files are or would be.
    :ivar auth: how the gateway asks for a secret as things are, also one of its environment.
    :ivar written: the configuration file as it is written, with its variables.
    :ivar apply: writes the changes.
    """

    config: Config
    exists: bool
    port: int
    workspace: str
    providers: Sequence[ProviderChoice]
    auth: ResolvedAuth
    written: Any
    make_token: Callable[[], str]
    apply: Callable[[Changes], Awaitable[str]]


def local_flow(situation: Situation, told_workspace: str | None) -> Flow:
    """
    Set up a gateway on this machine.

    :param told_workspace: when given it is not asked for.
    """

    async def flow(ask: Prompter) -> None:
        await _accept_risk(ask)
        mode = await ask.select("Onboarding mode", MODES, initial="quickstart")
        modify = True
        if situation.exists:
            await ask.note(_summary(situation), "Existing config detected")
            modify = await ask.select("Config handling", HANDLING, initial="keep") == "modify"
        advanced = mode == "advanced" and modify
        changes: dict[str, Any] = {"gateway.mode": "local"}
        workspace = told_workspace or situation.workspace
        if advanced and told_workspace is None:
            workspace = await ask.text("Workspace directory", initial=situation.workspace, wrong=required)
        changes["agents.defaults.workspace"] = workspace
        changes |= await network(ask, situation) if advanced else _default_network(situation)
        if modify or situation.config.agents.defaults.model.primary is None:
            changes |= await model(ask, situation)
        await ask.note(await situation.apply(changes), "Configured")

    return flow


def remote_flow(situation: Situation) -> Flow:
    """
    Point this machine's commands to a gateway elsewhere.
    """

    async def flow(ask: Prompter) -> None:
        await _accept_risk(ask)
        remote = situation.config.gateway.remote
        url = await ask.text(
            "Gateway WebSocket URL", initial=remote.url or "", placeholder="wss://host:18789", wrong=wrong_url
        )
        token = await ask.text("Gateway token (empty keeps the one that is there)", sensitive=True)
        changes = {"gateway.mode": "remote", "gateway.remote.url": url}
        if token:
            changes["gateway.remote.token"] = token
        await ask.note(await situation.apply(changes), "Configured")

    return flow


async def _accept_risk(ask: Prompter) -> None:
    await ask.note("", "OpenClaw onboarding")
    await ask.note(SECURITY, "Security")
    if not await ask.confirm(RISK, initial=False):
        raise Declined("risk not accepted")


def _summary(situation: Situation) -> str:
    config = situation.config
    lines = {
        "workspace": situation.workspace,
        "model": config.agents.defaults.model.primary,
        "gateway.mode": config.gateway.mode,
        "gateway.port": situation.port,
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items() if value is not None)


def _default_network(situation: Situation) -> Changes:
    if situation.auth.mode == "password" and situation.auth.password:
        return {}
    changes = _token(situation, situation.config.gateway.bind or "loopback")
    return {"gateway.auth.mode": "token", **changes} if changes else {}


def _token(situation: Situation, bind: str) -> Changes:
    """
    A new one where there is none, or one with which the gateway would not listen there.
    """
    token = situation.auth.token
    if token is not None and (bind == "loopback" or weakness(token) is None):
        return {}
    return {"gateway.auth.token": situation.make_token()}


async def network(ask: Prompter, situation: Situation) -> Changes:
    """
    Where the gateway listens, and what clients show it.
    """
    gateway = situation.config.gateway
    port = int(await ask.text("Gateway port", initial=str(situation.port), wrong=_wrong_port))
    exposure = await ask.select("Tailscale exposure", TAILSCALE, initial=gateway.tailscale.mode)
    changes: dict[str, Any] = {"gateway.port": port, "gateway.tailscale.mode": exposure}
    # What Tailscale hands on comes from this machine.
    bind = "loopback"
    if exposure == "off":
        binds = [*BINDS, {"value": "custom", "label": "Custom"}] if gateway.bind == "custom" else BINDS
        bind = await ask.select("Gateway bind", binds, initial=gateway.bind or "loopback")
    changes["gateway.bind"] = bind
    if exposure == "funnel" or await ask.select("Gateway auth", SECRETS, initial=situation.auth.mode) == "password":
        return {**changes, "gateway.auth.mode": "password", **await _password(ask, situation)}
    return {**changes, "gateway.auth.mode": "token", **_token(situation, bind)}


async def _password(ask: Prompter, situation: Situation) -> Changes:
    known = situation.auth.password
    if known is None or weakness(known) is not None:
        return {"gateway.auth.password": await ask.text("Gateway password", sensitive=True, wrong=_wrong_password)}
    password = await ask.text(
        "Gateway password (empty keeps the one that is there)",
        sensitive=True,
        wrong=lambda text: _wrong_password(text) if text else None,
    )
    return {"gateway.auth.password": password} if password else {}


async def model(ask: Prompter, situation: Situation) -> Changes:
    """
    The provider, its key, and the model to begin with.
    """
    options = [
        {"value": one.id, "label": one.label, **({"hint": f"{one.key} is set"} if one.known else {})}
        for one in situation.providers
    ]
    options += [OWN, {"value": SKIP, "label": "Skip for now"}]
    chosen = await ask.select("Model provider", options, initial=SKIP)
    if chosen == OWN["value"]:
        return await _own_server(ask, situation)
    provider = next((one for one in situation.providers if one.id == chosen), None)
    if provider is None:
        return {}
    changes: dict[str, Any] = {}
    if not provider.known:
        key = await ask.text(f"{provider.label} API key", sensitive=True, wrong=required)
        changes[f"env.vars.{provider.key}"] = key
    chosen = await ask.text("Default model", initial=provider.model, wrong=_wrong_model)
    return {**changes, "agents.defaults.model.primary": chosen}


async def _own_server(ask: Prompter, situation: Situation) -> Changes:
    address = await ask.text("Address of the server", placeholder="http://127.0.0.1:11434/v1", wrong=_wrong_address)
    key = await ask.text("API key (empty where none is needed)", sensitive=True)
    name = await ask.text("Model", wrong=required)
    entry = {"id": name, "name": name}
    provider, models = _own_provider(situation, address)
    if models is None:
        own = {"baseUrl": address, "api": "openai-completions", "models": [entry]}
        changes: dict[str, Any] = {f"models.providers.{provider}": {**own, "apiKey": key} if key else own}
    else:
        changes = {f"models.providers.{provider}.apiKey": key} if key else {}
        if all(model.get("id") != name for model in models):
            changes[f"models.providers.{provider}.models"] = [*models, entry]
    return {**changes, "agents.defaults.model.primary": f"{provider}/{name}"}


def _own_provider(situation: Situation, address: str) -> tuple[str, Sequence[Mapping[str, Any]] | None]:
    """
    :return: the name for a server, and its models as they are written; ``None`` where it is a new one.
    """
    there = situation.config.models.providers
    name, number = OWN_NAME, 1
    while name in there:
        models = dig(situation.written, "models", "providers", name, "models")
        if there[name].base_url.rstrip("/") == address.rstrip("/") and isinstance(models, list):
            return name, models
        number += 1
        name = f"{OWN_NAME}-{number}"
    return name, None


def required(text: str) -> str | None:
    """
    What is wrong with a text that must not be empty.
    """
    return None if text else "Required"


def _wrong_port(text: str) -> str | None:
    return None if text.isdecimal() and 0 < int(text) < 65536 else "Invalid port"


def _wrong_password(text: str) -> str | None:
    if len(text) < LEAST_SECRET_LENGTH:
        return f"Use at least {LEAST_SECRET_LENGTH} characters"
    return None if (weak := weakness(text)) is None else f"It {weak}"


def _wrong_model(text: str) -> str | None:
    provider, slash, model = text.partition("/")
    return None if provider and slash and model else "Use provider/model"


def _wrong_address(text: str) -> str | None:
    return None if text.startswith(("http://", "https://")) else "The address must start with http:// or https://"


def wrong_url(text: str) -> str | None:
    """
    What is wrong with the address of a gateway.
    """
    if not text.startswith(("ws://", "wss://")):
        return "URL must start with ws:// or wss://"
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0 and text.isprintable() and " " not in text
    except ValueError:
        named = False
    return None if named else "URL must name a host, as wss://host:18789 does"
