"""
The model loop of a run: ask, do what the model calls for, ask again, until it only talks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from openclaw.agent import ledger
from openclaw.agent.approvals import Question
from openclaw.agent.beginning import Begun
from openclaw.agent.context import call_ids, context, decision, open_calls
from openclaw.agent.errors import Ended, RunRefused
from openclaw.agent.events import RunEvents, trimmed_result
from openclaw.agent.lanes import Slot
from openclaw.agent.prompt import build_system_prompt
from openclaw.agent.providers.base import ModelRequest, ResolvedModel, ToolCall, ToolSpec, Usage
from openclaw.agent.providers.catalog import fallback_refs, resolve_model
from openclaw.agent.providers.errors import ProviderError, ProviderRefused
from openclaw.agent.providers.keys import has_commands, with_commands_run
from openclaw.agent.retry import failover_reason, lower_thinking
from openclaw.agent.text import clean
from openclaw.agent.tools import Tool, ToolContext, ToolResult, find_tool
from openclaw.agent.transcript import Message, assistant_message, tool_message
from openclaw.agent.turn import Asking, Turn, Until
from openclaw.agent.types import Inbound
from openclaw.agent.world import World
from openclaw.clock import millis
from openclaw.config.model import Config
from openclaw.errors import OpenClawError
from openclaw.sessions.keys import agent_of, default_agent, is_subagent
from openclaw.store.interfaces import Entry


@define(kw_only=True, eq=False)
class ModelLoop:
    """
    One run's way through its model turns.

    :ivar until: waits for something that the end of the run cancels.
    :ivar slots: of the run; the last, its global one, is given back while a person is asked.
    :ivar thinking: how hard the model is told to think.
    :ivar usage: of the last turn, as clients know it.
    :ivar said: what was shown before tools were called.
    :ivar pending: calls that are left to the client: they end the run.
    :ivar pause: called with true while the run waits for a person, when no limit counts.
    """

    _log = Logger()
    world: World
    inbound: Inbound
    session_id: str
    begun: Begun
    events: RunEvents
    until: Until
    slots: list[Slot]
    pause: Any
    said: list[str]
    model: ResolvedModel = field(init=False)
    thinking: str = field(init=False)
    usage: Usage = field(factory=Usage)
    pending: list[ToolCall] = field(factory=list)
    _messages: list[Message] = field(factory=list)
    _call_ids: set[str] = field(factory=set)
    _client_tools: Mapping[str, ToolSpec] = field(init=False)
    _tools: Sequence[Tool] = ()
    _foreign: bool = False
    _system: str = ""

    async def run(self) -> tuple[Turn, Mapping[str, Any] | None]:
        """
        :return: the last turn, and its message unless that is written already.
        :raise ProviderError: no model gave an answer.
        """
        assert self.begun.model is not None
        self.model, self.thinking = self.begun.model, self.begun.thinking
        self._take_tools(self.model)
        await self._prepare()
        self._messages = context(await self._resumed())
        while True:
            self.events.new_message()
            turn = await self._ask()
            self.usage = turn.usage
            message = assistant_message(self.model, turn.content, turn.usage, turn.stop, self._now())
            self.pending = [call for call in turn.calls if call.name in self._client_tools]
            calls = [call for call in turn.calls if call not in self.pending]
            if not calls:
                return turn, message
            # From here on the world may change: a crash must not do it twice.
            await self._write(message, seen=True)
            for call in calls:
                await self._tool(call)
            if self.pending:
                return turn, None
            self.said.append(clean(turn.text))

    def _take_tools(self, model: ResolvedModel) -> None:
        """
        What the run may use now: the configuration may have changed, and it matters which model is asked.
        """
        self._tools = self.world.offered(self.world.tools, self.inbound.session_key, model)
        self._client_tools = client_tools(self.inbound, self._tools)

    async def _resumed(self) -> Sequence[Entry]:
        """
        Do what an earlier process left undone.

        :return: the path of the session.
        """
        path, run_id = self.begun.path, self.inbound.run_id
        self._call_ids = call_ids(path, run_id)
        calls = open_calls(path, run_id)
        for call in calls:
            await self._tool(call, path)
        if self.begun.waited:
            await ledger.mark(self.world.store, run_id, state="running")
        return await self.world.store.read(lambda unit: unit.entries.path(self.session_id)) if calls else path

    # -- asking -------------------------------------------------------------------------------------------------------

    async def _prepare(self) -> None:
        world, config = self.world, self.world.config()
        agent_id = agent_of(self.inbound.session_key, default_agent(config))
        workspace = world.workspace_of(agent_id)

        def blocking() -> str:
            try:
                return self._system_prompt(config, agent_id, workspace)
            except OSError as error:
                raise RunRefused(f"The workspace {workspace} cannot be used: {error.strerror}") from error

        self._system = await self.until(lambda: world.in_thread(blocking))

    def _system_prompt(self, config: Config, agent_id: str, workspace: Path) -> str:
        world = self.world
        return build_system_prompt(
            workspace=workspace,
            config=config,
            agent_id=agent_id,
            model=self.model.ref,
            thinking=self.begun.thinking,
            tools=[tool.spec for tool in self._tools],
            extra=self.inbound.extra_system_prompt,
            minimal=is_subagent(self.inbound.session_key),
            now=world.clock.seconds(),
            zone=world.zone(),
        )

    async def _ask(self) -> Turn:
        tried: list[str] = []
        candidates = [self.model, *self._fallbacks()]
        for index, candidate in enumerate(candidates):
            model = self.model = await self._ready(candidate)
            try:
                return await self._ask_model(model)
            except ProviderError as error:
                reason = failover_reason(error)
                if len(candidates) == 1 or reason is None:
                    raise
                tried.append(f"{model.ref}: {error} ({reason})")
                if index == len(candidates) - 1:
                    raise ProviderError(f"All models failed ({len(tried)}): {' | '.join(tried)}") from error
                self.events.retry()
        raise AssertionError("there is always one model")

    async def _ready(self, model: ResolvedModel) -> ResolvedModel:
        if not has_commands(model):
            return model
        world = self.world
        return await self.until(lambda: world.in_thread(with_commands_run, model, world.run_command))

    async def _ask_model(self, model: ResolvedModel) -> Turn:
        """
        Ask one model, once more if it does not know how hard it should think.
        """
        try:
            return await self._ask_once(model)
        except ProviderRefused as error:
            lower = lower_thinking(error, self.thinking)
            if lower is None:
                raise
            self.thinking = lower
            return await self._ask_once(model)

    async def _ask_once(self, model: ResolvedModel) -> Turn:
        world = self.world
        asking = Asking(
            model=world.make_model(model),
            events=self.events,
            clock=world.clock,
            retries=world.retries,
            until=self.until,
            failed=self._record_failure,
        )
        self._take_tools(model)
        tools = [*(tool.spec for tool in self._tools), *self._client_tools.values()]
        turn = await asking.ask(
            ModelRequest(
                system=self._system,
                messages=tuple(self._messages),
                tools=tools,
                thinking=self.thinking,
                max_output_tokens=self.inbound.max_output_tokens,
            )
        )
        turn = turn.with_own_ids(self._call_ids)
        self._call_ids |= {call.id for call in turn.calls}
        return turn

    def _fallbacks(self) -> list[ResolvedModel]:
        config = self.world.config()
        agent_id = agent_of(self.inbound.session_key, default_agent(config))
        models: list[ResolvedModel] = []
        for ref in fallback_refs(config, agent_id):
            if str(ref) == self.model.ref:
                continue
            try:
                models.append(resolve_model(config, self.world.environ, ref))
            except OpenClawError as error:
                self._log.warn("The fallback model {ref} cannot be used: {error}", ref=str(ref), error=error)
        return models

    async def _record_failure(self, error: ProviderError) -> None:
        message = assistant_message(self.model, [], Usage(), "error", self._now(), error.transcript)
        await self._write(message)
        self._messages.pop()

    # -- tools --------------------------------------------------------------------------------------------------------

    async def _tool(self, call: ToolCall, before: Sequence[Entry] = ()) -> None:
        """
        :param before: for a call of an earlier process, the path, in which a decision may stand.
        """
        tool = find_tool(self._tools, call.name)
        if tool is None:
            self._started(call)
            result = ToolResult.of_text(f"Tool {call.name} not found", is_error=True)
        else:
            result = await self._call(tool, call, before)
        self._foreign = self._foreign or result.foreign
        message = tool_message(call, result.content, result.details, is_error=result.is_error, now_ms=self._now())
        await self._write(message, foreign=result.foreign)
        members: dict[str, Any] = {} if result.meta is None else {"meta": result.meta}
        members |= {"isError": result.is_error, "result": trimmed_result(result.content, result.details)}
        self.events.tool("result", call.name, call.id, members)

    def _started(self, call: ToolCall) -> None:
        self.events.tool("start", call.name, call.id, {"args": dict(call.arguments)})

    async def _call(self, tool: Tool, call: ToolCall, before: Sequence[Entry]) -> ToolResult:
        context = self._tool_context(call)
        try:
            text = tool.question(call, context)
        except Exception as error:
            self._started(call)
            return self._broken(call, error)
        if text is not None:
            allowed = await self._approved(call, text, before)
        else:
            allowed = True
            if before:
                await self._may_act()
        self._started(call)
        if not allowed:
            return _denied(call)
        try:
            return await self.until(lambda: tool.run(call, context))
        except (Ended, CancelledError):
            raise
        except Exception as error:
            return self._broken(call, error)

    def _broken(self, call: ToolCall, error: Exception) -> ToolResult:
        """
        What the model is told of a tool that failed.
        """
        if isinstance(error, OpenClawError):
            return ToolResult.of_text(str(error), is_error=True)
        self._log.failure("The tool {tool} failed in a way it does not know.", tool=call.name)
        return ToolResult.of_text(f"{call.name} failed with an internal error.", is_error=True)

    async def _may_act(self) -> None:
        # From here on the tool may act: a crash must not do it twice.
        await ledger.mark(self.world.store, self.inbound.run_id, state="running", seen=True)

    async def _approved(self, call: ToolCall, text: str, before: Sequence[Entry]) -> bool:
        """
        Ask a person. Meanwhile others may run, no limit counts, and a restart changes nothing.
        """
        run_id = self.inbound.run_id
        question = Question(
            id=f"{run_id}:{call.id}",
            run_id=run_id,
            session_key=self.inbound.session_key,
            session_id=self.session_id,
            tool=call.name,
            arguments=call.arguments,
            text=text,
        )
        allowed = decision(before, question.id)
        if allowed is None:
            await ledger.mark(self.world.store, run_id, state="waiting")
            self.slots.pop().release()
            self.pause(True)
            try:
                allowed = await self.until(lambda: self.world.approvals.wait(question))
                self.slots.append(await self.until(lambda: self.world.lanes.shared(self.inbound.lane)))
            finally:
                self.pause(False)
        await self._may_act()
        return allowed

    def _tool_context(self, call: ToolCall) -> ToolContext:
        def update(result: ToolResult) -> None:
            partial = trimmed_result(result.content, result.details)
            self.events.tool("update", call.name, call.id, {"partialResult": partial})

        agent_id = agent_of(self.inbound.session_key, default_agent(self.world.config()))
        return ToolContext(
            run_id=self.inbound.run_id,
            session_key=self.inbound.session_key,
            agent_id=agent_id,
            workspace=self.world.workspace_of(agent_id),
            trust="external" if self._foreign else self.inbound.trust,
            clock=self.world.clock,
            update=update,
        )

    # -- writing ------------------------------------------------------------------------------------------------------

    async def _write(self, message: Message, *, seen: bool = False, foreign: bool = False) -> None:
        await ledger.record_message(
            self.world.store,
            run_id=self.inbound.run_id,
            session_id=self.session_id,
            make_id=self.world.make_entry_id,
            message=message,
            now_ms=self._now(),
            seen=seen,
            foreign=foreign,
        )
        self._messages.append(message)

    def _now(self) -> int:
        return millis(self.world.clock)


def client_tools(inbound: Inbound, tools: Sequence[Tool]) -> dict[str, ToolSpec]:
    """
    What the client can do, by name. A tool of ours is never taken for one of the same name.
    """
    ours = {tool.spec.name for tool in tools}
    specs = [ToolSpec(**tool) for tool in inbound.client_tools]
    return {spec.name: spec for spec in specs if spec.name not in ours}


def _denied(call: ToolCall) -> ToolResult:
    return ToolResult.of_text(f"The user denied this call of {call.name}.", is_error=True)
