"""
``openai-completions`` against a server in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from openclaw.agent.providers import http
from openclaw.agent.providers.base import (
    ModelEvent,
    ModelRequest,
    Stop,
    ThinkingDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from openclaw.agent.providers.errors import (
    AnswerRefused,
    GarbledAnswer,
    ProviderOverloaded,
    ProviderRefused,
    ProviderUnreachable,
    StreamBroken,
)
from openclaw.agent.providers.openai import OpenAIModel, request_body
from tests.agent.providers.serving import Answer, Server, in_units, joined, resolved, sse, usages

RECORDED: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "session-model-request.json").read_text(encoding="utf-8")
)


def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


USAGE = {
    "choices": [],
    "usage": {"prompt_tokens": 120, "completion_tokens": 12, "prompt_tokens_details": {"cached_tokens": 20}},
}
WHOLE = sse(
    chunk({"role": "assistant", "content": ""}), chunk({"content": "Grüße 漢🦞"}), chunk({}, "stop"), USAGE, "[DONE]"
)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


class OpenAICase(SynchronousTestCase):
    """
    The base of these tests: one model, one server.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.events: list[ModelEvent] = []
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def ask(self, answer: Answer | Exception) -> Deferred[None]:
        self.server = Server([answer])
        model = OpenAIModel(model=resolved(), client=self.server, clock=self.clock)
        return model.stream(ModelRequest(system="Be kind.", messages=[user("hi")]), self.events.append)

    def answered(self, data: bytes) -> None:
        self.events = []
        answer = Answer()
        done = self.ask(answer)
        answer.say(data)
        answer.end()
        self.successResultOf(done)


class StreamTests(OpenAICase):
    def test_whole(self) -> None:
        """
        Text, usage without what was cached, then the stop.
        """
        answer = Answer()
        done = self.ask(answer)
        answer.say(WHOLE)
        answer.end()
        self.successResultOf(done)
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

    def test_request(self) -> None:
        """
        The key goes in a header, the address is the base's.
        """
        answer = Answer()
        done = self.ask(answer)
        answer.say(WHOLE)
        answer.end()
        self.successResultOf(done)
        ((line, headers, body),) = self.server.requests
        self.assertEqual(line, "POST http://model.test/v1/chat/completions")
        self.assertEqual(headers["authorization"], ["Bearer sk-mock"])
        self.assertTrue(body["stream"])

    def test_tool_calls(self) -> None:
        """
        Arguments come in pieces; calls are told when they are whole, and the stop says that tools are wanted.
        """
        call = {"index": 0, "id": "c1", "function": {"name": "exec", "arguments": '{"comm'}}
        more = {"index": 0, "function": {"arguments": 'and":"ls"}'}}
        answer = Answer()
        done = self.ask(answer)
        answer.say(sse(chunk({"tool_calls": [call]}), chunk({"tool_calls": [more]}), chunk({}, "tool_calls"), "[DONE]"))
        answer.end()
        self.successResultOf(done)
        self.assertEqual(self.events, [ToolCall("c1", "exec", {"command": "ls"}), Stop("toolUse")])

    def calls(self, *parts: Mapping[str, Any]) -> list[ToolCall]:
        answer = Answer()
        done = self.ask(answer)
        answer.say(sse(*(chunk({"tool_calls": [part]}) for part in parts), chunk({}, "tool_calls"), "[DONE]"))
        answer.end()
        self.successResultOf(done)
        return [event for event in self.events if isinstance(event, ToolCall)]

    def test_calls_told_apart(self) -> None:
        """
        Calls are told apart by index or by id, whichever a server gives; parts without either belong to the last.
        """
        one = {"id": "c1", "function": {"name": "a", "arguments": "{"}}
        more = {"function": {"arguments": "}"}}
        two = {"id": "c2", "function": {"name": "b", "arguments": {"x": 1}}}
        wanted = [ToolCall("c1", "a", {}), ToolCall("c2", "b", {"x": 1})]
        for index in ({}, {"index": 0}):
            self.events = []
            self.assertEqual(self.calls({**one, **index}, {**more, **index}, {**two, **index}), wanted)
        self.events = []
        mixed = [{**one, "index": 0}, {**two, "index": 1}, {**more, "index": 0}]
        self.assertEqual(self.calls(*mixed), wanted)
        self.events = []
        self.assertEqual(self.calls({**one, "id": ""}, {**more, "id": ""}), [ToolCall("", "a", {})])

    def test_reasoning(self) -> None:
        """
        The first reasoning field that is not empty counts, and its name is kept.
        """
        answer = Answer()
        done = self.ask(answer)
        answer.say(sse(chunk({"reasoning_content": "", "reasoning": "hm"}), chunk({"content": "x"}, "stop"), "[DONE]"))
        answer.end()
        self.successResultOf(done)
        self.assertEqual(self.events[0], ThinkingDelta("hm", "reasoning"))

    def test_held_open(self) -> None:
        """
        A server that keeps the connection open after its last event does not hold the answer up.
        """
        answer = Answer()
        done = self.ask(answer)
        answer.say(WHOLE)
        self.successResultOf(done)
        self.clock.advance(10)
        self.assertTrue(answer.transport.aborted)

    def test_cancel(self) -> None:
        """
        Cancelling frees the connection, and nothing more is told.
        """
        answer = Answer()
        done = self.ask(answer)
        answer.say(sse(chunk({"content": "a"})))
        done.cancel()
        self.failureResultOf(done)
        self.assertTrue(answer.transport.aborted)
        answer.say(sse(chunk({"content": "b"})))
        self.assertEqual(joined(self.events), "a")


