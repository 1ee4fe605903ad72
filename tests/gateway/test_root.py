"""
Tests of ``openclaw.gateway.root``: one gateway after another, in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.issues import ConfigInvalid
from openclaw.errors import OpenClawError
from openclaw.gateway.assembly import build
from openclaw.gateway.life import Life
from openclaw.gateway.listener import PortTaken
from openclaw.gateway.root import GRACE, Root
from openclaw.gateway.service import Gateway
from openclaw.gateway.setting import Setting
from openclaw.gateway.supervisor import Supervisor
from openclaw.store.claims import Claim, ClaimRefused, Claims
from openclaw.store.memory import MemoryStore
from openclaw.testing.gateway import OWN, MemoryGateway, make_reactor


@define(kw_only=True, eq=False)
class House:
    """
    A process in memory.

    :ivar refuses: why the configuration cannot be used now.
    :ivar left: exit codes with which the process left at once.
    """

    directory: Path
    reactor: Any = field(factory=make_reactor)
    refuses: OpenClawError | None = None
    in_thread: Callable[..., Deferred[Any]] = maybeDeferred
    left: list[int] = field(factory=list)
    told: list[str] = field(factory=list)
    gateways: list[Gateway] = field(factory=list)
    config: dict[str, Any] = field(factory=dict)
    claims: tuple[Claim, ...] = ()
    life: Life = field(init=False)
    root: Root = field(init=False)

    def __attrs_post_init__(self) -> None:
        store = MemoryStore()
        self.life = Life(clock=self.reactor, make_id=lambda: "boot", own=OWN)
        supervisor = Supervisor(address="/run/x", send=lambda path, message: self.told.append(message.decode()))
        self.root = Root(
            life=self.life,
            reactor=self.reactor,
            make=self.make,
            build=lambda setting: build(setting, self.reactor, self.life, store),
            in_thread=lambda work, *given: self.in_thread(lambda: work(*given)),
            started=lambda setting, gateway: self.gateways.append(gateway),
            supervisor=supervisor,
            leave=self.left.append,
        )

    def make(self, warn: Callable[[str], None]) -> Setting:
        warn("the secret is weak")
        if self.refuses is not None:
            raise self.refuses
        played = MemoryGateway(directory=self.directory, config=self.config, reactor=self.reactor)
        return evolve(played._setting(), claims=self.claims, spawn=lambda work: work())


class Taken:
    """
    Sockets of which none can be had.
    """

    closed = False

    def listen(self, host: str, port: int, factory: Any) -> Any:
        raise CannotListenError(host, port, OSError(98, "Address already in use"))

    def begin(self) -> None: ...

    drop_unused = begin

    def close(self) -> None:
        self.closed = True


class RootTests(SynchronousTestCase):
    def house(self, **members: Any) -> House:
        house = House(directory=Path(self.mktemp()).absolute(), **members)
        house.directory.mkdir()
        house.root.startService()
        self.addCleanup(house.root.stopService)
        return house

    def told(self, work: Callable[[], object]) -> list[str]:
        with capturedLogs() as events:
            work()
        return [str(formatEvent(event)) for event in events]

    def test_restart(self) -> None:
        """
        The next gateway runs with what the configuration says then, on the life of the one before.
        """
        house = self.house()
        (first,) = house.gateways
        house.config["gateway"] = {"maxPayload": 4096}
        self.assertEqual(house.life.restarts.ask("config.patch"), 0.0)
        house.reactor.advance(0)
        self.assertEqual(len(house.gateways), 2)
        second = house.gateways[1]
        self.assertFalse(first.running)
        self.assertTrue(second.running)
        self.assertEqual(list(house.root), [second])
        self.assertIs(second.life, first.life)
        # Numbers of events go on: with the boot id, which stays, each names one event.
        numbers = []
        for gateway in house.gateways:
            gateway.clients.events.publish("tick", {"ts": 1})
            numbers.append(gateway.clients.events._ring[-1].number)
        self.assertLess(*numbers)
        self.assertEqual(house.root.setting.config.gateway.max_payload, 4096)
        self.successResultOf(house.root.stopService())
        self.assertEqual(
            [line.partition("\n")[0] for line in house.told], ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
        )
        self.assertIsNone(house.life.restarts.ask("too late"))

    def test_refused(self) -> None:
        """
        What cannot be used restarts nothing: the gateway goes on, and says why.
        """
        house = self.house()
        house.refuses = ConfigInvalid(house.directory / "openclaw.json", [])
        told = self.told(lambda: house.root.restart("SIGUSR1"))
        self.assertEqual((len(told), told[0]), (2, "the secret is weak"))
        self.assertIn("restart refused (SIGUSR1), the gateway goes on: ", told[1])
        self.assertTrue(house.gateways[0].running)
        problem = house.gateways[0].health.config_problem()
        self.assertTrue(problem is not None and problem.startswith("restart refused: "), problem)
        house.refuses = None
        house.root.restart("SIGUSR1")
        self.assertEqual(len(house.gateways), 2)
        self.assertIsNone(house.gateways[1].health.config_problem())

    def test_claimed(self) -> None:
        """
        Nor does a configuration with what another gateway has; what a restart goes on without, others get.
        """
        house = self.house()
        others, own, free = Claims(), house.directory / "own", house.directory / "free"
        self.addCleanup(others.release)

        def claim(path: Path) -> Claim:
            return Claim(path=path, what=path.name, fix="", is_directory=True)

        others.take([claim(own)])
        house.claims = (claim(own),)
        told = self.told(lambda: house.root.restart("SIGUSR1"))
        self.assertIn("restart refused (SIGUSR1), the gateway goes on: own is used by another gateway", told[1])
        self.assertTrue(house.gateways[0].running)
        house.claims = (claim(free),)
        house.root.restart("SIGUSR1")
        self.assertRaises(ClaimRefused, others.take, [claim(free)])
        house.claims = ()
        house.root.restart("SIGUSR1")
        self.assertEqual(len(house.gateways), 3)
        others.take([claim(free)])

    def test_once_at_a_time(self) -> None:
        """
        A second wish while a gateway makes room changes nothing.
        """
        reading: list[Deferred[Any]] = []
        house = self.house()

        def in_thread(work: Callable[[], Any]) -> Deferred[Any]:
            reading.append(Deferred())
            return reading[-1].addCallback(lambda _: work())

        house.in_thread = in_thread
        house.root.restart("one")
        told = self.told(lambda: house.root.restart("two"))
        self.assertEqual(told, ["restart asked for (two) during shutdown; ignoring"])
        reading[0].callback(None)
        self.assertEqual((len(reading), len(house.gateways)), (1, 2))

    def test_end_during_restart(self) -> None:
        """
        A process that is to end does not begin another gateway.
        """
        house = self.house()
        stopping: Deferred[None] = Deferred()
        gateway = house.gateways[0]
        stop = gateway.stopService
        gateway.stopService = lambda: stop().addCallback(lambda _: stopping)  # type: ignore[method-assign]
        house.root.restart("one")
        ended = house.root.stopService()
        self.assertNoResult(ended)
        stopping.callback(None)
        self.successResultOf(ended)
        self.assertEqual((len(house.gateways), house.left), (1, []))

    def test_stuck(self) -> None:
        """
        A part that does not stop does not keep the process: after a restart it ends with a failure, so that whoever
        supervises it starts another.
        """
        for restart, code in ((True, 1), (False, 0)):
            house = self.house()
            house.gateways[0].stopService = Deferred  # type: ignore[method-assign]
            if restart:
                house.root.restart("one")
            else:
                house.root.stopService()
            limit = (house.gateways[0].drain_limit() + GRACE).total_seconds()
            house.reactor.advance(limit - 1)
            self.assertEqual(house.left, [])
            house.reactor.advance(2)
            self.assertEqual(house.left, [code])
            del house.gateways[0].stopService

    def test_cannot_start(self) -> None:
        """
        A gateway that cannot be put in the place of another ends the process.
        """
        house = self.house()
        ended: list[Deferred[None]] = []
        house.life.on_fatal = lambda: ended.append(house.root.stopService())
        taken = house.life.sockets = Taken()
        house.root.restart("one")
        house.reactor.advance(0)
        self.assertIsInstance(house.life.fatal, PortTaken)
        self.assertEqual(house.life.exit_code, 1)
        self.successResultOf(ended[0])
        self.assertTrue(taken.closed)
        self.flushLoggedErrors(PortTaken)
