"""
The model of ``tools``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen


@frozen(kw_only=True)
class ToolListsConfig:
    """
    Names, wildcards and groups of tools.
    """

    allow: tuple[str, ...] = ()
    also_allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@frozen(kw_only=True)
class ProviderToolsConfig(ToolListsConfig):
    """
    ``tools.byProvider.<name>``.
    """

    profile: Literal["minimal", "coding", "messaging", "full"] | None = None


@frozen(kw_only=True)
class ToolPolicyConfig(ProviderToolsConfig):
    """
    ``tools`` and ``agents.list[].tools``, as far as they say which tools there are.

    :param by_provider: by the provider of the model, or by ``provider/model``.
    """

    by_provider: Mapping[str, ProviderToolsConfig] = field(factory=dict)


@frozen(kw_only=True)
class SubagentToolsConfig:
    """
    ``tools.subagents``.
    """

    tools: ToolListsConfig = ToolListsConfig()


@frozen(kw_only=True)
class AgentToAgentConfig:
    """
    ``tools.agentToAgent``.
    """

    enabled: bool = False
    allow: tuple[str, ...] = ()


@frozen(kw_only=True)
class PerplexityConfig:
    """
    ``tools.web.search.perplexity``.
    """

    api_key: str | None = field(default=None, repr=False, metadata={"secret": True})
    base_url: str | None = None
    model: str = "perplexity/sonar-pro"


@frozen(kw_only=True)
class WebSearchConfig:
    """
    ``tools.web.search``.
    """

    enabled: bool = True
    provider: Literal["brave", "perplexity"] = "brave"
    api_key: str | None = field(default=None, repr=False, metadata={"secret": True})
    max_results: int = 5
    timeout_seconds: int = 30
    cache_ttl_minutes: float = 15
    perplexity: PerplexityConfig = PerplexityConfig()


@frozen(kw_only=True)
class WebFetchConfig:
    """
    ``tools.web.fetch``.
    """

    enabled: bool = True
    max_chars: int = 50000
    timeout_seconds: int = 30
    cache_ttl_minutes: float = 15
    max_redirects: int = 3
    user_agent: str | None = None


@frozen(kw_only=True)
class WebToolsConfig:
    """
    ``tools.web``.
    """

    search: WebSearchConfig = WebSearchConfig()
    fetch: WebFetchConfig = WebFetchConfig()


@frozen(kw_only=True)
class ToolsConfig(ToolPolicyConfig):
    """
    ``tools``.
    """

    subagents: SubagentToolsConfig = SubagentToolsConfig()
    agent_to_agent: AgentToAgentConfig = AgentToAgentConfig()
    web: WebToolsConfig = WebToolsConfig()
