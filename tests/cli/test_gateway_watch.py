"""
Tests of ``openclaw gateway --watch``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

import openclaw
from openclaw.cli.gateway_watch import Watch, source
from tests.process.gateway import eventually, free_port


@define(eq=False)
class Child:
    """
    A gateway that ends when it is told to, or by itself.
    """

    code: int | None = None
    signals: list[int] = field(factory=list)

    def poll(self) -> int | None:
        return self.code

    def wait(self) -> int:
        assert self.code is not None, "it would wait for ever"
        return self.code

    def send_signal(self, number: int) -> None:
        self.signals.append(number)
        self.code = 0


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.children: list[Child] = []
        self.said: list[str] = []
        self.files: dict[str, tuple[int, int]] = {"a.py": (1, 1), "b.py": (1, 1)}
        self.steps: list[Callable[[], object]] = []
        self.watch = Watch(start=self.start, look=self.look, sleep=self.sleep, say=self.said.append)

    def start(self) -> Child:
        self.children.append(Child())
        return self.children[-1]

    def look(self) -> Mapping[str, tuple[int, int]]:
        return dict(self.files)

    def sleep(self, seconds: float) -> None:
        """
        Something happens in each pause; in the end Ctrl-C.
        """
        step = self.steps.pop(0) if self.steps else lambda: self.watch.end(signal.SIGINT, None)
        step()

    def change(self, name: str, time: int) -> Callable[[], object]:
        return lambda: self.files.update({name: (time, 1)})

    def nothing(self) -> None:
        pass

    def test_changed(self) -> None:
        """
        A change ends the gateway and starts another one, once for all that is written in one go.
        """
        self.steps = [self.nothing, self.change("a.py", 2), self.change("b.py", 2), self.nothing, self.nothing]
        self.assertEqual(self.watch.run(), 0)
        self.assertEqual([child.signals for child in self.children], [[signal.SIGTERM], [signal.SIGINT]])
        self.assertEqual(self.said, ["a.py and 1 more: starting the gateway again"])

    def test_broken(self) -> None:
        """
        One that ends by itself is told of once, and starts again when its source has changed.
        """

        def fail() -> None:
            self.children[0].code = 1

        self.steps = [fail, self.nothing, self.change("new.py", 1), self.nothing]
        self.assertEqual(self.watch.run(), 0)
        self.assertEqual(len(self.children), 2)
        self.assertEqual(
            self.said,
            [
                "the gateway has ended with 1; it starts again when its source changes",
                "new.py: starting the gateway again",
            ],
        )
        self.assertEqual(self.children[0].signals, [])

    def test_ended_meanwhile(self) -> None:
        """
        Asked to end while files change, it starts nothing more.
        """
        self.steps = [self.change("a.py", 2), lambda: self.watch.end(signal.SIGTERM, None)]
        self.assertEqual(self.watch.run(), 0)
        self.assertEqual([child.signals for child in self.children], [[signal.SIGTERM]])

    def test_source(self) -> None:
        """
        What is not the program's source does not count.
        """
        package = Path(self.mktemp())
        (package / "web" / "__pycache__").mkdir(parents=True)
        for name in ("web/page.html", "web/__pycache__/x.pyc", "a.py"):
            (package / name).write_text("")
        self.assertEqual({name for name, _ in source(package)}, {"a.py", "web/page.html"})


class RealTests(SynchronousTestCase):
    def test_real(self) -> None:
        """
        A copy of the program runs itself again after an edit, with the options that it was given, and leaves no gateway
        behind.
        """
        home = Path(self.mktemp()).absolute()
        ignored = shutil.ignore_patterns("__pycache__")
        package = Path(shutil.copytree(Path(openclaw.__file__).parent, home / "src" / "openclaw", ignore=ignored))
        port = free_port()
        environ = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(package.parent)}
        environ["OPENCLAW_DISABLE_BONJOUR"] = "1"
        options = ("--dev", "gateway", "--watch", "--allow-unconfigured", "--port", str(port))
        with (home / "output").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "openclaw.cli.main", *options],
                cwd=home,
                env=environ,
                stdout=output,
                stderr=output,
            )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def pids() -> list[int]:
            text = (home / "output").read_text()
            return [int(one.split(")")[0]) for one in text.split(f"listening on ws://127.0.0.1:{port} (PID ")[1:]]

        eventually(lambda: len(pids()) == 1, "not started")
        path = package / "clock.py"
        path.write_text(f"{path.read_text()}\n")
        eventually(lambda: len(pids()) == 2, "not started again")
        self.assertIn("clock.py: starting the gateway again", (home / "output").read_text())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        for pid in pids():
            self.assertRaises(ProcessLookupError, os.kill, pid, 0)
