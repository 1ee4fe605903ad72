"""
The page in a browser.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.process.browser import Browser, find_chromium
from tests.process.case import ProcessCase
from tests.process.gateway import TOKEN
from tests.process.model import Gate, Text

CONNECTED = "document.querySelector('#status')?.dataset.state === 'connected'"


def shown(kind: str) -> str:
    """
    The text of the last message of a kind.
    """
    return f"[...document.querySelectorAll('#log article.message.{kind} .body')].at(-1)?.innerText.trim()"


class PageTests(ProcessCase):
    """
    Headless Chromium.
    """

    def setUp(self) -> None:
        program = find_chromium()
        if program is None:
            self.skipTest("Chromium is not installed")
        self.model = self.start_model()
        self.gateway = self.start_gateway(self.model)
        self.browser = Browser.start(program, Path(self.mktemp()).absolute())
        self.addCleanup(self.browser.stop)
        self.page = f"http://127.0.0.1:{self.gateway.port}/"

    def wait_shown(self, kind: str, text: str) -> None:
        self.browser.wait(f"({shown(kind)} ?? '') === {json.dumps(text)}")

    def test_chat_and_reload(self) -> None:
        """
        The token opens it and leaves the address; the answer is seen while it streams, and found after a reload.
        """
        browser, gate = self.browser, Gate()
        browser.open(f"{self.page}#token={TOKEN}")
        browser.wait(CONNECTED)
        self.assertNotIn(TOKEN, browser.evaluate("location.href"))
        self.model.plan(Text("The first half"), gate, Text(" and the second."))
        browser.type("#message", "hello from the page")
        browser.click("#send")
        self.wait_shown("user", "hello from the page")
        self.wait_shown("assistant", "The first half")
        self.assertFalse(browser.evaluate("document.querySelector('#stop').hidden"))
        gate.open()
        self.wait_shown("assistant", "The first half and the second.")
        browser.evaluate("window.before = true")
        browser.call("Page.reload")
        browser.wait(f"window.before === undefined && {CONNECTED}")
        self.wait_shown("user", "hello from the page")
        self.wait_shown("assistant", "The first half and the second.")
        self.assertEqual(browser.complaints, [])
        peer = self.join(self.gateway)
        self.assertEqual(
            peer.history(), [("user", "hello from the page"), ("assistant", "The first half and the second.")]
        )

    def test_asks_for_the_token(self) -> None:
        """
        Without a token it asks for one, and works with it.
        """
        browser = self.browser
        browser.open(self.page)
        browser.wait("document.querySelector('#access')?.hidden === false")
        browser.type("#secret", TOKEN)
        browser.evaluate("document.querySelector('#access').requestSubmit()")
        browser.wait(CONNECTED)
        browser.type("#message", "hi")
        browser.click("#send")
        self.wait_shown("assistant", "re: hi")

    def test_pasted_address(self) -> None:
        """
        The printed address works too where the page is open already, and the token does not stay in it.
        """
        browser = self.browser
        browser.open(self.page)
        browser.wait("document.querySelector('#access')?.hidden === false")
        browser.open(f"{self.page}#token={TOKEN}")
        browser.wait(CONNECTED)
        self.assertNotIn(TOKEN, browser.evaluate("location.href"))

    def test_rich_answer(self) -> None:
        """
        What a model writes in Markdown is shown as that, and its HTML as text.
        """
        browser = self.browser
        browser.open(f"{self.page}#token={TOKEN}")
        browser.wait(CONNECTED)
        self.model.plan(Text("# Title\n\n- **one**\n\n<img src=x onerror=alert(1)>\n\n```py\nx = 1\n```"))
        browser.type("#message", "show")
        browser.click("#send")
        browser.wait("document.querySelector('#log .assistant pre')?.textContent.includes('x = 1')")
        self.assertEqual(browser.evaluate("document.querySelector('#log .assistant strong').textContent"), "one")
        self.assertIsNone(browser.evaluate("document.querySelector('#log img[src=x]')"))

    def test_stop(self) -> None:
        """
        The stop button ends an answer that does not end by itself.
        """
        browser, gate = self.browser, Gate()
        browser.open(f"{self.page}#token={TOKEN}")
        browser.wait(CONNECTED)
        self.model.plan(Text("On and on"), gate)
        browser.type("#message", "never end")
        browser.click("#send")
        self.wait_shown("assistant", "On and on")
        browser.click("#stop")
        browser.wait("document.querySelector('#stop').hidden")
        peer = self.join(self.gateway)
        self.assert_ended(peer.chat("next", "next"), "final")
