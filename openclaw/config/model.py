"""
The configuration as the program reads it: frozen, complete, with defaults.

Attribute names are the file's keys in snake_case (``gateway.controlUi`` is ``gateway.control_ui``). Keys that
nothing reads yet are found in :attr:`Config.effective`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from attrs import evolve, field, frozen

from openclaw.config.model_agents import AgentConfig, AgentsConfig, HeartbeatConfig, ModelRef, ModelsConfig
from openclaw.config.model_gateway import GatewayConfig
from openclaw.config.model_hooks import HooksConfig
from openclaw.config.model_plugins import PluginsConfig
from openclaw.config.model_session import MessagesConfig, ResetPolicy, SessionConfig
from openclaw.config.model_skills import SkillsConfig
from openclaw.config.model_tools import ToolsConfig
from openclaw.config.structure import structure

LogLevel = Literal["silent", "fatal", "error", "warn", "info", "debug", "trace"]


@frozen(kw_only=True)
class LoggingConfig:
    """
    ``logging``. Without ``file`` there is one file a day in the state directory.
    """

    level: LogLevel = "info"
    file: str | None = None
    console_level: LogLevel | None = None
    console_style: Literal["pretty", "compact", "json"] | None = None
    redact_sensitive: Literal["off", "tools"] = "tools"
    redact_patterns: tuple[str, ...] = ()


@frozen(kw_only=True)
class CanvasHostConfig:
    """
    ``canvasHost``.
    """

    enabled: bool = True
    root: str | None = None
    port: int | None = None
    live_reload: bool = True


@frozen(kw_only=True)
class CommandsConfig:
    """
    ``commands``: what slash commands may do.
    """

    native: bool | Literal["auto"] = "auto"
    native_skills: bool | Literal["auto"] = "auto"
    text: bool = True
    bash: bool = False
    bash_foreground_ms: int = 2000
    config: bool = False
    debug: bool = False
    restart: bool = False
    use_access_groups: bool = True


@frozen(kw_only=True)
class AssistantConfig:
    """
    ``ui.assistant``: how the page shows the agent.
    """

    name: str | None = None
    avatar: str | None = None


@frozen(kw_only=True)
class UiConfig:
    """
    ``ui``.
    """

    seam_color: str | None = None
    assistant: AssistantConfig = AssistantConfig()


@frozen(kw_only=True)
class CronConfig:
    """
    ``cron``.
    """

    enabled: bool = True
    store: str | None = None
    max_concurrent_runs: int = 1


@frozen(kw_only=True)
class MdnsConfig:
    """
    ``discovery.mdns``.
    """

    mode: Literal["off", "minimal", "full"] = "minimal"


@frozen(kw_only=True)
class DiscoveryConfig:
    """
    ``discovery``.
    """

    mdns: MdnsConfig = MdnsConfig()


@frozen(kw_only=True)
class UpdateConfig:
    """
    ``update``.
    """

    channel: Literal["stable", "beta", "dev"] = "stable"
    check_on_start: bool = True


@frozen(kw_only=True)
class BrowserConfig:
    """
    ``browser``, as far as its ports go.
    """

    enabled: bool = True


@frozen(kw_only=True)
class TalkConfig:
    """
    ``talk``: what phones read to speak.
    """

    voice_id: str | None = None
    voice_aliases: Mapping[str, str] = field(factory=dict)
    model_id: str | None = None
    output_format: str | None = None
    api_key: str | None = field(default=None, repr=False, metadata={"secret": True})
    interrupt_on_speech: bool = True


@frozen(kw_only=True)
class Config:
    """
    One whole, valid configuration.

    :param effective: everything the file says after includes, variables and defaults, also what has no attribute
        here. Contains secrets. Not to be changed.
    """

    gateway: GatewayConfig = field(factory=GatewayConfig)
    canvas_host: CanvasHostConfig = field(factory=CanvasHostConfig)
    logging: LoggingConfig = field(factory=LoggingConfig)
    session: SessionConfig = field(factory=SessionConfig)
    messages: MessagesConfig = field(factory=MessagesConfig)
    agents: AgentsConfig = field(factory=AgentsConfig)
    models: ModelsConfig = field(factory=ModelsConfig)
    commands: CommandsConfig = field(factory=CommandsConfig)
    ui: UiConfig = field(factory=UiConfig)
    cron: CronConfig = field(factory=CronConfig)
    hooks: HooksConfig = field(factory=HooksConfig)
    discovery: DiscoveryConfig = field(factory=DiscoveryConfig)
    update: UpdateConfig = field(factory=UpdateConfig)
    browser: BrowserConfig = field(factory=BrowserConfig)
    talk: TalkConfig = field(factory=TalkConfig)
    skills: SkillsConfig = field(factory=SkillsConfig)
    tools: ToolsConfig = field(factory=ToolsConfig)
    plugins: PluginsConfig = field(factory=PluginsConfig)
    effective: Mapping[str, Any] = field(factory=lambda: MappingProxyType({}), repr=False, eq=True, hash=False)

    @property
    def default_agent_workspace(self) -> str | None:
        """
        The workspace that the file names for the default agent.
        """
        entry = self.agents.find(self.agents.default_id)
        return (entry.workspace if entry else None) or self.agents.defaults.workspace


def build(effective: Mapping[str, Any]) -> Config:
    """
    The model of an effective configuration that has been found valid.
    """
    config = structure(Config, effective)
    return evolve(
        config,
        session=_with_old_idle(config.session, effective.get("session", {})),
        effective=MappingProxyType(dict(effective)),
    )


def _with_old_idle(session: SessionConfig, told: Mapping[str, Any]) -> SessionConfig:
    """
    Follow ``session.idleMinutes`` of old files, which ``reset`` and ``resetByType`` have replaced.
    """
    if session.idle_minutes is None or "reset" in told or "resetByType" in told:
        return session
    return evolve(session, reset=ResetPolicy(mode="idle", idle_minutes=session.idle_minutes))


__all__ = [
    "AgentConfig",
    "AgentsConfig",
    "Config",
    "GatewayConfig",
    "HeartbeatConfig",
    "MessagesConfig",
    "ModelRef",
    "ModelsConfig",
    "ResetPolicy",
    "SessionConfig",
    "build",
]
