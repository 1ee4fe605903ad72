"""
Sending the A2UI page.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.web.a2ui import serving
from openclaw.web.canvas.host import CanvasHost
from tests.web.asking import Answer, ask, make_root

A2UI = "/__openclaw__/a2ui"


class A2uiTests(SynchronousTestCase):
    """
    Without live reload, which changes nothing here.
    """

    def ask(self, path: str) -> Answer:
        return ask(make_root(canvas=CanvasHost(root=Path("nothing"), config=Config)), path)

    def test_own_files(self) -> None:
        """
        The page finds its files with and without a slash at the end of its address.
        """
        for path, before in ((f"{A2UI}/", ""), (f"{A2UI}/index.html", ""), (A2UI, "a2ui/")):
            text = self.ask(path).text
            self.assertIn(f'src="{before}a2ui.bundle.js"', text, path)
            self.assertIn(f'href="{before}style.css"', text, path)

    def test_every_script(self) -> None:
        """
        Whatever a script of the page imports is there, as JavaScript.
        """
        left, seen = ["a2ui.bundle.js"], set()
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            answer = self.ask(f"{A2UI}/{name}")
            self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/javascript; charset=utf-8"))
            left += re.findall(r'from "\./([^"]+)"', answer.text)
        self.assertGreater(len(seen), 5)

    def test_policy(self) -> None:
        """
        The page runs its own scripts and the one that is put into it, and nothing else.
        """
        answer = self.ask(f"{A2UI}/")
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        (script,) = re.findall("<script>(.*?)</script>", answer.text, re.DOTALL)
        told = b64encode(sha256(script.encode()).digest()).decode()
        self.assertEqual(policy["script-src"], f"'self' 'sha256-{told}'")
        self.assertEqual((policy["default-src"], policy["connect-src"]), ("'none'", "'self'"))

    def test_not_installed(self) -> None:
        """
        A program without the page says so.
        """
        self.patch(serving, "PAGE", Path(self.mktemp()))
        answer = self.ask(f"{A2UI}/a2ui.bundle.js")
        self.assertEqual((answer.status, answer.text), (503, "A2UI assets not found"))
