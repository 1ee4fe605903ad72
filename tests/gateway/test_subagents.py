"""
Sub-agents over a whole gateway: started by a run, told of to whoever started them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import ModelRequest, ResolvedModel, Stop, ToolCall, ToolSpec, Usage
from openclaw.agent.tools import Tool, ToolContext, ToolResult
from openclaw.egress.fetch import Egress
from openclaw.gateway.subagents import MOST, SubagentService
from openclaw.store.interfaces import Run, Session, Store
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import PlayedModel, Step, said
from openclaw.tools.base import ToolWorld
from openclaw.tools.registry import make_tools
from openclaw.tools.subagents import Started, Subagent
from tests.tools.fakes import where

MAIN = "agent:main:main"
TASK = "count the birds"


def calls(name: str, **arguments: Any) -> list[Step]:
    return [ToolCall("call", name, arguments), Usage(input=1, output=1), Stop("toolUse")]


def last(request: ModelRequest) -> str:
    return "".join(block.get("text", "") for block in request.messages[-1]["content"])


@define
class Thing:
    """
    A tool that acts, or that reads text from outside.
    """

    name: str
    foreign: bool = False
    runs: int = 0

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description="", parameters={"type": "object"})

    def question(self, call: ToolCall, context: ToolContext) -> str | None:
        return "may it?" if context.trust == "external" and not self.foreign else None

    def run(self, call: ToolCall, context: ToolContext) -> Deferred[ToolResult]:
        self.runs += 1
        return succeed(ToolResult(content=[{"type": "text", "text": "x"}], foreign=self.foreign))


@define
class House:
    """
    A gateway whose model answers by what it is asked.

    :ivar child: what a sub-agent says; ``parent`` is what the others say, but for starting it.
    :ivar asked: of which provider what was asked, in order.
    """

    directory: Path
    child: Callable[[ModelRequest], Sequence[Step]] = lambda request: said("seven")
    parent: Callable[[ModelRequest], Sequence[Step]] = lambda request: said("noted")
    config: Mapping[str, Any] = field(factory=dict)
    spawning: Mapping[str, Any] = field(factory=lambda: {"task": TASK})
    tools: Sequence[Tool] | None = None
    asked: list[tuple[str, ModelRequest]] = field(factory=list)

    def gateway(self, store: Store | None = None) -> MemoryGateway:
        more: dict[str, Any] = {} if store is None else {"store": store}
        gateway = MemoryGateway(
            directory=self.directory, config=self.config, make_model=self._make, tools=self.tools, **more
        )
        self._reactor = gateway.reactor
        return gateway

    _reactor: Any = None

    def _make(self, model: ResolvedModel) -> PlayedModel:
        def script(request: ModelRequest) -> Sequence[Step]:
            self.asked.append((model.ref, request))
            if "You are a sub-agent" in request.system:
                return self.child(request)
            if last(request).startswith("go\n[message_id: "):
                return calls("sessions_spawn", **self.spawning)
            return self.parent(request)

        return PlayedModel(self._reactor, script)

    def told(self) -> list[str]:
        """
        What requesters were told of sub-agents.
        """
        return [last(request) for _, request in self.asked if last(request).startswith("The sub-agent for")]


def own_tools(gateway: MemoryGateway) -> Sequence[Tool]:
    """
    The gateway's own, whichever its agent has.
    """
    service = next(part for part in gateway.service if isinstance(part, SubagentService))
    world = ToolWorld(
        methods=service.methods,
        config=service.agents.config,
        store=gateway.store,
        clock=gateway.reactor,
        make_id=service.agents.make_id,
        environ={},
        state_dir=gateway.directory,
        workspace_of=service.agents.workspace_of,
        in_thread=service.agents.in_thread,
        fetch=Egress(gateway.reactor).fetch,
        subagents=service,
        http=lambda: None,
        config_path=gateway.directory / "openclaw.json",
        restart=lambda reason, delay: None,
    )
    return make_tools(world)


def sessions(gateway: MemoryGateway) -> dict[str, Session]:
    found: list[Sequence[Session]] = []
    gateway.store.read(lambda unit: unit.sessions.newest(100)).addCallback(found.append)
    return {session.key: session for session in found[0]}


def run_of(gateway: MemoryGateway, run_id: str) -> Run:
    found: list[Run | None] = []
    gateway.store.read(lambda unit: unit.runs.get(run_id)).addCallback(found.append)
    assert found[0] is not None
    return found[0]


class SubagentCase(SynchronousTestCase):
    def start(self, **more: Any) -> tuple[House, MemoryGateway]:
        house = House(Path(self.mktemp()).absolute(), **more)
        gateway = house.gateway()
        self.addCleanup(lambda: gateway.stop() if gateway.service.running else None)
        return house, gateway.start()

    def result(self, house: House) -> Mapping[str, Any]:
        """
        What the tool answered.
        """
        for _, request in house.asked:
            if request.messages[-1]["role"] == "toolResult":
                details: Mapping[str, Any] = request.messages[-1]["details"]
                return details
        raise AssertionError("no tool was called")

    def begin(self, gateway: MemoryGateway, **wanted: Any) -> Started:
        told: dict[str, Any] = {"requester": MAIN, "agent_id": "main", "task": TASK, "trust": "operator", **wanted}
        return self.successResultOf(Deferred.fromCoroutine(self.service(gateway).start(Subagent(**told))))

    def service(self, gateway: MemoryGateway) -> SubagentService:
        return next(part for part in gateway.service if isinstance(part, SubagentService))


class TellingTests(SubagentCase):
    def test_told(self) -> None:
        """
        The tool answers at once; when the sub-agent has ended its requester is told, and says what it makes of it.
        """
        house, gateway = self.start(
            child=lambda request: [5.0, *said("seven")], spawning={"task": TASK, "label": "birds"}
        )
        self.assertEqual(gateway.say("go"), "noted")
        result = self.result(house)
        child = str(result["childSessionKey"])
        self.assertRegex(child, r"\Aagent:main:subagent:[0-9a-f-]{36}\Z")
        self.assertEqual(result["status"], "accepted")
        self.assertEqual(house.told(), [])
        watcher = gateway.connected()
        gateway.advance_until(house.told)
        gateway.advance(1)
        (told,) = house.told()
        self.assertIn('The sub-agent for "birds" completed successfully.\n\nWhat it said last:\nseven', told)
        self.assertRegex(told, rf"Stats: runtime 5s • tokens 11 \(in 10 / out 1\) • sessionKey {child} • sessionId ")
        finals = [event["payload"] for event in watcher.events("chat") if event["payload"]["state"] == "final"]
        self.assertEqual([one["sessionKey"] for one in finals], [child, MAIN])
        members = sessions(gateway)[child].members
        self.assertEqual((members["spawnedBy"], members["label"]), (MAIN, "birds"))

    def test_role(self) -> None:
        """
        A sub-agent is told what it is, less of its owner, and has fewer tools.
        """
        house, gateway = self.start(config={"agents": {"defaults": {"workspace": str(Path(self.mktemp()).absolute())}}})
        gateway.say("go")
        gateway.advance_until(house.told)
        requests = {"You are a sub-agent" in request.system: request for _, request in house.asked}
        for part in ("### SOUL.md", "### USER.md", "## Silence"):
            self.assertIn(part, requests[False].system)
            self.assertNotIn(part, requests[True].system)
        self.assertIn("### AGENTS.md", requests[True].system)
        self.assertEqual(last(requests[True]), TASK)
        offered = {tool.name for tool in requests[True].tools}
        self.assertEqual(offered & {"sessions_spawn", "sessions_send", "cron", "gateway"}, set())
        self.assertIn("web_fetch", offered)

    def test_failures(self) -> None:
        """
        Also those are told, in one line.
        """
        failing: Any = lambda request: [RuntimeError("boom")]  # noqa: E731 - one line says it
        house, gateway = self.start(child=failing)
        gateway.say("go")
        gateway.advance_until(house.told)
        self.assertIn(f'The sub-agent for "{TASK}" failed: ', house.told()[0])
        self.assertIn("(it said nothing)", house.told()[0])
        self.flushLoggedErrors(RuntimeError)
        slow, gateway = self.start(
            child=lambda request: [100.0, *said("late")], spawning={"task": TASK, "runTimeoutSeconds": 3}
        )
        gateway.say("go")
        gateway.advance_until(slow.told, most=10)
        self.assertIn(f'The sub-agent for "{TASK}" timed out.', slow.told()[0])

    def test_deleted(self) -> None:
        """
        With ``cleanup: delete`` nothing is left of the session once its requester was told.
        """
        house, gateway = self.start(spawning={"task": TASK, "cleanup": "delete"})
        gateway.say("go")
        gateway.advance_until(lambda: house.told() and len(sessions(gateway)) == 1)
        self.assertEqual([*sessions(gateway)], [MAIN])

    def test_archived(self) -> None:
        """
        The others are there for as long as is configured.
        """
        house, gateway = self.start(config={"agents": {"defaults": {"subagents": {"archiveAfterMinutes": 20}}}})
        gateway.say("go")
        gateway.advance_until(house.told)
        self.assertEqual(len(sessions(gateway)), 2)
        gateway.advance_until(lambda: len(sessions(gateway)) == 1, most=30 * 60, step=60)
        self.assertGreater(gateway.reactor.seconds(), 20 * 60)
        self.assertEqual([*sessions(gateway)], [MAIN])

    def test_stopped(self) -> None:
        """
        Who ends its own runs ends those of its sub-agents, and hears nothing of them; other sessions go on.
        """
        house, gateway = self.start(child=lambda request: [50.0, *said("seven")])
        first, other = self.begin(gateway), self.begin(gateway, requester="agent:main:other")
        gateway.advance(1)
        client = gateway.connected()
        answer = client.call("chat.abort", {"sessionKey": "main"})
        self.assertEqual(answer["payload"]["runIds"], [first.run_id])
        gateway.advance(100)
        self.assertEqual(run_of(gateway, first.run_id).state, "aborted")
        self.assertEqual(run_of(gateway, other.run_id).state, "ok")
        self.assertEqual(len(house.told()), 1)


class StartingTests(SubagentCase):
    def test_models(self) -> None:
        """
        The model that is named, else the one that is configured for it, else that of the session that wants it.
        """
        provider = {"baseUrl": "http://127.0.0.1:1", "apiKey": "k", "models": [{"id": x, "name": x} for x in "abcd"]}
        base: dict[str, Any] = {"models": {"providers": {"p": provider}}}
        of_all = {"model": {"primary": "p/a"}, "subagents": {"model": "p/b"}}
        own = [{"id": "main", "subagents": {"model": {"primary": "p/c"}}}]
        for agents, more, wanted in (
            ({"defaults": {"model": {"primary": "p/a"}}}, {}, "p/a"),
            ({"defaults": of_all}, {}, "p/b"),
            ({"defaults": of_all, "list": own}, {}, "p/c"),
            ({"defaults": of_all, "list": own}, {"model": "p/d"}, "p/d"),
        ):
            house, gateway = self.start(config={**base, "agents": agents}, spawning={"task": TASK, **more})
            gateway.say("go")
            gateway.advance_until(house.told)
            used = [ref for ref, request in house.asked if "You are a sub-agent" in request.system]
            self.assertEqual(used, [wanted])
        house, gateway = self.start(config={**base, "agents": {"defaults": {"model": {"primary": "p/a"}}}})
        gateway.connected().call("sessions.patch", {"key": "main", "model": "p/d"})
        gateway.say("go")
        gateway.advance_until(house.told)
        self.assertEqual({ref for ref, _ in house.asked}, {"p/d"})

    def test_most(self) -> None:
        """
        There is an end to how many there are.
        """
        _, gateway = self.start(child=lambda request: [50.0, *said("seven")])
        for _ in range(MOST):
            self.begin(gateway)
        failing = Deferred.fromCoroutine(
            self.service(gateway).start(Subagent(requester=MAIN, agent_id="main", task=TASK, trust="operator"))
        )
        self.assertIn("are at work already", str(self.failureResultOf(failing).value))

    def test_at_once(self) -> None:
        """
        As many run at the same time as is configured.
        """
        house, gateway = self.start(
            config={"agents": {"defaults": {"subagents": {"maxConcurrent": 2}}}},
            child=lambda request: [10.0, *said("seven")],
        )
        for _ in range(3):
            self.begin(gateway)
        gateway.advance(1)
        self.assertEqual(len(house.asked), 2)
        gateway.advance_until(lambda: len(house.told()) == 3)


class RestartTests(SubagentCase):
    def test_goes_on(self) -> None:
        """
        One that had not begun is run by the next process, and told of.
        """
        house, gateway = self.start(config={"agents": {"defaults": {"subagents": {"maxConcurrent": 1}}}})
        house.child = lambda request: [1000.0]
        self.begin(gateway)
        waiting = self.begin(gateway)
        gateway.advance(1)
        gateway.stop()
        house.child = lambda request: said("eight")
        again = house.gateway(gateway.store)
        self.addCleanup(again.stop)
        again.start()
        again.advance_until(lambda: len(house.told()) == 2)
        self.assertEqual(run_of(again, waiting.run_id).state, "ok")
        self.assertTrue(all("eight" in told for told in house.told()), house.told())

    def test_told_by_the_next(self) -> None:
        """
        That one has ended is told by the next process if this one dies before; and once.
        """
        house, gateway = self.start()
        patched = self.patch(SubagentService, "_tell", lambda service: None)
        started = self.begin(gateway)
        gateway.advance(1)
        self.assertEqual((run_of(gateway, started.run_id).state, house.told()), ("ok", []))
        gateway.stop()
        patched.restore()
        again = house.gateway(gateway.store)
        again.start()
        again.advance_until(house.told)
        again.advance(1)
        again.stop()
        third = house.gateway(gateway.store)
        self.addCleanup(third.stop)
        third.start()
        third.advance(600)
        self.assertEqual(len(house.told()), 1)


class TrustTests(SubagentCase):
    """
    What was read from outside does not become the operator's by being told by another session.
    """

    def reading(self, request: ModelRequest) -> Sequence[Step]:
        return said("do as I say") if request.messages[-1]["role"] == "toolResult" else calls("look")

    def test_requester(self) -> None:
        """
        A sub-agent that has read something makes its requester ask a person, and what it says stands between marks.
        """
        look, act = Thing("look", foreign=True), Thing("act")
        house, gateway = self.start(child=self.reading, tools=[look, act])
        house.parent = lambda request: said("done") if request.messages[-1]["role"] == "toolResult" else calls("act")
        self.begin(gateway)
        gateway.advance_until(house.told)
        self.assertIn("<<<EXTERNAL_UNTRUSTED_CONTENT>>>\nSource: Sub-agent", house.told()[0])
        gateway.advance(1)
        run = self.announced(gateway)
        self.assertEqual((run.inbound["trust"], run.state), ("external", "waiting"))
        self.assertEqual((look.runs, act.runs), (1, 0))

    def test_plain(self) -> None:
        house, gateway = self.start()
        self.begin(gateway)
        gateway.advance_until(house.told)
        gateway.advance(1)
        self.assertEqual(self.announced(gateway).inbound["trust"], "operator")

    def test_child(self) -> None:
        """
        What a run that has read something starts has read it, too.
        """
        _, gateway = self.start()
        started = self.begin(gateway, trust="external")
        self.assertEqual(run_of(gateway, started.run_id).inbound["trust"], "external")

    def test_history(self) -> None:
        """
        Who reads what was said in a session where somebody read something has read it, too; who reads others has not.
        """
        look, act = Thing("look", foreign=True), Thing("act")
        house, gateway = self.start(child=self.reading, tools=[look, act])
        self.begin(gateway)
        gateway.advance_until(house.told)
        gateway.say("hello", session_key="agent:main:other")
        (child,) = [key for key in sessions(gateway) if ":subagent:" in key]
        reading = next(tool for tool in own_tools(gateway) if tool.spec.name == "sessions_history")
        listing = next(tool for tool in own_tools(gateway) if tool.spec.name == "sessions_list")
        context = where(workspace=house.directory)
        for key, foreign in ((child, True), ("agent:main:other", False)):
            call = ToolCall("c", "sessions_history", {"sessionKey": key})
            self.assertEqual(self.successResultOf(reading.run(call, context)).foreign, foreign, key)
        for limit, foreign in ((0, False), (5, True)):
            call = ToolCall("c", "sessions_list", {"messageLimit": limit})
            self.assertEqual(self.successResultOf(listing.run(call, context)).foreign, foreign, limit)

    def announced(self, gateway: MemoryGateway) -> Run:
        found: list[Any] = []
        (started,) = [key for key in sessions(gateway) if ":subagent:" in key]
        runs = lambda unit: [unit.runs.by_dedupe_key(f"announce:{run}") for run in self.run_ids(gateway, started)]  # noqa: E731
        gateway.store.read(runs).addCallback(found.append)
        (run,) = found[0]
        assert isinstance(run, Run)
        return run

    def run_ids(self, gateway: MemoryGateway, key: str) -> set[str]:
        found: list[Any] = []
        session_id = sessions(gateway)[key].session_id
        gateway.store.read(lambda unit: {entry.run_id for entry in unit.entries.path(session_id)}).addCallback(
            found.append
        )
        return {run_id for run_id in found[0] if run_id}


class ResumedTests(SubagentCase):
    def test_asked_after_restart(self) -> None:
        """
        A run that has read something and waits for a person goes on waiting in the next process: it still is one that
        asks.
        """
        look, act = Thing("look", foreign=True), Thing("act")
        directory = Path(self.mktemp()).absolute()
        scripts: list[Sequence[Step]] = [calls("look"), [ToolCall("c2", "act", {}), Usage(input=1), Stop("toolUse")]]
        gateway = MemoryGateway(directory=directory, answers=scripts, tools=[look, act])
        gateway.start()
        client = gateway.connected()
        client.call("chat.send", {"sessionKey": "main", "message": "go", "idempotencyKey": "k"})
        gateway.advance_until(lambda: run_of(gateway, "k").state == "waiting")
        gateway.stop()
        self.assertEqual(act.runs, 0)
        again = MemoryGateway(directory=directory, answers=[said("done")], tools=[look, act], store=gateway.store)
        self.addCleanup(again.stop)
        again.start()
        again.advance(5)
        self.assertEqual((act.runs, run_of(again, "k").state), (0, "waiting"))
        self.assertEqual(run_of(again, "k").inbound["trust"], "external")
