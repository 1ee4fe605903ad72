"""
A transcript as one model can read it, whoever wrote it (``agent.md`` 13.3, 13.4).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

from openclaw.agent.providers.base import ResolvedModel

Message = Mapping[str, Any]

LEFT_OUT = "[A picture was left out: this model reads text only.]"

#: Ids of calls that every provider takes.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: Ids of calls that those take which are told so (``Compat.short_call_ids``).
_SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")


def adapted(model: ResolvedModel, messages: Sequence[Message]) -> Iterator[Message]:
    """
    The messages with ids of calls that the model's provider takes, and without pictures where it reads none.
    """
    sees = "image" in model.inputs
    ids = _Ids(short=model.compat.short_call_ids)
    for message in messages:
        content: list[Mapping[str, Any]] = []
        for block in message["content"]:
            if block["type"] == "toolCall":
                content.append({**block, "id": ids.call(block["id"])})
            elif block["type"] == "image" and not sees:
                content.append({"type": "text", "text": LEFT_OUT})
            else:
                content.append(block)
        changed: dict[str, Any] = {**message, "content": content}
        if message["role"] == "toolResult":
            changed["toolCallId"] = ids.result(message["toolCallId"])
        yield changed


@define
class _Ids:
    """
    Ids of the calls of one request. Some providers refuse the second call of one id, which may be of another run.
    """

    short: bool
    _used: set[str] = field(factory=set)
    _now: dict[str, str] = field(factory=dict)

    def call(self, id: str) -> str:
        made, number = call_id(id, short=self.short), 1
        while made in self._used:
            number += 1
            made = call_id(f"{id} {number}", short=self.short)
        self._used.add(made)
        self._now[id] = made
        return made

    def result(self, id: str) -> str:
        """
        :return: the id of the last call that had this one.
        """
        return self._now.get(id) or call_id(id, short=self.short)


def call_id(id: str, *, short: bool = False) -> str:
    """
    An id of a call as a provider takes it; the same each time.
    """
    if (_SHORT_ID if short else _ID).fullmatch(id):
        return id
    digest = hashlib.sha256(id.encode()).hexdigest()
    return digest[:9] if short else f"{re.sub(r'[^A-Za-z0-9_-]', '_', id)[:48]}_{digest[:8]}"
