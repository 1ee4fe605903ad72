"""
Windows' task scheduler, played by a program.
"""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from openclaw.daemon.actions import carry_out
from openclaw.daemon.manage import make_spec, surroundings
from openclaw.daemon.schtasks import ScheduledTask, parse_script
from tests.daemon.stubs import Stubs


class TaskTests(SynchronousTestCase):
    """
    The gateway as a task.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.stubs = Stubs(self.home / "stubs")
        around = surroundings(self.stubs.environ | {"HOME": str(self.home)}, self.home, platform="win32")
        self.around = evolve(around, user="me")
        self.task = ScheduledTask(around=self.around)

    def test_life(self) -> None:
        """
        It is made for its user, or without where that form is not known; it runs, ends, and is deleted.
        """
        spec = make_spec(self.around, {}, 18800, "a-token-0123456789")
        self.stubs.set("old")
        carry_out(self.task.install(spec), self.around.run)
        first, second, *_ = self.stubs.calls()
        self.assertEqual(first, f"{second} /RU me /NP /IT")
        self.task.verify(running=True)
        text = self.task.path.read_bytes()
        self.assertTrue(text.startswith(b"@echo off\r\nrem OpenClaw Gateway (v"))
        self.assertNotIn(b"a-token", text)
        arguments, environment, directory = parse_script(text.decode())
        self.assertEqual(arguments[-3:], ["gateway", "--port", "18800"])
        self.assertEqual((environment["OPENCLAW_SERVICE_KIND"], directory), ("gateway", str(self.home)))
        found = self.task.inspect()
        self.assertEqual((found.loaded_text, found.runtime["status"]), ("registered", "running"))
        self.assertEqual(found.runtime["lastRunResult"], "0")
        carry_out(self.task.stop(), self.around.run)
        self.task.verify(running=False)
        carry_out(self.task.uninstall(), self.around.run)
        self.assertEqual((self.task.is_loaded(), self.task.path.exists()), (False, False))
        self.assertEqual(self.task.inspect().loaded_text, "missing")

    def test_names(self) -> None:
        """
        Each profile has its task.
        """
        self.assertEqual(self.task.name, "OpenClaw Gateway")
        other = evolve(self.around, environ={"OPENCLAW_PROFILE": "rescue"})
        self.assertEqual(ScheduledTask(around=other).name, "OpenClaw Gateway (rescue)")
