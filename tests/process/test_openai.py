"""
OpenAI's own clients, without any adaptation, against the real process.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from openai import APIError, APIStatusError, AuthenticationError, BadRequestError, NotFoundError, OpenAI

from tests.documents.making import LINES, written
from tests.harness.npm import node, package
from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT, TOKEN, configuration, eventually
from tests.process.model import Gate, MockModel, Raw, Status, Text

#: At once.
STREAMS = 64

#: Of the client for JavaScript.
VERSION = "7.57.0"

FUNCTION = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
CALL = {"index": 0, "id": "call_7", "type": "function", "function": FUNCTION}
CHUNK = {"id": "m", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]}
CALLING = Raw(b"data: " + json.dumps(CHUNK).encode() + b"\n\n")
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL: Any = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
FLAT: Any = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": False}
HELLO: Any = [{"role": "user", "content": "hello"}]
PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
    )
).decode()


class OpenAICase(ProcessCase):
    def setUp(self) -> None:
        self.model: MockModel = self.start_model()
        self.model.on("fail", Status(code=400, message="mock bad request"))
        self.gateway = self.start_gateway(self.model)
        self.url = f"http://127.0.0.1:{self.gateway.port}/v1"
        self.client = OpenAI(base_url=self.url, api_key=TOKEN, timeout=LIMIT)
        self.addCleanup(self.client.close)

    def sunny(self) -> None:
        """
        The model calls first, and knows then.
        """
        self.model.plan(CALLING)
        self.model.plan(Text("It is sunny."))


class ChatTests(OpenAICase):
    """
    Chat completions with the client for Python.
    """

    def test_whole(self) -> None:
        told = self.client.chat.completions.create(model="openclaw", messages=HELLO)
        self.assertEqual(told.choices[0].message.content, "re: hello")
        assert told.usage is not None
        self.assertEqual((told.choices[0].finish_reason, told.usage.total_tokens), ("stop", 18))

    def test_stream(self) -> None:
        """
        Pieces come while the model speaks.
        """
        gate = Gate()
        self.model.plan(Text("One "), gate, Text("two"))
        options: Any = {"include_usage": True}
        stream = iter(
            self.client.chat.completions.create(model="openclaw", messages=HELLO, stream=True, stream_options=options)
        )
        text = next(piece for piece in _contents(stream))
        gate.open()
        rest = list(stream)
        text += "".join(chunk.choices[0].delta.content or "" for chunk in rest if chunk.choices)
        self.assertEqual(text, "One two")
        self.assertEqual(rest[-2].choices[0].finish_reason, "stop")
        assert rest[-1].usage is not None
        self.assertEqual(rest[-1].usage.total_tokens, 18)

    def test_helper(self) -> None:
        with self.client.chat.completions.stream(model="openclaw", messages=HELLO) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_completion()
        self.assertIn("content.done", kinds)
        self.assertEqual((final.choices[0].message.content, final.choices[0].finish_reason), ("re: hello", "stop"))

    def test_functions(self) -> None:
        self.sunny()
        asked: Any = {"model": "openclaw", "user": "ann", "tools": [TOOL]}
        told = self.client.chat.completions.create(messages=HELLO, **asked)
        (call,) = told.choices[0].message.tool_calls or []
        self.assertEqual((call.type, told.choices[0].finish_reason), ("function", "tool_calls"))
        result: Any = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        after = self.client.chat.completions.create(messages=[*HELLO, told.choices[0].message, result], **asked)
        self.assertEqual(after.choices[0].message.content, "It is sunny.")
        said = self.model.requests[1].body["messages"]
        self.assertEqual([message["role"] for message in said[1:]], ["user", "assistant", "tool"])

    def test_functions_in_a_stream(self) -> None:
        self.sunny()
        asked: Any = {"model": "openclaw", "user": "ann", "tools": [TOOL]}
        with self.client.chat.completions.stream(messages=HELLO, **asked) as stream:
            final = stream.get_final_completion()
        (call,) = final.choices[0].message.tool_calls or []
        self.assertEqual((call.function.name, call.function.arguments), ("get_weather", '{"city":"Paris"}'))

    def test_failures(self) -> None:
        """
        Each failure is the exception that it should be, and the model is not asked twice more.
        """
        failing: Any = [{"role": "user", "content": "fail"}]
        with self.assertRaises(APIStatusError) as caught:
            self.client.chat.completions.create(model="openclaw", messages=failing)
        self.assertEqual(caught.exception.status_code, 502)
        self.assertIn("mock bad request", str(caught.exception))
        self.assertEqual(len(self.model.requests), 1)
        with self.assertRaises(APIError):
            list(self.client.chat.completions.create(model="openclaw", messages=failing, stream=True))
        with self.assertRaises(BadRequestError):
            self.client.chat.completions.create(model="openclaw", messages=[])
        with self.assertRaises(NotFoundError):
            self.client.chat.completions.create(model="openclaw:nobody", messages=HELLO)
        with self.assertRaises(APIStatusError) as large:
            self.client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x" * 1_100_000}])
        self.assertEqual(large.exception.status_code, 413)
        with self.assertRaises(AuthenticationError):
            self.client.with_options(api_key="wrong").chat.completions.create(model="m", messages=HELLO)

    def test_leaving(self) -> None:
        """
        A client that stops listening ends the run, also the request to the model.
        """
        gate = Gate()
        self.model.plan(Text("One "), gate)
        stream = self.client.chat.completions.create(model="openclaw", messages=HELLO, stream=True, user="ann")
        next(_contents(iter(stream)))
        stream.close()
        peer = self.join(self.gateway)
        key = "agent:main:openai-user:ann"
        eventually(lambda: self._aborted(peer, key), "the run was not ended")
        gate.open()

    def test_many_streams(self) -> None:
        """
        Streams at once, each with its own pieces and none of another's, in whatever order the model goes on.
        """
        gates = [Gate() for _ in range(STREAMS)]
        for number, gate in enumerate(gates):
            self.model.on(f"number {number}", Text(f"{number} begins, "), gate, Text(f"{number} ends"))
        told = self.model.configuration()
        told["agents"]["defaults"]["maxConcurrent"] = STREAMS
        gateway = self.make_gateway()
        gateway.config = configuration(told)
        gateway.start()
        client = OpenAI(base_url=f"http://127.0.0.1:{gateway.port}/v1", api_key=TOKEN, timeout=LIMIT, max_retries=0)
        self.addCleanup(client.close)

        def begin(number: int) -> tuple[Iterator[str], str]:
            asked: Any = [{"role": "user", "content": f"number {number}"}]
            pieces = _contents(iter(client.chat.completions.create(model="openclaw", messages=asked, stream=True)))
            return pieces, next(pieces)

        with ThreadPoolExecutor(STREAMS) as pool:
            begun = list(pool.map(begin, range(STREAMS)))
            rests = [pool.submit("".join, pieces) for pieces, _ in begun]
            for gate in reversed(gates):
                gate.open()
            texts = [first + rest.result(LIMIT) for (_, first), rest in zip(begun, rests, strict=True)]
        self.assertEqual(texts, [f"{number} begins, {number} ends" for number in range(STREAMS)])

    def _aborted(self, peer: Any, key: str) -> bool:
        listed = peer.ask("sessions.list")["sessions"]
        return any(row["key"] == key and row.get("abortedLastRun") for row in listed)

    def test_picture(self) -> None:
        parts: Any = [
            {"type": "text", "text": "hello"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        ]
        told = self.client.chat.completions.create(model="openclaw", messages=[{"role": "user", "content": parts}])
        self.assertEqual(told.choices[0].finish_reason, "stop")

    def test_models(self) -> None:
        self.assertEqual([model.id for model in self.client.models.list()], ["openclaw", "openclaw:main"])
        self.assertEqual(self.client.models.retrieve("openclaw:main").owned_by, "openclaw")
        with self.assertRaises(NotFoundError):
            self.client.models.retrieve("gpt-4o")


def _contents(stream: Iterator[Any]) -> Iterator[str]:
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


def _file(name: str, mime: str, data: bytes) -> dict[str, str]:
    url = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    return {"type": "input_file", "filename": name, "file_data": url}


class ResponsesTests(OpenAICase):
    """
    Responses with the client for Python.
    """

    def test_whole(self) -> None:
        for given in ("hello", HELLO):
            told = self.client.responses.create(model="openclaw", input=given)
            self.assertEqual((told.output_text, told.status), ("re: hello", "completed"))

    def test_stream(self) -> None:
        with self.client.responses.stream(model="openclaw", input="hello") as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        self.assertEqual((kinds[0], kinds[-1]), ("response.created", "response.completed"))
        self.assertEqual(final.output_text, "re: hello")

    def test_functions(self) -> None:
        """
        In a stream and then whole, with what was answered as part of the next input.
        """
        self.sunny()
        asked: Any = {"model": "openclaw", "user": "ann", "tools": [FLAT]}
        with self.client.responses.stream(input="weather?", **asked) as stream:
            list(stream)
            told = stream.get_final_response()
        (call,) = [item for item in told.output if item.type == "function_call"]
        self.assertEqual((call.name, call.arguments), ("get_weather", '{"city":"Paris"}'))
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        given: Any = [*(item.model_dump() for item in told.output), output]
        self.assertEqual(self.client.responses.create(input=given, **asked).output_text, "It is sunny.")

    def test_files(self) -> None:
        """
        A text and a PDF, which a child of the gateway reads: the model gets what they say. A broken one is told of.
        """
        files = [("a.txt", "text/plain", b"red"), ("b.pdf", "application/pdf", written(LINES))]
        parts: Any = [{"type": "input_text", "text": "hello"}, *(_file(*file) for file in files)]
        told = self.client.responses.create(model="openclaw", input=[{"role": "user", "content": parts}])
        self.assertEqual(told.output_text, "re: hello")
        system = self.model.requests[-1].body["messages"][0]["content"]
        self.assertIn('<file name="a.txt">\nred\n</file>', system)
        self.assertIn(f'<file name="b.pdf">\n{" ".join(LINES)}\n</file>', system)
        broken: Any = [{"role": "user", "content": [parts[0], _file("c.pdf", "application/pdf", b"broken")]}]
        with self.assertRaisesRegex(BadRequestError, "Invalid PDF structure"):
            self.client.responses.create(model="openclaw", input=broken)

    def test_failures(self) -> None:
        with self.assertRaises(APIStatusError) as caught:
            self.client.responses.create(model="openclaw", input="fail")
        self.assertEqual(caught.exception.status_code, 502)
        kinds = [event.type for event in self.client.responses.create(model="openclaw", input="fail", stream=True)]
        self.assertEqual(kinds[-1], "response.failed")
        with self.assertRaises(NotFoundError):
            self.client.responses.retrieve("resp_1")


class JavaScriptTests(OpenAICase):
    """
    The client for JavaScript.
    """

    def test_everything(self) -> None:
        home = package("openai", VERSION)
        self.model.on("call", CALLING)
        script = Path(__file__).with_name("openai_client.js")
        command = [node(), str(script), str(home), self.url, TOKEN]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = {
            "models": ["openclaw", "openclaw:main"],
            "chat": "re: hello",
            "chatStream": "re: hello",
            "chatHelper": "re: hello",
            "chatCall": FUNCTION,
            "chatAfter": "re: sunny",
            "response": "re: hello",
            "responseHelper": ["completed", "re: hello"],
            "responseCall": FUNCTION,
            "responseAfter": "re: sunny",
            "wrong": ["AuthenticationError", 401],
            "failed": ["InternalServerError", 502],
        }
        self.assertEqual(json.loads(done.stdout), expected)
