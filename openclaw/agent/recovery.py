"""
After a crash: every run that is not terminal in the store is settled or goes on (``design.md`` 3).

==================  ============================================================
state               what happens
==================  ============================================================
accepted            it starts
running, unseen     it starts again: nobody has seen anything of it
left                one error: its client waited on a connection that is gone
waiting             it goes on where a person is asked, under the same question
running, seen       one terminal error, told in the session and to those who wait
unreadable          the same
==================  ============================================================
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from openclaw.agent import ledger
from openclaw.agent.events import RunEvents
from openclaw.agent.record import Prepared, from_record
from openclaw.agent.transcript import failure_message
from openclaw.agent.types import Inbound, Outcome, http_key
from openclaw.agent.world import World
from openclaw.clock import millis
from openclaw.store.interfaces import Run, Unit

INTERRUPTED = "The gateway stopped before the answer was complete."
UNREADABLE = "What was asked cannot be read any more."

#: Replies looked at in one transaction.
BATCH = 200

_log = Logger()


async def recover(
    world: World, resume: Callable[[Run, Inbound, Prepared], None], told: Callable[[Outcome], None]
) -> None:
    """
    Settle what an earlier process left behind, oldest first. What goes wrong with one run keeps no other from going on.

    :param resume: lets a run go on.
    :param told: hears how a run ended.
    """
    await _settle_outbox(world)
    for run in await world.store.read(lambda unit: list(unit.runs.unfinished())):
        try:
            inbound, prepared = from_record(run.inbound)
        except (TypeError, ValueError, KeyError):
            _log.failure("The record of the run {run} cannot be read.", run=run.run_id)
            await _end(world, run, _stand_in(run), UNREADABLE, told)
        else:
            if (run.state == "running" and run.seen) or _is_left(inbound):
                await _end(world, run, inbound, INTERRUPTED, told)
            else:
                resume(run, inbound, prepared)


def _is_left(inbound: Inbound) -> bool:
    """
    Whether nobody can get the answer: a request over HTTP without a key by which it could be sent again.
    """
    return inbound.origin == "http" and inbound.dedupe_key == http_key(inbound.run_id)


def _stand_in(run: Run) -> Inbound:
    """
    As much of an inbound record as is known when it cannot be read.
    """
    shown = run.inbound.get("shown_key")
    return Inbound(
        run_id=run.run_id,
        session_key=run.session_key,
        shown_key=shown if isinstance(shown, str) else run.session_key,
        origin=run.origin,
        dedupe_key=run.dedupe_key,
        message="",
    )


async def _end(world: World, run: Run, inbound: Inbound, why: str, told: Callable[[Outcome], None]) -> None:
    try:
        outcome = await _interrupt(world, run, inbound, f"Error: {why}")
    except CancelledError:
        raise
    except Exception:
        _log.failure("The run {run} could not be settled.", run=run.run_id)
    else:
        if outcome is not None:
            told(outcome)


async def _interrupt(world: World, run: Run, inbound: Inbound, text: str) -> Outcome | None:
    now_ms = millis(world.clock)
    meta = {"agentMeta": {"sessionId": run.session_id}, "aborted": True}
    outcome = Outcome(
        run_id=run.run_id,
        status="error",
        summary=text,
        started_at_ms=run.started_at_ms,
        ended_at_ms=now_ms,
        result={"payloads": [], "meta": {"durationMs": now_ms - run.created_at_ms, **meta}},
        code="UNAVAILABLE",
    )
    ended = await ledger.finish(
        world.store,
        inbound=inbound,
        session_id=run.session_id,
        state="interrupted",
        outcome=outcome,
        make_id=world.make_entry_id,
        message=failure_message(None, text, now_ms),
        members={"abortedLastRun": True},
    )
    if not ended:
        return None
    events = RunEvents(
        run_id=run.run_id,
        shown_key=inbound.shown_key,
        publish=world.publish,
        clock=world.clock,
        on_output=lambda: None,
        chat=inbound.shown_key is not None and inbound.origin != "heartbeat",
    )
    events.failed(run.started_at_ms, now_ms, text)
    return outcome


async def _settle_outbox(world: World) -> None:
    """
    Replies that were to go to whoever is connected: nobody is now, and who comes finds them in the history.
    """
    now_ms = millis(world.clock)
    while True:
        items = await world.store.read(lambda unit: list(unit.outbox.waiting(BATCH)))
        mine = [item for item in items if item.channel == ledger.WEBCHAT]
        if not mine:
            return
        ids = [item.id for item in mine]

        def work(unit: Unit, ids: list[str] = ids) -> None:
            for item_id in ids:
                unit.outbox.delivered(item_id, now_ms)

        await world.store.write(work)
        if len(items) < BATCH:
            return
