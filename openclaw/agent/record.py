"""
An inbound record as the store keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from attrs import asdict, fields_dict, frozen

from openclaw.agent.types import Inbound, Outcome


@frozen(kw_only=True)
class Prepared:
    """
    What became of an inbound text when it was accepted.

    :ivar prompt: what the model is to read, without directives; ``None`` for a command that was answered.
    :ivar answer: the answer of a command.
    :ivar thinking: level for this message only.
    :ivar verbose: level for this message only.
    :ivar model: ``provider/model`` for this message only.
    :ivar lead: answers of inline commands, shown before the model's.
    :ivar resets: the session starts afresh with this message, and what is queued in it is dropped.
    :ivar stops: runs of the session are ended.
    :ivar restarts: the gateway restarts when the answer has gone out.
    """

    prompt: str | None
    answer: str | None = None
    thinking: str | None = None
    verbose: str | None = None
    model: str | None = None
    lead: Sequence[str] = ()
    resets: bool = False
    stops: bool = False
    restarts: bool = False


def to_record(inbound: Inbound, prepared: Prepared) -> dict[str, Any]:
    """
    Both as one JSON object.
    """
    record = {name: value for name, value in asdict(inbound, recurse=False).items() if value is not None}
    for name in ("timeout", "expires"):
        span = getattr(inbound, name)
        if span is not None:
            record[name] = span.total_seconds()
    for name in ("images", "client_tools", "tool_results"):
        record[name] = [dict(member) for member in getattr(inbound, name)]
    record["members"] = dict(inbound.members)
    record["afterwards"] = dict(inbound.afterwards)
    record["prepared"] = {name: value for name, value in asdict(prepared).items() if value not in (None, False, (), [])}
    return record


def from_record(record: Mapping[str, Any]) -> tuple[Inbound, Prepared]:
    """
    Read what ``to_record`` wrote; members that we do not know are left alone.
    """
    known: dict[str, Any] = {name: record[name] for name in fields_dict(Inbound) if name in record}
    for name in ("timeout", "expires"):
        if known.get(name) is not None:
            known[name] = timedelta(seconds=known[name])
    known.setdefault("shown_key", None)
    told = record.get("prepared", {})
    prepared = {name: told[name] for name in fields_dict(Prepared) if name in told}
    prepared.setdefault("prompt", None)
    return Inbound(**known), Prepared(**prepared)


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """
    An outcome as the store keeps it.
    """
    return {name: value for name, value in asdict(outcome, recurse=False).items() if value is not None}


def read_outcome(record: Mapping[str, Any]) -> Outcome:
    """
    Read what ``outcome_record`` wrote.
    """
    known: dict[str, Any] = {name: record.get(name) for name in fields_dict(Outcome)}
    return Outcome(**known)
