"""
A world for tools, of which a test says how it answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from openclaw.agent.providers.base import ToolCall
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.config.model import Config, build
from openclaw.egress.errors import FetchFailed
from openclaw.egress.fetch import Fetched, Limits
from openclaw.store.memory import MemoryStore
from openclaw.tools.base import GatewayTool, ToolFailed, ToolWorld
from openclaw.tools.registry import make_tools
from openclaw.tools.subagents import Started, Subagent


def where(trust: str = "operator", workspace: Path = Path("/nowhere")) -> ToolContext:
    return ToolContext(
        run_id="r1",
        session_key="agent:main:main",
        agent_id="main",
        workspace=workspace,
        trust=trust,
        clock=Clock(),
        update=lambda result: None,
    )


@define(eq=False)
class FakeWorld:
    """
    :ivar answers: of a method, its answer, or what makes one of the parameters.
    :ivar pages: of an address, its status, type and bytes, or why it cannot be had.
    :ivar called: methods with their parameters, in order.
    :ivar started: sub-agents, in order.
    :ivar fetched: addresses with their headers and limits, in order.
    """

    directory: Path
    answers: Mapping[str, Any] = field(factory=dict)
    pages: Mapping[str, tuple[int, str, bytes] | FetchFailed] = field(factory=dict)
    config: Config = field(factory=lambda: build({}))
    environ: Mapping[str, str] = field(factory=dict)
    clock: Clock = field(factory=Clock)
    called: list[tuple[str, Any]] = field(factory=list)
    fetched: list[tuple[str, Mapping[str, str], Limits]] = field(factory=list)
    started: list[Subagent] = field(factory=list)
    tools: Mapping[str, GatewayTool] = field(init=False)

    def __attrs_post_init__(self) -> None:
        numbers = count(1)
        world = ToolWorld(
            methods=self._call,
            config=lambda: self.config,
            store=MemoryStore(),
            clock=self.clock,
            make_id=lambda: f"id-{next(numbers)}",
            environ=self.environ,
            state_dir=self.directory,
            workspace_of=lambda agent_id: self.directory,
            in_thread=lambda work, *args: succeed(work(*args)),
            fetch=self._fetch,
            subagents=self,
            http=lambda: None,
            config_path=self.directory / "openclaw.json",
            restart=lambda reason, delay: None,
        )
        self.tools = {tool.name: tool for tool in make_tools(world)}

    async def _call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        self.called.append((method, params))
        answer = self.answers.get(method, ToolFailed(f"{method} is not played"))
        if isinstance(answer, Exception):
            raise answer
        return answer(params) if callable(answer) else answer

    async def start(self, wanted: Subagent) -> Started:
        self.started.append(wanted)
        return Started(session_key=f"agent:{wanted.agent_id}:subagent:s{len(self.started)}", run_id="r")

    async def _fetch(
        self, url: str, *, limits: Limits, headers: Mapping[str, str] | None = None, any_status: bool = False
    ) -> Fetched:
        self.fetched.append((url, headers or {}, limits))
        page = self.pages[url.partition("?")[0]]
        if isinstance(page, Exception):
            raise page
        status, kind, body = page
        return Fetched(url=url, status=status, reason="", headers={"content-type": kind}, body=body)

    def perform(self, tool: str, **arguments: Any) -> Deferred[ToolResult]:
        """
        As a program calls it.
        """
        return Deferred.fromCoroutine(self.tools[tool].perform(arguments, where(workspace=self.directory)))

    def run(self, tool: str, **arguments: Any) -> Deferred[ToolResult]:
        """
        As a model calls it.
        """
        return self.tools[tool].run(ToolCall("c1", tool, arguments), where(workspace=self.directory))
