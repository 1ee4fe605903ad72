"""
``openclaw.testing``: what it promises to those who write suites with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import ModelRequest
from openclaw.agent.providers.errors import ProviderRefused
from openclaw.protocol.agent import AgentEvent
from openclaw.protocol.chat import ChatEvent, ChatSendParams
from openclaw.protocol.connect import HelloOk
from openclaw.protocol.models import ModelsListResult
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import Step, said, scripted
from openclaw.testing.typed import read


class GatewayTests(SynchronousTestCase):
    def gateway(self, *answers: Sequence[Step], **more: Any) -> MemoryGateway:
        return MemoryGateway(directory=Path(self.mktemp()), answers=answers, **more)

    def test_conversation(self) -> None:
        """
        Each answer has its script, the last one repeats; the model sees what was said before.
        """
        with self.gateway(said("One."), said("Two", " and more.")) as gateway:
            self.assertEqual(
                [gateway.say(text) for text in ("a", "b", "c")], ["One.", "Two and more.", "Two and more."]
            )
            self.assertEqual([len(request.messages) for request in gateway.model.requests], [1, 3, 5])
            self.assertEqual(gateway.say("d", session_key="other"), "Two and more.")
            self.assertEqual(len(gateway.model.requests[-1].messages), 1)

    def test_command(self) -> None:
        """
        A slash command is answered without the model.
        """
        with self.gateway(said("One.")) as gateway:
            self.assertIn("/new", gateway.say("/help"))
            self.assertEqual(gateway.model.requests, [])

    def test_no_answer(self) -> None:
        """
        A run that fails, or takes too long, fails the test that waits for it.
        """
        with self.gateway([ProviderRefused("no", status=400)], [1e6]) as gateway:
            self.assertIn("HTTP 400: no", str(self.assertRaises(AssertionError, gateway.say, "a")))
            self.assertRaises(AssertionError, gateway.say, "b", most=5.0)

    def test_without_a_script(self) -> None:
        """
        Without a script the model of the program answers.
        """
        with self.gateway() as gateway:
            self.assertIn("> hello", gateway.say("hello"))

    def test_nothing_left(self) -> None:
        """
        After the stop no timer is left, also when an answer was under way.
        """
        gateway = self.gateway([0.5, *said("One.")]).start()
        gateway.say("a")
        client = gateway.connected()
        client.call("chat.send", ChatSendParams(session_key="main", message="b", idempotency_key="k"))
        gateway.stop()
        self.assertEqual(client.closed, (1012, "service restart"))
        gateway.advance(5)
        self.assertEqual(gateway.reactor.getDelayedCalls(), [])

    def test_restart(self) -> None:
        """
        A second gateway on the same store goes on with the conversation.
        """
        with self.gateway(said("One.")) as first:
            first.say("a")
        with self.gateway(said("Two."), store=first.store) as second:
            self.assertEqual(second.say("b"), "Two.")
            self.assertEqual(len(second.model.requests[0].messages), 3)


class TypedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gateway = MemoryGateway(directory=Path(self.mktemp()), answers=[said("One.")]).start()
        self.addCleanup(self.gateway.stop)

    def test_events(self) -> None:
        """
        Parameters, answers and events are objects of definitions, whatever else the gateway tells.
        """
        client = self.gateway.connected()
        client.call("chat.send", ChatSendParams(session_key="main", message="a", idempotency_key="k"))
        self.gateway.advance(1)
        self.assertEqual([event.state for event in client.told(ChatEvent, "chat")], ["delta", "final"])
        self.assertEqual({event.run_id for event in client.told(AgentEvent, "agent")}, {"k"})
        models = client.result(ModelsListResult, "models.list")
        self.assertEqual([model.provider for model in models.models], ["builtin"])

    def test_refused(self) -> None:
        """
        An answer that is not good is no result.
        """
        client = self.gateway.connected()
        self.assertRaises(AssertionError, client.result, ModelsListResult, "models.list", {"bogus": 1})

    def test_hello(self) -> None:
        """
        The greeting, with all that is in it.
        """
        client = self.gateway.client()
        answer = client.connect(token="a-token-for-tests-only")
        hello = read(HelloOk, answer["payload"])
        self.assertEqual(hello.protocol, 3)
        self.assertIn("chat.send", hello.features.methods)
        self.assertTrue(hello.snapshot.presence)


class ScriptTests(SynchronousTestCase):
    def test_scripted(self) -> None:
        """
        Pauses are on the test's clock; breaking an answer off is counted.
        """
        clock = Clock()
        model = scripted(clock, [[2, *said("a")]])
        told: list[Any] = []
        asking = model.stream(ModelRequest(system="", messages=[]), told.append)
        clock.advance(1.9)
        self.assertEqual(told, [])
        clock.advance(0.1)
        self.successResultOf(asking)
        self.assertEqual(told, said("a"))
        asking = model.stream(ModelRequest(system="", messages=[]), told.append)
        asking.cancel()
        self.failureResultOf(asking)
        self.assertEqual(model.cancelled, 1)