class FailureTests(OpenAICase):
    def refused(self, code: int, body: bytes, **headers: str) -> ProviderRefused:
        raw = Headers({name.replace("_", "-"): [value] for name, value in headers.items()})
        answer = Answer(code=code, headers=raw)
        done = self.ask(answer)
        answer.say(body)
        answer.end()
        error = self.failureResultOf(done, ProviderRefused).value
        assert isinstance(error, ProviderRefused)
        return error

    def test_statuses(self) -> None:
        """
        400 and 401 end a run, 429 and 500 are worth another try; each tells what the provider said.
        """
        for code, transient in ((400, False), (401, False), (429, True), (500, True)):
            error = self.refused(code, b'{"error":{"message":"mock error"}}')
            self.assertEqual((str(error), error.transient), (f"HTTP {code}: mock error", transient))

    def test_retry_after(self) -> None:
        """
        What a provider asks to wait is known, in seconds or milliseconds.
        """
        self.assertEqual(self.refused(429, b"", retry_after="3").retry_after, 3)
        self.assertEqual(self.refused(429, b"", retry_after_ms="1500").retry_after, 1.5)
        self.assertIsNone(self.refused(429, b"", retry_after="soon").retry_after)
        self.assertIsNone(self.refused(429, b"", retry_after="nan").retry_after)
        self.clock.advance(784111777)
        self.assertEqual(self.refused(429, b"", retry_after="Sun, 06 Nov 1994 08:49:57 GMT").retry_after, 20)
        self.assertEqual(self.refused(429, b"", retry_after="Sun, 06 Nov 1994 08:00:00 GMT").retry_after, 0)

    def test_endless_explanation(self) -> None:
        """
        A server that does not finish explaining its refusal is not waited for.
        """
        answer = Answer(code=429, headers=Headers({"retry-after": ["3"]}))
        done = self.ask(answer)
        answer.say(b"slow")
        self.assertNoResult(done)
        self.clock.advance(5)
        error = self.failureResultOf(done, ProviderRefused).value
        self.assertEqual((str(error), error.retry_after), ("HTTP 429: slow", 3))
        self.assertTrue(answer.transport.aborted)

    def test_error_page(self) -> None:
        """
        An error that is not JSON is told in one line, and a huge one is not read to its end.
        """
        error = self.refused(502, b"<html>\n bad gateway\n</html>" + b" x" * 100_000)
        self.assertTrue(str(error).startswith("HTTP 502: <html> bad gateway </html>"))
        self.assertLess(len(str(error)), 600)

    def test_deep_error(self) -> None:
        """
        An error that is nested too deep to be written again is told as it came.
        """
        error = self.refused(400, b'{"error":' * 300 + b"1" + b"}" * 300)
        self.assertTrue(str(error).startswith('HTTP 400: {"error":{"error":'))

    def test_unreachable(self) -> None:
        """
        No connection is worth another try.
        """
        error = self.failureResultOf(self.ask(ConnectError()), ProviderUnreachable).value
        self.assertTrue(error.transient)

    def broken(self, *pieces: bytes, cut: bool = False) -> Exception:
        answer = Answer()
        done = self.ask(answer)
        answer.say(*pieces)
        answer.cut() if cut else answer.end()
        error = self.failureResultOf(done).value
        assert isinstance(error, Exception)
        return error

    def test_cut(self) -> None:
        """
        A stream without its end is broken, whether the connection was lost or closed in good order.
        """
        self.assertIsInstance(self.broken(sse(chunk({"content": "a"})), cut=True), StreamBroken)
        self.assertIsInstance(self.broken(sse(chunk({"content": "a"}))), StreamBroken)
        self.assertIsInstance(self.broken(b""), StreamBroken)

    def test_garbage(self) -> None:
        """
        What is not the protocol is said to be so, whatever it is.
        """
        for data in ("hello", "[1]", '"x"', '{"choices":[7]}', '{"choices":[{"delta":{"content":7}}]}'):
            self.assertIsInstance(self.broken(sse(data)), GarbledAnswer, data)

    def test_error_in_stream(self) -> None:
        """
        An error inside a stream is told; an overload is worth another try.
        """
        overloaded = self.broken(sse({"error": {"message": "busy", "type": "server_error"}}))
        self.assertIsInstance(overloaded, ProviderOverloaded)
        self.assertIsInstance(self.broken(sse({"error": {"message": "no"}})), AnswerRefused)
        self.assertIsInstance(self.broken(sse(chunk({}, "content_filter"))), AnswerRefused)
        half = self.broken(in_units({"error": {"message": "no\ud83d"}}))
        self.assertEqual((type(half), str(half)), (AnswerRefused, "no\ufffd"))

    def test_half_arguments(self) -> None:
        """
        A tool is never called with half its arguments.
        """
        call = {"index": 0, "id": "c1", "function": {"name": "exec", "arguments": '{"comm'}}
        error = self.broken(sse(chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), "[DONE]"))
        self.assertIsInstance(error, StreamBroken)
        self.assertNotIn(ToolCall, map(type, self.events))
        error = self.broken(sse(chunk({"tool_calls": [call]}), chunk({}, "length"), "[DONE]"))
        self.assertIsInstance(error, AnswerRefused)

    def test_odd_arguments(self) -> None:
        """
        What no store could keep reaches no tool: half of an emoji is made whole, too deep a nesting refused.
        """

        def written(arguments: str) -> bytes:
            call = {"index": 0, "id": "c1", "function": {"name": "exec", "arguments": arguments}}
            return sse(chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), "[DONE]")

        for levels in (200, 300, 100_000):
            self.assertIsInstance(self.broken(written('{"a":' * levels + "{}" + "}" * levels)), StreamBroken)
        self.assertNotIn(ToolCall, map(type, self.events))
        answer = Answer()
        done = self.ask(answer)
        answer.say(written('{"a":"x\\ud83d"}'))
        answer.end()
        self.successResultOf(done)
        self.assertIn(ToolCall("c1", "exec", {"a": "x\ufffd"}), self.events)

    def test_endless(self) -> None:
        """
        An answer that does not end is not read for ever.
        """
        self.patch(http, "MAX_ANSWER_BYTES", 1000)
        answer = Answer()
        done = self.ask(answer)
        for _ in range(30):
            answer.say(sse(chunk({"content": "a"})))
        self.failureResultOf(done, GarbledAnswer)
        self.assertTrue(answer.transport.aborted)


