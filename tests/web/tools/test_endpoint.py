"""
``/tools/invoke`` over a whole gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import provider

from openclaw.gateway.tooling import ToolPolicy
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import said
from openclaw.tools.base import GatewayTool
from openclaw.web.tools import calls, endpoint
from openclaw.web.tools.calls import KEPT, KEPT_SECONDS, Answered, KeyReused, Once
from tests.harness.http import send
from tests.tools.case import BEARER, ToolCase


class PolicyTests(ToolCase):
    def test_refused_by_default(self) -> None:
        """
        Neither the configuration nor other sessions' agents, unless the owner says so.
        """
        gateway = self.gateway()
        for tool in ("gateway", "sessions_send", "exec", "whatsapp_login"):
            answer = self.post(gateway, {"tool": tool, "args": {"action": "config.get"}})
            self.assertEqual((answer.status, answer.value["error"]["message"]), (404, f"Tool not available: {tool}"))
        allowed = self.gateway({"gateway": {"tools": {"allow": ["gateway"], "deny": ["cron"]}}})
        self.assertEqual(self.post(allowed, {"tool": "gateway", "action": "config.get"}).status, 200)
        self.assertEqual(self.post(allowed, {"tool": "cron", "action": "status"}).status, 404)

    def test_agents(self) -> None:
        """
        The session says whose policy counts.
        """
        config = {"agents": {"list": [{"id": "main"}, {"id": "ops", "tools": {"profile": "minimal"}}]}}
        gateway = self.gateway(config)
        for key, status in (("", 200), ("main", 200), ("agent:ops:main", 404), ("agent:ops:x", 404)):
            asked = {"tool": "cron", "action": "status", "sessionKey": key}
            self.assertEqual(self.post(gateway, asked).status, status, key)

    def test_groups(self) -> None:
        """
        The headers say in which chat it is called, where the session does not.
        """
        groups = {"-100": {"tools": {"deny": ["cron"]}}}
        own = {"work": {"groups": {"-100": {"tools": {"deny": ["nodes"]}}}}}
        gateway = self.gateway({"channels": {"telegram": {"groups": groups, "accounts": own}}})
        asked = {"tool": "cron", "action": "status", "sessionKey": "agent:main:group:-100"}
        telegram = {"x-openclaw-message-channel": "telegram"}
        for headers, status in (({}, 200), (telegram, 404), ({**telegram, "x-openclaw-account-id": "work"}, 200)):
            self.assertEqual(self.post(gateway, asked, headers).status, status, headers)
        self.assertEqual(self.post(gateway, {**asked, "sessionKey": "agent:main:telegram:group:-100"}).status, 404)

    def test_useless_list(self) -> None:
        """
        A list that is not looked at is told of, once.
        """
        told: list[str] = []

        @provider(ILogObserver)
        def observer(event: LogEvent) -> None:
            told.append(event["key"])

        self.patch(ToolPolicy, "_log", Logger(observer=observer))
        gateway = self.gateway({"tools": {"allow": ["my_plugin"]}})
        for _ in range(2):
            self.assertEqual(self.post(gateway, {"tool": "cron", "action": "status"}).status, 200)
        self.assertEqual(told, ["tools"])

    def test_dry_run(self) -> None:
        """
        It says what would be done; nothing is.
        """
        gateway = self.gateway()
        asked = {"tool": "cron", "action": "wake", "args": {"text": "x"}, "dryRun": True}
        would = self.post(gateway, asked).value["wouldInvoke"]
        self.assertEqual(would["args"], {"text": "x", "action": "wake"})
        self.assertEqual(gateway.service.agents.notes("agent:main:main"), [])
        read = self.post(gateway, {"tool": "sessions_list", "args": {"limit": "3", "kinds": None}, "dryRun": True})
        self.assertEqual(read.value["wouldInvoke"]["args"], {"limit": 3})
        wrong = self.post(gateway, {**asked, "action": "dance"})
        self.assertEqual((wrong.status, wrong.value["error"]["type"]), (400, "tool_error"))
        self.assertEqual(self.post(gateway, {"tool": "exec", "dryRun": True}).status, 404)


class OddRequestTests(ToolCase):
    """
    Requests that mean something else than they seem to, or nothing.
    """

    wake: Mapping[str, Any] = {"tool": "cron", "action": "wake", "args": {"text": "x"}}

    def refused(self, gateway: MemoryGateway, body: Any, headers: Mapping[str, str] | None = None) -> str:
        answer = self.post(gateway, body, headers)
        self.assertEqual((answer.status, answer.value["error"]["type"]), (400, "invalid_request_error"), answer.body)
        self.assertEqual(gateway.service.agents.notes("agent:main:main"), [])
        return str(answer.value["error"]["message"])

    def test_switch(self) -> None:
        """
        What is no switch is not taken for one that is off: nothing is done.
        """
        gateway = self.gateway()
        odd: list[Any] = ["true", "", 1, 0, [], {}]
        for told in odd:
            self.assertEqual(self.refused(gateway, {**self.wake, "dryRun": told}), endpoint.NO_SWITCH)
        for off in (None, False):
            self.assertEqual(self.post(gateway, {**self.wake, "dryRun": off}).status, 200)

    def test_long_key(self) -> None:
        """
        Two long keys that begin alike are two keys: they are refused rather than cut.
        """
        gateway = self.gateway()
        long = "k" * endpoint.MOST_KEY
        self.assertEqual(self.refused(gateway, self.wake, {"Idempotency-Key": f"{long}1"}), endpoint.LONG_KEY)
        self.assertEqual(self.post(gateway, self.wake, {"Idempotency-Key": long}).status, 200)

    def test_deep(self) -> None:
        """
        What is nested deeper than it could be written again is refused, also for a dry run.
        """
        gateway = self.gateway()
        for levels, dry in ((199, False), (199, True), (200, False), (250, False), (1000, True), (100_000, False)):
            nested = '{"a":' * levels + "1" + "}" * levels
            answer = self.post(gateway, f'{{"tool":"agents_list","dryRun":{str(dry).lower()},"args":{nested}}}')
            self.assertEqual(answer.status, 200 if levels == 199 else 400, (levels, answer.body[:200]))
            if levels > 199:
                self.assertTrue(answer.value["error"]["message"].startswith("SyntaxError: "))

    def test_half_a_pair(self) -> None:
        """
        JavaScript that cuts a text within an emoji sends half of a pair.
        """
        gateway = self.gateway()
        body = '{"tool":"cron","action":"wake","args":{"text":"x\\ud83d"}}'
        self.assertEqual(self.post(gateway, body).status, 200)
        self.assertEqual(gateway.service.agents.notes("agent:main:main"), ["x\ufffd"])

    def test_unknown_agent(self) -> None:
        """
        Calling a tool for an agent makes none.
        """
        gateway = self.gateway({"agents": {"list": [{"id": "ops"}]}})
        for key, status in (("agent:nope:main", 404), ("agent:main:main", 404), ("agent:OPS:x", 200), ("x", 200)):
            answer = self.post(gateway, {**self.wake, "sessionKey": key})
            self.assertEqual(answer.status, status, key)
        refused = self.post(gateway, {**self.wake, "sessionKey": "agent:nope:main"})
        self.assertEqual(refused.value["error"], {"type": "not_found", "message": 'Unknown agent id "nope".'})

    def test_without_a_model(self) -> None:
        """
        A model that cannot be read stops runs, and no tool.
        """
        gateway = self.gateway({"agents": {"defaults": {"model": " / "}}, "tools": {"deny": ["nodes"]}})
        self.assertEqual(self.post(gateway, {"tool": "cron", "action": "status"}).status, 200)
        self.assertEqual(self.post(gateway, {"tool": "nodes", "action": "status"}).status, 404)

    def test_other_gateway(self) -> None:
        """
        Who means another gateway does not change this one.
        """
        gateway = self.gateway()
        there = {**self.wake, "args": {"text": "x", "gatewayUrl": "ws://192.0.2.1:18789", "gatewayToken": "t"}}
        for dry in (False, True):
            answer = self.post(gateway, {**there, "dryRun": dry})
            self.assertEqual((answer.status, answer.value["error"]["type"]), (400, "tool_error"), answer.body)
            self.assertIn("gatewayUrl cannot be used here", answer.value["error"]["message"])
        self.assertEqual(gateway.service.agents.notes("agent:main:main"), [])
        self.assertEqual(self.post(gateway, {**there, "args": {"text": "x", "gatewayUrl": " "}}).status, 200)


class OnceTests(ToolCase):
    def test_key(self) -> None:
        """
        A request that is sent again is done once; the key is for that request only.
        """
        gateway = self.gateway()
        asked = {"tool": "cron", "action": "wake", "args": {"text": "x", "mode": "next-heartbeat"}}
        key = {"Idempotency-Key": "k"}
        first, second = (self.post(gateway, asked, key) for _ in range(2))
        self.assertEqual((first.status, first.value), (200, second.value))
        self.post(gateway, {"tool": "cron", "action": "wake", "args": {"text": "y", "mode": "next-heartbeat"}})
        self.post(gateway, asked, key)
        self.assertEqual(gateway.service.agents.notes("agent:main:main"), ["x", "y"])
        other = self.post(gateway, {"tool": "agents_list"}, key)
        self.assertEqual(other.status, 409)

    def test_leaving(self) -> None:
        """
        The call of a client that leaves is ended.
        """
        ended: list[bool] = []

        async def forever(*_: Any) -> Any:
            try:
                await Deferred()
            except CancelledError:
                ended.append(True)
                raise

        self.patch(GatewayTool, "perform", forever)
        gateway = self.gateway()
        line = send(gateway, "POST", "/tools/invoke", headers=BEARER, body={"tool": "agents_list"})
        line.leave()
        gateway.flush()
        self.assertEqual(ended, [True])

    def test_limits(self) -> None:
        """
        So many at once, and each for so long.
        """
        self.patch(endpoint, "AT_ONCE", 1)

        async def forever(*_: Any) -> Any:
            await Deferred()

        self.patch(GatewayTool, "perform", forever)
        gateway = self.gateway()
        slow = send(gateway, "POST", "/tools/invoke", headers=BEARER, body={"tool": "agents_list"})
        refused = self.post(gateway, {"tool": "agents_list"})
        self.assertEqual((refused.status, refused.headers["retry-after"]), (503, "2"))
        gateway.advance(endpoint.LIMIT)
        self.assertIn(b" 504 ", slow.received)


class GivenUpTests(ToolCase):
    """
    Calls that wait for a method of the gateway's when they are given up.
    """

    asked: Mapping[str, Any] = {
        "tool": "sessions_send",
        "args": {"sessionKey": "agent:main:other", "message": "ping", "timeoutSeconds": 600},
    }

    def open_gateway(self) -> MemoryGateway:
        allowed = {"gateway": {"tools": {"allow": ["sessions_send"]}}}
        return self.gateway(allowed, answers=[[5.0, *said("pong")]])

    def test_left(self) -> None:
        """
        Who left before there was an answer gets one when asking again with the same key.
        """
        gateway, key = self.open_gateway(), {"Idempotency-Key": "k"}
        send(gateway, "POST", "/tools/invoke", headers={**BEARER, **key}, body=self.asked).leave()
        gateway.flush()
        again = self.post(gateway, self.asked, key)
        self.assertEqual((again.status, again.value["result"]["details"]["status"]), (200, "ok"), again.body)

    def test_too_slow(self) -> None:
        """
        A tool that takes too long is told to have done so, whatever it waits for.
        """
        self.patch(endpoint, "LIMIT", 2.0)
        slow = self.post(self.open_gateway(), self.asked)
        self.assertEqual(
            (slow.status, slow.value["error"]["message"]), (504, "sessions_send took more than 2 seconds"), slow.body
        )


class AnswerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.once = Once(self.clock.seconds)
        self.done = 0

    def begin(self, key: str, print_: bytes = b"p", result: Deferred[Any] | None = None) -> Deferred[Answered]:
        async def work() -> Answered:
            self.done += 1
            return Answered(200, await result if result is not None else self.done)  # type: ignore[arg-type]

        return Deferred.fromCoroutine(self.once(key, print_, work))

    def test_together(self) -> None:
        """
        Who asks meanwhile waits for the same answer, also when another who waited has gone.
        """
        result: Deferred[Any] = Deferred()
        first, gone, second = self.begin("k", b"p", result), self.begin("k"), self.begin("k")
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        self.failureResultOf(self.begin("k", b"other"), KeyReused)
        result.callback("x")
        self.assertEqual([self.successResultOf(one).value for one in (first, second)], ["x", "x"])
        self.assertEqual(self.done, 1)

    def test_first_has_gone(self) -> None:
        """
        Then the next one does it.
        """
        first = self.begin("k", b"p", Deferred())
        second = self.begin("k")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(self.successResultOf(second).value, 2)

    def test_forgotten(self) -> None:
        self.successResultOf(self.begin("k"))
        self.clock.advance(KEPT_SECONDS)
        self.assertEqual(self.successResultOf(self.begin("k")).value, 2)
        for number in range(KEPT + 1):
            self.successResultOf(self.begin(f"more {number}"))
        before = self.done
        self.successResultOf(self.begin("k"))
        self.assertEqual(self.done, before + 1)

    def test_bytes(self) -> None:
        """
        Large answers leave room for few others; the newest is there in any case.
        """
        self.patch(calls, "KEPT_BYTES", 100)
        for key in ("a", "b", "c"):
            self.successResultOf(self.begin(key, result=succeed("x" * 60)))
        self.assertEqual(self.done, 3)
        self.successResultOf(self.begin("c"))
        self.assertEqual(self.done, 3)
        self.successResultOf(self.begin("b"))
        self.assertEqual(self.done, 4)
        self.successResultOf(self.begin("huge", result=succeed("x" * 200)))
        self.successResultOf(self.begin("huge"))
        self.assertEqual(self.done, 5)
