"""
What the tests of the agent share: a model that plays what it was told, and a runtime around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from openclaw.agent.providers.base import ResolvedModel
from openclaw.agent.runtime import AgentRuntime
from openclaw.agent.types import Inbound
from openclaw.config.model import Config, build
from openclaw.store.memory import MemoryStore
from openclaw.testing.model import PlayedModel, Step, said, scripted

__all__ = ["CONFIG", "KEY", "BreakableStore", "House", "SlowStore", "merged", "said", "texts"]

T = TypeVar("T")

KEY = "agent:main:main"


@define(eq=False)
class BreakableStore(MemoryStore):
    """
    A store whose disk may be full.

    :ivar history: when a list, what the disk held after each write.
    """

    broken: Exception | None = None
    history: list[BreakableStore] | None = None

    def write(self, work: Callable[[Any], T]) -> Deferred[T]:
        if self.broken is not None:
            return fail(self.broken)
        written = super().write(work)
        if self.history is not None:
            self.history.append(self.copy())
        return written

    def copy(self) -> BreakableStore:
        """
        What the disk holds now, for another process.
        """
        return type(self)(deepcopy(self.unit))


@define(eq=False)
class SlowStore(BreakableStore):
    """
    A store whose disk is slow: what it is asked waits until ``go``, in order, while it is ``slow``.
    """

    slow: bool = False
    waiting: list[Callable[[], None]] = field(factory=list)

    def write(self, work: Callable[[Any], T]) -> Deferred[T]:
        return self._later(lambda: BreakableStore.write(self, work))

    def read(self, work: Callable[[Any], T]) -> Deferred[T]:
        return self._later(lambda: BreakableStore.read(self, work))

    def _later(self, begin: Callable[[], Deferred[T]]) -> Deferred[T]:
        if not self.slow:
            return begin()
        told: Deferred[T] = Deferred()

        def later() -> None:
            begin().chainDeferred(told)

        self.waiting.append(later)
        return told

    def go(self) -> None:
        """
        Do what waits now; what comes of it waits again.
        """
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


CONFIG: Mapping[str, Any] = {
    "agents": {"defaults": {"model": {"primary": "mock/mock-1"}, "skipBootstrap": True, "userTimezone": "UTC"}},
    "models": {
        "providers": {
            "mock": {
                "baseUrl": "http://model.test/v1",
                "apiKey": "sk-mock-mock-mock-mock",
                "models": [
                    {"id": "mock-1", "name": "Mock 1", "contextWindow": 128000},
                    {"id": "mock-r", "name": "Mock R", "reasoning": True},
                ],
            }
        }
    },
}


def merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """
    Two configurations as one, the second on top.
    """
    result = dict(base)
    for name, value in extra.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
    return result


@define
class House:
    """
    A runtime with everything around it in memory.
    """

    workspace: Path
    scripts: list[Sequence[Step]]
    config: Mapping[str, Any] = field(factory=dict)
    environ: Mapping[str, str] = field(factory=dict)
    clock: Clock = field(factory=Clock)
    store: BreakableStore = field(factory=SlowStore)
    events: list[tuple[str, dict[str, Any]]] = field(factory=list)
    options: Mapping[str, Any] = field(factory=dict)
    make_model: Callable[[ResolvedModel], Any] | None = None
    model: PlayedModel = field(init=False)
    runtime: AgentRuntime = field(init=False)
    _ids: int = 0

    def __attrs_post_init__(self) -> None:
        self.clock.advance(1_795_413_000)
        self.model = scripted(self.clock, self.scripts)
        self.runtime = self._make()
        self.runtime.startService()

    def _make(self) -> AgentRuntime:
        model = build(merged(CONFIG, self.config))
        return AgentRuntime(
            store=self.store,
            config=lambda: model,
            publish=self._publish,
            clock=self.clock,
            make_id=self._make_id,
            environ=self.environ,
            workspace_of=lambda agent_id: self.workspace,
            make_model=self.make_model or (lambda resolved: self.model),
            **{"zone": lambda: UTC, **self.options},
        )

    def crash(self, scripts: list[Sequence[Step]] | None = None) -> None:
        """
        Another process begins with what the store holds; the old one says and writes nothing any more.
        """
        self.clock = _later(self.clock)
        self.events = []
        self.model = scripted(self.clock, self.scripts if scripts is None else scripts)
        self.store = self.store.copy()
        self.runtime = self._make()
        self.runtime.startService()
        self.clock.advance(0)

    def _publish(self, event: str, payload: Mapping[str, Any], *, drop_if_slow: bool = False) -> None:
        self.events.append((event, dict(payload)))

    def _make_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"

    def send(self, text: str, run_id: str = "run-1", **members: Any) -> Deferred[Any]:
        """
        A message as ``chat.send`` submits it.
        """
        inbound = {
            "run_id": run_id,
            "session_key": KEY,
            "shown_key": "main",
            "origin": "chat",
            "dedupe_key": f"chat:{run_id}",
            "message": text,
            "commands": True,
            "message_id": run_id,
            **members,
        }
        accepted = self.runtime.submit(Inbound(**inbound))
        self.clock.advance(0)
        return accepted

    def chat(self, run_id: str | None = None) -> list[dict[str, Any]]:
        return [p for e, p in self.events if e == "chat" and run_id in (None, p["runId"])]

    def agent(self, run_id: str | None = None) -> list[dict[str, Any]]:
        return [p for e, p in self.events if e == "agent" and run_id in (None, p["runId"])]

    def terminal(self, run_id: str) -> list[str]:
        return [p["state"] for p in self.chat(run_id) if p["state"] != "delta"]

    def read(self, work: Callable[[Any], Any]) -> Any:
        results: list[Any] = []
        self.store.read(work).addCallback(results.append)
        return results[0]

    def messages(self, key: str = KEY) -> list[Mapping[str, Any]]:
        def work(unit: Any) -> list[Any]:
            session = unit.sessions.get(key)
            newest_first = unit.entries.messages(session.session_id, 1000)
            return [entry.body["message"] for entry in newest_first][::-1]

        found: list[Mapping[str, Any]] = self.read(work)
        return found

    def run_record(self, run_id: str) -> Any:
        return self.read(lambda unit: unit.runs.get(run_id))


def _later(clock: Clock) -> Clock:
    new = Clock()
    new.advance(clock.seconds() + 1)
    return new


def texts(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """
    Role and text of each message.
    """
    return [
        (m["role"], "".join(block.get("text", "") for block in m["content"] if block["type"] == "text"))
        for m in messages
    ]


def silent_config() -> Config:
    return build(CONFIG)
