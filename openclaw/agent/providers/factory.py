"""
From a resolved model to one that can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.providers.base import Model, ResolvedModel
from openclaw.errors import OpenClawError

if TYPE_CHECKING:
    from openclaw.agent.providers.http import HttpClient

#: Seconds to connect to a provider.
CONNECT_SECONDS = 15.0

#: Connections kept open to each provider.
KEPT_CONNECTIONS = 16


@frozen
class UnsupportedApi(OpenClawError):
    """
    We do not speak that API (yet).
    """

    api: str

    def __str__(self) -> str:
        return f'The model API "{self.api}" is not supported. Use openai-completions or anthropic-messages.'


@define(kw_only=True, eq=False)
class Models:
    """
    Makes models. The HTTP client is made, and each provider imported, when the first model needs it: a start waits for
    none of them.

    :ivar make_client: gives the client for all providers.
    :ivar environ: of the gateway.
    """

    clock: IReactorTime
    make_client: Callable[[], HttpClient]
    environ: Mapping[str, str] = field(factory=dict)
    _client: HttpClient | None = None

    def __call__(self, model: ResolvedModel) -> Model:
        """
        :raise UnsupportedApi: the model speaks another API.
        """
        if model.api == "echo":
            from openclaw.agent.providers.echo import EchoModel

            return EchoModel(clock=self.clock, environ=self.environ)
        if model.api not in ("openai-completions", "anthropic-messages"):
            raise UnsupportedApi(model.api)
        if self._client is None:
            self._client = self.make_client()
        if model.api == "anthropic-messages":
            from openclaw.agent.providers.anthropic import AnthropicModel

            return AnthropicModel(model=model, client=self._client, clock=self.clock)
        from openclaw.agent.providers.openai import OpenAIModel

        return OpenAIModel(model=model, client=self._client, clock=self.clock)


def make_client(reactor: object) -> HttpClient:
    """
    A treq client with kept connections.
    """
    from treq.client import HTTPClient
    from twisted.web.client import Agent, HTTPConnectionPool

    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = KEPT_CONNECTIONS
    agent = Agent(reactor, connectTimeout=CONNECT_SECONDS, pool=pool)
    # Its options are named one by one, which our narrow interface does not repeat.
    return cast("HttpClient", HTTPClient(agent))
