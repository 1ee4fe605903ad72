"""
Tests of ``openclaw.methods.dispatch``, ``authorise``, ``mapping`` and ``idempotency``.
"""

from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, fail

from openclaw.methods.authorise import holds, refusal
from openclaw.methods.context import MethodContext
from openclaw.methods.dispatch import Dispatcher
from openclaw.methods.families import METHODS
from openclaw.methods.idempotency import LIFETIME_MS
from openclaw.methods.mapping import invalid, unavailable
from openclaw.methods.table import MethodTable, Staged
from openclaw.protocol.features import METHOD_ORDER, UNLISTED_METHODS
from openclaw.protocol.types import ABSENT, NonEmptyString
from openclaw.store.interfaces import Unit
from openclaw.store.memory import MemoryStore
from tests.methods.support import ADMIN, HEALTH, MOCK_CONFIG, MethodCase, Reply, caller


@frozen
class FullStore:
    """
    A store whose disk is full.
    """

    store: MemoryStore

    def write(self, work: Callable[[Unit], Any]) -> Deferred[Any]:
        return fail(OSError("full"))

    def read(self, work: Callable[[Unit], Any]) -> Deferred[Any]:
        return self.store.read(work)


@frozen(kw_only=True)
class WorkParams:
    """
    Parameters of a method that is only here.
    """

    idempotency_key: NonEmptyString


#: The methods that operators call.
OPERATORS = {name: row for name, row in METHODS.items() if row.role == "operator"}


class AuthoriseTests(MethodCase):
    """
    The refusal table, made from the methods themselves.
    """

    def test_too_little(self) -> None:
        """
        Every method refuses an operator who holds all scopes but those that grant it, and names the scope.
        """
        for name, row in OPERATORS.items():
            others = {"operator.read", "operator.write", "operator.pairing", "operator.approvals"}
            granting = {scope for scope in others if holds([scope], row.scope)}
            message = self.refused(name, {}, by=caller(*sorted(others - granting)))
            self.assertEqual(message, f"missing scope: {row.scope}", name)
            self.assertEqual(self.refused(name, {}, by=caller()), f"missing scope: {row.scope}", name)

    def test_enough(self) -> None:
        """
        Every method lets in who holds its scope, or admin.
        """
        for name, row in OPERATORS.items():
            for scope in (row.scope, "operator.admin"):
                self.assertIsNone(refusal(name, row, role="operator", scopes=frozenset({scope})), name)

    def test_nodes(self) -> None:
        """
        A node is refused by every method of operators, whatever scopes it holds, also by unknown ones.
        """
        for name in (*OPERATORS, "nope.method"):
            message = self.refused(name, {}, by=caller("operator.admin", role="node"))
            self.assertEqual(message, "unauthorized role: node", name)

    def test_methods_of_nodes(self) -> None:
        """
        Operators are refused by the methods of nodes, admins too, also before those methods exist.
        """
        for name in ("node.invoke.result", "node.event", "skills.bins"):
            self.assertEqual(self.refused(name, {}), "unauthorized role: operator")

    def test_implication(self) -> None:
        """
        Write includes read and nothing else; admin includes everything.
        """
        self.assertTrue(holds(["operator.write"], "operator.read"))
        self.assertFalse(holds(["operator.read"], "operator.write"))
        self.assertFalse(holds(["operator.write", "operator.pairing"], "operator.approvals"))
        self.assertTrue(holds(["operator.admin"], "operator.approvals"))

    def test_unknown_name(self) -> None:
        """
        Only admins learn that a method does not exist.
        """
        self.assertEqual(self.refused("nope.method"), "unknown method: nope.method")
        self.assertEqual(self.refused("nope.method", by=caller("operator.write")), "missing scope: operator.admin")


class AdvertisedTests(MethodCase):
    def test_order(self) -> None:
        """
        What is advertised works, and stands in the order that clients know.
        """
        names = self.dispatcher.advertised()
        self.assertEqual(names, [name for name in METHOD_ORDER if name in names])
        self.assertLessEqual(set(names), set(METHODS))
        self.assertIn("chat.send", names)

    def test_hidden(self) -> None:
        """
        Some methods work without being advertised, and nothing else is missing.
        """
        hidden = set(METHODS) - set(self.dispatcher.advertised())
        self.assertEqual(hidden, set(UNLISTED_METHODS))


class DispatchCase(MethodCase):
    """
    One method of the test's own.
    """

    def dispatch(self, handler: Any, params: type | None = None, remembered: str | None = None) -> None:
        table = MethodTable()
        table.method("work", params, result=Any, remembered=remembered)(handler)
        self.dispatcher = Dispatcher(table.rows)


