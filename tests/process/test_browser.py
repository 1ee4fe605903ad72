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

    def reload(self) -> None:
        self.browser.evaluate("window.before = true")
        self.browser.call("Page.reload")
        self.browser.wait(f"window.before === undefined && {CONNECTED}")

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
        self.reload()
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

    def test_earlier_messages(self) -> None:
        """
        A long conversation begins with its end; what came before is shown on request.
        """
        browser, peer = self.browser, self.join(self.gateway)
        self.assert_ended(peer.chat("the first", "first"), "final")
        for number in range(200):
            self.assertTrue(peer.ask("chat.inject", {"sessionKey": "main", "message": f"note {number}"})["ok"])
        browser.open(f"{self.page}#token={TOKEN}")
        self.wait_shown("assistant", "note 199")
        self.assertEqual(browser.evaluate("document.querySelectorAll('#log article').length"), 200)
        browser.click("#log .empty button")
        browser.wait("document.querySelector('#log article .body').innerText === 'the first'")
        self.assertEqual(browser.evaluate("document.querySelectorAll('#log article').length"), 202)

    def test_draft(self) -> None:
        """
        What was being written is there after a reload, and gone once it was sent.
        """
        browser = self.browser
        browser.open(f"{self.page}#token={TOKEN}")
        browser.wait(CONNECTED)
        browser.type("#message", "half a thought")
        self.reload()
        self.assertEqual(browser.evaluate("document.querySelector('#message').value"), "half a thought")
        browser.click("#send")
        self.wait_shown("assistant", "re: half a thought")
        self.reload()
        self.assertEqual(browser.evaluate("document.querySelector('#message').value"), "")

    def test_killed_in_the_middle_of_an_answer(self) -> None:
        """
        The page comes back by itself, with the message once, its outcome, and what was written meanwhile.
        """
        browser, gate = self.browser, Gate()
        browser.open(f"{self.page}#token={TOKEN}")
        browser.wait(CONNECTED)
        self.model.plan(Text("Never"), gate)
        browser.type("#message", "hold on")
        browser.click("#send")
        self.wait_shown("assistant", "Never")
        self.gateway.kill()
        browser.wait("document.querySelector('#status').dataset.state === 'waiting'")
        self.assertTrue(browser.evaluate("document.querySelector('#send').disabled"))
        browser.type("#message", "meanwhile")
        self.gateway.start()
        browser.wait(CONNECTED)
        browser.wait("document.querySelector('#stop').hidden && document.querySelectorAll('#log article').length === 2")
        self.assertEqual(browser.evaluate(shown("user")), "hold on")
        self.assertEqual(browser.evaluate("document.querySelector('#message').value"), "meanwhile")
        browser.click("#send")
        self.wait_shown("assistant", "re: meanwhile")

    def test_what_the_browser_forbids(self) -> None:
        """
        Text cannot become markup, and nothing but the page's own origin is talked to.
        """
        browser = self.browser
        browser.open(f"{self.page}#token={TOKEN}")
        browser.wait(CONNECTED)
        self.assertEqual(browser.complaints, [])
        browser.evaluate("window.broken = []")
        browser.evaluate(
            "document.addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective))"
        )
        made = "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'made'; } catch { return 'refused'; } })()"
        self.assertEqual(browser.evaluate(made), "refused")
        browser.evaluate(f"void new WebSocket('ws://localhost:{self.gateway.port}/')")
        browser.wait("broken.length >= 2")
        self.assertEqual(browser.evaluate("broken"), ["require-trusted-types-for", "connect-src"])

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
