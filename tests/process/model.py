"""
A model server that answers as a test tells it: chat completions and messages, streamed.

What it waits for are gates that the test opens, never time.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from attrs import define, field, frozen

from tests.process.gateway import LIMIT, NotSeen

_ID_LINE = re.compile(r"\n?\[message_id: [^\]\n]*\]\s*\Z")

Api = Literal["openai-completions", "anthropic-messages"]


@frozen
class Text:
    """
    A piece of the answer.
    """

    text: str


@frozen(kw_only=True)
class Status:
    """
    The request fails; nothing may stand before or behind.
    """

    code: int
    message: str = "mock failure"
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Raw:
    """
    Bytes that are not of the API.
    """

    data: bytes


@frozen
class Cut:
    """
    The connection ends here, without a word.
    """


@frozen
class Gate:
    """
    The answer waits here until the test opens it, or the server stops.
    """

    reached: threading.Event = field(factory=threading.Event)
    opened: threading.Event = field(factory=threading.Event)

    def wait_reached(self) -> None:
        """
        Wait until an answer stands here.
        """
        if not self.reached.wait(LIMIT):
            raise NotSeen("the model was not asked so far")

    def open(self) -> None:
        self.opened.set()


Step = Text | Status | Raw | Cut | Gate


@frozen(kw_only=True)
class Asked:
    """
    One request.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        """
        What the last message says, without the line that names its id.
        """
        content = self.body["messages"][-1]["content"]
        text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
        return _ID_LINE.sub("", text)


@define(eq=False)
class MockModel:
    """
    The server. Without a plan it answers ``re: `` and the last line it was sent.

    :ivar requests: what was asked, in order.
    """

    api: Api = "openai-completions"
    requests: list[Asked] = field(factory=list, init=False)
    _rules: dict[str, Sequence[Step]] = field(factory=dict, init=False)
    _plans: deque[Sequence[Step]] = field(factory=deque, init=False)
    _gates: list[Gate] = field(factory=list, init=False)
    _stopped: threading.Event = field(factory=threading.Event, init=False)
    _changed: threading.Condition = field(factory=threading.Condition, init=False)
    _server: ThreadingHTTPServer = field(init=False)

    def start(self) -> MockModel:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                model.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        """
        Let go of all that waits, and end.
        """
        self._stopped.set()
        for gate in self._gates:
            gate.open()
        self._server.shutdown()
        self._server.server_close()

    def configuration(self) -> dict[str, Any]:
        """
        What the configuration file says of this model.
        """
        root = f"http://127.0.0.1:{self._server.server_port}"
        provider = {
            "baseUrl": f"{root}/v1" if self.api == "openai-completions" else root,
            "apiKey": "mock-key",
            "api": self.api,
            "models": [{"id": "mock-1", "name": "Mock"}],
        }
        defaults = {"model": {"primary": "mock/mock-1"}, "skipBootstrap": True, "maxConcurrent": 16}
        return {"models": {"providers": {"mock": provider}}, "agents": {"defaults": defaults}}

    def plan(self, *steps: Step) -> None:
        """
        Answer the next request that has no plan yet by these steps.
        """
        self._gates.extend(step for step in steps if isinstance(step, Gate))
        self._plans.append(steps)

    def forget_plans(self) -> None:
        """
        What was planned and not asked for is not played any more.
        """
        with self._changed:
            self._plans.clear()

    def on(self, text: str, *steps: Step) -> None:
        """
        Answer whatever ends in this line by these steps, each time.
        """
        self._gates.extend(step for step in steps if isinstance(step, Gate))
        self._rules[text] = steps

    def _steps(self, asked: Asked) -> Sequence[Step]:
        last = asked.text.strip().splitlines()[-1]
        if last in self._rules:
            return self._rules[last]
        return self._plans.popleft() if self._plans else [Text("re: "), Text(last)]

    def asked_for(self, text: str) -> int:
        """
        How many requests ended in this line.
        """
        with self._changed:
            return sum(asked.text.strip().endswith(text) for asked in self.requests)

    def wait_requests(self, count: int) -> None:
        """
        Wait until so many requests have come.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, LIMIT):
                raise NotSeen(f"the model was asked {len(self.requests)} times, not {count}")

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """
        Answer one request.
        """
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        asked = Asked(path=handler.path, headers={k.lower(): v for k, v in handler.headers.items()}, body=body)
        with self._changed:
            self.requests.append(asked)
            steps = self._steps(asked)
            self._changed.notify_all()
        handler.close_connection = True
        try:
            self._play(handler, steps)
        except OSError:
            # The gateway has left, which is its right.
            return

    def _play(self, handler: BaseHTTPRequestHandler, steps: Sequence[Step]) -> None:
        if isinstance(steps[0], Status):
            _refuse(handler, steps[0])
            return
        frames = OPENAI if self.api == "openai-completions" else ANTHROPIC
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.wfile.write(frames.head)
        for step in steps:
            if isinstance(step, Text):
                handler.wfile.write(frames.text(step.text))
            elif isinstance(step, Raw):
                handler.wfile.write(step.data)
            elif isinstance(step, Gate):
                step.reached.set()
                step.opened.wait()
            else:
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
        if not self._stopped.is_set():
            handler.wfile.write(frames.tail)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _refuse(handler: BaseHTTPRequestHandler, status: Status) -> None:
    body = json.dumps({"error": {"message": status.message, "type": "mock_error"}}).encode()
    handler.send_response(status.code)
    for name, value in {"content-type": "application/json", "connection": "close", **status.headers}.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _data(value: object, event: str | None = None) -> bytes:
    name = b"" if event is None else f"event: {event}\n".encode()
    return name + b"data: " + json.dumps(value).encode() + b"\n\n"


def _choice(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return _data({"id": "m", "object": "chat.completion.chunk", "choices": choices, **more})


@frozen
class Frames:
    """
    How an API frames a streamed answer.
    """

    head: bytes
    tail: bytes

    def text(self, text: str) -> bytes:
        raise NotImplementedError


class _OpenAI(Frames):
    def text(self, text: str) -> bytes:
        return _choice({"content": text})


class _Anthropic(Frames):
    def text(self, text: str) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return _anthropic({"type": "content_block_delta", "index": 0, "delta": delta})


def _anthropic(*events: Mapping[str, Any]) -> bytes:
    return b"".join(_data(event, event["type"]) for event in events)


OPENAI = _OpenAI(
    head=_choice({"role": "assistant"}),
    tail=_choice({}, "stop", usage={"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
    + b"data: [DONE]\n\n",
)
ANTHROPIC = _Anthropic(
    head=_anthropic(
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "usage": {"input_tokens": 11}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ),
    tail=_anthropic(
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ),
)


def pieces(text: str) -> Iterator[Text]:
    """
    An answer, word by word.
    """
    for word in text.split(" "):
        yield Text(f"{word} ")
