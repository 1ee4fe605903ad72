"""
The configuration file, changed by others while the gateway runs (``config.md`` 7).
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.loader import load
from openclaw.gateway.config_watch import ConfigWatch, Stamp, stamp_of
from openclaw.gateway.configuration import Configuration
from openclaw.gateway.life import Life

#: Longer than a look, the time that a file has to be the same, and the debounce together.
SETTLED = 1.5
#: How often the file is torn or swapped in the long test.
TORN = 10_000


def text_of(number: int, mode: str = "hybrid", **gateway: Any) -> str:
    """
    A whole file; its number stands in it at both ends.
    """
    return json.dumps(
        {
            "hooks": {"path": f"/h{number}"},
            "gateway": {"reload": {"mode": mode}, **gateway},
            "ui": {"assistant": {"name": "n" * (number % 7)}},
            "talk": {"voiceId": f"v{number}"},
        }
    )


class WatchedCase(SynchronousTestCase):
    """
    A watched file.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.path = Path(self.mktemp())
        self.path.write_text(text_of(0))
        self.writes = 0
        start = load({}, self.path.parent, path=self.path)
        self.configuration = Configuration(
            config=start.require(),
            path=self.path,
            environ={},
            home=self.path.parent,
            life=Life(clock=self.clock, make_id=lambda: "id", own={}),
            in_thread=maybeDeferred,
        )
        self.changes: list[str] = []
        self.kept: list[str | None] = []
        self.problems: list[str | None] = []
        self.configuration.changed.append(lambda: self.changes.append(self.configuration.config.hooks.path))
        self.watch = ConfigWatch(
            configuration=self.configuration,
            clock=self.clock,
            in_thread=maybeDeferred,
            look=self.look,
            keep=lambda snapshot: self.kept.append(snapshot.raw),
            told=lambda: self.problems.append(self.watch.problem),
        )
        self.watch.startService()
        self.addCleanup(self.finish)

    def finish(self) -> None:
        stopped = self.watch.stopService()
        if isinstance(stopped, Deferred):
            self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def look(self, path: Path) -> Stamp:
        """
        The real state; a test's clock is faster than a disk's, so that its writes are counted.
        """
        stamp = stamp_of(path)
        return stamp and (stamp[0], self.writes, stamp[2])

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self.writes += 1

    def pass_(self, seconds: float = SETTLED) -> list[str]:
        """
        Let time pass.

        :return: what was told meanwhile.
        """
        with capturedLogs() as events:
            self.clock.pump([0.01] * round(seconds * 100))
        return [str(formatEvent(event)) for event in events]


