"""
Requests that the reference gateway refused, and what it said, out of the recordings.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

FIXTURES = Path(__file__).parent.parent / "fixtures"
CAPTURES = FIXTURES / "captures"


@frozen(kw_only=True)
class Refusal:
    """
    One refused request.

    :ivar frame: the parsed message that was sent.
    :ivar message: the text of the error.
    """

    frame: Any
    message: str


def refusals(name: str) -> Iterator[Refusal]:
    """
    The refused requests of a recording, in order; each is matched with the next answer on its connection.
    """
    pending: dict[tuple[Any, Any], Any] = {}
    for line in (CAPTURES / name).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        connection = entry.get("conn")
        if entry["dir"] == "send":
            frame = _parsed(entry)
            pending[connection, _id(frame)] = frame
        elif entry["dir"] == "recv" and "error" in entry["frame"]:
            answer = entry["frame"]
            yield Refusal(frame=pending[connection, _id(answer)], message=answer["error"]["message"])


def requests(name: str) -> Iterator[Any]:
    """
    Every message of a recording that a client sent, refused or not.
    """
    for line in (CAPTURES / name).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry.get("dir") == "send":
            yield _parsed(entry)


def _parsed(entry: Any) -> Any:
    if "frame" in entry:
        return entry["frame"]
    try:
        return json.loads(entry["raw"])
    except ValueError:
        return None


def _id(frame: Any) -> str:
    found = frame.get("id") if isinstance(frame, dict) else None
    return json.dumps("invalid" if found is None else found)
