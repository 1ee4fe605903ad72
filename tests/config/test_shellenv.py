"""
Tests for :mod:`openclaw.config.shellenv`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.loader import evaluate
from openclaw.config.shellenv import ShellSilent, ask, import_shell_environment, parse_environment

FILE = Path("/etc/openclaw.json")
HOME = Path("/home/u")
ON = "{env: {shellEnv: {enabled: true, timeoutMs: 5000}}}"
PATH = os.environ.get("PATH", "/usr/bin:/bin")


class ShellTests(SynchronousTestCase):
    """
    A login shell that is a script of the test's.
    """

    def shell(self, body: str) -> str:
        """
        A shell that does this; as login shells do, it prints what it likes first.
        """
        path = Path(self.mktemp()).absolute()
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o700)
        return str(path)

    def environ(self, body: str, **others: str) -> dict[str, str]:
        """
        An environment with that shell.
        """
        return {"PATH": PATH, "SHELL": self.shell(body), **others}

    def take(self, environ: dict[str, str], text: str = ON) -> tuple[str, ...]:
        """
        Import by a configuration.
        """
        return import_shell_environment(environ, evaluate(text, FILE, environ, HOME))

    def test_imported(self) -> None:
        """
        Names of the list that are not blank are taken, whatever start-up files print.
        """
        environ = self.environ('echo "Hello!"\nOPENAI_API_KEY="a b" ZAI_API_KEY=" " OTHER=1 env -0')
        self.assertEqual(self.take(environ), ("OPENAI_API_KEY",))
        self.assertEqual(environ["OPENAI_API_KEY"], "a b")
        self.assertNotIn("OTHER", environ)
        self.assertNotIn("ZAI_API_KEY", environ)

    def test_only_when_wanted(self) -> None:
        """
        Nothing runs unless the file or the variable asks for it, nor when one of the names is known already.
        """
        mark = Path(self.mktemp()).absolute()
        body = f"touch {mark}\nOPENAI_API_KEY=x env -0"
        for text in ("{}", "{env: {shellEnv: {enabled: false}}}", "{env: {shellEnv: {timeoutMs: 5}}}"):
            self.assertEqual(self.take(self.environ(body), text), ())
        self.assertEqual(self.take(self.environ(body, GEMINI_API_KEY="y")), ())
        known = "{env: {ZAI_API_KEY: 'z', shellEnv: {enabled: true}}}"
        self.assertEqual(self.take(self.environ(body), known), ())
        self.assertFalse(mark.exists())
        self.assertEqual(self.take(self.environ(body, OPENCLAW_LOAD_SHELL_ENV="yes"), "{}"), ("OPENAI_API_KEY",))
        self.assertTrue(mark.exists())

    def test_for_a_reference(self) -> None:
        """
        A file that is invalid for want of the variable gets it.
        """
        environ = self.environ("TELEGRAM_BOT_TOKEN=12:ab env -0")
        text = "{env: {shellEnv: {enabled: true}}, channels: {telegram: {botToken: '${TELEGRAM_BOT_TOKEN}'}}}"
        self.assertFalse(evaluate(text, FILE, environ, HOME).valid)
        self.assertEqual(self.take(environ, text), ("TELEGRAM_BOT_TOKEN",))
        self.assertTrue(evaluate(text, FILE, environ, HOME).valid)

    def test_slow(self) -> None:
        """
        A shell that takes too long is ended together with what it began.
        """
        mark = Path(self.mktemp()).absolute()
        began = time.monotonic()
        environ = self.environ(f"(sleep 2; touch {mark}) & sleep 30", OPENCLAW_SHELL_ENV_TIMEOUT_MS="200")
        error = self.assertRaises(ShellSilent, self.take, environ, "{env: {shellEnv: {enabled: true}}}")
        self.assertLess(time.monotonic() - began, 1.9)
        self.assertEqual(error.reason, "it took longer than 0.2 s")
        time.sleep(max(0.0, began + 2.3 - time.monotonic()))
        self.assertFalse(mark.exists())

    def test_left_behind(self) -> None:
        """
        A program that a start-up file leaves in the background does not hold us up.
        """
        began = time.monotonic()
        self.assertEqual(self.take(self.environ("sleep 30 &\nOPENAI_API_KEY=x env -0")), ("OPENAI_API_KEY",))
        self.assertLess(time.monotonic() - began, 4)

    def test_broken(self) -> None:
        """
        A shell that is not there, fails, or never ends talking gives nothing, with the reason.
        """
        missing = {"PATH": PATH, "SHELL": "/nonexistent/sh"}
        self.assertEqual(
            str(self.assertRaises(ShellSilent, self.take, missing)),
            "The login shell /nonexistent/sh gave no environment: No such file or directory;"
            " credentials it sets are not known.",
        )
        self.assertIn("code 3", str(self.assertRaises(ShellSilent, self.take, self.environ("exit 3"))))
        self.assertIn("more than", str(self.assertRaises(ShellSilent, self.take, self.environ("yes"))))

    def test_real_shell(self) -> None:
        """
        The shell that every system has does it.
        """
        home = Path(self.mktemp()).absolute()
        home.mkdir()
        (home / ".profile").write_text("echo welcome\nexport SLACK_APP_TOKEN=xapp\n")
        found = parse_environment(ask("/bin/sh", {"PATH": PATH, "HOME": str(home)}, 10))
        self.assertEqual(found["SLACK_APP_TOKEN"], "xapp")
