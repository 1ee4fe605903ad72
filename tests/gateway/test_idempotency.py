"""
The same key again, over restarts and crashes on one database (``protocol.md`` 21, 22).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.errors import ProviderRefused
from openclaw.clock import millis
from openclaw.methods.families import METHODS
from openclaw.methods.idempotency import LIFETIME_MS, MOST_ANSWERS, SWEEP_MS, Remembered
from openclaw.store.bodies import Bodies
from openclaw.store.interfaces import Answer, Unit
from openclaw.store.schema import close_cleanly, open_writer
from openclaw.store.sql_unit import SqlUnit
from openclaw.testing.client import GatewayClient
from openclaw.testing.gateway import MemoryGateway
from openclaw.testing.model import Step, said

T = TypeVar("T")


@define(eq=False)
class FileStore:
    """
    The database in a file, each work at once and in a transaction of its own.
    """

    path: Path
    is_ready: bool = True
    _connection: Any = field(init=False)
    _unit: SqlUnit = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._connection = open_writer(self.path)
        self._unit = SqlUnit(self._connection, Bodies(self.path.parent / "blobs"))

    def write(self, work: Callable[[Unit], T]) -> Deferred[T]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._unit)
        except Exception as error:
            self._connection.execute("ROLLBACK")
            return fail(error)
        self._connection.execute("COMMIT")
        return succeed(result)

    read = write

    def close(self) -> None:
        close_cleanly(self._connection)


#: What to ask with, by method: every method that keeps its answers has to stand here.
REQUESTS: dict[str, dict[str, Any]] = {
    "agent": {"message": "hi", "sessionKey": "main"},
    "chat.send": {"message": "hi", "sessionKey": "main"},
    "send": {"message": "hi", "to": "+15550100", "channel": "telegram"},
    "poll": {"question": "when?", "options": ["now", "later"], "to": "+15550100", "channel": "telegram"},
}


class IdempotencyCase(SynchronousTestCase):
    """
    One database, and gateways on it one after another.
    """

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.stores: list[FileStore] = []
        self.addCleanup(self.close)

    def close(self) -> None:
        for store in self.stores:
            store.close()

    def start(self, *answers: Sequence[Step]) -> MemoryGateway:
        """
        A gateway; the one before must have stopped, or died.
        """
        self.stores.append(FileStore(self.directory / "openclaw.sqlite3"))
        gateway = MemoryGateway(directory=self.directory, store=self.stores[-1], answers=answers or [said("Hello.")])
        if self.stores[1:]:
            gateway.reactor.advance(60.0 * len(self.stores))
        return gateway.start()

    def again(self, gateway: MemoryGateway, method: str, key: str = "k", **more: Any) -> list[dict[str, Any]]:
        """
        Every answer to a request, by somebody new, within a minute.
        """
        client = gateway.connected()
        request = client.ask(method, {**REQUESTS[method], "idempotencyKey": key, **more})
        gateway.advance(60)
        return [without_id(answer) for answer in client.answers(request)]


def without_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("id", "type")}


class RestartTests(IdempotencyCase):
    """
    What was answered is answered again, whoever asks, whatever else the request says.
    """

    def test_every_method(self) -> None:
        """
        Every method that says that it keeps its answers is tried here.
        """
        self.assertEqual({name for name, row in METHODS.items() if row.idempotent}, set(REQUESTS))

    def test_agent(self) -> None:
        """
        A run that has ended gives its last answer, once; no second run is made of it, also after a restart.
        """
        gateway = self.start()
        first, last = self.again(gateway, "agent")
        self.assertEqual((first["payload"]["status"], last["payload"]["status"]), ("accepted", "ok"))
        self.assertEqual(self.again(gateway, "agent", message="other", sessionKey="agent:main:else"), [last])
        self.assertEqual(len(gateway.model.requests), 1)
        gateway.stop()
        after = self.start()
        self.addCleanup(after.stop)
        self.assertEqual(self.again(after, "agent", message="other", sessionKey="agent:main:else"), [last])
        self.assertEqual(after.model.requests, [])

    def test_failed_agent(self) -> None:
        """
        A run that failed says so again, with payload and error; so does a request that failed before there was a run.
        """
        gateway = self.start([ProviderRefused(status=400, message="no")])
        _, run = self.again(gateway, "agent")
        _, early = self.again(gateway, "agent", "early", timeout=0)
        for answer in (run, early):
            self.assertEqual((answer["ok"], answer["payload"]["status"]), (False, "error"))
            self.assertEqual(answer["payload"]["summary"], answer["error"]["message"])
        gateway.stop()
        after = self.start()
        self.addCleanup(after.stop)
        self.assertEqual(self.again(after, "agent"), [run])
        self.assertEqual(self.again(after, "agent", "early"), [early])
        self.assertEqual(after.model.requests, [])

    def test_chat(self) -> None:
        """
        A message that was answered is answered ``ok``, also after a restart.
        """
        gateway = self.start()
        (first,) = self.again(gateway, "chat.send")
        self.assertEqual(first["payload"], {"runId": "k", "status": "started"})
        ended = {"ok": True, "payload": {"runId": "k", "status": "ok"}}
        self.assertEqual(self.again(gateway, "chat.send", message="other"), [ended])
        gateway.stop()
        after = self.start()
        self.addCleanup(after.stop)
        self.assertEqual(self.again(after, "chat.send", message="other"), [ended])
        self.assertEqual(after.model.requests, [])

    def test_failed_chat(self) -> None:
        """
        A message whose run failed is answered so, with payload and error.
        """
        gateway = self.start([ProviderRefused(status=400, message="no")])
        self.again(gateway, "chat.send")
        gateway.stop()
        after = self.start()
        self.addCleanup(after.stop)
        (answer,) = self.again(after, "chat.send")
        self.assertEqual((answer["ok"], answer["error"]["code"]), (False, "UNAVAILABLE"))
        self.assertEqual({**answer["payload"], "summary": ""}, {"runId": "k", "status": "error", "summary": ""})

    def test_name_spaces(self) -> None:
        """
        The same key means another thing to another method.
        """
        gateway = self.start()
        self.addCleanup(gateway.stop)
        self.again(gateway, "chat.send", "a")
        self.assertEqual([answer["payload"]["status"] for answer in self.again(gateway, "agent", "b")][-1], "ok")
        self.assertEqual(len(gateway.model.requests), 2)

    def test_refused(self) -> None:
        """
        What was refused is not kept: the same key can be used for better, and a message without a channel is refused
        each time.
        """
        gateway = self.start()
        self.addCleanup(gateway.stop)
        for method in ("send", "poll"):
            for _ in range(2):
                (answer,) = self.again(gateway, method)
                self.assertEqual(answer["error"]["code"], "INVALID_REQUEST")
        (refused,) = self.again(gateway, "agent", agentId="nobody")
        self.assertFalse(refused["ok"])
        self.assertEqual([answer["ok"] for answer in self.again(gateway, "agent")], [True, True])


class MeanwhileTests(IdempotencyCase):
    """
    While the work goes on.
    """

    slow: Sequence[Step] = [30, *said("Late.")]

    def asked(self, client: GatewayClient, method: str) -> str:
        return client.ask(method, {**REQUESTS[method], "idempotencyKey": "k"})

    def test_agent(self) -> None:
        """
        A repeat gets the first answer as it was, and nothing more; the last one goes to who asked first.
        """
        gateway = self.start(self.slow)
        self.addCleanup(gateway.stop)
        one, other = gateway.connected(), gateway.connected()
        mine = self.asked(one, "agent")
        gateway.advance(5)
        theirs = self.asked(other, "agent")
        gateway.advance_until(lambda: len(one.answers(mine)) == 2)
        gateway.advance(5)
        first, last = (without_id(answer) for answer in one.answers(mine))
        self.assertEqual([without_id(answer) for answer in other.answers(theirs)], [first])
        self.assertEqual(last["payload"]["status"], "ok")
        self.assertEqual(len(gateway.model.requests), 1)

    def test_chat(self) -> None:
        """
        A repeat is told that the message is being answered.
        """
        gateway = self.start(self.slow)
        self.addCleanup(gateway.stop)
        client = gateway.connected()
        self.asked(client, "chat.send")
        gateway.advance(5)
        repeated = client.answers(self.asked(client, "chat.send"))
        self.assertEqual([answer["payload"] for answer in repeated], [{"runId": "k", "status": "in_flight"}])

    def test_agent_died(self) -> None:
        self.check_died("agent")

    def test_chat_died(self) -> None:
        self.check_died("chat.send")

    def check_died(self, method: str) -> None:
        """
        A gateway that dies meanwhile has accepted the message: the next one runs it, without being asked again, and the
        key gets its answer.
        """
        dying = self.start(self.slow)
        self.asked(dying.connected(), method)
        dying.advance(5)
        self.assertEqual(len(dying.model.requests), 1)
        after = self.start(said("Hello again."))
        self.addCleanup(after.stop)
        after.advance(60)
        self.assertEqual(len(after.model.requests), 1)
        (answer,) = self.again(after, method)
        self.assertEqual((answer["ok"], answer["payload"]["status"]), (True, "ok"))
        self.assertEqual(len(after.model.requests), 1)


class RememberedTests(IdempotencyCase):
    """
    Answers that are the only trace of some work.
    """

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.worked: list[str] = []
        self.next_process()

    def next_process(self) -> None:
        """
        What a process knows is in the database alone.
        """
        self.stores.append(FileStore(self.directory / "openclaw.sqlite3"))
        self.remembered = Remembered()

    def once(self, key: str, **members: Any) -> Answer:
        async def work() -> Answer:
            self.worked.append(key)
            told = {"ok": True, "payload": [len(self.worked)], "error": None, **members}
            return Answer(key=key, written_at_ms=millis(self.clock), **told)

        asking = self.remembered.once(key, self.stores[-1], self.clock, work)
        return self.successResultOf(Deferred.fromCoroutine(asking))

    def test_restart(self) -> None:
        """
        An answer outlives the process, success or failure, for five minutes.
        """
        error = {"code": "UNAVAILABLE", "message": "no luck"}
        told, failed = self.once("send:a"), self.once("send:b", ok=False, payload=[], error=error)
        self.next_process()
        self.clock.advance(LIFETIME_MS / 1000 - 1)
        self.assertEqual([self.once("send:a"), self.once("send:b")], [told, failed])
        self.clock.advance(2)
        self.assertNotEqual(self.once("send:a"), told)
        self.assertEqual(self.worked, ["send:a", "send:b", "send:a"])

    def test_not_kept(self) -> None:
        """
        Refusals are not kept, and neither is what is to be asked again.
        """
        refused = {"code": "INVALID_REQUEST", "message": "no"}
        stopping = {"code": "UNAVAILABLE", "message": "The gateway is stopping.", "retryable": True}
        for error in (refused, stopping):
            self.once("send:a", ok=False, payload=[], error=error)
        self.assertEqual(self.once("send:a").payload, [3])

    def test_bounded(self) -> None:
        """
        More answers than a thousand are not kept for longer than a minute, the oldest go first.
        """
        for number in range(MOST_ANSWERS + 20):
            self.once(f"send:{number}")
            self.clock.advance(0.001)
        self.clock.advance(SWEEP_MS / 1000)
        self.once("send:last")
        kept = self.successResultOf(
            self.stores[-1].read(
                lambda unit: [number for number in range(MOST_ANSWERS + 20) if unit.answers.get(f"send:{number}", 0)]
            )
        )
        self.assertEqual(kept, [*range(21, MOST_ANSWERS + 20)])
