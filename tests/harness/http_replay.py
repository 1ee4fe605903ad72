"""
Recorded HTTP requests, sent to a gateway in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define

from openclaw.agent.providers.base import ModelRequest
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import PlayedModel
from tests.harness.compare import Difference
from tests.harness.http import ask, event_names, events
from tests.harness.http_models import answer, observed_message
from tests.harness.replay import CAPTURES
from tests.web.asking import Answer

Row = Mapping[str, Any]

#: Seconds.
STEP = 0.05

#: Headers that are compared; ours has more, and others vary.
HEADERS = ("content-type", "location", "allow", "cache-control")

#: Stands for the page, of which only what the gateway writes into it is recorded.
PAGE = "<control-ui-index> with injected script: "

_VALUE = re.compile(r'window\.(\w+)=("(?:[^"\\]|\\.)*")')
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MARKS = {"<uuid-": _UUID, "<epoch-ms>": r"\d{13}", "<instruction": r"[^\n]+"}
_MARK = re.compile(r"<[^<>\n]+>")
_NUMBERS = ("<epoch-seconds>", "<epoch-ms>")


@define(kw_only=True)
class HttpReplay:
    """
    One file of recordings.

    :ivar row: what the manifest says of it: ``answers`` by case, each with ``why`` and ``response``, ``observed``
        or ``elsewhere``; ``apart_from`` for members that are not compared;
        ``stream_end`` for the event that ours ends streams with; ``settle`` for the steps after each answer in which
        what it started comes to its end; ``instead`` for pieces of recorded streams and what ours has in their place.
    :ivar secrets: what stands for placeholders in requests.
    """

    gateway: MemoryGateway
    row: Row
    secrets: Mapping[str, str]

    def replay(self, name: str) -> list[Difference]:
        """
        Ask everything that was asked when it was recorded.

        :return: what differs.
        """
        differences: list[Difference] = []
        for case in json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))["cases"]:
            differences += self._case(case)
        return differences

    def _case(self, case: Row) -> list[Difference]:
        override = self.row.get("answers", {}).get(case["name"], {})
        if "elsewhere" in override:
            return []
        wanted = override.get("response") or self._ours(case["response"])
        if wanted is None or "body_description" in case["request"]:
            return [Difference(conn=case["name"], recorded=None, now="where else it is looked at is not told")]
        asked = len(self._asked())
        now = self._ask(case["request"])
        found = [] if same_answer(wanted, now) else [_difference(case, wanted, now)]
        for _ in range(self.row.get("settle", 0)):
            self.gateway.advance(STEP)
        seen = override.get("observed", {})
        if isinstance(case.get("observed"), list):
            return [*found, *_turns(case, seen or case["observed"], self._asked()[asked:])]
        return [*found, *self._observe(case, {**(case.get("observed") or {}), **seen}, self._asked()[asked:])]

    def _ours(self, recorded: Row | None) -> Row | None:
        """
        What was recorded, but for what differs in all cases.
        """
        if recorded is None:
            return None
        wanted = dict(recorded)
        apart = self.row.get("apart_from", {})
        if isinstance(wanted.get("body"), Mapping):
            wanted["body"] = {name: value for name, value in wanted["body"].items() if name not in apart}
        end = self.row.get("stream_end")
        if end is not None and "sse" in wanted:
            wanted["sse"] = [*wanted["sse"][:-3], f"data: {json.dumps(end['event'])}", "", *wanted["sse"][-3:]]
        for change in self.row.get("instead", ()):
            if "sse" in wanted:
                wanted["sse"] = [line.replace(change["recorded"], change["ours"]) for line in wanted["sse"]]
        return wanted

    def _ask(self, request: Row) -> Answer:
        headers = {name: self._secret(value) for name, value in request["headers"].items()}
        body = request.get("body")
        return ask(self.gateway, request["method"], self._secret(request["path"]), headers=headers, body=body)

    def _secret(self, text: str) -> str:
        for mark, secret in self.secrets.items():
            text = text.replace(mark, secret)
        return text

    def _asked(self) -> Sequence[ModelRequest]:
        return self.gateway.model.requests

    def _observe(self, case: Row, seen: Row, asked: Sequence[ModelRequest]) -> list[Difference]:
        """
        What the model and the store saw.
        """
        wanted: dict[str, Any] = {}
        now: dict[str, Any] = {}
        if seen.get("model_requests") is not None:
            wanted["requests"], now["requests"] = seen["model_requests"], len(asked)
        if asked and "last_model_message" in seen:
            wanted["message"], now["message"] = seen["last_model_message"], observed_message(asked[0])
        if asked and "history_messages_before" in seen:
            wanted["history"], now["history"] = seen["history_messages_before"], len(asked[0].messages) - 1
        if asked and seen.get("extra_system_prompt"):
            wanted["extra"] = True
            now["extra"] = re.search(_pattern(seen["extra_system_prompt"]), asked[0].system) is not None
        if asked and "client_tools_seen_by_model" in seen:
            ours = {tool.spec.name for tool in self.gateway.tools or ()}
            wanted["tools"] = [tool["function"]["name"] for tool in seen["client_tools_seen_by_model"]]
            now["tools"] = [tool.name for tool in asked[0].tools if tool.name not in ours]
        if seen.get("session_key"):
            wanted["session"], now["session"] = True, any(includes(seen["session_key"], key) for key in self._keys())
        if includes(wanted, now):
            return []
        return [Difference(conn=case["name"], recorded=wanted, now=now)]

    def _keys(self) -> list[str]:
        found: list[list[str]] = []
        self.gateway.store.read(lambda unit: [session.key for session in unit.sessions.newest(1000)]).addCallback(
            found.append
        )
        return found[0]


def make_model(gateway: MemoryGateway) -> None:
    """
    Give the gateway the model of the recordings.
    """
    gateway.model = PlayedModel(gateway.reactor, answer)
    gateway.make_model = lambda _: gateway.model


def same_answer(recorded: Row, now: Answer) -> bool:
    """
    Whether an answer is the recorded one, where a recording can fix it. Ours may have more members.
    """
    headers = {name.lower(): value for name, value in recorded.get("headers", {}).items()}
    if recorded["status"] != now.status or any(
        name in headers and headers[name] != now.headers.get(name) for name in HEADERS
    ):
        return False
    if "sse" in recorded:
        return _same_events(recorded["sse"], now)
    body = recorded.get("body")
    if body is None or body == "":
        return True
    if isinstance(body, str) and body.startswith(PAGE):
        return _page_values(body) == _page_values(now.text)
    if isinstance(body, str):
        return re.fullmatch(_pattern(body), now.text) is not None
    return includes(body, now.value)


def _page_values(text: str) -> Mapping[str, Any]:
    """
    What a page is told of its gateway.
    """
    return {name: json.loads(value) for name, value in _VALUE.findall(text)}


def _same_events(recorded: Sequence[str], now: Answer) -> bool:
    named = [line[7:] for line in recorded if line.startswith("event: ")]
    told = [line[6:] for line in recorded if line.startswith("data: ")]
    values = [line if line == "[DONE]" else json.loads(line) for line in told]
    return named == list(event_names(now)) and includes(values, events(now))


def includes(recorded: Any, now: Any) -> bool:
    """
    Whether a value has all of a recorded one.
    """
    if isinstance(recorded, str):
        if recorded in _NUMBERS:
            return isinstance(now, int)
        if recorded.startswith("SyntaxError: "):
            # Each parser has its own words.
            return isinstance(now, str) and now.startswith("SyntaxError: ")
        return isinstance(now, str) and re.fullmatch(_pattern(recorded), now) is not None
    if isinstance(recorded, Mapping):
        return isinstance(now, Mapping) and all(key in now and includes(recorded[key], now[key]) for key in recorded)
    if isinstance(recorded, list):
        return (
            isinstance(now, list)
            and len(recorded) == len(now)
            and all(includes(one, other) for one, other in zip(recorded, now, strict=True))
        )
    return bool(recorded == now)


def _pattern(text: str) -> str:
    """
    A text in which placeholders stand for what they say, and others for anything.
    """
    parts, at = "", 0
    for found in _MARK.finditer(text):
        parts += re.escape(text[at : found.start()]) + _stands_for(found.group())
        at = found.end()
    return parts + re.escape(text[at:])


def _stands_for(mark: str) -> str:
    for start, pattern in _MARKS.items():
        if mark.startswith(start):
            return pattern
    return re.escape(mark) if mark.startswith(("</", "<file", "<b")) else r"[\s\S]*?"


def _turns(case: Row, recorded: Sequence[Row], asked: Sequence[ModelRequest]) -> list[Difference]:
    """
    What the model was asked one time after the other.
    """
    wanted = [turn["text"] for turn in recorded]
    now = ["\n".join(block["text"] for block in request.messages[-1]["content"]) for request in asked]
    return [] if includes(wanted, now) else [Difference(conn=case["name"], recorded=wanted, now=now)]


def _difference(case: Row, wanted: Row, now: Answer) -> Difference:
    return Difference(conn=case["name"], recorded=wanted, now=[now.status, now.headers, now.text])
