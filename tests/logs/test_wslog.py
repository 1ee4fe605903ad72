"""
What the log says of connections, after recordings.
"""

from __future__ import annotations

from attrs import frozen
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.logs.records import Level
from openclaw.logs.wslog import MOST_LINES_A_SECOND, Style, WsLog, short, value_text

CONN = "91b0ef09-1234-4321-8888-00000000dedf"
CLIENT = {
    "id": "gateway-client",
    "displayName": "Fixture Client",
    "version": "1.0.0",
    "mode": "backend",
    "platform": "linux",
}


@frozen
class Wrong:
    code: str
    message: str


class WsLogCase(SynchronousTestCase):
    """
    A log that keeps its lines.
    """

    def make(self, *, verbose: bool = True, style: Style = "auto") -> WsLog:
        self.clock = Clock()
        self.told: list[tuple[Level, str]] = []
        return WsLog(
            clock=self.clock, emit=lambda level, line: self.told.append((level, line)), verbose=verbose, style=style
        )

    @property
    def lines(self) -> list[str]:
        return [line for _, line in self.told]


class VerboseTests(WsLogCase):
    """
    With ``--verbose``.
    """

    def test_a_life(self) -> None:
        """
        One connection's lines are those that were recorded; its id is shown where it changes.
        """
        log = self.make()
        log.opened(CONN, "127.0.0.1")
        log.connected(CONN, CLIENT, "token")
        log.hello(methods=80, events=18, presence=2, state_version=2)
        log.event("health", 2, 1, drop_if_slow=False, frame=b'{"stateVersion":{"presence":2,"health":3}}')
        log.event("tick", 72, 0, drop_if_slow=True, frame=b"{}")
        log.request(CONN, "r1", "last-heartbeat")
        log.response(CONN, "r1", "last-heartbeat", True, 1)
        log.request(CONN, "r2", "no.such")
        log.response(CONN, "r2", "no.such", False, 0, Wrong("INVALID_REQUEST", "unknown method: no.such"))
        log.closed(CONN, 1005, "", 139, "connected")
        self.assertEqual(
            self.lines,
            [
                "← open remoteAddr=127.0.0.1 conn=91b0ef09…dedf",
                (
                    "← connect client=gateway-client clientDisplayName=Fixture Client version=1.0.0 mode=backend"
                    " clientId=gateway-client platform=linux auth=token"
                ),
                "→ hello-ok methods=80 events=18 presence=2 stateVersion=2",
                "→ event health seq=2 clients=1 presenceVersion=2 healthVersion=3",
                "→ event tick seq=72 clients=0 dropIfSlow=true",
                "⇄ res ✓ last-heartbeat 1ms id=r1",
                "⇄ res ✗ no.such 0ms errorCode=INVALID_REQUEST errorMessage=unknown method: no.such id=r2",
                (
                    "→ close code=1005 reason= durationMs=139 handshake=connected lastFrameType=req"
                    " lastFrameMethod=no.such lastFrameId=r2"
                ),
            ],
        )

    def test_conn_where_it_changes(self) -> None:
        """
        Between two connections each line names its own.
        """
        log = self.make()
        for conn in ("a", "a", "b", "a"):
            log.response(conn, "1", "health", True, 0, cached=True)
        self.assertEqual(
            self.lines,
            [
                "⇄ res ✓ health 0ms cached=true conn=a id=1",
                "⇄ res ✓ health 0ms cached=true id=1",
                "⇄ res ✓ health 0ms cached=true conn=b id=1",
                "⇄ res ✓ health 0ms cached=true conn=a id=1",
            ],
        )

    def test_full(self) -> None:
        """
        In full style requests and answers are two lines that both name the connection.
        """
        log = self.make(style="full")
        log.request("b576443b-0000-0000-0000-000000004b17", "w1", "agent.wait")
        log.response("b576443b-0000-0000-0000-000000004b17", "w1", "agent.wait", True, 7)
        self.assertEqual(
            self.lines,
            [
                "← req agent.wait conn=b576443b…4b17 id=w1",
                "→ res ✓ agent.wait 7ms conn=b576443b…4b17 id=w1",
            ],
        )

    def test_agent_event(self) -> None:
        """
        An agent event tells its run, its place and the beginning of its text.
        """
        log = self.make()
        frame = (
            b'{"payload":{"runId":"r","sessionKey":"agent:main:main","stream":"assistant","seq":3,'
            b'"data":{"text":"two\\n words"}}}'
        )
        log.event("agent", 5, 1, drop_if_slow=False, frame=frame)
        self.assertEqual(
            self.lines,
            ["→ event agent seq=5 clients=1 run=r agent=main session=main stream=assistant aseq=3 text=two words"],
        )

    def test_failed_handshake(self) -> None:
        """
        The line about the end tells why the handshake failed.
        """
        log = self.make()
        log.opened("c", "192.0.2.1")
        log.refused("c", "192.0.2.1", CLIENT, "unauthorized", "unauthorized: no", "token_mismatch")
        log.closed("c", 1008, "unauthorized: no", 4, "failed")
        self.assertEqual(
            self.lines[1:],
            [
                "unauthorized conn=c remote=192.0.2.1 client=gateway-client backend v1.0.0 reason=token_mismatch",
                "→ close code=1008 reason=unauthorized: no durationMs=4 cause=unauthorized handshake=failed",
            ],
        )


