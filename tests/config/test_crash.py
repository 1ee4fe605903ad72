"""
A process that ends in the middle of a write leaves the old text or the new one, and the next one goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

from attrs import define

from openclaw.config.backups import backups
from openclaw.config.loader import load
from openclaw.config.writer import last_good_path, set_key
from tests.config.test_writer import FileTestCase

STEPS = ("open", "write", "fsync", "utime", "rename", "replace", "unlink", "link", "chmod", "ftruncate")


class Crash(BaseException):
    """
    The process is gone.
    """


@define
class Disk:
    """
    Lets a number of calls to the system through, then none.
    """

    left: int
    calls: int = 0

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self.calls >= self.left:
                raise Crash
            self.calls += 1
            return real(*arguments, **named)

        return call

    def run(self, work: Callable[[], object]) -> bool:
        """
        :return: whether the work came to its end.
        """
        with ExitStack() as stack:
            for name in STEPS:
                stack.enter_context(mock.patch.object(os, name, self.wrap(getattr(os, name))))
            try:
                work()
            except Crash:
                return False
        return True


class CrashTests(FileTestCase):
    """
    One crash at each call.
    """

    def texts(self) -> list[str]:
        return [kept.text() for kept in backups(self.path)]

    def test_every_step(self) -> None:
        """
        Whichever call is the last one: the file holds the old or the new text, the kept ones are whole, no text is
        lost, and another writer can write.
        """
        seen: set[str] = set()
        for step in range(200):
            self.setUp()
            self.put("{gateway: {port: 1}}")
            for port in (2, 3, 4, 5, 6, 7):
                set_key(self.path, "gateway.port", port, environ={}, home=self.home)
            old, kept = self.path.read_text(), self.texts()
            disk = Disk(step)
            ended = disk.run(lambda: set_key(self.path, "gateway.port", 8, environ={}, home=self.home))
            new = old.replace("7", "8")
            now = self.path.read_text()
            self.assertIn(now, (old, new))
            seen.add(now)
            after = self.texts()
            self.assertTrue(set(after) <= {old, *kept}, (step, after))
            self.assertTrue({*kept[:-1]} <= set(after), (step, after))
            if now == new:
                self.assertEqual(after[0], old, step)
            good = last_good_path(self.path)
            self.assertIn(good.read_text(), (old, new))
            set_key(self.path, "gateway.port", 9, environ={}, home=self.home)
            self.assertEqual(load({}, self.home, path=self.path).parsed, {"gateway": {"port": 9}})
            if ended:
                self.assertEqual(good.stat().st_mode & 0o777, 0o600)
                self.assertGreater(step, 15, "the calls were not seen")
                self.assertEqual(seen, {old, new})
                return
        self.fail("never ended")
