"""
A model server for benchmarks: OpenAI-compatible, answers at once or streams as fast as it is read.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from twisted.internet import epollreactor
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return (
        b"data: " + json.dumps({"id": "m", "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    )


class Completions(Resource):
    """
    Streams as many tokens as the last message asks for: ``tokens:<n>``, else one.
    """

    isLeaf = True

    def render_POST(self, request: Request) -> int:  # noqa: N802 - Twisted names it
        content = json.loads(request.content.read() if request.content else b"")["messages"][-1]["content"]
        text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        count = int(text.partition("tokens:")[2].split()[0]) if "tokens:" in text else 1
        request.setHeader("content-type", "text/event-stream")
        request.write(b"".join(chunk({"content": f"tok{number} "}) for number in range(count)))
        request.write(chunk({}, "stop") + b"data: [DONE]\n\n")
        request.finish()
        return NOT_DONE_YET


def main(port: int) -> None:
    epollreactor.install()
    import twisted.internet.reactor

    reactor: Any = twisted.internet.reactor

    reactor.listenTCP(port, Site(Completions()), backlog=512, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
