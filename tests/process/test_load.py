"""
Many clients, slow ones and rude ones.
"""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT, GatewayProcess
from tests.process.peer import Peer

CLIENTS = 1000
#: Generous: it is there to catch a leak, not to measure.
MOST_BYTES = 60 * 1024
#: Of one read (64 KiB) about 3,000 frames are answered before it is somebody else's turn.
MOST_AHEAD = 10_000


def resident(gateway: GatewayProcess) -> int:
    """
    Bytes of the process that are in memory.
    """
    for line in Path(f"/proc/{gateway.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


class CrowdTests(ProcessCase):
    """
    A thousand clients.
    """

    def test_thousand(self) -> None:
        """
        All are let in and see what one of them says; each takes little memory.
        """
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CLIENTS + 200:
            self.skipTest("the hard limit of open files is too low")
        gateway = self.start_gateway(self.start_model())
        speaker = self.join(gateway)
        before = resident(gateway)
        crowd = subprocess.Popen(
            [sys.executable, "-m", "tests.process.crowd", gateway.url, str(CLIENTS)],
            env=gateway.environ(),
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(90, crowd.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        self.addCleanup(crowd.wait)
        self.addCleanup(crowd.kill)
        assert crowd.stdout is not None
        self.addCleanup(crowd.stdout.close)
        self.assertEqual(crowd.stdout.readline().strip(), "connected")
        each = (resident(gateway) - before) / CLIENTS
        print(f"{each / 1024:.1f} KiB for each of {CLIENTS} clients", file=sys.stderr)  # noqa: T201
        self.assertLess(each, MOST_BYTES)
        speaker.ask("chat.send", {"sessionKey": "main", "message": "all", "idempotencyKey": "one"})
        self.assertEqual(crowd.stdout.readline().strip(), "seen")
        self.assert_ended(speaker.wait_chat("one", "final"), "final")


class RudeTests(ProcessCase):
    """
    Clients that do not read, or talk nonsense.
    """

    def test_slow_consumer(self) -> None:
        """
        Who does not read is closed, and the others get everything.
        """
        gateway = self.start_gateway(self.start_model())
        peer = self.join(gateway)
        self.assert_ended(peer.chat("begin", "one"), "final")
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.connect(("127.0.0.1", gateway.port))
        slow = Peer.open(gateway.url, sock=narrow, max_queue=1)
        self.addCleanup(slow.close)
        slow.greet()
        said = "x" * 400_000
        for number in range(20):
            told = peer.ask("chat.inject", {"sessionKey": "main", "message": f"{number} {said}"})
            run = f"inject-{told['messageId']}"
            self.assert_ended(peer.wait_chat(run, "final"), "final")
        self.assertEqual(slow.wait_closed(), (1008, "slow consumer"))
        self.assert_ended(peer.chat("still here", "two"), "final")

    def test_malformed_flood(self) -> None:
        """
        Nonsense from one client keeps another one waiting only shortly.
        """
        gateway = self.start_gateway(self.start_model())
        rude, innocent = self.join(gateway), self.join(gateway)
        over = threading.Event()
        answered: list[None] = []

        def flood() -> None:
            try:
                while not over.is_set():
                    for text in ("{", '{"type":"req"}', "[]", '{"type":"req","id":"x","method":"nope"}', "\x00"):
                        rude.socket.send(text)
            except ConnectionClosed:
                return

        def swallow() -> None:
            try:
                while True:
                    rude.socket.recv()
                    answered.append(None)
            except ConnectionClosed:
                return

        threads = [threading.Thread(target=flood, daemon=True), threading.Thread(target=swallow, daemon=True)]
        for thread in threads:
            thread.start()
        waits = []
        for _ in range(100):
            # Not seconds: a machine with much else to do is slow to all of us.
            before = len(answered)
            innocent.ask("health")
            waits.append(len(answered) - before)
        over.set()
        threads[0].join(LIMIT)
        self.assertGreater(len(answered), 1000)
        self.assertLess(max(waits), MOST_AHEAD)
        self.assert_ended(innocent.chat("fine", "one"), "final")
