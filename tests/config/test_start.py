"""
What a start is given, and what speaks against it; the texts are tested where people see them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.auth import StartRefused
from openclaw.config.loader import load
from openclaw.config.start import OptionInvalid, Start, StartOptions, check, read_options

TOKEN = "a-token-of-this-test"


class OptionsTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """
        What was not given leaves it to the configuration; names that mean nothing here are left alone.
        """
        self.assertEqual(read_options({"port": None, "dev": True, "profile": "x"}), StartOptions())

    def test_port(self) -> None:
        """
        A port is a whole number that a port can have.
        """
        for text, port in {"1": 1, " 18789": 18789, "65535": 65535}.items():
            self.assertEqual(read_options({"port": text}).port, port)
        for text in ("", "0", "65536", "-1", "1.5", "x", "٣"):
            self.assertRaises(OptionInvalid, read_options, {"port": text})


class CheckTests(SynchronousTestCase):
    def check(self, config: str, **options: Any) -> Start:
        home = Path(self.mktemp()).absolute()
        home.mkdir()
        path = home / "openclaw.json"
        path.write_text(config)
        environ = {"HOME": str(home), "OPENCLAW_CONFIG_PATH": str(path)}
        return check(load(environ, home), StartOptions(token=TOKEN, **options), environ)

    def test_mode(self) -> None:
        """
        Only a configuration that says so makes a gateway, or who starts it does.
        """
        self.assertEqual(self.check("{gateway: {mode: 'local'}}").warnings, ())
        for config in ("{}", "{gateway: {mode: 'remote'}}"):
            self.assertRaises(StartRefused, self.check, config)
            self.assertEqual(self.check(config, allow_unconfigured=True).auth.token, TOKEN)

    def test_tailscale(self) -> None:
        """
        The mode of the command line counts as that of the file does, and before it.
        """
        for start in (
            self.check("{gateway: {mode: 'local'}}", tailscale="serve"),
            self.check("{gateway: {mode: 'local', tailscale: {mode: 'serve'}}}"),
        ):
            self.assertEqual((start.tailscale.mode, start.auth.allow_tailscale), ("serve", True))
            self.assertFalse(start.tailscale.reset_on_exit)
        file = "{gateway: {mode: 'local', tailscale: {mode: 'serve', resetOnExit: true}}}"
        off = self.check(file, tailscale="off")
        self.assertEqual((off.tailscale.mode, off.auth.allow_tailscale), ("off", False))
        for start in (
            self.check(file),
            self.check("{gateway: {mode: 'local'}}", tailscale="serve", tailscale_reset_on_exit=True),
        ):
            self.assertTrue(start.tailscale.reset_on_exit)
