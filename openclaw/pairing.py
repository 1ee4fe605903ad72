"""
What pairing of devices and of nodes have in common: requests that wait for a decision of a person, and go away by
themselves. Everything is a function of one kind of records within one store unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from openclaw.errors import OpenClawError
from openclaw.store.interfaces import Records

#: How long a request waits for a decision, in milliseconds.
REQUEST_LIFETIME_MS = 300_000


@frozen(kw_only=True)
class UnknownRequest(OpenClawError):
    """
    No pairing request with this id waits for a decision.
    """

    request_id: str

    def __str__(self) -> str:
        return "unknown requestId"


@frozen(kw_only=True)
class Requested:
    """
    A request as it waits; ``created`` tells whether this call made it.
    """

    record: Mapping[str, Any]
    created: bool


def waiting(requests: Records, now_ms: int) -> list[Mapping[str, Any]]:
    """
    The requests that still wait, newest first. Expired ones are forgotten.
    """
    found: list[Mapping[str, Any]] = []
    for request_id, record in list(requests.all()):
        if now_ms - _asked_at(record) > REQUEST_LIFETIME_MS:
            requests.delete(request_id)
        else:
            found.append(record)
    return sorted(found, key=lambda record: -_asked_at(record))


def _asked_at(record: Mapping[str, Any]) -> int:
    # What comes from files of other programs may lack it, and has expired then.
    at = record.get("ts")
    return at if type(at) is int else 0


def take(requests: Records, request_id: str, now_ms: int) -> Mapping[str, Any]:
    """
    Take out a waiting request, which is decided now.

    :raise UnknownRequest: nothing with this id waits.
    """
    waiting(requests, now_ms)
    record = requests.get(request_id)
    if record is None:
        raise UnknownRequest(request_id=request_id)
    requests.delete(request_id)
    return record
