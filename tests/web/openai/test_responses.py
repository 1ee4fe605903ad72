"""
``/v1/responses`` over a whole gateway.
"""

from __future__ import annotations

from typing import Any

from openclaw.agent.providers.base import Stop, TextDelta, ToolCall
from openclaw.agent.providers.errors import ProviderRefused
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import said
from tests.harness.http import event_names, events
from tests.web.openai.case import CALLS, HttpCase

FLAT = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": True}
NESTED = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


class ResponsesCase(HttpCase):
    path = "/v1/responses"

    def ask(self, gateway: MemoryGateway, given: Any = "hi", **more: Any) -> Any:
        answer = self.post(gateway, {"model": "openclaw", "input": given, **more})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.value

    def stream(self, gateway: MemoryGateway, given: Any = "hi", **more: Any) -> tuple[list[str], list[Any]]:
        answer = self.post(gateway, {"model": "openclaw", "input": given, "stream": True, **more})
        values = events(answer)
        self.assertEqual(values[-1], "[DONE]")
        names = list(event_names(answer))
        self.assertEqual([value["type"] for value in values[:-1]], names)
        self.assertEqual([value["sequence_number"] for value in values[:-1]], list(range(len(names))))
        return names, values[:-1]


class AnswerTests(ResponsesCase):
    def test_one_answer(self) -> None:
        value = self.ask(self.gateway(), metadata={"a": "b"})
        self.assertTrue(value["id"].startswith("resp_"))
        self.assertEqual((value["status"], value["metadata"], value["error"]), ("completed", {"a": "b"}, None))
        (item,) = value["output"]
        self.assertEqual(
            (item["type"], item["role"], item["content"][0]["text"]), ("message", "assistant", "Hello world")
        )
        self.assertEqual(value["usage"]["total_tokens"], 12)

    def test_stream(self) -> None:
        """
        Each event in its place, and all of it in the last.
        """
        names, values = self.stream(self.gateway([TextDelta("Hello"), 1.0, *said(" world")]))
        self.assertEqual(
            names,
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.completed",
            ],
        )
        self.assertEqual([value.get("delta") for value in values[4:6]], ["Hello", " world"])
        self.assertEqual(values[6]["text"], "Hello world")
        last = values[-1]["response"]
        self.assertEqual(
            (last["status"], last["output"], last["id"]),
            ("completed", [values[8]["item"]], values[0]["response"]["id"]),
        )

    def test_nothing_said(self) -> None:
        text = "No response from OpenClaw."
        self.assertEqual(self.ask(self.gateway(said("")))["output"][0]["content"][0]["text"], text)
        _, values = self.stream(self.gateway(said("")))
        self.assertEqual(values[-1]["response"]["output"][0]["content"][0]["text"], text)

    def test_limit_of_tokens(self) -> None:
        gateway = self.gateway()
        self.ask(gateway, max_output_tokens=50)
        self.assertEqual(gateway.model.requests[0].max_output_tokens, 50)

    def test_instructions(self) -> None:
        """
        What counts for this run only goes before, and is not remembered.
        """
        gateway = self.gateway()
        given = [
            {"type": "message", "role": "developer", "content": "DEV"},
            {"role": "user", "content": [{"type": "input_text", "text": "q"}]},
        ]
        self.ask(gateway, given, instructions="INSTR", user="u")
        self.ask(gateway, "again", user="u")
        self.assertIn("INSTR\n\nDEV", gateway.model.requests[0].system)
        self.assertNotIn("INSTR", gateway.model.requests[1].system)
        self.assertEqual([m["role"] for m in gateway.model.requests[1].messages], ["user", "assistant", "user"])

    def test_sent_back(self) -> None:
        """
        What was answered is taken as input, with all that clients make of it.
        """
        gateway = self.gateway()
        item = {**self.ask(gateway)["output"][0], "phase": None, "x": 1}
        given = [
            {"role": "user", "content": "one"},
            item,
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None},
            {"type": "item_reference", "id": "x"},
            {"role": "user", "content": "two"},
        ]
        self.ask(gateway, given, include=[], text={"format": {"type": "text"}}, parallel_tool_calls=True, store=None)
        (message,) = gateway.model.requests[1].messages
        expected = (
            "[Chat messages since your last reply - for context]\nUser: one\nAssistant: Hello world\n\n"
            "[Current message - respond to this]\nUser: two"
        )
        self.assertEqual(message["content"][0]["text"], expected)


