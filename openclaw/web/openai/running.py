"""
One request is one run: it is followed while it says something, and ended when its client leaves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import define, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from openclaw.agent.following import Listener
from openclaw.agent.types import Agents, Inbound, Outcome
from openclaw.config.model import Config
from openclaw.web.openai.errors import RunFailed
from openclaw.web.openai.sources import Media

T = TypeVar("T")

#: What is answered where the agent says nothing.
NOTHING = "No response from OpenClaw."

_log = Logger()


@frozen(kw_only=True)
class Backend:
    """
    What the endpoints act on.

    :ivar follow: see ``openclaw.agent.following``.
    :ivar media: reads pictures and files.
    :ivar waiting_calls: ids of the client's calls that a session waits for.
    """

    agents: Agents
    follow: Callable[[str, Listener], Callable[[], None]]
    waiting_calls: Callable[[str], Awaitable[Sequence[str]]]
    media: Media
    config: Callable[[], Config]
    clock: IReactorTime
    make_id: Callable[[], str]


@frozen(kw_only=True)
class Reply:
    """
    How a run answered.

    :ivar texts: what it said, one for each message.
    :ivar calls: what it wants its client to do: ``id``, ``name`` and ``arguments`` (JSON text) of each.
    """

    run_id: str
    texts: Sequence[str]
    calls: Sequence[Mapping[str, str]]
    usage: Mapping[str, int]

    @property
    def text(self) -> str:
        """
        All that it said; something, unless it calls.
        """
        return "\n\n".join(self.texts) or ("" if self.calls else NOTHING)


async def run(backend: Backend, inbound: Inbound, said: Callable[[str], None] | None = None) -> Reply:
    """
    Let the agent answer. Being cancelled ends the run.

    :param said: hears each piece of what is said while it is said.
    :raise RunFailed: it gave no answer.
    """
    stop = backend.follow(inbound.run_id, Pieces(said)) if said is not None else lambda: None
    try:
        accepted = await undisturbed(backend.agents.submit(inbound))
        outcome = await backend.agents.outcome(accepted.run_id)
    except CancelledError:
        _abort(backend, inbound)
        raise
    finally:
        stop()
    return read_reply(outcome)


def read_reply(outcome: Outcome) -> Reply:
    """
    :raise RunFailed: there is none.
    """
    if outcome.status != "ok":
        text = "The run was aborted." if outcome.status == "aborted" else outcome.summary
        raise RunFailed(text, outcome.code)
    result = outcome.result or {}
    meta = result.get("meta", {})
    texts = [payload["text"] for payload in result.get("payloads", ()) if payload.get("text")]
    return Reply(
        run_id=outcome.run_id,
        texts=texts,
        calls=meta.get("pendingToolCalls", ()),
        usage=meta.get("agentMeta", {}).get("usage", {}),
    )


def _abort(backend: Backend, inbound: Inbound) -> None:
    """
    End the run of a client that has left, also where it is only being stored.
    """
    ending = backend.agents.abort(inbound.session_key, run_id=inbound.run_id)
    ending.addErrback(lambda failure: _log.failure("The run of a client that left was not ended.", failure))


def undisturbed(work: Deferred[T]) -> Deferred[T]:
    """
    Wait for something that goes on when the waiting is cancelled.
    """
    waiter: Deferred[T] = Deferred()

    def done(result: Any) -> None:
        if not waiter.called:
            waiter.callback(result)

    work.addBoth(done)
    return waiter


@define
class Pieces:
    """
    Makes pieces of one text from a run's ``assistant`` events. Several messages are told apart by a blank line.
    """

    said: Callable[[str], None] | None
    _anything: bool = False

    def __call__(self, stream: str, data: Mapping[str, Any]) -> None:
        if stream != "assistant" or self.said is None:
            return
        text, delta = data["text"], data["delta"]
        # A message that begins anew repeats nothing of the one before.
        again = self._anything and len(text) == len(delta)
        self._anything = True
        self.said(f"\n\n{delta}" if again else delta)
