"""
Tools that act on the gateway itself: sessions, jobs, configuration, memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import ModelRequest, ResolvedModel, Stop, ToolCall, ToolSpec, Usage
from openclaw.agent.providers.errors import ProviderRefused
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import PlayedModel, Step, said
from openclaw.tools.base import Arguments, ToolFailed, converted, parameters
from openclaw.tools.memory import _is_memory
from tests.tools.case import ToolCase

AGENTS = {"agents": {"list": [{"id": "main", "name": "Main"}, {"id": "ops"}]}}


@define
class Noted:
    """
    A tool that notes whose run it is called in.
    """

    name: str
    foreign: bool = False
    trusts: list[str] = field(factory=list)

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description="", parameters={"type": "object"})

    def question(self, call: ToolCall, context: ToolContext) -> str | None:
        return None

    def run(self, call: ToolCall, context: ToolContext) -> Deferred[ToolResult]:
        self.trusts.append(context.trust)
        return succeed(ToolResult(content=[{"type": "text", "text": "x"}], foreign=self.foreign))


class ArgumentsTests(SynchronousTestCase):
    def test_reading(self) -> None:
        some = Arguments({"t": " x ", "n": "12", "b": True, "o": '{"a": 1}', "l": ["a", 1], "huge": "1e999"})
        self.assertEqual((some.text("t"), some.text("n"), some.text("b"), some.text("nope")), ("x", "12", None, None))
        self.assertEqual([some.number(name) for name in ("n", "t", "b", "huge")], [12, None, None, None])
        self.assertEqual((some.whole("n", 5, most=10), some.whole("nope", 5, most=10)), (10, 5))
        self.assertEqual((some.members("o"), some.members("t"), some.names("l")), ({"a": 1}, None, ["a"]))
        with self.assertRaisesRegex(ToolFailed, "^url required$"):
            some.needed("url", "target")

    @settings(max_examples=200, deadline=None)
    @given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda v: st.lists(v, max_size=2)))
    def test_any(self, value: object) -> None:
        """
        Whatever an argument is, reading it gives the kind that was asked for, or nothing.
        """
        some = Arguments({"x": value})
        self.assertIsInstance(some.text("x"), str | None)
        self.assertIsInstance(some.number("x"), float | None)
        self.assertIn(some.whole("x", 3, most=7), range(1, 8))
        self.assertIsInstance(some.members("x"), dict | None)


PLAIN = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.sampled_from(['["[]"]', '{"n": "{}"}'])
VALUES = st.recursive(PLAIN, lambda values: st.lists(values, max_size=2))


class ConvertedTests(SynchronousTestCase):
    """
    What models write where something else is meant.
    """

    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["s"],
        "properties": {
            "s": {"type": "string"},
            "n": {"type": "number"},
            "b": {"type": "boolean"},
            "l": {"type": "array", "items": {"type": "string"}},
            "o": {"type": "object", "properties": {"n": {"type": "number"}}},
        },
    }

    def test_clear(self) -> None:
        for given_, wanted in (
            ({"s": 5}, {"s": "5"}),
            ({"s": True}, {"s": True}),
            ({"n": "12", "b": " True "}, {"n": 12, "b": True}),
            ({"n": "1.5", "l": "ls -l"}, {"n": 1.5, "l": "ls -l"}),
            ({"l": '[1, "a"]'}, {"l": ["1", "a"]}),
            ({"l": [1, "a"], "n": None}, {"l": ["1", "a"]}),
            ({"s": None, "x": None}, {"s": None, "x": None}),
            ({"o": '{"n": "3"}'}, {"o": {"n": 3}}),
            ({"n": "many", "b": "perhaps", "o": "{", "l": 5}, {"n": "many", "b": "perhaps", "o": "{", "l": 5}),
            ({"n": "1e999"}, {"n": "1e999"}),
            ({"o": '{"s": "\\ud83d"}'}, {"o": {"s": "\ufffd"}}),
            ({"l": "[" * 100_000}, {"l": "[" * 100_000}),
            ({"o": '{"o":' * 201 + "1" + "}" * 201}, {"o": '{"o":' * 201 + "1" + "}" * 201}),
        ):
            self.assertEqual(converted(self.schema, given_), wanted)

    @settings(max_examples=200, deadline=None)
    @given(
        value=st.dictionaries(
            st.sampled_from("snblox"),
            st.recursive(
                st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), lambda v: st.lists(v, max_size=2)
            ),
        )
    )
    def test_settled(self, value: dict[str, Any]) -> None:
        """
        What is asked before a call and what it does are about the same: doing it twice changes nothing.
        """
        once = converted(self.schema, value)
        self.assertEqual(converted(self.schema, once), once)


class CallingTests(ToolCase):
    """
    Calls as models make them.
    """

    def called(self, *calls: ToolCall) -> list[Mapping[str, Any]]:
        """
        :return: the results as the model was told them.
        """
        ends = (Usage(input=1, output=1), Stop("toolUse"))
        gateway = self.gateway(answers=[*([call, *ends] for call in calls), (*said("done"),)], tools=None)
        gateway.say("go on")
        return [message for message in gateway.model.requests[-1].messages if message["role"] == "toolResult"]

    def test_sessions_list(self) -> None:
        """
        A run that calls ``sessions_list`` is told of the sessions, itself among them.
        """
        (result,) = self.called(ToolCall("c0", "sessions_list", {"limit": "5", "kinds": None}))
        self.assertFalse(result["isError"], result)
        (row,) = result["details"]["sessions"]
        self.assertEqual((row["key"], row["kind"]), ("main", "main"))
        self.assertEqual(json.loads(result["content"][0]["text"]), result["details"])

    def test_wrong(self) -> None:
        """
        Arguments that mean nothing are told with what was wrong; a name in other letters means the tool.
        """
        wrong, right = self.called(
            ToolCall("c0", "sessions_list", {"limit": "many"}), ToolCall("c1", "Agents_List", {})
        )
        self.assertTrue(wrong["isError"])
        self.assertIn('Validation failed for tool "sessions_list":\n  - limit: ', wrong["content"][0]["text"])
        self.assertIn("Received arguments:", wrong["content"][0]["text"])
        self.assertFalse(right["isError"], right)

    def test_other_models(self) -> None:
        """
        The model that is asked instead of another gets the tools of its own provider.
        """
        models = {"model": {"primary": "one/m", "fallbacks": ["two/m"]}}
        provider = {"baseUrl": "http://127.0.0.1:1", "apiKey": "k", "models": [{"id": "m", "name": "m"}]}
        config = {
            "agents": {"defaults": models},
            "models": {"providers": {"one": provider, "two": provider}},
            "tools": {"byProvider": {"two": {"deny": ["cron"]}}},
        }
        asked: list[tuple[str, ModelRequest]] = []

        def make_model(model: ResolvedModel) -> PlayedModel:
            def script(request: ModelRequest) -> Sequence[Step]:
                asked.append((model.provider, request))
                return [ProviderRefused("no more", status=429)] if model.provider == "one" else [*said("hello")]

            return PlayedModel(gateway.reactor, script)

        gateway = MemoryGateway(
            directory=Path(self.mktemp()).absolute(), config=config, make_model=make_model, tools=None
        )
        self.addCleanup(gateway.stop)
        gateway.start().say("hi", most=600)
        offered = {provider: {tool.name for tool in request.tools} for provider, request in asked}
        self.assertEqual(offered["one"] - offered["two"], {"cron"})


class SessionTests(ToolCase):
    def test_agents(self) -> None:
        told = {**AGENTS["agents"]["list"][0], "subagents": {"allowAgents": ["ops", "gone"]}}
        config = {"agents": {"list": [told, {"id": "ops"}]}}
        rows = self.done(self.gateway(config), "agents_list")
        self.assertEqual([row["id"] for row in rows["agents"]], ["main", "gone", "ops"])
        self.assertEqual([row["configured"] for row in rows["agents"]], [True, False, True])
        anybody = {"agents": {"list": [{"id": "main", "subagents": {"allowAgents": ["*"]}}]}}
        everyone = self.done(self.gateway(anybody), "agents_list")
        self.assertTrue(everyone["allowAny"])

    def test_sessions(self) -> None:
        """
        Kinds, messages, and nothing of another agent's.
        """
        gateway = self.gateway(AGENTS)
        for key in ("main", "agent:main:cron:j1", "agent:main:hook:x", "agent:main:other", "agent:ops:main"):
            gateway.say("hi", session_key=key)
        told = self.done(gateway, "sessions_list", messageLimit=5)
        self.assertEqual(
            {row["key"]: row["kind"] for row in told["sessions"]},
            {"main": "main", "agent:main:cron:j1": "cron", "agent:main:hook:x": "hook", "agent:main:other": "other"},
        )
        self.assertEqual([message["role"] for message in told["sessions"][0]["messages"]], ["user", "assistant"])
        kinds = self.done(gateway, "sessions_list", kinds=["cron", "hook"], limit=1)
        self.assertEqual(kinds["count"], 1)
        history = self.done(gateway, "sessions_history", sessionKey="main")
        self.assertEqual(len(history["messages"]), 2)
        refused = self.failed(gateway, "sessions_history", sessionKey="agent:ops:main")
        self.assertIn("Agent-to-agent history is disabled", refused)
        self.assertEqual(self.failed(gateway, "sessions_history"), "sessionKey required")
        open_house = self.gateway({**AGENTS, "tools": {"agentToAgent": {"enabled": True}}}, store=gateway.store)
        self.assertEqual(len(self.done(open_house, "sessions_history", sessionKey="agent:ops:main")["messages"]), 2)

    def test_main(self) -> None:
        """
        ``main`` is the main session of the agent that asks, also where it sees those of others.
        """
        gateway = self.gateway({**AGENTS, "tools": {"agentToAgent": {"enabled": True}}})
        gateway.say("to main", session_key="agent:main:main")
        gateway.say("to ops", session_key="agent:ops:main")
        told = self.done(gateway, "sessions_list", "agent:ops:x", messageLimit=2)["sessions"]
        said_there = {row["key"]: row["messages"][0]["content"][0]["text"].partition("\n")[0] for row in told}
        self.assertEqual(said_there, {"main": "to ops", "agent:main:main": "to main"})
        self.assertEqual({row["key"]: row["kind"] for row in told}, {"main": "main", "agent:main:main": "other"})

    def test_others_sessions(self) -> None:
        """
        Newer sessions of other agents, which are not shown, do not use up the limit.
        """
        gateway = self.gateway(AGENTS)
        gateway.say("hi", session_key="agent:main:main")
        for number in range(3):
            gateway.advance(1.0)
            gateway.say("hi", session_key=f"agent:ops:{number}")
        own = [row["key"] for row in self.done(gateway, "sessions_list", limit=1)["sessions"]]
        self.assertEqual(own, ["main"])
        talk = {"agentToAgent": {"enabled": True, "allow": ["main"]}}
        allowed = self.gateway({**AGENTS, "tools": talk}, store=gateway.store)
        self.assertEqual([row["key"] for row in self.done(allowed, "sessions_list", limit=1)["sessions"]], own)

    def test_global(self) -> None:
        """
        Where everybody has one session, it is seen.
        """
        gateway = self.gateway({**AGENTS, "session": {"scope": "global"}})
        gateway.say("hi", session_key="global")
        self.assertEqual([row["key"] for row in self.done(gateway, "sessions_list")["sessions"]], ["main"])
        gateway.advance(1.0)
        gateway.say("hi", session_key="agent:ops:x")
        told = self.done(gateway, "sessions_list", limit=1)["sessions"]
        self.assertEqual([row["key"] for row in told], ["main"])

    def test_by_id(self) -> None:
        gateway = self.gateway()
        gateway.say("hi")
        session_id = self.done(gateway, "sessions_list")["sessions"][0]["sessionId"]
        self.assertEqual(len(self.done(gateway, "sessions_history", sessionKey=session_id)["messages"]), 2)

    def test_status(self) -> None:
        gateway = self.gateway()
        told = self.done(gateway, "session_status")
        self.assertFalse(told["changedModel"])
        self.assertIn("🕒 Time: ", told["statusText"])
        self.assertIn("🧵 Session: agent:main:main", told["statusText"])

    def test_sending(self) -> None:
        """
        Only where the owner has let programs do it; the answer comes back.
        """
        answers = [(*said("pong"),), (*said("NO_REPLY"),)]
        gateway = self.gateway({"gateway": {"tools": {"allow": ["sessions_send"]}}}, answers=answers)
        told = self.done(gateway, "sessions_send", sessionKey="agent:main:other", message="ping")
        self.assertEqual((told["status"], told["reply"]), ("ok", "pong"))
        # It chose to be silent: what it said before is no answer to this.
        told = self.done(gateway, "sessions_send", sessionKey="agent:main:other", message="ping")
        self.assertEqual((told["status"], told["reply"]), ("ok", ""))
        told = self.done(gateway, "sessions_send", sessionKey="agent:main:other", message="ping", timeoutSeconds=0)
        self.assertEqual(told["status"], "accepted")
        refused = self.failed(gateway, "sessions_send", sessionKey="main", message="x")
        self.assertIn("cannot talk to the session", refused)


class JobTests(ToolCase):
    def test_cron(self) -> None:
        gateway = self.gateway()
        gateway.say("remember the milk")
        schedule = {"kind": "every", "everyMs": 60_000}
        job = {"name": "n", "schedule": schedule, "sessionTarget": "main", "wakeMode": "now"}
        payload = {"kind": "systemEvent", "text": "milk"}
        made = self.done(gateway, "cron", action="add", job={**job, "payload": payload}, contextMessages=3)
        self.assertEqual(made["agentId"], "main")
        self.assertIn("Recent context:\n- User: remember the milk", made["payload"]["text"])
        listed = self.done(gateway, "cron", action="list")
        self.assertEqual([one["id"] for one in listed["jobs"]], [made["id"]])
        changed = self.done(gateway, "cron", action="update", jobId=made["id"], patch={"name": "m"})
        self.assertEqual(changed["name"], "m")
        self.done(gateway, "cron", action="run", id=made["id"])
        self.done(gateway, "cron", action="remove", jobId=made["id"])
        self.assertEqual(self.done(gateway, "cron", action="status")["jobs"], 0)
        self.assertEqual(self.failed(gateway, "cron", action="add"), "job required")
        self.assertEqual(self.failed(gateway, "cron", action="remove"), "jobId required")
        self.done(gateway, "cron", action="wake", text="up")
        self.assertEqual(gateway.service.agents.notes("agent:main:main")[-1], "up")


class GatewayTests(ToolCase):
    def test_configuration(self) -> None:
        """
        Read with its secrets taken out, and changed by the same rules as over the wire.
        """
        gateway = self.gateway({"gateway": {"tools": {"allow": ["gateway"]}}})
        told = self.done(gateway, "gateway", action="config.get")["result"]
        self.assertNotIn("a-token-for-tests-only", json.dumps(told))
        self.assertEqual(self.failed(gateway, "gateway", action="config.patch"), "raw required")
        gateway.directory.mkdir(exist_ok=True)
        done = self.done(gateway, "gateway", action="config.patch", raw='{"ui": {"assistant": {"name": "Bo"}}}')
        self.assertTrue(done["ok"])
        self.assertIn("Bo", (gateway.directory / "openclaw.json").read_text())

    def test_restart(self) -> None:
        """
        Only where the owner allows it and something can; the session that asked is told afterwards.
        """
        gateway = self.gateway({"gateway": {"tools": {"allow": ["gateway"]}}})
        self.assertIn("Gateway restart is disabled", self.failed(gateway, "gateway", action="restart"))
        gateway = self.gateway({"gateway": {"tools": {"allow": ["gateway"]}}, "commands": {"restart": True}})
        note = gateway.directory / "restart-sentinel.json"
        self.assertIn("cannot restart itself", self.failed(gateway, "gateway", action="restart"))
        self.assertFalse(note.exists())
        reasons: list[str] = []
        assert gateway.life is not None
        gateway.life.restarts.begin = reasons.append
        done = self.done(gateway, "gateway", action="restart", reason="new key", delayMs=500)
        self.assertEqual((done["ok"], done["delayMs"], done["mode"]), (True, 500, "emit"))
        payload = json.loads(note.read_text())["payload"]
        self.assertEqual((payload["kind"], payload["sessionKey"]), ("restart", "agent:main:main"))
        self.assertEqual(reasons, [])
        gateway.advance(0.5)
        self.assertEqual(reasons, ["new key"])


class MemoryTests(ToolCase):
    def setUp(self) -> None:
        self.house = self.gateway({"agents": {"defaults": {"workspace": str(self.mktemp())}}})
        self.workspace = self.house.service.agents.workspace_of("main")
        (self.workspace / "memory").mkdir(parents=True)
        lines = "\n".join(f"line {n}" for n in range(40))
        (self.workspace / "MEMORY.md").write_text(f"# Memory\n{lines}\nAda likes tea.\n")
        (self.workspace / "memory" / "2026-11-01.md").write_text("The boiler was repaired by Mr Smith.\n")

    def test_get(self) -> None:
        text = self.done(self.house, "memory_get", path="MEMORY.md")["text"]
        self.assertTrue(text.startswith("# Memory\nline 0"))
        part: Any = {"path": "MEMORY.md", "from": 2, "lines": 2}
        self.assertEqual(self.done(self.house, "memory_get", **part)["text"], "line 0\nline 1")
        self.assertEqual(self.done(self.house, "memory_get", path="memory/none.md")["text"], "")

    def test_confined(self) -> None:
        """
        Nothing but notes is read, by whatever name.
        """
        secret = self.workspace.parent / "secret.md"
        secret.write_text("secret")
        os.symlink(secret, self.workspace / "memory" / "link.md")
        os.symlink(self.workspace.parent, self.workspace / "memory" / "up")
        (self.workspace / "USER.md").write_text("private")
        tried = ["../secret.md", "memory/../../secret.md", "memory/link.md", "memory/up/secret.md", str(secret)]
        tried += [
            "USER.md",
            "memory/x.txt",
            "/etc/passwd",
            "memory//../USER.md",
            "memory/%2e%2e/USER.md",
            "memory\\x.md",
        ]
        for path in tried:
            answer = self.post(self.house, {"tool": "memory_get", "args": {"path": path}})
            self.assertNotIn("secret", answer.value.get("result", {}).get("details", {}).get("text", ""), path)
            self.assertNotIn("private", str(answer.value), path)
        self.assertFalse(_is_memory("USER.md"))

    def test_search(self) -> None:
        """
        By words, the best first, each passage once, and not through links.
        """
        rows = self.done(self.house, "memory_search", query="what tea does Ada like")["results"]
        self.assertEqual((rows[0]["path"], "Ada likes tea." in rows[0]["snippet"]), ("MEMORY.md", True))
        self.assertLessEqual(rows[0]["startLine"], 42)
        rows = self.done(self.house, "memory_search", query="boiler", maxResults=1)["results"]
        self.assertEqual([row["path"] for row in rows], ["memory/2026-11-01.md"])
        self.assertEqual(self.done(self.house, "memory_search", query="zzz")["results"], [])
        self.assertEqual(self.done(self.house, "memory_search", query="?!")["results"], [])


class RunTests(ToolCase):
    """
    Tools in the hands of a model.
    """

    def test_offered(self) -> None:
        """
        Those that the policy leaves, with the schemas that clients know; a call gives what it gives without a model.
        """
        call = ToolCall("c1", "sessions_list", {"limit": 5})
        answers = [[call, Usage(input=1, output=1), Stop("toolUse")], (*said("done"),)]
        gateway = self.gateway({"tools": {"deny": ["cron"]}}, answers=answers, tools=None)
        gateway.say("list them")
        first, second = gateway.model.requests
        names = [tool.name for tool in first.tools]
        self.assertEqual(set(parameters()) - set(names), {"cron"})
        self.assertEqual(first.tools[names.index("nodes")].parameters, parameters()["nodes"])
        told = json.loads(second.messages[-1]["content"][0]["text"])
        self.assertEqual([row["key"] for row in told["sessions"]], ["main"])

    def test_wrong_arguments(self) -> None:
        call = ToolCall("c1", "web_fetch", {"link": 5})
        answers = [[call, Usage(input=1, output=1), Stop("toolUse")], (*said("done"),)]
        gateway = self.gateway(answers=answers, tools=None)
        gateway.say("fetch")
        told = gateway.model.requests[1].messages[-1]
        text = told["content"][0]["text"]
        self.assertTrue(told["isError"])
        self.assertTrue(text.startswith('Validation failed for tool "web_fetch":'), text)
        self.assertIn('Received arguments:\n{"link": 5}', text)

    def test_failure(self) -> None:
        call = ToolCall("c1", "message", {"action": "send", "message": "x"})
        answers = [[call, Usage(input=1, output=1), Stop("toolUse")], (*said("done"),)]
        gateway = self.gateway(answers=answers, tools=None)
        gateway.say("send")
        told = json.loads(gateway.model.requests[1].messages[-1]["content"][0]["text"])
        self.assertEqual((told["status"], told["tool"]), ("error", "message"))

    def test_after_foreign_text(self) -> None:
        """
        Once a tool has read something from outside, the run is not only the operator's.
        """
        read, act = Noted("read", foreign=True), Noted("act")
        usage, stop = Usage(input=1, output=1), Stop("toolUse")
        calls = [ToolCall("c0", "act", {}), ToolCall("c1", "read", {}), ToolCall("c2", "act", {})]
        answers = [*([call, usage, stop] for call in calls), (*said("done"),)]
        gateway = self.gateway(answers=answers, tools=[read, act])
        gateway.say("read")
        self.assertEqual(act.trusts, ["operator", "external"])