class AnswerTests(DispatchCase):
    """
    From handlers to answers.
    """

    def test_params(self) -> None:
        """
        Missing and ``null`` parameters are none; others are checked before the handler sees them.
        """
        self.assertEqual(self.ask("agents.list")["defaultId"], "main")
        self.assertEqual(self.ask("agents.list", None)["defaultId"], "main")
        self.assertEqual(
            self.refused("agents.list", {"a": 1}), "invalid agents.list params: at root: unexpected property 'a'"
        )
        self.assertEqual(self.refused("agents.list", []), "invalid agents.list params: must be object")

    def test_unchecked_params(self) -> None:
        """
        A method without a definition takes anything, and what is no object counts as empty.
        """
        self.assertEqual(self.ask("health", [1]), HEALTH)

    def test_failures(self) -> None:
        """
        A failure carries its code, its words, and its payload only if it has one.
        """

        async def fails(context: MethodContext, params: Any) -> Any:
            raise unavailable("no luck")

        self.dispatch(fails)
        (reply,) = self.asked("work")
        self.assertEqual(reply.members(), {"ok": False, "error": {"code": "UNAVAILABLE", "message": "no luck"}})
        self.assertIs(reply.payload, ABSENT)

    def test_null_payload(self) -> None:
        """
        A handler that answers nothing answers ``null``.
        """
        self.assertIsNone(self.ask("last-heartbeat"))

    def test_unknown_exception(self) -> None:
        """
        What nobody expected says nothing of the inside but an id, under which the log has all of it.
        """

        async def breaks(context: MethodContext, params: Any) -> Any:
            raise ZeroDivisionError("secret words")

        self.dispatch(breaks)
        (reply,) = self.asked("work")
        assert reply.error is not None
        self.assertEqual((reply.error.code, reply.error.message), ("UNAVAILABLE", "internal error"))
        correlation_id = reply.error.details["correlationId"]
        self.assertNotIn("secret", repr(reply))
        logged = self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual(len(logged), 1)
        self.assertTrue(correlation_id)

    def test_staged(self) -> None:
        """
        A staged answer comes in two, the second when the work has ended.
        """
        work: Deferred[str] = Deferred()

        async def stages(context: MethodContext, params: Any) -> Any:
            return Staged(first="soon", outcome=work)

        self.dispatch(stages)
        replies = self.asked("work")
        self.assertEqual(replies, [Reply(ok=True, payload="soon")])
        work.callback("done")
        self.assertEqual(replies[1:], [Reply(ok=True, payload="done")])

    def test_stopping(self) -> None:
        """
        A request that is cancelled, because the gateway stops, is answered as one to be asked again.
        """

        async def waits(context: MethodContext, params: Any) -> Any:
            await Deferred()

        self.dispatch(waits)
        replies = self.asked("work")
        self.answering.cancel()
        (reply,) = replies
        assert reply.error is not None
        self.assertEqual((reply.error.code, reply.error.retryable), ("UNAVAILABLE", True))

    def test_connect_again(self) -> None:
        """
        ``connect`` is for the first frame only.
        """
        self.assertEqual(self.refused("connect", {}), "connect is only valid as the first request")


class RememberedTests(DispatchCase):
    """
    Methods whose answers are kept by key.
    """

    def setUp(self) -> None:
        super().setUp()
        self.work: list[Deferred[Any]] = []

        async def works(context: MethodContext, params: WorkParams) -> Any:
            self.work.append(Deferred())
            return await self.work[-1]

        self.dispatch(works, WorkParams, remembered="work")

    def test_while_working(self) -> None:
        """
        The same key while the work goes on waits for the same answer.
        """
        first, second = self.work_for("k"), self.work_for("k")
        other = self.work_for("l")
        self.assertEqual(len(self.work), 2)
        self.work[0].callback(["done"])
        self.assertEqual([reply.payload for reply in first + second], [["done"], ["done"]])
        self.assertEqual(other, [])
        self.work[1].callback(None)

    def test_afterwards(self) -> None:
        """
        The same key later gets the stored answer, for five minutes.
        """
        self.work_for("k")
        self.work[0].callback({"n": 1})
        self.clock.advance(LIFETIME_MS / 1000 - 1)
        (reply,) = self.work_for("k")
        self.assertEqual(reply, Reply(ok=True, payload={"n": 1}))
        self.clock.advance(2)
        self.assertEqual(self.work_for("k"), [])
        self.work[1].callback(None)

    def test_failures(self) -> None:
        """
        Failed work is remembered with its error; a refusal is not, so that the key can be used for better.
        """
        self.work_for("k")
        self.work[0].errback(unavailable("no luck"))
        (reply,) = self.work_for("k")
        self.assertEqual(reply.message, "no luck")
        self.work_for("r")
        self.work[1].errback(invalid("no"))
        self.assertEqual(self.work_for("r"), [])
        self.work[2].callback("well")
        (reply,) = self.work_for("r")
        self.assertEqual(reply.payload, "well")

    def test_broken_store(self) -> None:
        """
        If the answer cannot be kept, all who wait are told, and the key is free again.
        """
        self.configure(MOCK_CONFIG, store=FullStore(self.store))
        first, second = self.work_for("k"), self.work_for("k")
        self.work[0].callback(1)
        self.assertEqual([reply.message for reply in first + second], ["internal error"] * 2)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)
        self.configure(MOCK_CONFIG)
        self.assertEqual(self.work_for("k"), [])
        self.work[1].callback(2)

    def work_for(self, key: str) -> list[Reply]:
        return self.asked("work", {"idempotencyKey": key}, by=ADMIN)
