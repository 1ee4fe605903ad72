"""
The model of ``agents`` and ``models``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from openclaw.config.model_tools import ToolPolicyConfig

ThinkingLevel = Literal["off", "minimal", "low", "medium", "high", "xhigh"]
VerboseLevel = Literal["off", "on", "full"]


@frozen(kw_only=True)
class ModelRef:
    """
    Which model to use, and which ones after it; each ``provider/model`` or an alias.

    :param primary: ``None`` when the file does not say.
    """

    primary: str | None = None
    fallbacks: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, primary: str) -> ModelRef:
        """
        The short form in the file, one string.
        """
        return cls(primary=primary)


@frozen(kw_only=True)
class AllowedModel:
    """
    An entry of ``agents.defaults.models``.
    """

    alias: str | None = None
    params: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class SubagentsConfig:
    """
    ``agents.defaults.subagents``.
    """

    max_concurrent: int = 8
    archive_after_minutes: int = 60
    model: ModelRef = ModelRef()


@frozen(kw_only=True)
class ActiveHoursConfig:
    """
    ``heartbeat.activeHours``, times as ``HH:MM``.
    """

    start: str | None = None
    end: str | None = None
    timezone: str | None = None


@frozen(kw_only=True)
class HeartbeatConfig:
    """
    ``heartbeat`` of the defaults or of one agent.

    :param every: a duration, minutes when it has no unit; zero turns heartbeats off.
    """

    every: str | None = None
    active_hours: ActiveHoursConfig = ActiveHoursConfig()
    model: str | None = None
    session: str | None = None
    prompt: str | None = None
    to: str | None = None
    target: str = "last"
    include_reasoning: bool = False
    ack_max_chars: int = 300


@frozen(kw_only=True)
class AgentDefaultsConfig:
    """
    ``agents.defaults``.

    :param models: when not empty, the only models that may be selected.
    :param thinking_default: ``None`` leaves it to the model.
    """

    model: ModelRef = ModelRef()
    image_model: ModelRef = ModelRef()
    models: Mapping[str, AllowedModel] = field(factory=dict)
    workspace: str | None = None
    repo_root: str | None = None
    skip_bootstrap: bool = False
    bootstrap_max_chars: int = 20000
    user_timezone: str | None = None
    time_format: Literal["auto", "12", "24"] = "auto"
    envelope_timezone: str = "local"
    envelope_timestamp: Literal["on", "off"] = "on"
    envelope_elapsed: Literal["on", "off"] = "on"
    context_tokens: int | None = None
    timeout_seconds: int = 600
    media_max_mb: float = 5
    max_concurrent: int = 4
    subagents: SubagentsConfig = SubagentsConfig()
    thinking_default: ThinkingLevel | None = None
    verbose_default: VerboseLevel = "off"
    elevated_default: Literal["off", "on", "ask", "full"] = "on"
    block_streaming_default: Literal["off", "on"] = "off"
    heartbeat: HeartbeatConfig = HeartbeatConfig()


@frozen(kw_only=True)
class IdentityConfig:
    """
    ``identity`` of an agent.
    """

    name: str | None = None
    theme: str | None = None
    emoji: str | None = None
    avatar: str | None = None


@frozen(kw_only=True)
class AgentSubagentsConfig:
    """
    ``agents.list[].subagents``.

    :param allow_agents: which agents it may start; ``*`` is any.
    :param model: of sessions of this agent that others start.
    """

    allow_agents: tuple[str, ...] = ()
    model: ModelRef = ModelRef()


@frozen(kw_only=True)
class AgentConfig:
    """
    An entry of ``agents.list``; what is ``None`` follows the defaults.
    """

    id: str
    default: bool = False
    name: str | None = None
    workspace: str | None = None
    agent_dir: str | None = None
    model: ModelRef | None = None
    identity: IdentityConfig = IdentityConfig()
    heartbeat: HeartbeatConfig | None = None
    subagents: AgentSubagentsConfig = AgentSubagentsConfig()
    tools: ToolPolicyConfig = field(factory=ToolPolicyConfig)


@frozen(kw_only=True)
class AgentsConfig:
    """
    ``agents``.
    """

    defaults: AgentDefaultsConfig = AgentDefaultsConfig()
    list: tuple[AgentConfig, ...] = ()

    @property
    def default_id(self) -> str:
        """
        The agent that takes what names no other; without entries it is ``main``.
        """
        marked = [agent.id for agent in self.list if agent.default]
        return next(iter([*marked, *(agent.id for agent in self.list)]), "main")

    def find(self, agent_id: str) -> AgentConfig | None:
        """
        The entry of that id.
        """
        return next((agent for agent in self.list if agent.id == agent_id), None)


@frozen(kw_only=True)
class ModelCost:
    """
    Prices in US dollars for a million tokens.
    """

    input: float = 0.0
    output: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0


@frozen(kw_only=True)
class ModelCompat:
    """
    What a server that speaks a known protocol does differently.
    """

    supports_store: bool | None = None
    supports_developer_role: bool | None = None
    supports_reasoning_effort: bool | None = None
    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] | None = None


@frozen(kw_only=True)
class ModelEntry:
    """
    An entry of ``models.providers.<id>.models``.
    """

    id: str
    name: str
    api: str | None = None
    reasoning: bool = False
    input: tuple[str, ...] = ("text",)
    cost: ModelCost = ModelCost()
    context_window: int = 200000
    max_tokens: int = 8192
    headers: Mapping[str, str] = field(factory=dict, repr=False, metadata={"secret": True})
    compat: ModelCompat = ModelCompat()


@frozen(kw_only=True)
class ProviderConfig:
    """
    An entry of ``models.providers``.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False, metadata={"secret": True})
    auth: Literal["api-key", "aws-sdk", "oauth", "token"] = "api-key"
    api: str | None = None
    headers: Mapping[str, str] = field(factory=dict, repr=False, metadata={"secret": True})
    auth_header: bool | None = None
    models: tuple[ModelEntry, ...] = ()


@frozen(kw_only=True)
class ModelsConfig:
    """
    ``models``.
    """

    mode: Literal["merge", "replace"] = "merge"
    providers: Mapping[str, ProviderConfig] = field(factory=dict)