class BodyTests(SynchronousTestCase):
    def test_tool_turn(self) -> None:
        """
        A conversation with tools is asked as recorded.
        """
        recorded = RECORDED["toolTurn"]
        messages = [_transcript(message) for message in recorded["messages"][1:]]
        request = ModelRequest(system="<SYSTEM_PROMPT>", messages=messages, tools=[TOOL])
        body = request_body(resolved(), request)
        self.assertEqual(_arguments_read({**body, "tools": None}), _arguments_read({**recorded, "tools": None}))
        self.assertEqual(body["tools"][0]["function"]["name"], "exec")

    def test_reasoning_turn(self) -> None:
        """
        A model that reasons is told how hard, and gets its instructions from the developer.
        """
        recorded = RECORDED["reasoningTurn"]
        messages = [_transcript(message) for message in recorded["messages"][1:]]
        request = ModelRequest(system="<SYSTEM_PROMPT>", messages=messages, thinking="medium", tools=[TOOL])
        body = request_body(resolved(model_id="mock-r", reasoning=True, max_tokens=4096), request)
        self.assertEqual({**body, "tools": None}, {**recorded, "tools": None})

    def test_image(self) -> None:
        """
        A picture goes as a data URL beside the text.
        """
        recorded = RECORDED["imageTurnLastMessage"]
        head, data = recorded["content"][1]["image_url"]["url"].split(";base64,")
        image = {"type": "image", "mimeType": head.removeprefix("data:"), "data": data}
        message = {"role": "user", "content": [recorded["content"][0], image]}
        seeing = resolved(inputs=("text", "image"))
        body = request_body(seeing, ModelRequest(system="", messages=[message]))
        self.assertEqual(body["messages"], [recorded])
        (sent,) = request_body(resolved(), ModelRequest(system="", messages=[message]))["messages"]
        self.assertEqual([part["type"] for part in sent["content"]], ["text", "text"])

    def test_foreign_thinking(self) -> None:
        """
        Another model's reasoning becomes plain text; a model's own goes back where it came from.
        """
        block = {"type": "thinking", "thinking": "hm", "thinkingSignature": "reasoning_content"}
        for model, wanted in (("mock-1", {"reasoning_content": "hm"}), ("other", {})):
            message = {"role": "assistant", "provider": "mock", "model": model, "content": [block]}
            (sent,) = request_body(resolved(), ModelRequest(system="", messages=[message]))["messages"]
            self.assertEqual({name: sent[name] for name in sent if name == "reasoning_content"}, wanted)
            self.assertEqual(bool(sent["content"]), not wanted)


TOOL = ToolSpec(name="exec", description="Run a command.", parameters={"type": "object"})


def _transcript(sent: Mapping[str, Any]) -> dict[str, Any]:
    """
    The transcript message that a recorded one was made of.
    """
    if sent["role"] == "tool":
        content = [{"type": "text", "text": sent["content"]}]
        return {"role": "toolResult", "toolCallId": sent["tool_call_id"], "content": content}
    blocks = list(sent["content"] or ())
    for call in sent.get("tool_calls", ()):
        function = call["function"]
        arguments = json.loads(function["arguments"])
        blocks.append({"type": "toolCall", "id": call["id"], "name": function["name"], "arguments": arguments})
    return {"role": sent["role"], "content": blocks, "provider": "mock", "model": "mock-1"}


def _arguments_read(body: Mapping[str, Any]) -> Any:
    """
    A body whose JSON inside JSON is read, so that blanks in it do not count.
    """
    messages = json.loads(json.dumps(body["messages"]))
    for message in messages:
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return {**body, "messages": messages}
