"""
What a run writes down, one transaction each.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent import ledger
from openclaw.agent.beginning import Begun, Collected, begin
from openclaw.agent.errors import RunRefused, UnknownRun
from openclaw.agent.ledger import Reply
from openclaw.agent.outcomes import make_outcome
from openclaw.agent.providers.base import ResolvedModel, Usage
from openclaw.agent.providers.catalog import UnknownModel
from openclaw.agent.queue import QueueSettings
from openclaw.agent.record import Prepared, to_record
from openclaw.agent.transcript import assistant_message
from openclaw.agent.types import Inbound, Outcome
from openclaw.config.model import build
from openclaw.sessions.text import ABORTED_NOTE
from openclaw.store.interfaces import Run, Session
from openclaw.store.memory import MemoryStore
from tests.agent.fakes import CONFIG, KEY, merged, texts

MODEL = ResolvedModel(provider="mock", model_id="mock-1", api="openai-completions", base_url="")
QUEUE = QueueSettings(mode="collect", debounce_ms=0, cap=20, drop="old")


def inbound(run_id: str = "r1", message: str = "hi", **more: Any) -> Inbound:
    return Inbound(
        **{
            "run_id": run_id,
            "session_key": KEY,
            "shown_key": "main",
            "origin": "chat",
            "dedupe_key": f"chat:{run_id}",
            "message": message,
            **more,
        }
    )


def outcome(run_id: str = "r1", **more: Any) -> Outcome:
    told: dict[str, Any] = {"status": "ok", "summary": "completed", "created_at_ms": 1, "started_at_ms": 2, "now_ms": 9}
    return make_outcome(run_id=run_id, session_id="s", **{**told, **more})


class LedgerCase(SynchronousTestCase):
    """
    A session ``s`` and accepted runs in it.
    """

    def setUp(self) -> None:
        self.store = MemoryStore()
        numbers = count()
        self.make_id = lambda: f"{next(numbers):08x}"
        session = Session(key=KEY, agent_id="main", session_id="s", updated_at_ms=5, members={"label": "L"})
        self.store.unit.sessions.put(session)
        self.accept(inbound())

    def accept(self, one: Inbound, **members: Any) -> None:
        run = Run(
            run_id=one.run_id,
            session_key=KEY,
            session_id="s",
            state="accepted",
            origin=one.origin,
            dedupe_key=one.dedupe_key,
            inbound=to_record(one, Prepared(prompt=one.message)),
            created_at_ms=1,
        )
        self.store.unit.runs.put(evolve(run, **members))

    def begin(self, one: Inbound | None = None, *, config: Mapping[str, Any] | None = None, **more: Any) -> Begun:
        one = one or inbound()
        arguments = {"prepared": Prepared(prompt=one.message), "notes": (), "now_ms": 7, **more}
        begun: Deferred[Begun] = begin(
            self.store,
            inbound=one,
            session_id="s",
            config=build(merged(CONFIG, config or {})),
            environ={},
            make_id=self.make_id,
            **arguments,
        )
        return self.successResultOf(begun)

    def finish(self, **more: Any) -> bool:
        arguments = {"inbound": inbound(), "state": "ok", "outcome": outcome(), **more}
        return self.successResultOf(ledger.finish(self.store, session_id="s", make_id=self.make_id, **arguments))

    def run_record(self, run_id: str = "r1") -> Run:
        run = self.store.unit.runs.get(run_id)
        assert run is not None
        return run

    def session(self) -> Session:
        session = self.store.unit.sessions.get(KEY)
        assert session is not None
        return session

    def said(self) -> list[tuple[str, str]]:
        return texts([entry.body["message"] for entry in self.store.unit.entries.messages("s", 99)][::-1])


class BeginTests(LedgerCase):
    def test_begun(self) -> None:
        """
        Run, message and session say it in one transaction, with the model it is for.
        """
        begun = self.begin()
        self.assertEqual((self.run_record().state, self.run_record().started_at_ms), ("running", 7))
        self.assertEqual((self.said(), begun.path[-1].run_id), ([("user", "hi")], "r1"))
        assert begun.model is not None
        self.assertEqual((begun.model.ref, begun.thinking, begun.failure), ("mock/mock-1", "off", None))
        self.assertEqual((self.session().members["systemSent"], self.session().members["label"]), (True, "L"))

    def test_again(self) -> None:
        """
        A run that begins again has its message and its time already.
        """
        self.begin()
        again = self.begin(now_ms=70)
        self.assertEqual((self.said(), again.started_at_ms), ([("user", "hi")], 7))
        self.assertEqual([entry.id for entry in again.path], [e.id for e in self.store.unit.entries.path("s")])

    def test_waiting(self) -> None:
        """
        One that waited for a person still does.
        """
        self.accept(inbound(), state="waiting", seen=True)
        self.assertTrue(self.begin().waited)
        self.assertEqual((self.run_record().state, self.run_record().seen), ("waiting", True))

    def test_notes(self) -> None:
        """
        Before the message stands that the last run was aborted, then notes; the next one is told nothing of it.
        """
        session = self.session()
        self.store.unit.sessions.put(evolve(session, members={"abortedLastRun": True}))
        self.begin(notes=["System: one", "System: two"])
        self.assertEqual(self.said(), [("user", f"{ABORTED_NOTE}\n\nSystem: one\nSystem: two\n\nhi")])
        self.assertFalse(self.session().members["abortedLastRun"])

    def test_failures(self) -> None:
        """
        What cannot be run is said to be so, and its message stands in the session all the same.
        """
        nope = {"agents": {"defaults": {"model": {"primary": "nope/none"}}}}
        self.assertIsInstance(self.begin(config=nope).failure, UnknownModel)
        self.assertEqual(self.said(), [("user", "hi")])
        self.assertIsInstance(self.begin(inbound(message=" ")).failure, RunRefused)
        self.assertIsInstance(self.begin(inbound(origin="agent", thinking="weird")).failure, RunRefused)

    def test_levels(self) -> None:
        """
        The message's level counts, then the session's, then the default; one the model has not is the highest it has.
        """
        session = self.session()
        self.store.unit.sessions.put(evolve(session, members={"thinkingLevel": "low"}))
        self.assertEqual(self.begin().thinking, "low")
        self.assertEqual(self.begin(prepared=Prepared(prompt="hi", thinking="medium")).thinking, "medium")
        self.assertEqual(self.begin(prepared=Prepared(prompt="hi", thinking="xhigh")).thinking, "high")

    def test_reset_meanwhile(self) -> None:
        """
        A session that points to another transcript by now is left alone.
        """
        self.store.unit.sessions.put(evolve(self.session(), session_id="other"))
        self.begin()
        self.assertNotIn("systemSent", self.session().members)

    def test_collected(self) -> None:
        """
        Messages that become one turn are one message, with all pictures; their own runs end with it.
        """
        image = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
        other = inbound("r2", "two", images=[image])
        self.accept(other)
        taken = Collected(inbound=other, prepared=Prepared(prompt="two"), outcome=outcome("r2", summary="collected"))
        self.begin(collected=[taken], queue=QUEUE)
        ((role, text),) = self.said()
        self.assertEqual((role, text.count("Queued #")), ("user", 2))
        (entry,) = self.store.unit.entries.messages("s", 9)
        self.assertEqual(entry.body["message"]["content"][1], image)
        self.assertEqual((self.run_record("r2").state, self.run_record("r2").ended_at_ms), ("ok", 7))

    def test_lost_run(self) -> None:
        """
        A run that the store does not have cannot begin.
        """
        begun = begin(
            self.store,
            inbound=inbound("gone"),
            prepared=Prepared(prompt="hi"),
            session_id="s",
            config=build(CONFIG),
            environ={},
            make_id=self.make_id,
            notes=(),
            now_ms=7,
        )
        self.failureResultOf(begun, UnknownRun)
        self.assertEqual(self.said(), [])


class MarkTests(LedgerCase):
    def test_seen_stays(self) -> None:
        """
        What was seen stays seen; a state is only changed when one is given.
        """
        self.successResultOf(ledger.mark(self.store, "r1", seen=True))
        self.assertEqual((self.run_record().state, self.run_record().seen), ("accepted", True))
        self.successResultOf(ledger.mark(self.store, "r1", state="waiting"))
        self.assertEqual((self.run_record().state, self.run_record().seen), ("waiting", True))

    def test_message(self) -> None:
        """
        A message and that it was seen are one transaction.
        """
        message = assistant_message(MODEL, [{"type": "text", "text": "x"}], Usage(), "stop", 3)
        writing = ledger.record_message(
            self.store, run_id="r1", session_id="s", make_id=self.make_id, message=message, now_ms=3, seen=True
        )
        self.assertEqual(self.successResultOf(writing).run_id, "r1")
        self.assertTrue(self.run_record().seen)
        lost = ledger.record_message(
            self.store, run_id="gone", session_id="s", make_id=self.make_id, message=message, now_ms=3, seen=True
        )
        self.failureResultOf(lost, UnknownRun)
        self.assertEqual(len(self.said()), 1)


class FinishTests(LedgerCase):
    def test_finished(self) -> None:
        """
        Outcome, last message, session and what must be delivered are one transaction.
        """
        message = assistant_message(MODEL, [{"type": "text", "text": "Hello"}], Usage(), "stop", 9)
        self.assertTrue(self.finish(message=message, members={"model": "mock-1"}, reply=Reply(id="o1", text="Hello")))
        self.assertEqual((self.run_record().state, self.run_record().ended_at_ms), ("ok", 9))
        self.assertEqual(self.said(), [("assistant", "Hello")])
        self.assertEqual((self.session().members["model"], self.session().updated_at_ms), ("mock-1", 9))
        (item,) = self.store.unit.outbox.waiting(9)
        self.assertEqual((item.run_id, item.payload), ("r1", {"sessionKey": "main", "text": "Hello"}))

    def test_only_once(self) -> None:
        """
        A run that has ended cannot end otherwise: nothing is changed.
        """
        self.finish()
        message = assistant_message(MODEL, [{"type": "text", "text": "late"}], Usage(), "stop", 9)
        late = outcome(status="error", summary="late")
        self.assertFalse(self.finish(state="error", outcome=late, message=message, reply=Reply(id="o", text="late")))
        self.assertEqual((self.run_record().state, self.said()), ("ok", []))
        self.assertEqual(list(self.store.unit.outbox.waiting(9)), [])

    def test_reset_meanwhile(self) -> None:
        """
        A session that points to another transcript by now keeps what it says of itself.
        """
        self.store.unit.sessions.put(evolve(self.session(), session_id="other"))
        self.finish(members={"model": "mock-1"})
        self.assertEqual((self.session().members, self.session().updated_at_ms), ({"label": "L"}, 5))

    def test_heartbeat(self) -> None:
        """
        The end of a heartbeat keeps no session going.
        """
        self.finish(inbound=inbound(origin="heartbeat"))
        self.assertEqual(self.session().updated_at_ms, 5)

    def test_deleted_meanwhile(self) -> None:
        """
        A session that was deleted does not come back.
        """
        self.store.unit.sessions.delete(KEY)
        self.finish(members={"model": "mock-1"})
        self.assertIsNone(self.store.unit.sessions.get(KEY))
