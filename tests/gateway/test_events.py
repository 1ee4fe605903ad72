"""
Who gets which event, under which number.
"""

from __future__ import annotations

from attrs import define, field
from orjson import loads
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.events import MAX_BUFFERED_BYTES, EventLog


@define(eq=False)
class Listener:
    """
    A subscriber that keeps what it gets.
    """

    role: str = "operator"
    scopes: frozenset[str] = frozenset({"operator.read"})
    waiting: int = 0
    frames: list[bytes] = field(factory=list)
    ended: bool = False

    def waiting_bytes(self) -> int:
        return self.waiting

    def send_event(self, name: str, frame: bytes) -> None:
        self.frames.append(frame)

    def slow(self) -> None:
        self.ended = True

    def seqs(self) -> list[int]:
        return [loads(frame)["seq"] for frame in self.frames]


class EventLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log = EventLog(boot_id="boot", versions=lambda: {"presence": 2, "health": 3})

    def joined(self, listener: Listener) -> Listener:
        self.log.subscribe(listener)
        return listener

    def test_counted(self) -> None:
        """
        Of each event it is told how many got it and how many were too slow; who may not see it is neither.
        """
        counted: list[tuple[str, int, int]] = []
        self.log.counted = lambda name, sent, dropped: counted.append((name, sent, dropped))
        for listener in (Listener(), Listener(), Listener(role="node"), Listener(waiting=MAX_BUFFERED_BYTES + 1)):
            self.joined(listener)
        self.log.publish("tick", {}, drop_if_slow=True)
        self.log.publish("shutdown", {}, scope="operator.read")
        self.assertEqual(counted, [("tick", 3, 1), ("shutdown", 2, 1)])

    def test_frame(self) -> None:
        """
        A frame carries what it must and no null members.
        """
        listener = self.joined(Listener())
        self.log.publish("health", {"ok": True}, versions=True)
        self.assertEqual(
            loads(listener.frames[0]),
            {
                "type": "event",
                "event": "health",
                "payload": {"ok": True},
                "seq": 1,
                "stateVersion": {"presence": 2, "health": 3},
            },
        )
        self.log.publish("tick", {"ts": 1})
        self.assertEqual(loads(listener.frames[1]), {"type": "event", "event": "tick", "payload": {"ts": 1}, "seq": 2})

    def test_guarded_event_takes_no_number(self) -> None:
        """
        What scope or role keep from a client leaves no gap in its numbers.
        """
        reader = self.joined(Listener())
        admin = self.joined(Listener(scopes=frozenset({"operator.admin"})))
        node = self.joined(Listener(role="node", scopes=frozenset({"operator.admin"})))
        self.log.publish("device.pair.requested", {}, scope="operator.pairing")
        self.log.publish("tick", {})
        self.assertEqual((reader.seqs(), admin.seqs(), node.seqs()), ([1], [1, 2], [1]))

    def test_dropped_event_leaves_a_gap(self) -> None:
        """
        A slow client misses what may be dropped, and its numbers show it.
        """
        listener = self.joined(Listener(waiting=MAX_BUFFERED_BYTES + 1))
        self.log.publish("tick", {}, drop_if_slow=True)
        listener.waiting = MAX_BUFFERED_BYTES
        self.log.publish("tick", {}, drop_if_slow=True)
        self.assertEqual(listener.seqs(), [2])

    def test_slow_consumer_is_closed(self) -> None:
        """
        An event that may not be dropped ends a slow client, and the frame is not sent.
        """
        listener = self.joined(Listener(waiting=MAX_BUFFERED_BYTES + 1))
        self.log.publish("agent", {})
        self.assertEqual((listener.ended, listener.frames), (True, []))
