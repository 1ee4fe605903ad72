"""
Tests of ``openclaw.gateway.exposure``, with a ``tailscale`` that only keeps what it was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model_gateway import TailscaleConfig, TailscaleMode
from openclaw.gateway.exposure import Exposure
from openclaw.gateway.life import Life
from openclaw.processes import Finished, ProcessFailed
from openclaw.tailscale import Publishing
from openclaw.testing.gateway import OWN, make_reactor

SELF = b'{"Self": {"DNSName": "gw.tail1234.ts.net."}}'


@define
class Tailscale:
    """
    :ivar fails: what goes wrong with the subcommands of these names.
    """

    asked: list[str] = field(factory=list)
    fails: dict[str, Finished | ProcessFailed] = field(factory=dict)
    waits: bool = False

    def __call__(
        self, command: Sequence[str], *, limit: timedelta, most_bytes: int, stdin: bytes = b""
    ) -> Deferred[Finished]:
        self.asked.append(" ".join(command))
        failure = self.fails.get(command[1])
        if self.waits:
            return Deferred()
        if isinstance(failure, ProcessFailed):
            return fail(failure)
        return succeed(failure or Finished(exit_code=0, output=SELF if command[1] == "status" else b""))


class ExposureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.life = Life(clock=make_reactor(), make_id=lambda: "boot", own=OWN)
        self.tailscale = Tailscale()
        self.there = True

    def exposure(self, mode: TailscaleMode, *, reset: bool = False, **members: object) -> Exposure:
        return Exposure(
            life=self.life,
            config=TailscaleConfig(mode=mode, reset_on_exit=reset),
            publishing=Publishing(run=self.tailscale, program=lambda: "tailscale" if self.there else None),
            port=lambda: 18789,
            **{"encrypted": False, "prefix": "", **members},  # type: ignore[arg-type]
        )

    def told(self, exposure: Exposure) -> list[str]:
        with capturedLogs() as events:
            exposure.startService()
        return [str(formatEvent(event)) for event in events]

    def test_off(self) -> None:
        """
        Nothing is asked of Tailscale.
        """
        exposure = self.exposure("off")
        self.assertEqual(self.told(exposure), [])
        self.successResultOf(exposure.stopService())
        self.assertEqual(self.tailscale.asked, [])

    def test_serve(self) -> None:
        """
        It is published and stays so, and the log says where.
        """
        exposure = self.exposure("serve", prefix="/ui")
        self.assertEqual(
            self.told(exposure), ["serve enabled: https://gw.tail1234.ts.net/ui/ (WS via wss://gw.tail1234.ts.net)"]
        )
        self.successResultOf(exposure.stopService())
        asked = ["tailscale serve --bg --yes 18789", "tailscale status --json --peers=false"]
        self.assertEqual(self.tailscale.asked, asked)

    def test_encrypted(self) -> None:
        """
        Tailscale is told that the port speaks TLS, with a certificate that it cannot know.
        """
        self.exposure("funnel", encrypted=True).startService()
        self.assertEqual(self.tailscale.asked[0], "tailscale funnel --bg --yes https+insecure://127.0.0.1:18789")

    def test_reset(self) -> None:
        """
        At the end what was published is withdrawn, and nothing else.
        """
        exposure = self.exposure("funnel", reset=True)
        exposure.startService()
        self.successResultOf(exposure.stopService())
        self.assertEqual(self.tailscale.asked[-1], "tailscale funnel --https=443 off")
        self.successResultOf(exposure.stopService())
        self.assertEqual(len(self.tailscale.asked), 3)

    def test_restart(self) -> None:
        """
        A restart in place withdraws nothing; what the next gateway does not want, it withdraws, or leaves at its end.
        """
        first = self.exposure("serve", reset=True, restarting=lambda: True)
        first.startService()
        self.successResultOf(first.stopService())
        self.assertEqual(len(self.tailscale.asked), 2)
        second = self.exposure("off", restarting=lambda: True)
        second.startService()
        self.assertEqual(self.tailscale.asked[2:], ["tailscale serve --https=443 off"])
        self.successResultOf(second.stopService())
        third = self.exposure("off")
        third.startService()
        self.successResultOf(third.stopService())
        self.assertEqual(len(self.tailscale.asked), 3)

    def test_refused(self) -> None:
        """
        Without the program, or where it refuses or does not answer, the gateway runs on; the log says why and what to
        type.
        """
        self.there = False
        end = "; type: tailscale serve --bg 18789"
        self.assertEqual(
            self.told(self.exposure("serve")), [f"serve failed: the program `tailscale` is not installed{end}"]
        )
        self.there = True
        for failure, why in (
            (Finished(exit_code=1, output=b"", errors=b"Access denied: serve config denied\n"), "Access denied: serve"),
            (Finished(exit_code=3, output=b""), "exit code 3"),
            (ProcessFailed(program="tailscale", why="took too long"), "tailscale: took too long"),
        ):
            self.tailscale.fails = {"serve": failure}
            (line,) = self.told(self.exposure("serve"))
            self.assertIn(f"serve failed: {why}", line)
            self.assertIn(end, line)

    def test_no_name(self) -> None:
        """
        Where the tailnet has no name for this machine, it is published all the same.
        """
        self.tailscale.fails = {"status": Finished(exit_code=0, output=b"{}")}
        self.assertEqual(self.told(self.exposure("serve")), ["serve enabled"])

    def test_stopped_early(self) -> None:
        """
        A stop does not wait for Tailscale's servers; what was half done is undone.
        """
        self.tailscale.waits = True
        exposure = self.exposure("serve", reset=True)
        exposure.startService()
        self.tailscale.waits = False
        self.successResultOf(exposure.stopService())
        self.assertEqual(self.tailscale.asked, ["tailscale serve --bg --yes 18789", "tailscale serve --https=443 off"])

    def test_not_withdrawn(self) -> None:
        """
        What could not be withdrawn is told, with what to type.
        """
        exposure = self.exposure("serve", reset=True)
        exposure.startService()
        self.tailscale.fails = {"serve": Finished(exit_code=1, output=b"", errors=b"not running")}
        with capturedLogs() as events:
            self.successResultOf(exposure.stopService())
        self.assertEqual(
            [formatEvent(event) for event in events],
            ["serve cleanup failed: not running; type: tailscale serve reset"],
        )
