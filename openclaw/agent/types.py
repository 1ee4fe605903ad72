"""
What goes into the agent runtime and what comes out of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal, Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred

#: The origin of runs that an agent started in a session of their own; and the member of ``Inbound.afterwards`` with the
#: key of the session that did it.
SUBAGENT: Final = "subagent"
REQUESTER: Final = "requester"


def http_key(run_id: str) -> str:
    """
    The ``dedupe_key`` of a request over HTTP that came without an idempotency key: whoever sent it cannot ask for the
    run again.
    """
    return f"http:{run_id}"


@frozen(kw_only=True)
class Inbound:
    """
    One thing that may start a run, from wherever it came. Stored before it is acknowledged.

    :ivar run_id: chosen by whoever asks (the idempotency key) or made for them.
    :ivar session_key: canonical key (``openclaw.sessions.keys``); storage, lanes and abort go by it.
    :ivar shown_key: the key as the caller wrote it, echoed in events and answers; ``None`` for a run without a
        session key.
    :ivar session_id: transcript to use, when a caller named one.
    :ivar origin: ``chat``, ``agent``, ``http``, ``hook``, ``cron``, ``heartbeat``, ``channel``, ``node``, ``subagent``
        or ``announce`` (how a sub-agent's run ended).
    :ivar trust: ``operator`` for those who hold a credential, ``external`` for text from outside.
    :ivar dedupe_key: the name space and the key, for example ``chat:<idempotencyKey>``.
    :ivar images: ``{"type": "image", "data": base64, "mimeType": ...}`` blocks.
    :ivar commands: whether slash commands and directives in the text are obeyed.
    :ivar message_id: when set, the line ``[message_id: ...]`` is appended to what the model reads.
    :ivar model: ``provider/model`` or an alias for this run only.
    :ivar client_tools: what whoever asks can do by itself: ``name``, ``description`` and ``parameters`` (JSON Schema)
        of each. A turn that calls one ends the run.
    :ivar tool_results: what such calls of an earlier run gave: ``{"callId": ..., "text": ...}``.
    :ivar max_output_tokens: the most that the model may say in one turn.
    :ivar afterwards: what its submitter has to know when it has ended, also after a restart; JSON, and nobody else's.
    :ivar timeout: the agent's own limit; ``None`` means the configured one.
    """

    run_id: str
    session_key: str
    shown_key: str | None
    origin: str
    dedupe_key: str
    message: str
    session_id: str | None = None
    trust: Literal["operator", "external"] = "operator"
    images: Sequence[Mapping[str, Any]] = ()
    commands: bool = False
    message_id: str | None = None
    thinking: str | None = None
    model: str | None = None
    client_tools: Sequence[Mapping[str, Any]] = ()
    tool_results: Sequence[Mapping[str, Any]] = ()
    max_output_tokens: int | None = None
    timeout: timedelta | None = None
    expires: timedelta | None = None
    lane: str = "main"
    extra_system_prompt: str | None = None
    members: Mapping[str, Any] = field(factory=dict)
    afterwards: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Accepted:
    """
    The inbound record is durable.

    :ivar repeated: the dedupe key was known: nothing new was started.
    :ivar state: the run's state in the store at this moment.
    """

    run_id: str
    accepted_at_ms: int
    repeated: bool
    state: str


@frozen(kw_only=True)
class Outcome:
    """
    How a run ended. There is exactly one for each run.

    :ivar code: the wire code of a failure (``UNAVAILABLE``, ``AGENT_TIMEOUT``), ``None`` for the others.
    :ivar result: ``{"payloads": [...], "meta": {...}}`` as ``methods.md`` 7.1. A run that ended with calls for its
        client has them in ``meta.pendingToolCalls``: ``id``, ``name`` and ``arguments`` (JSON text) of each.
    """

    run_id: str
    status: Literal["ok", "error", "aborted"]
    summary: str
    started_at_ms: int | None
    ended_at_ms: int
    result: Mapping[str, Any] | None = None
    code: str | None = None


class Publish(Protocol):
    """
    Give an event to whoever may see it. Never blocks, never raises for a slow or lost client.
    """

    def __call__(self, event: str, payload: Mapping[str, Any], *, drop_if_slow: bool = False) -> None: ...


class Agents(Protocol):
    """
    The agent runtime as methods, channels and timers see it.
    """

    def submit(self, inbound: Inbound) -> Deferred[Accepted]:
        """
        :return: fires when the record is durable; the run goes on by itself. Fails if it could not be stored.
        """
        ...

    def outcome(self, run_id: str) -> Deferred[Outcome]:
        """
        :return: fires when the run is terminal, at once if it already is. Cancelling it only forgets to ask.
        :raise UnknownRun: there is no such run.
        """
        ...

    def abort(self, session_key: str, *, run_id: str | None = None, reason: str = "rpc") -> Deferred[list[str]]:
        """
        End queued and running runs of a session, whoever started them; without ``run_id`` also those of its sub-agents.

        :param session_key: canonical key.
        :param reason: the ``stopReason`` of the ``chat`` event: ``rpc``, ``stop`` or ``timeout``.
        :return: fires with the ids of the runs that were ended by this call, after their ``aborted`` events went out.
        """
        ...

    def active(self, session_key: str) -> Sequence[str]:
        """
        :return: ids of queued and running runs of a session.
        """
        ...

    def note(self, session_key: str, text: str) -> None:
        """
        Queue a system note for the next prompt of a session (``methods.md`` 5.4; at most 20).
        """
        ...

    def notes(self, session_key: str) -> Sequence[str]: ...
