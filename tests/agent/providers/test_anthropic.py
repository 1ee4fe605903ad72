"""
``anthropic-messages`` against a server in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.anthropic import AnthropicModel, request_body
from openclaw.agent.providers.base import ModelEvent, ModelRequest, Stop, ThinkingDelta, ToolCall, Usage
from openclaw.agent.providers.catalog import parse_ref, resolve_model
from openclaw.agent.providers.errors import (
    AnswerRefused,
    GarbledAnswer,
    ProviderOverloaded,
    ProviderRefused,
    StreamBroken,
)
from openclaw.config.model import build
from tests.agent.providers.serving import Answer, Server, joined, resolved, sse, usages

START = {
    "type": "message_start",
    "message": {"usage": {"input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 1}},
}
STOP = {"type": "message_stop"}


def block(index: int, start: Mapping[str, Any], *deltas: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(*parts: str) -> list[dict[str, Any]]:
    return block(0, {"type": "text", "text": ""}, *({"type": "text_delta", "text": part} for part in parts))


def ending(reason: str) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 12}}


WHOLE = sse(START, {"type": "ping"}, *text("Grüße", " 漢🦞"), ending("end_turn"), STOP, named=True)


class AnthropicCase(SynchronousTestCase):
    """
    The base of these tests: one model, one server.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.events: list[ModelEvent] = []
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def ask(self, answer: Answer, **changes: Any) -> Deferred[None]:
        self.server = Server([answer])
        model = resolved(api="anthropic-messages", base_url="https://model.test", **changes)
        message = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
        asking = AnthropicModel(model=model, client=self.server, clock=self.clock)
        return asking.stream(ModelRequest(system="Be kind.", messages=[message]), self.events.append)

    def answered(self, data: bytes) -> None:
        answer = Answer()
        done = self.ask(answer)
        answer.say(data)
        answer.end()
        self.successResultOf(done)

    def broken(self, data: bytes, *, code: int = 200, cut: bool = False) -> Exception:
        answer = Answer(code=code)
        done = self.ask(answer)
        answer.say(data)
        answer.cut() if cut else answer.end()
        error = self.failureResultOf(done).value
        assert isinstance(error, Exception)
        return error


class StreamTests(AnthropicCase):
    def test_whole(self) -> None:
        """
        Text, the usage of both ends of the stream, then the stop.
        """
        self.answered(WHOLE)
        self.assertEqual(joined(self.events), "Grüße 漢🦞")
        self.assertEqual(usages(self.events), [Usage(input=100, output=12, cache_read=20)])
        self.assertEqual(self.events[-1], Stop("stop"))

    def test_any_byte(self) -> None:
        """
        A stream that is cut in two packets at any byte says the same.
        """
        for cut in range(1, len(WHOLE)):
            self.events = []
            answer = Answer()
            done = self.ask(answer)
            answer.say(WHOLE[:cut], WHOLE[cut:])
            answer.end()
            self.successResultOf(done)
            self.assertEqual((joined(self.events), self.events[-1]), ("Grüße 漢🦞", Stop("stop")))

    def test_tool_call(self) -> None:
        """
        Arguments come in pieces, and none means no arguments.
        """
        parts = [{"type": "input_json_delta", "partial_json": part} for part in ('{"comm', 'and":"ls"}')]
        first = block(0, {"type": "tool_use", "id": "c1", "name": "exec"}, *parts)
        second = block(1, {"type": "tool_use", "id": "c2", "name": "list"})
        self.answered(sse(START, *first, *second, ending("tool_use"), STOP, named=True))
        calls = [event for event in self.events if isinstance(event, ToolCall)]
        self.assertEqual(calls, [ToolCall("c1", "exec", {"command": "ls"}), ToolCall("c2", "list", {})])
        self.assertEqual(self.events[-1], Stop("toolUse"))

    def test_thinking(self) -> None:
        """
        Reasoning comes with the provider's signature.
        """
        deltas = [{"type": "thinking_delta", "thinking": "hm"}, {"type": "signature_delta", "signature": "sig"}]
        thought = block(0, {"type": "thinking"}, *deltas)
        self.answered(sse(START, *thought, *text("Yes"), ending("end_turn"), STOP, named=True))
        self.assertEqual(self.events[:2], [ThinkingDelta("hm"), ThinkingDelta("", "sig")])

    def test_headers(self) -> None:
        """
        A key goes in the API's own header, a subscription's token as a bearer.
        """
        for key, name in (("sk-ant-api", "x-api-key"), ("sk-ant-oat01", "authorization")):
            answer = Answer()
            done = self.ask(answer, api_key=key)
            answer.say(WHOLE)
            answer.end()
            self.successResultOf(done)
            ((line, headers, _),) = self.server.requests
            self.assertEqual(line, "POST https://model.test/v1/messages")
            self.assertEqual(headers["anthropic-version"], ["2023-06-01"])
            self.assertEqual({"x-api-key", "authorization"} & set(headers), {name})


