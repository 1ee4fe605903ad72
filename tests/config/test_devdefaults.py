"""
Tests for :mod:`openclaw.config.devdefaults`.
"""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.devdefaults import ensure_dev_config, make_token
from openclaw.config.loader import load


class DevDefaultsTests(SynchronousTestCase):
    """
    The first configuration.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.path = self.home / "state" / "openclaw.json"

    def test_created(self) -> None:
        """
        File and directory are made for the owner alone, and load without a word.
        """
        self.assertTrue(ensure_dev_config(self.path, make_token=lambda: "t" * 64))
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.path.parent.stat().st_mode & 0o777, 0o700)
        snapshot = load({}, self.home, path=self.path)
        self.assertEqual((snapshot.issues, snapshot.warnings), ((), ()))
        config = snapshot.require()
        self.assertEqual((config.gateway.mode, config.gateway.auth.token), ("local", "t" * 64))
        self.assertEqual(list(self.path.parent.iterdir()), [self.path])

    def test_existing_stays(self) -> None:
        """
        A file that is there is left alone.
        """
        self.path.parent.mkdir(parents=True)
        self.path.write_text("{}")
        self.assertFalse(ensure_dev_config(self.path))
        self.assertEqual(self.path.read_text(), "{}")

    def test_workspace(self) -> None:
        """
        A workspace that is given is written down.
        """
        ensure_dev_config(self.path, workspace=Path("/w"))
        self.assertEqual(load({}, self.home, path=self.path).require().agents.defaults.workspace, "/w")

    def test_agent(self) -> None:
        """
        That of development gateways, which does not ask who it is.
        """
        ensure_dev_config(self.path, workspace=Path("/w"), with_agent=True)
        agents = load({}, self.home, path=self.path).require().agents
        self.assertEqual((agents.default_id, agents.defaults.skip_bootstrap), ("dev", True))
        identity = {"name": "C3-PO", "theme": "protocol droid", "emoji": "\N{ROBOT FACE}"}
        written = json.loads(self.path.read_text(encoding="utf-8"))["agents"]["list"]
        self.assertEqual(written, [{"id": "dev", "default": True, "workspace": "/w", "identity": identity}])

    def test_token(self) -> None:
        """
        A token has 256 bits, another one each time.
        """
        self.assertEqual(len(make_token()), 64)
        self.assertNotEqual(make_token(), make_token())
