"""
Tailscale identity, with a fake program.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from openclaw import tailscale
from openclaw.processes import Finished, ProcessFailed, ReactorRunner
from openclaw.tailscale import WHOIS_BYTES, Whois, find_program, login_in

HEADERS = {
    "tailscale-user-login": " ALICE@example.com ",
    "x-forwarded-for": "100.64.0.9, 127.0.0.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "gw.example.ts.net",
}
ANSWER = b'note: {"UserProfile": {"LoginName": "alice@example.com"}} bye'


@define
class FakeRunner:
    """
    Answers what it was given, and counts.
    """

    answer: Finished | ProcessFailed
    commands: list[Sequence[str]] = field(factory=list)

    def __call__(
        self, command: Sequence[str], *, limit: timedelta, most_bytes: int, stdin: bytes = b""
    ) -> Deferred[Finished]:
        self.commands.append(command)
        return fail(self.answer) if isinstance(self.answer, ProcessFailed) else succeed(self.answer)


class WhoisTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.runner = FakeRunner(Finished(exit_code=0, output=ANSWER))
        self.whois = Whois(run=self.runner, clock=self.clock, program=lambda: "tailscale")

    def confirmed(self, peer: str = "127.0.0.1", **changes: str) -> str | None:
        headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in changes.items()}}
        return self.successResultOf(Deferred.fromCoroutine(self.whois.confirmed(peer, headers)))

    def test_confirmed(self) -> None:
        """
        The login is the one that the program names, whatever case the header has; answers live for a minute.
        """
        self.assertEqual((self.confirmed(), self.confirmed()), ("alice@example.com", "alice@example.com"))
        self.assertEqual(self.runner.commands, [["tailscale", "whois", "--json", "100.64.0.9"]])
        self.clock.advance(61)
        self.confirmed()
        self.assertEqual(len(self.runner.commands), 2)

    def test_conditions(self) -> None:
        """
        Every header must be there, the peer must be loopback, and the names must agree.
        """
        self.assertIsNone(self.confirmed(peer="192.0.2.1"))
        for name in ("x_forwarded_for", "x_forwarded_proto", "x_forwarded_host", "tailscale_user_login"):
            self.assertIsNone(self.confirmed(**{name: ""}))
        self.assertIsNone(self.confirmed(tailscale_user_login="mallory@example.com"))

    def test_errors_are_forgotten_soon(self) -> None:
        """
        A failing program means nobody, for five seconds.
        """
        self.runner.answer = ProcessFailed(program="tailscale", why="took too long")
        self.assertIsNone(self.confirmed())
        self.runner.answer = Finished(exit_code=0, output=ANSWER)
        self.assertIsNone(self.confirmed())
        self.clock.advance(6)
        self.assertEqual(self.confirmed(), "alice@example.com")

    def test_junk(self) -> None:
        """
        Output that is no answer is nobody's.
        """
        for output in (b"", b"}{", b"{x}", b"{}", b'{"UserProfile": []}'):
            self.assertIsNone(login_in(output))


class RealProcessTests(TestCase):
    async def test_fake_binary(self) -> None:
        """
        A program on the path is found, run and read; one that hangs is killed.
        """
        from twisted.internet import reactor

        folder = Path(self.mktemp())
        folder.mkdir()
        program = folder / "tailscale"
        script = ["#!/bin/sh", 'if [ "$2" = slow ]; then exec sleep 60; fi', f"printf '%s' '{ANSWER.decode()}'"]
        program.write_text("\n".join(script))
        program.chmod(0o755)
        found = find_program(f"{folder}:{os.environ['PATH']}")
        assert found is not None
        run = ReactorRunner(reactor=reactor, environ=os.environ)
        finished = await run([found, "whois", "--json", "100.64.0.9"], limit=timedelta(seconds=5), most_bytes=1000)
        self.assertEqual(login_in(finished.output), "alice@example.com")
        with self.assertRaises(ProcessFailed):
            await run([found, "whois", "slow"], limit=timedelta(seconds=0.1), most_bytes=1000)
        with self.assertRaises(ProcessFailed):
            await run([found, "whois", "--json"], limit=timedelta(seconds=5), most_bytes=3)

    async def test_confirmed_by_a_program(self) -> None:
        """
        A real program's answer counts; one that hangs, fails, says junk or too much is nobody's, and does not stay.
        """
        from twisted.internet import reactor

        self.patch(tailscale, "WHOIS_LIMIT", timedelta(seconds=1))
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        answer = f"printf '%s' '{ANSWER.decode()}'"
        for name, lines, wanted in (
            ("answers", [answer], "alice@example.com"),
            ("answers but hangs", [answer, "exec sleep 60"], None),
            ("hangs", ["exec sleep 60"], None),
            ("fails", [answer, "exit 1"], None),
            ("is killed", [answer, "kill -9 $$"], None),
            ("says junk", ["echo '{not json}'"], None),
            ("says another", [answer.replace("alice", "mallory")], None),
            ("says nothing", [], None),
            ("says too much", [f"head -c {WHOIS_BYTES + 1} /dev/zero", answer], None),
            ("complains", ["echo '{' >&2", answer], "alice@example.com"),
        ):
            program = folder / "tailscale"
            program.write_text("\n".join(["#!/bin/sh", f"echo $$ > '{folder}/pid'", *lines, ""]))
            program.chmod(0o755)
            environ = {"PATH": f"{folder}:{os.environ['PATH']}"}
            run = ReactorRunner(reactor=reactor, environ=environ)
            whois = Whois(run=run, clock=reactor, program=lambda path=environ["PATH"]: find_program(path))  # type: ignore[misc]
            self.assertEqual(await whois.confirmed("127.0.0.1", HEADERS), wanted, name)
            pid = int((folder / "pid").read_text())
            self.assertRaises(ProcessLookupError, os.kill, pid, 0)
