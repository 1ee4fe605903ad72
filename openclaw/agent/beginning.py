"""
How a run begins: what is written of it in one transaction, before a model is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred

from openclaw.agent.context import has_user_message, unanswered_calls
from openclaw.agent.errors import RunRefused
from openclaw.agent.ledger import required
from openclaw.agent.providers.base import ResolvedModel
from openclaw.agent.providers.catalog import (
    THINKING_LEVELS,
    ModelRefParts,
    NoApiKey,
    UnknownModel,
    find_ref,
    is_allowed,
    parse_ref,
    resolve_model,
    thinking_default,
    thinking_levels,
)
from openclaw.agent.queue import QueueSettings
from openclaw.agent.queue import collected as collected_text
from openclaw.agent.record import Prepared, outcome_record
from openclaw.agent.transcript import (
    Message,
    append_message,
    append_settings,
    append_user,
    path_to,
    tool_message,
    user_message,
)
from openclaw.agent.types import Inbound, Outcome
from openclaw.config.model import Config
from openclaw.errors import OpenClawError
from openclaw.sessions.keys import agent_of, default_agent
from openclaw.sessions.text import ABORTED_NOTE
from openclaw.store.interfaces import Entry, Store, Unit


@frozen(kw_only=True)
class Begun:
    """
    What a run knows once it has begun.

    :ivar asked: whether the message, with the notes before it, was written now and not by an earlier process.
    :ivar waited: whether an earlier process left it waiting for a person.
    :ivar failure: why there is nothing to run.
    :ivar model: ``None`` only with a failure.
    """

    path: Sequence[Entry]
    members: Mapping[str, Any]
    started_at_ms: int
    asked: bool = False
    waited: bool = False
    model: ResolvedModel | None = None
    thinking: str = "off"
    failure: OpenClawError | None = None


@frozen(kw_only=True)
class Collected:
    """
    A queued message that becomes part of another run's turn.

    :ivar outcome: how its own run ends.
    """

    inbound: Inbound
    prepared: Prepared
    outcome: Outcome


def begin(
    store: Store,
    *,
    inbound: Inbound,
    prepared: Prepared,
    session_id: str,
    config: Config,
    environ: Mapping[str, str],
    make_id: Callable[[], str],
    notes: Sequence[str],
    now_ms: int,
    collected: Sequence[Collected] = (),
    queue: QueueSettings | None = None,
) -> Deferred[Begun]:
    """
    Write down that a run has begun, with the message that caused it, unless that was written before.

    :param collected: queued messages that are part of the same turn; their runs end here.
    """
    beginning = _Beginning(
        inbound=inbound,
        prepared=prepared,
        session_id=session_id,
        config=config,
        environ=environ,
        make_id=make_id,
        notes=notes,
        now_ms=now_ms,
        collected=collected,
        queue=queue,
    )
    return store.write(beginning.write)


@frozen(kw_only=True)
class _Chosen:
    """
    How the model is asked, or why it is not.
    """

    model: ResolvedModel | None = None
    thinking: str = "off"
    failure: OpenClawError | None = None


@frozen(kw_only=True)
class _Beginning:
    """
    The transaction of ``begin``.
    """

    inbound: Inbound
    prepared: Prepared
    session_id: str
    config: Config
    environ: Mapping[str, str]
    make_id: Callable[[], str]
    notes: Sequence[str]
    now_ms: int
    collected: Sequence[Collected]
    queue: QueueSettings | None

    @property
    def _place(self) -> dict[str, Any]:
        """
        What everything that is appended has.
        """
        return {"session_id": self.session_id, "run_id": self.inbound.run_id, "now_ms": self.now_ms}

    @property
    def _marks(self) -> dict[str, Any]:
        return {"origin": self.inbound.origin, "trust": self.inbound.trust}

    def write(self, unit: Unit) -> Begun:
        run = required(unit, self.inbound.run_id)
        session = unit.sessions.get(self.inbound.session_key)
        members = {} if session is None else session.members
        started = run.started_at_ms or self.now_ms
        # One that waits for a person does so until it is decided, however often a process dies meanwhile.
        waited = run.state == "waiting"
        unit.runs.put(evolve(run, state="waiting" if waited else "running", started_at_ms=started))
        chosen = self._choose(members)
        path, asked = self._append(unit, chosen, members)
        for one in self.collected:
            other = required(unit, one.inbound.run_id)
            record = outcome_record(one.outcome)
            unit.runs.put(evolve(other, state="ok", ended_at_ms=self.now_ms, outcome=record))
        if session is not None and session.session_id == self.session_id:
            told = {**members, "systemSent": True, "abortedLastRun": False}
            unit.sessions.put(evolve(session, members=told))
        return Begun(
            path=path,
            members=members,
            started_at_ms=started,
            asked=asked,
            waited=waited,
            model=chosen.model,
            thinking=chosen.thinking,
            failure=chosen.failure,
        )

    def _choose(self, members: Mapping[str, Any]) -> _Chosen:
        model: ResolvedModel | None = None
        try:
            check(self.inbound, self.prepared)
            agent_id = agent_of(self.inbound.session_key, default_agent(self.config))
            ref = own_ref(self.inbound, self.config, self.environ) or chosen_ref(self.prepared, members)
            model = resolve_model(self.config, self.environ, ref, agent_id=agent_id)
            thinking = chosen_thinking(self.inbound, self.prepared, members, self.config, model)
        except (UnknownModel, NoApiKey, RunRefused) as error:
            return _Chosen(model=model, failure=error)
        return _Chosen(model=model, thinking=thinking)

    def _append(self, unit: Unit, chosen: _Chosen, members: Mapping[str, Any]) -> tuple[Sequence[Entry], bool]:
        """
        :return: the path with what is new, and whether the message is.
        """
        path = unit.entries.path(self.session_id)
        results = [
            append_message(unit, self.make_id, **self._place, message=result, marks=self._marks)
            for result in client_results(self.inbound, path, self.now_ms)
        ]
        path = [*path, *results]
        asked = not has_user_message(path, self.inbound.run_id)
        asked = asked and bool(self.prepared.prompt or self.inbound.images)
        if (asked or results) and chosen.model is not None:
            path = append_settings(
                unit, self.make_id, path, **self._place, model=chosen.model, thinking=chosen.thinking
            )
        if asked:
            message = append_user(unit, self.make_id, **self._place, message=self._message(members), marks=self._marks)
            path = path_to(path, message)
        return path, asked

    def _message(self, members: Mapping[str, Any]) -> Message:
        """
        What the model reads: the message, what was queued behind it, and the notes before it.
        """
        text, images = full_prompt(self.inbound, self.prepared), list(self.inbound.images)
        if self.collected and self.queue is not None:
            others = [full_prompt(one.inbound, one.prepared) for one in self.collected]
            text = collected_text([text, *others], self.queue)
            images += [image for one in self.collected for image in one.inbound.images]
        return user_message(with_notes(text, members, self.notes), images, self.now_ms)


def check(inbound: Inbound, prepared: Prepared) -> None:
    """
    :raise RunRefused: there is nothing to ask, or it is asked in a way that does not exist.
    """
    if not (prepared.prompt or "").strip() and not inbound.images and not inbound.tool_results:
        raise RunRefused("Message (--message) is required")
    if inbound.origin == "agent" and inbound.thinking is not None and prepared.thinking is None:
        raise RunRefused("Invalid thinking level. Use one of: off, minimal, low, medium, high.")


def client_results(inbound: Inbound, path: Sequence[Entry], now_ms: int) -> list[Message]:
    """
    The results that the client brings for calls that the session waits for.
    """
    texts = {result["callId"]: result["text"] for result in inbound.tool_results}
    return [
        tool_message(call, [{"type": "text", "text": texts[call.id]}], None, is_error=False, now_ms=now_ms)
        for call in unanswered_calls(path)
        if call.id in texts
    ]


def own_ref(inbound: Inbound, config: Config, environ: Mapping[str, str]) -> ModelRefParts | None:
    """
    The model that whoever made the record wants for this run.

    :raise RunRefused: the configuration does not allow it.
    """
    if not inbound.model:
        return None
    ref = find_ref(config, inbound.model, environ)
    # A heartbeat's model stands in the configuration itself.
    if inbound.origin != "heartbeat" and not is_allowed(config, ref, environ):
        raise RunRefused(f"model not allowed: {ref}")
    return ref


def chosen_ref(prepared: Prepared, members: Mapping[str, Any]) -> ModelRefParts | None:
    """
    The message's choice of a model, else the session's.
    """
    if prepared.model is not None:
        return parse_ref(prepared.model)
    override = members.get("modelOverride")
    if not override:
        return None
    provider = members.get("providerOverride")
    return parse_ref(f"{provider}/{override}" if provider else str(override))


def chosen_thinking(
    inbound: Inbound, prepared: Prepared, members: Mapping[str, Any], config: Config, model: ResolvedModel
) -> str:
    """
    The message's level, else the session's, else the default, as far as the model goes.
    """
    level = prepared.thinking or members.get("thinkingLevel")
    if level not in THINKING_LEVELS:
        level = thinking_default(config, model)
    return level if level in thinking_levels(model) else "high"


def full_prompt(inbound: Inbound, prepared: Prepared) -> str:
    """
    What the model reads of one message: its text and its id.
    """
    text = prepared.prompt or ""
    return text if inbound.message_id is None else f"{text}\n[message_id: {inbound.message_id}]"


def with_notes(text: str, members: Mapping[str, Any], notes: Sequence[str]) -> str:
    """
    What the model reads before the message: that the last run was aborted, and system notes.
    """
    if notes:
        text = "\n".join(notes) + "\n\n" + text
    return f"{ABORTED_NOTE}\n\n{text}" if members.get("abortedLastRun") else text