class FailureTests(ResponsesCase):
    def test_refused_by_the_model(self) -> None:
        """
        An error status with an error, which is a failed response too.
        """
        gateway = self.gateway([ProviderRefused("mock bad request", status=400)])
        answer = self.post(gateway, {"model": "openclaw", "input": "hi"})
        self.assertEqual((answer.status, answer.headers["x-should-retry"]), (502, "false"))
        self.assertEqual((answer.value["status"], answer.value["error"]["type"]), ("failed", "api_error"))
        self.assertIn("mock bad request", answer.value["error"]["message"])

    def test_refused_in_a_stream(self) -> None:
        """
        A failure ends the stream, and nothing says that it is complete.
        """
        names, values = self.stream(self.gateway([TextDelta("Hel"), 1.0, ProviderRefused("bad", status=400)]))
        self.assertEqual(names[-1], "response.failed")
        self.assertNotIn("response.completed", names)
        self.assertIn("bad", values[-1]["response"]["error"]["message"])

    def test_what_cannot_be_understood(self) -> None:
        gateway = self.gateway()
        image = {"type": "input_image", "source": {"type": "url", "url": "nope"}}
        for body, text in (
            ("[]", ": Invalid input: expected object, received array"),
            ("", "model: Invalid input: expected string, received undefined"),
            ({"model": "m"}, "input: Invalid input"),
            (
                {"model": "m", "input": "hi", "stream": "true"},
                "stream: Invalid input: expected boolean, received string",
            ),
            ({"model": "m", "input": "hi", "stream": None}, "stream: Invalid input: expected boolean, received null"),
            (
                {"model": "m", "input": "hi", "max_output_tokens": 0},
                "max_output_tokens: Too small: expected number to be >0",
            ),
            ({"model": "m", "input": "hi", "tool_choice": "maybe"}, "tool_choice: Invalid input"),
            (
                {"model": "m", "input": "hi", "metadata": {"a": 1}},
                "metadata.a: Invalid input: expected string, received number",
            ),
            ({"model": "m", "input": [{"type": "message", "role": "tool", "content": "hi"}]}, "input: Invalid input"),
            ({"model": "m", "input": [{"type": "mystery"}]}, "input: Invalid input"),
            (
                {"model": "m", "input": [{"role": "user", "content": [image]}]},
                "input.0.content.0.source.url: Invalid URL",
            ),
            ({"model": "m", "input": ""}, "Missing user message in `input`."),
            ({"model": "m", "input": "  "}, "Missing user message in `input`."),
            ({"model": "m", "input": []}, "Missing user message in `input`."),
        ):
            answer = self.post(gateway, body)
            self.assertEqual((answer.status, answer.value["error"]["message"]), (400, text), body)
        self.assertEqual(gateway.model.requests, [])


class ToolTests(ResponsesCase):
    def test_call(self) -> None:
        """
        The response ends with the call, in both forms of tools; its output goes on as the result of that call.
        """
        for tool in (FLAT, NESTED):
            gateway = self.gateway(CALLS, said("It is sunny."))
            value = self.ask(gateway, "weather?", user="ann", tools=[tool])
            self.assertEqual([item["type"] for item in value["output"]], ["message", "function_call"])
            call = value["output"][1]
            self.assertEqual((call["name"], call["arguments"]), ("get_weather", '{"city":"Paris"}'))
            self.assertEqual((value["status"], len(gateway.model.requests)), ("incomplete", 1))
            output = {
                "type": "function_call_output",
                "call_id": call["call_id"],
                "output": [{"type": "input_text", "text": "sunny"}],
            }
            self.ask(gateway, [output], user="ann", tools=[tool])
            told = gateway.model.requests[1].messages
            self.assertEqual([message["role"] for message in told], ["user", "assistant", "toolResult"])
            self.assertEqual(told[2]["content"][0]["text"], "sunny")

    def test_empty_output(self) -> None:
        """
        A function that gives nothing has given its result.
        """
        gateway = self.gateway(CALLS, said("Well."))
        self.ask(gateway, "weather?", user="ann", tools=[FLAT])
        output = {"type": "function_call_output", "call_id": "call_1", "output": ""}
        self.ask(gateway, [output], user="ann", tools=[FLAT])
        self.assertEqual([message["role"] for message in gateway.model.requests[1].messages][-1], "toolResult")

    def test_question_behind_the_output(self) -> None:
        gateway = self.gateway(CALLS, said("Well."))
        self.ask(gateway, "weather?", user="ann", tools=[FLAT])
        output = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
        given = [{"role": "user", "content": "weather?"}, output, {"role": "user", "content": "and tomorrow?"}]
        self.ask(gateway, given, user="ann", tools=[FLAT])
        told = gateway.model.requests[1].messages
        self.assertEqual([message["role"] for message in told], ["user", "assistant", "toolResult", "user"])
        self.assertEqual(told[3]["content"][0]["text"], "and tomorrow?")

    def test_stream(self) -> None:
        """
        Text first, then the call as its own item.
        """
        names, values = self.stream(self.gateway(CALLS), tools=[FLAT])
        calls = [
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
        self.assertEqual(names[-6:], ["response.output_item.done", *calls])
        added, delta, done, item, completed = values[-5:]
        self.assertEqual((added["output_index"], added["item"]["arguments"]), (1, ""))
        self.assertEqual((delta["delta"], done["arguments"]), ('{"city":"Paris"}', '{"city":"Paris"}'))
        self.assertEqual(delta["item_id"], item["item"]["id"])
        self.assertEqual(completed["response"]["status"], "incomplete")
        self.assertEqual(completed["response"]["output"][1], item["item"])

    def test_stream_without_text(self) -> None:
        """
        A response of calls only has no message.
        """
        _, values = self.stream(self.gateway([ToolCall("c", "get_weather", {}), Stop("toolUse")]), tools=[FLAT])
        self.assertEqual([item["type"] for item in values[-1]["response"]["output"]], ["function_call"])
        self.assertEqual(values[2]["output_index"], 0)
