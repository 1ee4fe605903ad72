"""
The note of an earlier process reaches its session.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import fail
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.config.sentinel import write_sentinel
from openclaw.gateway.restart_note import RestartNote
from openclaw.testing.gateway import MemoryGateway

PAYLOAD = {"kind": "config-apply", "status": "ok", "ts": 1, "message": "done"}


class RestartNoteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()

    def notes(self) -> Any:
        """
        What a gateway that starts shows of its notes.
        """
        with MemoryGateway(directory=self.directory) as gateway:
            return gateway.connected().call("status", {})["payload"]["queuedSystemEvents"]

    def test_over_a_restart(self) -> None:
        """
        A client changes the configuration and wants to be told: after the next start, once, the session knows.
        """
        with MemoryGateway(directory=self.directory) as gateway:
            raw = {"raw": "{ui: {seamColor: '#00FF00'}}", "note": "blue", "sessionKey": "main"}
            answer = gateway.connected().call("config.patch", raw)
            self.assertTrue(answer["ok"], answer)
        (note,) = self.notes()
        head, _, payload = note.partition("\n")
        self.assertEqual(head, "GatewayRestart:")
        self.assertEqual(json.loads(payload), answer["payload"]["sentinel"]["payload"])
        self.assertEqual(self.notes(), [])

    def test_main_session(self) -> None:
        """
        Without a session, the main one is told.
        """
        write_sentinel(self.directory, PAYLOAD)
        (note,) = self.notes()
        self.assertIn('"message": "done"', note)

    def test_no_note(self) -> None:
        """
        A file that is no note is removed and told to nobody.
        """
        path = self.directory / "restart-sentinel.json"
        for text in ("{", "[]", '{"version": 2, "payload": {}}', '{"version": 1, "payload": 3}'):
            path.write_text(text)
            self.assertEqual(self.notes(), [])
            self.assertFalse(path.exists())

    def test_failing_disk(self) -> None:
        """
        A note that cannot be read is told in the log, and stops nothing.
        """
        service = RestartNote(
            state_dir=self.directory, config=Config, note=print, in_thread=lambda *_: fail(OSError(5, "broken"))
        )
        with capturedLogs() as told:
            service.startService()
        self.assertIn("broken", formatEvent(told[-1]))
        self.successResultOf(service.stopService())
