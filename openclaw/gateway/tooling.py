"""
The gateway's tools, put together: what they act on, which of them a run may use, and those that programs call without
an agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from openclaw.agent.providers.base import ResolvedModel
from openclaw.agent.providers.catalog import ModelRefParts, UnknownModel, default_ref
from openclaw.agent.tools import Tool, ToolContext, ToolResult
from openclaw.clock import millis
from openclaw.config.model import Config
from openclaw.methods.agents import agent_exists
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.dispatch import Dispatcher
from openclaw.protocol.frames import ErrorShape
from openclaw.protocol.scopes import ADMIN
from openclaw.sessions.keys import agent_of, canonical_key, default_agent, main_session_key
from openclaw.tools.base import GatewayTool, ToolFailed
from openclaw.tools.policy import Layer, allowed, layers
from openclaw.web.errors import UnknownAgent
from openclaw.web.tools.calls import ToolRefused, Whose

#: The tools in the name of which methods are called.
OWN: Final = Caller(
    connection_id="tools", role="operator", scopes=frozenset({ADMIN}), client_id="gateway-tools", client_mode="backend"
)

#: What ``/tools/invoke`` refuses as long as ``gateway.tools.allow`` does not name it: who may call a tool there gets
#: neither an agent that does whatever it is told, nor the configuration.
REFUSED: Final = ("sessions_spawn", "sessions_send", "gateway", "whatsapp_login")


@define(eq=False)
class OwnMethods:
    """
    The gateway's methods for its tools. Implements ``openclaw.tools.base.Methods``.

    :ivar context: what they act on; it is there before anybody calls a tool.
    """

    dispatcher: Dispatcher
    context: MethodContext = field(init=False)

    async def __call__(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """
        :return: the payload of the first answer.
        :raise ToolFailed: with the message of the refusal.
        """
        first: Deferred[Any] = Deferred(lambda _: give_up())
        given_up = False

        def give_up() -> None:
            # The handler then answers that the gateway stops, which is not why nobody waits any more.
            nonlocal given_up
            given_up = True
            going.cancel()

        def respond(*, ok: bool, payload: Any = None, error: ErrorShape | None = None) -> None:
            if first.called or given_up:
                return
            if ok:
                first.callback(payload)
            else:
                first.errback(ToolFailed(error.message if error is not None else f"{method} failed"))

        request = {"method": method, "params": dict(params or {})}
        going = Deferred.fromCoroutine(self.dispatcher.answer(evolve(self.context, caller=OWN), request, respond))
        return await first


@define(eq=False)
class ToolPolicy:
    """
    Which tools a session may use, by the configuration as it is now.
    """

    _log = Logger()
    config: Callable[[], Config]
    _told: set[tuple[str, ...]] = field(factory=set, init=False)

    def layers(self, session_key: str, provider: str, model: str, **place: str) -> Sequence[Layer]:
        """
        See ``openclaw.tools.policy``. What is not looked at is told once.
        """
        through = layers(self.config(), session_key, provider, model, **place)
        for layer in through:
            if layer.ignored and (layer.key, *layer.ignored) not in self._told:
                self._told.add((layer.key, *layer.ignored))
                self._log.warn(
                    "{key}.allow names no tool there is ({entries}), and is not looked at.",
                    key=layer.key,
                    entries=", ".join(layer.ignored),
                )
        return through

    def __call__(self, tools: Sequence[Tool], session_key: str, model: ResolvedModel) -> Sequence[Tool]:
        through = self.layers(session_key, model.provider, model.model_id)
        names = set(allowed((tool.spec.name for tool in tools), through))
        return [tool for tool in tools if tool.spec.name in names]


@define(eq=False)
class ToolCalls:
    """
    Tools without an agent. Implements ``openclaw.web.tools.calls.ToolCalls``.

    :ivar tools: by their names.
    """

    tools: Mapping[str, GatewayTool]
    policy: ToolPolicy
    config: Callable[[], Config]
    environ: Mapping[str, str]
    clock: IReactorTime
    workspace_of: Callable[[str], Path]

    @classmethod
    def of(
        cls,
        tools: Sequence[GatewayTool],
        policy: ToolPolicy,
        config: Callable[[], Config],
        environ: Mapping[str, str],
        clock: IReactorTime,
        workspace_of: Callable[[str], Path],
    ) -> ToolCalls:
        return cls({tool.name: tool for tool in tools}, policy, config, environ, clock, workspace_of)

    def session_key(self, given: str | None) -> str:
        """
        The main session's where none is named.

        :raise UnknownAgent: it is that of an agent which is not there.
        """
        config = self.config()
        key = main_session_key(config) if given in (None, "", "main") else canonical_key(str(given), config)
        agent_id = agent_of(key, default_agent(config))
        if not agent_exists(config, agent_id):
            raise UnknownAgent(agent_id)
        return key

    def has(self, name: str, whose: Whose) -> bool:
        """
        Whether a tool may be called for a session.
        """
        if name not in self.tools:
            return False
        config = self.config()
        own = config.gateway.tools
        refused = tuple(one for one in REFUSED if one not in own.allow)
        ref = self._model(config, whose)
        through = self.policy.layers(
            whose.session_key, ref.provider, ref.model_id, channel=whose.channel, account_id=whose.account_id
        )
        through = [*through, Layer(deny=(*refused, *own.deny))]
        return bool(allowed([name], through))

    def _model(self, config: Config, whose: Whose) -> ModelRefParts:
        """
        The model whose provider's lists count: that of the agent, whatever its session has been set to.
        """
        try:
            return default_ref(config, self.environ, agent_of(whose.session_key, default_agent(config)))
        except UnknownModel:
            # Runs fail for want of a model. A tool needs none.
            return ModelRefParts("", "")

    def takes_action(self, name: str) -> bool:
        """
        Whether an argument ``action`` says what a tool is to do.
        """
        return "action" in self.tools[name].spec.parameters.get("properties", {})

    def checked(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Arguments as the tool takes them, for who only asks.

        :raise ToolRefused: they are not what it takes, or it would refuse them.
        """
        try:
            return self.tools[name].checked(arguments)
        except ToolFailed as error:
            raise ToolRefused(str(error)) from error

    async def call(self, name: str, arguments: Mapping[str, Any], whose: Whose) -> Mapping[str, Any]:
        """
        :return: ``{"content": [...], "details": ...}``.
        :raise ToolRefused: it could not be done.
        """
        agent_id = agent_of(whose.session_key, default_agent(self.config()))
        context = ToolContext(
            run_id=f"http-{millis(self.clock)}",
            session_key=whose.session_key,
            agent_id=agent_id,
            workspace=self.workspace_of(agent_id),
            trust="operator",
            clock=self.clock,
            update=_unheard,
            channel=whose.channel,
            account_id=whose.account_id,
        )
        try:
            result = await self.tools[name].perform(arguments, context)
        except ToolFailed as error:
            raise ToolRefused(str(error)) from error
        return {"content": list(result.content), **({} if result.details is None else {"details": result.details})}


def _unheard(result: ToolResult) -> None:
    """
    Nobody watches a tool that is called without an agent.
    """
