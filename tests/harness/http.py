"""
HTTP to a gateway in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from openclaw.testing.gateway import MemoryGateway
from tests.web.asking import Answer, parsed


class HttpLine(Protocol):
    """
    One connection to the gateway's port.

    :ivar received: all that came.
    :ivar ended: whether the gateway has closed it.
    """

    def __init__(self) -> None:
        self.received = b""
        self.ended = False

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.ended = True

    def leave(self) -> None:
        """
        Go away without waiting.
        """
        assert self.transport is not None
        self.transport.loseConnection()


class _Lines(Factory[HttpLine]):
    protocol = HttpLine
    noisy = False


def open_line(gateway: MemoryGateway) -> HttpLine:
    """
    A new connection.
    """
    lines: list[HttpLine] = []
    gateway.connect(_Lines()).addCallback(lines.append)
    return lines[0]


def send(
    gateway: MemoryGateway,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    line: HttpLine | None = None,
) -> HttpLine:
    """
    Send one request and do not wait.

    :param body: text as it is, anything else as JSON.
    """
    line = line or open_line(gateway)
    raw = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    told = {"Host": "127.0.0.1:18789", **(headers or {})}
    if body is not None:
        told["Content-Length"] = str(len(raw))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items())
    assert line.transport is not None
    line.transport.write(head.encode("latin-1") + b"\r\n" + raw)
    gateway.flush()
    return line


def whole(line: HttpLine, method: str = "POST") -> bool:
    """
    Whether an answer is there to its end.
    """
    head, mark, body = line.received.partition(b"\r\n\r\n")
    if not mark:
        return False
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        return body.endswith(b"0\r\n\r\n")
    if method == "HEAD" or b" 204 " in head[:20] or b"content-length" not in lowered:
        return method == "HEAD" or b" 204 " in head[:20] or line.ended
    length = int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
    return len(body) >= length


def ask(gateway: MemoryGateway, method: str, path: str, *, most: float = 60.0, **request: Any) -> Answer:
    """
    One request on a connection of its own, answered to its end.

    :param most: seconds after which it is given up.
    """
    line = send(gateway, method, path, **request)
    gateway.advance_until(lambda: whole(line, method), most)
    answer = parsed(line.received)
    line.leave()
    return answer


def events(answer: Answer) -> list[Any]:
    """
    The values of a stream's events; ``[DONE]`` as text.
    """
    lines = [line[6:] for line in answer.text.split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def event_names(answer: Answer) -> Sequence[str]:
    """
    The names of a stream's events.
    """
    return [line[7:] for line in answer.text.split("\n") if line.startswith("event: ")]