class QuietTests(WsLogCase):
    """
    Without ``--verbose``.
    """

    def test_ordinary_life(self) -> None:
        """
        Nothing is said of what goes well.
        """
        log = self.make(verbose=False)
        log.opened(CONN, "127.0.0.1")
        log.connected(CONN, CLIENT, "token")
        log.hello(methods=80, events=18, presence=2, state_version=2)
        log.event("health", 2, 1, drop_if_slow=False, frame=b"not read")
        log.request(CONN, "r1", "health")
        log.response(CONN, "r1", "health", True, 49)
        log.closed(CONN, 1000, "", 139, "connected")
        self.assertEqual(self.told, [])

    def test_slow_failed_and_unreadable(self) -> None:
        """
        Slow and failed answers and unreadable frames are told, with the connection.
        """
        log = self.make(verbose=False)
        log.response(CONN, "r1", "health", True, 50)
        log.response(CONN, "r2", "x", False, 0, Wrong("UNAVAILABLE", "no"))
        log.parse_error(CONN, "SyntaxError: line 1\nline 2")
        self.assertEqual(
            self.told,
            [
                (Level.INFO, "⇄ res ✓ health 50ms conn=91b0ef09…dedf id=r1"),
                (Level.INFO, "⇄ res ✗ x 0ms errorCode=UNAVAILABLE errorMessage=no conn=91b0ef09…dedf id=r2"),
                (Level.INFO, "✗ parse-error error=SyntaxError: line 1\\nline 2 conn=91b0ef09…dedf"),
            ],
        )

    def test_closed_before_connect(self) -> None:
        """
        A socket that never said who it was leaves a warning with all that is known of it.
        """
        log = self.make(verbose=False)
        log.opened(CONN, "192.0.2.7", {"host": "gw:18789", "user-agent": "curl\x1b[31m"})
        log.closed(CONN, None, "", 10_000, "pending")
        self.assertEqual(
            self.told,
            [
                (
                    Level.WARN,
                    (
                        f"closed before connect conn={CONN} remote=192.0.2.7 fwd=n/a origin=n/a host=gw:18789"
                        " ua=curl\\x1b[31m code=n/a reason=n/a"
                    ),
                )
            ],
        )

    def test_flood(self) -> None:
        """
        A client that sends rubbish gets a bounded number of lines a second; how many were left out is told.
        """
        log = self.make(verbose=False)
        for _ in range(MOST_LINES_A_SECOND + 30):
            log.parse_error("c", "no JSON")
        self.assertEqual(len(self.told), MOST_LINES_A_SECOND)
        self.clock.advance(1)
        log.parse_error("c", "no JSON")
        self.assertEqual(
            self.lines[-2:], ["30 lines about connections were left out", "✗ parse-error error=no JSON conn=c"]
        )


class ValueTests(SynchronousTestCase):
    """
    Values and ids.
    """

    def test_ids(self) -> None:
        """
        UUIDs show 8 and 4 characters, other long ids 12 and 4, short ones all.
        """
        self.assertEqual(short(CONN), "91b0ef09…dedf")
        self.assertEqual(short("x" * 12 + "y" * 12), "x" * 12 + "y" * 12)
        self.assertEqual(short("x" * 12 + "y" * 13), "x" * 12 + "…yyyy")

    def test_values(self) -> None:
        """
        A value is one line without secrets, cut at 240 characters.
        """
        self.assertEqual(value_text("a\nb"), "a\\nb")
        self.assertEqual(value_text(True), "true")
        self.assertEqual(value_text({"a": [1]}), '{"a":[1]}')
        self.assertEqual(value_text("token=abc"), "token=***")
        self.assertEqual(value_text("x" * 300), "x" * 240 + "…")