class ConfigWatchTests(WatchedCase):
    def test_followed(self) -> None:
        """
        An edit counts without a restart, once.
        """
        self.write(text_of(1))
        told = self.pass_()
        self.assertEqual(self.changes, ["/h1"])
        self.assertIn("config change detected; evaluating reload (hooks.path, ui.assistant.name, talk.voiceId)", told)
        self.assertEqual(self.pass_(), [])

    def test_before_the_first_look(self) -> None:
        """
        What was written after the gateway has read the file, and before it looks at it for the first time, is followed.
        """
        self.finish()
        self.write(text_of(7))
        self.watch.startService()
        self.assertEqual(self.changes, ["/h7"])

    def test_restarts(self) -> None:
        """
        What needs a restart asks for one, once; ``hot`` and ``off`` ask for none.
        """
        asked: list[str] = []
        self.watch.restart = asked.append
        self.write('{"gateway": {"port": 4711}}')
        self.pass_()
        self.pass_()
        self.assertEqual(len(asked), 1, asked)
        self.assertTrue(asked[0].startswith("config change: "), asked)
        for mode in ("hot", "off"):
            self.write(json.dumps({"gateway": {"port": 4712, "reload": {"mode": mode}}}))
            self.pass_()
        self.assertEqual(len(asked), 1, asked)
        self.write('{"gateway": {"port": 4712, "reload": {"mode": "restart"}}, "ui": {"seamColor": "#00FF00"}}')
        self.pass_()
        self.assertEqual(len(asked), 2, asked)

    def test_touched(self) -> None:
        """
        A file that says the same changes nothing.
        """
        self.write(text_of(0))
        self.assertEqual((self.pass_(), self.changes), ([], []))

    def test_debounce(self) -> None:
        """
        Nothing is read before the file was the same for 200 ms and the debounce after that.
        """
        self.pass_(0.45)
        for number in range(1, 20):
            self.write(text_of(number))
            self.pass_(0.15)
        self.assertEqual(self.changes, [])
        self.pass_()
        self.assertEqual(self.changes, ["/h19"])

    def test_invalid(self) -> None:
        """
        What cannot be used changes nothing, and is told once for each reason.
        """
        running = self.configuration.config
        self.write('{"gateway": {"port": "x"}}')
        told = self.pass_()
        found = load({}, self.path.parent, path=self.path).issues[0].message
        self.assertEqual(told, [f"config reload skipped (invalid config): gateway.port: {found}"])
        self.write('{"gateway": {"port": "x"} }')
        self.assertEqual(self.pass_(), [])
        self.assertIs(self.configuration.config, running)
        self.write(text_of(1))
        self.pass_()
        self.assertEqual((self.changes, self.problems), (["/h1"], [f"gateway.port: {found}", None]))
        self.assertEqual(self.kept, [text_of(1)])

    def test_removed(self) -> None:
        """
        Without its file the gateway goes on with what it has, and follows the next one.
        """
        self.path.unlink()
        self.assertEqual((self.pass_(), self.changes), ([], []))
        self.write(text_of(2))
        self.pass_()
        self.assertEqual(self.changes, ["/h2"])

    def test_restart_needed(self) -> None:
        """
        What needs a restart keeps its value; the rest is followed.
        """
        self.write(text_of(1, port=20000))
        told = self.pass_()
        self.assertIn("config change requires gateway restart (gateway.port)", told)
        config = self.configuration.config
        self.assertEqual((config.hooks.path, config.gateway.port), ("/h1", None))

    def test_hot(self) -> None:
        """
        Nothing of a change that would need a restart; the next change is compared with it.
        """
        self.write(text_of(1, "hot", port=20000))
        told = self.pass_()
        self.assertIn("config reload requires gateway restart; hot mode ignoring (gateway.port)", told)
        self.assertEqual(self.changes, [])
        self.write(text_of(2, "hot", port=20000))
        self.pass_()
        self.assertEqual((self.changes, self.configuration.config.gateway.port), (["/h2"], None))

    def test_other_modes(self) -> None:
        """
        The mode of the new file counts.
        """
        self.write(text_of(1, "off"))
        self.assertIn("config reload disabled (gateway.reload.mode=off)", self.pass_())
        self.write(text_of(2, "restart"))
        told = self.pass_()
        self.assertTrue(any(line.startswith("config change requires gateway restart (") for line in told), told)
        self.assertEqual(self.changes, [])

    def test_parent_missing(self) -> None:
        """
        A block that is new is told as a whole.
        """
        text = json.loads(text_of(0))
        self.write(json.dumps({**text, "canvasHost": {"enabled": False, "root": "x"}}))
        self.assertIn("config change requires gateway restart (canvasHost)", self.pass_())

    def test_own_writes(self) -> None:
        """
        What a client has changed is followed at once, and not a second time.
        """
        self.successResultOf(self.configuration.edit(lambda before: text_of(1)))
        self.assertEqual(self.changes, ["/h1"])
        self.writes += 1
        self.pass_()
        self.assertEqual(self.changes, ["/h1"])

    def test_unreadable_disk(self) -> None:
        """
        A failure to look is told, and looking goes on.
        """
        self.watch.look = lambda path: 1 / 0  # type: ignore[assignment,return-value]
        self.pass_()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)
        self.watch.look = self.look
        self.write(text_of(1))
        self.pass_()
        self.assertEqual(self.changes, ["/h1"])


class TornTests(WatchedCase):
    """
    Editors as they are: in place, in parts, with pauses of any length, by renaming, one after the other.
    """

    def test_never_half(self) -> None:
        """
        What runs is always a whole text, and in the end the last.
        """
        random = Random(5)
        self.configuration.changed.append(self.is_whole)
        number = torn = 0
        while torn < TORN:
            number += 1
            torn += self.save(random, text_of(number))
            self.pass_(random.choice([0.0, 0.05, 0.3, 0.6, 1.2]))
        self.pass_()
        self.assertEqual(self.changes[-1], f"/h{number}")
        self.assertGreater(len(self.changes), number // 15)

    def save(self, random: Random, text: str) -> int:
        """
        :return: how often the file was half of it, or another file's place was taken.
        """
        if random.random() < 0.3:
            other = self.path.with_suffix(".new")
            other.write_text(text)
            other.replace(self.path)
            self.writes += 1
            return 1
        cuts = sorted(random.sample(range(len(text)), random.randrange(4)))
        for cut in [*cuts, len(text)]:
            self.write(text[:cut])
            self.pass_(random.choice([0.0, 0.02, 0.1, 0.25, 0.8]))
        return len(cuts)

    def is_whole(self) -> None:
        config = self.configuration.config
        self.assertEqual(config.hooks.path[2:], config.effective["talk"]["voiceId"][1:])