class FailureTests(AnthropicCase):
    def test_statuses(self) -> None:
        """
        400 and 401 end a run, 429 and 529 are worth another try.
        """
        for code, transient in ((400, False), (401, False), (429, True), (529, True)):
            error = self.broken(b'{"type":"error","error":{"type":"x","message":"mock"}}', code=code)
            assert isinstance(error, ProviderRefused)
            self.assertEqual((str(error), error.transient), (f"HTTP {code}: mock", transient))

    def test_cut(self) -> None:
        """
        A stream without its end is broken.
        """
        half = sse(START, *text("Hel"), named=True)
        self.assertIsInstance(self.broken(half, cut=True), StreamBroken)
        self.assertIsInstance(self.broken(half), StreamBroken)

    def test_odd_arguments(self) -> None:
        """
        What no store could keep reaches no tool: half of an emoji is made whole, too deep a nesting refused.
        """

        def written(arguments: str) -> bytes:
            delta = {"type": "input_json_delta", "partial_json": arguments}
            call = block(0, {"type": "tool_use", "id": "c1", "name": "exec"}, delta)
            return sse(START, *call, ending("tool_use"), STOP, named=True)

        self.assertIsInstance(self.broken(written('{"a":' * 300 + "{}" + "}" * 300)), StreamBroken)
        self.assertNotIn(ToolCall, map(type, self.events))
        self.answered(written('{"a":"x\\ud83d"}'))
        self.assertIn(ToolCall("c1", "exec", {"a": "x\ufffd"}), self.events)

    def test_garbage(self) -> None:
        """
        What is not the protocol is said to be so.
        """
        for data in (
            "hello",
            "[1]",
            "{}",
            '{"type":"content_block_start"}',
            '{"type":"content_block_delta","delta":3}',
        ):
            self.assertIsInstance(self.broken(sse(data)), GarbledAnswer, data)

    def test_errors_in_stream(self) -> None:
        """
        An overload inside a stream is worth another try; a refusal is not.
        """
        overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        self.assertIsInstance(self.broken(sse(START, overloaded)), ProviderOverloaded)
        self.assertIsInstance(self.broken(sse(START, ending("refusal"))), AnswerRefused)


class BodyTests(SynchronousTestCase):
    def request(self, *messages: Mapping[str, Any], **changes: Any) -> ModelRequest:
        return ModelRequest(system="Be kind.", messages=messages, **changes)

    def test_roles_alternate(self) -> None:
        """
        Neighbours of one role become one turn, a conversation begins with the user, the last part is marked for the
        provider's cache.
        """
        said = {"role": "assistant", "content": [{"type": "text", "text": "a"}]}
        result = {"role": "toolResult", "toolCallId": "c1", "content": [{"type": "text", "text": "r"}], "isError": True}
        asked = {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": " "}]}
        body = request_body(resolved(api="anthropic-messages"), self.request(said, result, asked))
        self.assertEqual([turn["role"] for turn in body["messages"]], ["user", "assistant", "user"])
        first, last = body["messages"][-1]["content"]
        self.assertEqual((first["type"], first["is_error"]), ("tool_result", True))
        self.assertEqual(last, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}})
        self.assertEqual(body["system"][0]["cache_control"], {"type": "ephemeral"})

    def test_cache_for_an_hour(self) -> None:
        """
        How long the provider keeps the prompt can be configured for a model.
        """
        models = {"anthropic/claude-opus-4-5": {"params": {"cacheControlTtl": "1h"}}}
        config = build({"agents": {"defaults": {"models": models}}})
        environ = {"ANTHROPIC_API_KEY": "sk-ant-test"}
        message = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
        for ref, mark in (("claude-opus-4-5", {"ttl": "1h"}), ("claude-haiku-4-5", {})):
            model = resolve_model(config, environ, parse_ref(f"anthropic/{ref}"))
            body = request_body(model, self.request(message))
            for part in (body["system"][0], body["messages"][0]["content"][0]):
                self.assertEqual(part["cache_control"], {"type": "ephemeral", **mark})

    def test_budget(self) -> None:
        """
        Reasoning has a budget on top of the answer, within what the model can write; ``off`` sends nothing.
        """
        message = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
        model = resolved(api="anthropic-messages", reasoning=True, max_tokens=64_000)
        body = request_body(model, self.request(message, thinking="medium"))
        self.assertEqual((body["thinking"]["budget_tokens"], body["max_tokens"]), (8_192, 32_000 + 8_192))
        self.assertNotIn("thinking", request_body(model, self.request(message, thinking="off")))
        small = resolved(api="anthropic-messages", reasoning=True, max_tokens=4_096)
        body = request_body(small, self.request(message, thinking="high"))
        self.assertTrue(1_024 <= body["thinking"]["budget_tokens"] < body["max_tokens"] <= 4_096)
