"""
Transforms: real files, real threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model_hooks import HookMappingConfig, HooksConfig, HookTransformConfig
from openclaw.web.hooks.templates import Call
from openclaw.web.hooks.transforms import AT_ONCE, LIMIT, TransformFailed, Transforms, complaints

CALL = Call(payload={"a": 1}, headers={"x-a": "b"}, query={}, url="/hooks/x", path="x", now="")


class Reactor(Clock):
    def callFromThread(self, work: Callable[..., Any], *args: Any) -> None:
        work(*args)


class TransformTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.base = self.directory / "transforms"
        self.base.mkdir(parents=True)
        self.reactor = Reactor()
        self.started: list[Callable[[], None]] = []

    def transforms(self, spawn: Callable[[Callable[[], None]], object] | None = None) -> Transforms:
        return Transforms(
            reactor=self.reactor,
            hooks=lambda: HooksConfig(transforms_dir="transforms"),
            directory=self.directory,
            spawn=spawn or (lambda work: work()),
        )

    def called(self, some: Transforms, module: str, export: str | None = None) -> Deferred[Mapping[str, Any] | None]:
        return some(HookTransformConfig(module=module, export=export), CALL)

    def write(self, name: str, text: str) -> None:
        (self.base / name).write_text(text)

    def failed(self, module: str, export: str | None = None) -> str:
        failure = self.failureResultOf(self.called(self.transforms(), module, export), TransformFailed)
        return str(failure.value)

    def test_called(self) -> None:
        """
        With all that is known of the call; each export is its own.
        """
        self.write("a.py", "def transform(call):\n    return call\n\ndef other(call):\n    return None\n")
        some = self.transforms()
        told = {"payload": {"a": 1}, "headers": {"x-a": "b"}, "url": "/hooks/x", "path": "x"}
        self.assertEqual(self.successResultOf(self.called(some, "a.py")), told)
        self.assertIsNone(self.successResultOf(self.called(some, "a.py", "other")))

    def test_changed(self) -> None:
        """
        A file that was written again counts at once; one that was not is loaded once.
        """
        self.write("a.py", "n = []\ndef transform(call):\n    n.append(1)\n    return {'n': len(n)}\n")
        some = self.transforms()
        for n in (1, 2):
            self.assertEqual(self.successResultOf(self.called(some, "a.py")), {"n": n})
        self.write("a.py", "def transform(call):\n    return {'n': 'new'}\n")
        self.assertEqual(self.successResultOf(self.called(some, "a.py")), {"n": "new"})

    def test_failures(self) -> None:
        self.write("a.py", "x = 1\ndef transform(call):\n    raise KeyError('k')\ndef text(call):\n    return 'text'\n")
        self.write("broken.py", "def (")
        self.assertIn("KeyError", self.failed("a.py"))
        self.assertIn("has no function x", self.failed("a.py", "x"))
        self.assertIn("has no function nope", self.failed("a.py", "nope"))
        self.assertIn("must return a dict or None, and gave str", self.failed("a.py", "text"))
        self.assertIn("SyntaxError", self.failed("broken.py"))

    def test_confined(self) -> None:
        """
        Nothing outside of the directory is run, whatever it is called.
        """
        outside = self.directory / "outside.py"
        outside.write_text("raise SystemExit('this was run')")
        os.symlink(outside, self.base / "link.py")
        os.symlink(self.directory, self.base / "up")
        for module in ("../outside.py", str(outside), "link.py", "up/outside.py", "./../transforms/../outside.py"):
            self.assertIn("is not below", self.failed(module), module)
        for module in ("nope.py", "."):
            self.assertIn("not a file" if module == "nope.py" else "must be the path", self.failed(module))

    def test_javascript(self) -> None:
        self.write("a.mjs", "export default () => null")
        self.assertIn("is JavaScript", self.failed("a.mjs"))
        mappings = tuple(
            HookMappingConfig(transform=HookTransformConfig(module=module)) for module in ("a.mjs", "b.py", "ok.py")
        )
        self.write("ok.py", "")
        told = complaints(HooksConfig(enabled=True, transforms_dir="transforms", mappings=mappings), self.directory)
        self.assertEqual(len(told), 2)
        self.assertIn("hooks.mappings[0].transform.module: a.mjs is JavaScript", told[0])
        self.assertIn("hooks.mappings[1].transform.module: b.py is not a file", told[1])
        self.assertEqual(complaints(HooksConfig(mappings=mappings), self.directory), [])

    def test_endless(self) -> None:
        """
        One that never ends is given up after its time, and keeps its place until its thread ends.
        """
        self.write("a.py", "def transform(call):\n    return {}\n")
        some = self.transforms(self.started.append)
        calls = [self.called(some, "a.py") for _ in range(AT_ONCE + 1)]
        self.assertEqual(len(self.started), AT_ONCE)
        self.reactor.advance(LIMIT)
        for call in calls:
            self.failureResultOf(call, TransformFailed)
        late = self.called(some, "a.py")
        self.assertEqual(len(self.started), AT_ONCE)
        self.started.pop(0)()
        self.assertEqual(len(self.started), AT_ONCE)
        for work in list(self.started):
            work()
        self.assertEqual(self.successResultOf(late), {})

    def test_threads(self) -> None:
        """
        Two in real threads load one file once.
        """
        self.write("a.py", "import time\ntime.sleep(0.05)\ndef transform(call):\n    return {}\n")
        threads: list[threading.Thread] = []

        def spawn(work: Callable[[], None]) -> None:
            threads.append(threading.Thread(target=work))
            threads[-1].start()

        some = self.transforms(spawn)
        calls = [self.called(some, "a.py") for _ in range(2)]
        for thread in threads:
            thread.join()
        self.assertEqual([self.successResultOf(call) for call in calls], [{}, {}])
