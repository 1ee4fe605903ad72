"""
``/v1/chat/completions`` over a whole gateway.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from openclaw.agent.providers.base import Stop, TextDelta, ToolCall
from openclaw.agent.providers.errors import ProviderRefused
from openclaw.testing.gateway import TOKEN, MemoryGateway
from openclaw.testing.model import Step, said
from openclaw.web.channel import IDLE_SECONDS
from tests.harness.http import ask, events, open_line, send, whole
from tests.harness.models import RecordedExec
from tests.web.asking import parsed
from tests.web.openai.case import BEARER, CALLS, HttpCase

PATH = "/v1/chat/completions"
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
SESSION = "agent:main:openai-user:u"
PNG = b64encode(b"\x89PNG\r\n\x1a\n and the rest").decode()


class ChatCase(HttpCase):
    path = PATH

    def say(self, gateway: MemoryGateway, text: str = "hi", **more: Any) -> Any:
        answer = self.post(gateway, {"messages": [{"role": "user", "content": text}], **more})
        self.assertEqual(answer.status, 200, answer.body)
        return events(answer) if more.get("stream") else answer.value


class AnswerTests(ChatCase):
    def test_one_answer(self) -> None:
        """
        The whole text, with the tokens that it took.
        """
        value = self.say(self.gateway(), model="gpt-4o")
        self.assertTrue(value["id"].startswith("chatcmpl_"))
        self.assertEqual((value["object"], value["model"]), ("chat.completion", "gpt-4o"))
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello world"}, "finish_reason": "stop"}
        self.assertEqual(value["choices"], [choice])
        self.assertEqual(value["usage"]["prompt_tokens"], 10)
        self.assertEqual(value["usage"]["completion_tokens"], 2)
        self.assertEqual(value["usage"]["total_tokens"], 12)

    def test_stream(self) -> None:
        """
        A role, pieces, and how it ended; the numbers only where they are asked for.
        """
        asked: tuple[dict[str, Any], ...] = ({}, {"stream_options": {"include_usage": True}})
        for options in asked:
            chunks = self.say(self.gateway([TextDelta("Hello"), 1.0, *said(" world")]), stream=True, **options)
            self.assertEqual(chunks[-1], "[DONE]")
            deltas = [chunk["choices"][0] for chunk in chunks[:-1] if chunk["choices"]]
            self.assertEqual(deltas[0], {"index": 0, "delta": {"role": "assistant"}})
            self.assertEqual([one["delta"].get("content") for one in deltas[1:]], ["Hello", " world", None])
            self.assertEqual(deltas[-1], {"index": 0, "delta": {}, "finish_reason": "stop"})
            told = [chunk["usage"]["total_tokens"] for chunk in chunks[:-1] if "usage" in chunk]
            self.assertEqual(told, [11] if options else [])
            self.assertEqual(len({chunk["id"] for chunk in chunks[:-1]}), 1)

    def test_nothing_said(self) -> None:
        """
        Who says nothing is answered for, in both forms.
        """
        for answer in (said(""), said("NO_REPLY")):
            self.assertEqual(
                self.say(self.gateway(answer))["choices"][0]["message"]["content"], "No response from OpenClaw."
            )
            chunks = self.say(self.gateway(answer), stream=True)
            self.assertEqual(chunks[1]["choices"][0]["delta"], {"content": "No response from OpenClaw."})
            self.assertEqual(chunks[2]["choices"][0]["finish_reason"], "stop")

    def test_several_messages(self) -> None:
        """
        What is said before and after a tool is told apart by a blank line, in both forms.
        """
        tool = RecordedExec()
        first: list[Step] = [
            TextDelta("Before."),
            ToolCall("c", tool.spec.name, {"command": "echo x"}),
            Stop("toolUse"),
        ]
        for stream in (False, True):
            gateway = self.gateway(first, said("After."), tools=[tool])
            told = self.say(gateway, stream=stream)
            if stream:
                text = "".join(c["choices"][0]["delta"].get("content", "") for c in told[:-1])
            else:
                text = told["choices"][0]["message"]["content"]
            self.assertEqual(text, "Before.\n\nAfter.")

    def test_seen_by_others(self) -> None:
        """
        Clients that are connected see the run under the same id.
        """
        gateway = self.gateway()
        client = gateway.connected()
        value = self.say(gateway)
        ends = [event["payload"] for event in client.events("chat") if event["payload"]["state"] == "final"]
        self.assertEqual([end["runId"] for end in ends], [value["id"]])

    def test_once(self) -> None:
        """
        A second request with the key of a first one gets the answer of the first.
        """
        gateway = self.gateway(said("one"), said("two"))
        body = {"messages": [{"role": "user", "content": "hi"}]}
        told = [self.post(gateway, body, {"Idempotency-Key": key}).value for key in ("k1", "k1", "k2")]
        self.assertEqual([value["choices"][0]["message"]["content"] for value in told], ["one", "one", "two"])
        self.assertEqual(told[0]["id"], told[1]["id"])


class FailureTests(ChatCase):
    def test_refused_by_the_model(self) -> None:
        """
        A run that failed is an error, which clients do not try again by themselves.
        """
        gateway = self.gateway([ProviderRefused("mock bad request", status=400)])
        answer = self.post(gateway, {"messages": [{"role": "user", "content": "hi"}]})
        self.assertEqual((answer.status, answer.headers["x-should-retry"]), (502, "false"))
        self.assertEqual(answer.value["error"]["type"], "api_error")
        self.assertIn("mock bad request", answer.value["error"]["message"])

    def test_refused_in_a_stream(self) -> None:
        gateway = self.gateway([TextDelta("Hel"), 1.0, ProviderRefused("mock bad request", status=400)])
        chunks = self.say(gateway, stream=True)
        self.assertIn("mock bad request", chunks[-2]["error"]["message"])
        self.assertEqual(chunks[-1], "[DONE]")

    def test_too_late(self) -> None:
        """
        The agent's own time limit is another status.
        """
        gateway = self.gateway([1e6], config={"agents": {"defaults": {"timeoutSeconds": 5}}})
        answer = self.post(gateway, {"messages": [{"role": "user", "content": "hi"}]})
        self.assertEqual(answer.status, 504)

    def test_aborted(self) -> None:
        """
        A run that somebody else ended is no answer.
        """
        gateway = self.gateway([1e6])
        line = send(
            gateway, "POST", PATH, headers=BEARER, body={"user": "u", "messages": [{"role": "user", "content": "x"}]}
        )
        gateway.advance(1)
        client = gateway.connected()
        client.call("chat.abort", {"sessionKey": SESSION})
        gateway.advance(1)
        self.assertTrue(line.received.startswith(b"HTTP/1.1 502 "))

    def test_what_cannot_be_understood(self) -> None:
        gateway = self.gateway()
        user = {"role": "user", "content": "hi"}
        for body, text in (
            ("{", "SyntaxError: "),
            ("", "Missing user message in `messages`."),
            ("null", "Missing user message"),
            ({"messages": [{"role": "system", "content": "only"}]}, "Missing user message"),
            ({"messages": [{"role": "user", "content": "  "}]}, "Missing user message"),
            ({"messages": [user], "tool_choice": "required"}, "Error: tool_choice=required but no tools were provided"),
            ({"messages": [user], "tools": "x"}, "tools: Invalid input"),
            ({"messages": [user], "tools": [{"type": "function", "function": {}}]}, "tools.0.function.name: "),
        ):
            answer = self.post(gateway, body)
            self.assertEqual((answer.status, answer.value["error"]["type"]), (400, "invalid_request_error"), body)
            self.assertTrue(answer.value["error"]["message"].startswith(text), answer.value)
        self.assertEqual(gateway.model.requests, [])

    def test_unknown_agent(self) -> None:
        """
        Nothing is made for an agent that is not there.
        """
        gateway = self.gateway()
        answer = self.post(gateway, {"model": "openclaw:nobody", "messages": [{"role": "user", "content": "hi"}]})
        self.assertEqual((answer.status, answer.value["error"]["message"]), (404, 'Unknown agent id "nobody".'))
        self.assertFalse((gateway.directory / "agents").exists())

    def test_stopping(self) -> None:
        """
        A gateway that stops takes no more, and says when to ask again.
        """
        gateway = self.gateway()
        line = open_line(gateway)
        gateway.service.agents.drain()
        send(gateway, "POST", PATH, headers=BEARER, body={"messages": [{"role": "user", "content": "x"}]}, line=line)
        self.assertTrue(line.received.startswith(b"HTTP/1.1 503 "))
        self.assertIn(b"retry-after: 2", line.received.lower())


class LeavingTests(ChatCase):
    def test_leaving(self) -> None:
        """
        A client that leaves ends its run, and the session says so.
        """
        for stream in (False, True):
            gateway = self.gateway([TextDelta("Hello"), 1e6])
            body = {"user": "u", "stream": stream, "messages": [{"role": "user", "content": "x"}]}
            line = send(gateway, "POST", PATH, headers=BEARER, body=body)
            gateway.advance(1)
            line.leave()
            gateway.advance(1)
            self.assertEqual(gateway.model.cancelled, 1)
            self.assertEqual(list(gateway.service.agents.active(SESSION)), [])
            session = self.successResultOf(gateway.store.read(lambda unit: unit.sessions.get(SESSION)))
            assert session is not None
            self.assertTrue(session.members["abortedLastRun"])

    def test_leaving_at_once(self) -> None:
        """
        Also one that is gone before its message is stored.
        """
        gateway = self.gateway([1e6])
        line = open_line(gateway)
        send(gateway, "POST", PATH, headers=BEARER, body={"messages": [{"role": "user", "content": "x"}]}, line=line)
        line.leave()
        gateway.advance(1)
        self.assertEqual(self.successResultOf(gateway.store.read(lambda unit: list(unit.runs.unfinished()))), [])

    def test_client_that_takes_nothing(self) -> None:
        """
        It is cut off after a minute, and its run is ended; until then the model may go on.
        """
        gateway = self.gateway([TextDelta("Hello"), 1.0, TextDelta(" world"), 1e6])
        body = {"user": "u", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        line = send(gateway, "POST", PATH, headers=BEARER, body=body)
        gateway.advance(0.5)
        self.assertIn(b"Hello", line.received)
        gateway.channels()[-1].pauseProducing()
        gateway.advance(2)
        self.assertNotIn(b"world", line.received)
        gateway.advance(IDLE_SECONDS - 3)
        self.assertEqual((line.ended, gateway.model.cancelled), (False, 0))
        gateway.advance(2)
        self.assertEqual((line.ended, gateway.model.cancelled), (True, 1))
        session = self.successResultOf(gateway.store.read(lambda unit: unit.sessions.get(SESSION)))
        assert session is not None
        self.assertTrue(session.members["abortedLastRun"])

    def test_slow_client(self) -> None:
        """
        What it did not take comes when it goes on, in order and to the end.
        """
        gateway = self.gateway([TextDelta("a"), 1.0, TextDelta("b"), 1.0, *said("c")])
        line = send(
            gateway, "POST", PATH, headers=BEARER, body={"stream": True, "messages": [{"role": "user", "content": "x"}]}
        )
        gateway.advance(0.5)
        channel = gateway.channels()[-1]
        channel.pauseProducing()
        gateway.advance(5)
        self.assertNotIn(b"[DONE]", line.received)
        channel.resumeProducing()
        gateway.advance_until(lambda: whole(line), 10.0)
        text = "".join(value["choices"][0]["delta"].get("content", "") for value in events(parsed(line.received))[:-1])
        self.assertEqual(text, "abc")

    def test_keeping_alive(self) -> None:
        """
        A stream on which nothing happens says now and then that it is there.
        """
        gateway = self.gateway([40.0, *said("late")])
        answer = self.post(gateway, {"stream": True, "messages": [{"role": "user", "content": "x"}]})
        self.assertEqual(answer.text.count(": still here\n\n"), 2)


class ToolTests(ChatCase):
    """
    Functions that the client does by itself.
    """

    def ask_weather(self, gateway: MemoryGateway, **more: Any) -> Any:
        return self.say(gateway, "weather?", user="ann", tools=[WEATHER], **more)

    def test_call(self) -> None:
        """
        The run ends with the call; its result goes on from there, as the result of that call.
        """
        gateway = self.gateway(CALLS, said("It is sunny."))
        choice = self.ask_weather(gateway)["choices"][0]
        self.assertEqual((choice["finish_reason"], choice["message"]["content"]), ("tool_calls", "Let me look."))
        (call,) = choice["message"]["tool_calls"]
        self.assertEqual(call["function"], {"name": "get_weather", "arguments": '{"city":"Paris"}'})
        self.assertEqual(len(gateway.model.requests), 1)
        messages = [
            {"role": "user", "content": "weather?"},
            choice["message"],
            {"role": "tool", "tool_call_id": call["id"], "content": "sunny"},
        ]
        answer = self.post(gateway, {"user": "ann", "tools": [WEATHER], "messages": messages})
        self.assertEqual(answer.value["choices"][0]["message"]["content"], "It is sunny.")
        told = gateway.model.requests[1].messages
        self.assertEqual([message["role"] for message in told], ["user", "assistant", "toolResult"])
        self.assertEqual((told[2]["toolCallId"], told[2]["content"][0]["text"]), ("call_1", "sunny"))

    def test_stream(self) -> None:
        chunks = self.ask_weather(self.gateway(CALLS), stream=True)
        deltas = [chunk["choices"][0] for chunk in chunks[:-1]]
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
        }
        self.assertEqual(deltas[-2]["delta"], {"tool_calls": [{"index": 0, **call}]})
        self.assertEqual(deltas[-1]["finish_reason"], "tool_calls")
        self.assertEqual(deltas[1]["delta"], {"content": "Let me look."})

    def test_without_a_session(self) -> None:
        """
        Where nothing is remembered the result is told as text.
        """
        gateway = self.gateway(said("Sunny."))
        messages = [
            {"role": "user", "content": "weather?"},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        ]
        self.post(gateway, {"tools": [WEATHER], "messages": messages})
        (message,) = gateway.model.requests[0].messages
        self.assertTrue(message["content"][0]["text"].endswith("[Current message - respond to this]\nTool: sunny"))

    def test_ours_first(self) -> None:
        """
        Where both are called the gateway's tool is done; a function of the client with its name is not the client's.
        """
        tool = RecordedExec()
        both: list[Step] = [
            ToolCall("a", tool.spec.name, {"command": "echo x"}),
            ToolCall("b", "get_weather", {}),
            Stop("toolUse"),
        ]
        gateway = self.gateway(both, said("done"), tools=[tool])
        shadow = {"type": "function", "function": {"name": tool.spec.name}}
        value = self.say(gateway, tools=[WEATHER, shadow], user="u")
        self.assertEqual([c["id"] for c in value["choices"][0]["message"]["tool_calls"]], ["b"])
        self.assertEqual([spec.name for spec in gateway.model.requests[0].tools], [tool.spec.name, "get_weather"])
        result = {"role": "tool", "tool_call_id": "b", "content": "sunny"}
        self.post(gateway, {"user": "u", "messages": [result]})
        roles = [message["role"] for message in gateway.model.requests[1].messages]
        self.assertEqual(roles, ["user", "assistant", "toolResult", "toolResult"])

    def test_choice(self) -> None:
        """
        Whether and which.
        """
        other = {"type": "function", "function": {"name": "other"}}
        for choice, names, sentence in (
            ("auto", ["get_weather", "other"], None),
            ("none", [], None),
            ("required", ["get_weather", "other"], "You must call one of the available tools before responding."),
            ({"type": "function", "function": {"name": "other"}}, ["other"], "You must call the tool other before"),
        ):
            gateway = self.gateway()
            self.say(gateway, tools=[WEATHER, other], tool_choice=choice)
            (request,) = gateway.model.requests
            self.assertEqual([spec.name for spec in request.tools], names)
            self.assertEqual("You must call" in request.system, sentence is not None)
            self.assertIn(sentence or "", request.system)

    def test_forgotten(self) -> None:
        """
        A question instead of the result is answered, too.
        """
        gateway = self.gateway(CALLS, said("As you like."))
        self.ask_weather(gateway)
        self.say(gateway, "never mind", user="ann")
        told = gateway.model.requests[1].messages
        self.assertEqual([message["role"] for message in told], ["user", "assistant", "toolResult", "user"])
        self.assertTrue(told[2]["isError"])


class PictureTests(ChatCase):
    def test_picture(self) -> None:
        """
        A picture goes to the model; what is none is left out.
        """
        gateway = self.gateway()
        parts = [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,!"}},
            {"type": "image_url", "image_url": "x"},
        ]
        self.post(gateway, {"messages": [{"role": "user", "content": parts}]})
        (message,) = gateway.model.requests[0].messages
        self.assertEqual([block["type"] for block in message["content"]], ["text", "image"])
        self.assertEqual(message["content"][1]["data"], PNG)


class RouteTests(ChatCase):
    def test_secret(self) -> None:
        """
        The gateway's secret in one header and nowhere else.
        """
        gateway = self.gateway()
        body = {"messages": [{"role": "user", "content": "hi"}]}
        for path, headers in (
            (PATH, {}),
            (PATH, {"Authorization": "Bearer nope"}),
            (PATH, {"Authorization": f"Basic {TOKEN}"}),
            (PATH, {"x-api-key": TOKEN}),
            (f"{PATH}?token={TOKEN}", {}),
            ("/v1/models", {}),
        ):
            method = "GET" if path == "/v1/models" else "POST"
            answer = ask(gateway, method, path, headers=headers, body=body if method == "POST" else None)
            self.assertEqual(answer.status, 401, (path, headers))
            self.assertEqual(answer.value, {"error": {"message": "Unauthorized", "type": "unauthorized"}})
        self.assertEqual(gateway.model.requests, [])

    def test_methods(self) -> None:
        for method in ("GET", "PUT", "OPTIONS", "DELETE", "HEAD"):
            answer = ask(self.gateway(), method, PATH)
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST"), method)

    def test_unknown(self) -> None:
        """
        What is not there is told as JSON.
        """
        for path in ("/v1/", "/v1/chat/completions/", "/v1/embeddings", "/v1/responses/resp_1"):
            answer = ask(self.gateway(), "POST", path, headers=BEARER, body={})
            expected = {"error": {"message": "Not Found", "type": "invalid_request_error"}}
            self.assertEqual((answer.status, answer.value), (404, expected), path)

    def test_switched_off(self) -> None:
        off = {"enabled": False}
        gateway = self.gateway(config={"gateway": {"http": {"endpoints": {"chatCompletions": off}}}})
        self.assertEqual(ask(gateway, "POST", PATH, headers=BEARER, body={}).status, 404)

    def test_models(self) -> None:
        """
        The agents, one by one too.
        """
        gateway = self.gateway(config={"agents": {"list": [{"id": "main"}, {"id": "beta"}]}})
        value = ask(gateway, "GET", "/v1/models", headers=BEARER).value
        ids = [model["id"] for model in value["data"]]
        self.assertEqual((value["object"], ids), ("list", ["openclaw", "openclaw:main", "openclaw:beta"]))
        for name in ("openclaw:beta", "openclaw%3Abeta"):
            self.assertEqual(ask(gateway, "GET", f"/v1/models/{name}", headers=BEARER).value, value["data"][2])
        self.assertEqual(ask(gateway, "GET", "/v1/models/x", headers=BEARER).status, 404)
        self.assertEqual(ask(gateway, "POST", "/v1/models", headers=BEARER, body={}).status, 405)
