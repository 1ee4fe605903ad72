"""
Canvas and A2UI of a real gateway in a browser.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.process.browser import Browser, find_chromium
from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT
from tests.process.peer import Peer

A2UI = "/__openclaw__/a2ui/"
CANVAS = "/__openclaw__/canvas/"

#: Stands for the app around the page: as on Android, it takes text.
APP = "globalThis.posted = []; globalThis.openclawCanvasA2UIAction = { postMessage: (text) => posted.push(text) };"


def component(id: str, type: str, **properties: Any) -> dict[str, Any]:
    return {"id": id, "component": {type: properties}}


def words(text: str) -> dict[str, Any]:
    return {"literalString": text}


def update(*components: dict[str, Any], surface: str = "main") -> dict[str, Any]:
    return {"surfaceUpdate": {"surfaceId": surface, "components": components}}


def begin(root: str, surface: str = "main", **styles: str) -> dict[str, Any]:
    return {"beginRendering": {"surfaceId": surface, "root": root, "styles": styles}}


def data(*contents: dict[str, Any], path: str | None = None, surface: str = "main") -> dict[str, Any]:
    where = {} if path is None else {"path": path}
    return {"dataModelUpdate": {"surfaceId": surface, "contents": contents, **where}}


class BrowserCase(ProcessCase):
    """
    Headless Chromium.
    """

    def setUp(self) -> None:
        program = find_chromium()
        if program is None:
            self.skipTest("Chromium is not installed")
        self.gateway = self.start_gateway()
        self.browser = Browser.start(program, Path(self.mktemp()).absolute())
        self.addCleanup(self.browser.stop)

    @property
    def root(self) -> Path:
        return self.gateway.state / "workspace" / "canvas"

    def open(self, path: str, port: int | None = None) -> None:
        # On about:blank nothing that is waited for is there yet.
        self.browser.open("about:blank")
        self.browser.wait("location.href === 'about:blank'")
        self.browser.open(f"http://127.0.0.1:{port or self.gateway.port}{path}")


class A2uiTests(BrowserCase):
    def start(self, query: str = "", port: int | None = None) -> None:
        self.open(A2UI + query, port)
        self.browser.wait("typeof globalThis.openclawA2UI?.applyMessages === 'function'")
        self.browser.evaluate(APP)

    def apply(self, *messages: dict[str, Any]) -> Any:
        return self.browser.evaluate(f"openclawA2UI.applyMessages({json.dumps(messages)})")

    def text(self, id: str) -> Any:
        return self.browser.evaluate(f"document.querySelector('[data-component={id}]')?.innerText")

    def texts(self, id: str) -> Any:
        return self.browser.evaluate(f"[...document.querySelectorAll('[data-component={id}]')].map((e) => e.innerText)")

    def posted(self) -> list[Any]:
        return [json.loads(text)["userAction"] for text in self.browser.evaluate("posted")]

    def assert_quiet(self) -> None:
        self.assertEqual(self.browser.complaints, [])

    def test_action(self) -> None:
        """
        What is pushed is shown, and what a person does goes to the app, with the data as it is then.
        """
        self.start()
        answer = self.apply(
            update(
                component("root", "Column", children={"explicitList": ["title", "name", "echo", "send"]}),
                component("title", "Text", text=words("A **bold** <b>title</b>"), usageHint="h1"),
                component("name", "TextField", label=words("Name"), text={"path": "/user/name"}),
                component("echo", "Text", text={"path": "/user/name"}),
                component(
                    "send",
                    "Button",
                    child="label",
                    primary=True,
                    action={
                        "name": "greet",
                        "context": [
                            {"key": "name", "value": {"path": "/user/name"}},
                            {"key": "n", "value": {"literalNumber": 3}},
                            {"key": "user", "value": {"path": "/user"}},
                            {"key": "nothing", "value": {"path": "/nowhere"}},
                        ],
                    },
                ),
                component("label", "Text", text=words("Send")),
            ),
            data({"key": "name", "valueString": "Ada"}, path="/user"),
            begin("root", primaryColor="#00bfff"),
        )
        self.assertEqual(answer, {"ok": True, "surfaces": ["main"]})
        self.assertEqual(self.text("title"), "A bold <b>title</b>")
        self.assertEqual(self.browser.evaluate("document.querySelector('h1 strong').textContent"), "bold")
        self.assertEqual((self.text("echo"), self.text("send")), ("Ada", "Send"))
        self.browser.type("[data-component=name] input", " L")
        self.assertEqual(self.text("echo"), "Ada L")
        self.browser.click("[data-component=send]")
        (action,) = self.posted()
        self.assertEqual(action["context"], {"name": "Ada L", "n": 3, "user": {"name": "Ada L"}})
        self.assertEqual((action["name"], action["surfaceId"], action["sourceComponentId"]), ("greet", "main", "send"))
        self.assertRegex(action["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(self.browser.evaluate("__openclawLastA2UIAction"), action)
        told = {"id": action["id"], "ok": False, "error": "offline"}
        event = f"new CustomEvent('openclaw:a2ui-action-status', {{ detail: {json.dumps(told)} }})"
        self.browser.evaluate(f"dispatchEvent({event})")
        self.assertEqual(
            self.browser.evaluate("document.getElementById('openclaw-toast').innerText"), "Not sent: offline"
        )
        self.assert_quiet()

    def test_templates(self) -> None:
        """
        A list shows one component for each item of the data, whose paths start there; pieces may come in any order.
        """
        self.start()
        item = component("item", "Row", children={"explicitList": ["label", "pick"]})
        pick = component(
            "pick", "Button", child="go", action={"name": "pick", "context": [{"key": "id", "value": {"path": "id"}}]}
        )
        self.apply(begin("root"))
        self.apply(
            data(
                {
                    "key": "items",
                    "valueMap": [
                        {"key": "b", "valueMap": [{"key": "id", "valueNumber": 2}, {"key": "t", "valueString": "two"}]},
                        {"key": "a", "valueMap": [{"key": "id", "valueNumber": 1}, {"key": "t", "valueString": "one"}]},
                    ],
                }
            )
        )
        self.apply(
            update(
                component("root", "List", children={"template": {"componentId": "item", "dataBinding": "/items"}}),
                item,
                component("label", "Text", text={"path": "t"}),
                pick,
                component("go", "Text", text=words("pick")),
            )
        )
        self.assertEqual(self.texts("label"), ["two", "one"])
        self.browser.evaluate("document.querySelectorAll('[data-component=pick]')[1].click()")
        self.assertEqual(self.posted()[0]["context"], {"id": 1})
        self.apply(data({"key": "t", "valueString": "uno"}, path="/items/a"))
        self.assertEqual(self.texts("label"), ["two", "uno"])
        self.apply(data({"key": "list", "valueMap": []}))
        self.assertEqual(self.texts("label"), [])
        self.assert_quiet()

    def test_components(self) -> None:
        """
        Every component of the catalog is shown, and each input writes into the data.
        """
        self.start()
        names = ("field", "check", "slide", "when", "many", "one", "tabs", "modal", "card", "image", "icon", "line")
        both = [{"label": words("A"), "value": "a"}, {"label": words("B"), "value": "b"}]
        self.apply(
            update(
                component("root", "Column", children={"explicitList": [*names, "video", "audio", "send"]}),
                component("field", "TextField", label=words("F"), text={"path": "/f", "literalString": "first"}),
                component("check", "CheckBox", label=words("C"), value={"path": "/c"}),
                component("slide", "Slider", value={"path": "/s"}, minValue=0, maxValue=10),
                component("when", "DateTimeInput", value={"path": "/w"}, enableDate=True),
                component("many", "MultipleChoice", selections={"path": "/m"}, options=both, maxAllowedSelections=2),
                component("one", "MultipleChoice", selections={"path": "/o"}, options=both, maxAllowedSelections=1),
                component(
                    "tabs",
                    "Tabs",
                    tabItems=[{"title": words("1"), "child": "t1"}, {"title": words("2"), "child": "t2"}],
                ),
                component("t1", "Text", text=words("first tab")),
                component("t2", "Text", text=words("second tab")),
                component("modal", "Modal", entryPointChild="entry", contentChild="content"),
                component("entry", "Text", text=words("open")),
                component("content", "Text", text=words("inside")),
                component("card", "Card", child="t1"),
                component("image", "Image", url=words("data:image/gif;base64,R0lGODlhAQABAAAAACw="), fit="cover"),
                component("icon", "Icon", name=words("check")),
                component("line", "Divider"),
                component("video", "Video", url=words("javascript:alert(1)")),
                component("audio", "AudioPlayer", url=words(""), description=words("a song")),
                component(
                    "send",
                    "Button",
                    child="t1",
                    action={"name": "all", "context": [{"key": "all", "value": {"path": "/"}}]},
                ),
            ),
            begin("root"),
        )
        script = """
            const set = (selector, value) => {
              const input = document.querySelector(selector);
              input.value = value;
              input.dispatchEvent(new Event('input', { bubbles: true }));
            };
            set('[data-component=field] input', 'typed');
            set('[data-component=slide] input', '7');
            set('[data-component=when] input', '2026-01-30');
            for (const id of ['check', 'many', 'one']) document.querySelector(`[data-component=${id}] input`).click();
            document.querySelectorAll('[role=tab]')[1].click();
            document.querySelector('[data-component=entry]').click();
            document.querySelector('[data-component=send]').click();
        """
        self.browser.evaluate(f"(() => {{ {script} }})()")
        wanted = {"f": "typed", "c": True, "s": 7, "w": "2026-01-30", "m": ["a"], "o": ["a"]}
        self.assertEqual(self.posted()[0]["context"], {"all": wanted})
        self.assertEqual(self.texts("t2"), ["second tab"])
        self.assertTrue(self.browser.evaluate("document.querySelector('dialog').open"))
        self.assertEqual(self.text("content"), "inside")
        self.assertFalse(self.browser.evaluate("document.querySelector('video').hasAttribute('src')"))
        # Building it anew keeps what people did.
        self.apply(update(component("t2", "Text", text=words("still the second"))))
        self.assertEqual(self.texts("t2"), ["still the second"])
        self.assertTrue(self.browser.evaluate("document.querySelector('dialog').open"))
        self.assertEqual(self.browser.evaluate("document.querySelector('[data-component=field] input').value"), "typed")
        self.assert_quiet()

    def test_surfaces(self) -> None:
        """
        Surfaces come, go and are told; what is no array is refused; what contains itself ends.
        """
        self.start()
        loop = component("loop", "Column", children={"explicitList": ["loop", "leaf"]})
        self.apply(update(loop, component("leaf", "Text", text=words("leaf"))), begin("loop"))
        self.assertEqual(self.texts("leaf"), ["leaf"])
        self.apply(update(component("r", "Text", text=words("other")), surface="two"), begin("r", surface="two"))
        self.assertEqual(self.browser.evaluate("openclawA2UI.getSurfaces()"), ["main", "two"])
        answer = self.apply({"deleteSurface": {"surfaceId": "main"}}, {"createSurface": {}}, {"x": 1})
        self.assertEqual(answer, {"ok": True, "surfaces": ["two"]})
        self.assertEqual(self.browser.evaluate("document.querySelector('.surface').dataset.surface"), "two")
        refused = "(() => { try { openclawA2UI.applyMessages({}); } catch (error) { return error.name; } })()"
        self.assertEqual(self.browser.evaluate(refused), "TypeError")
        self.assertEqual(self.browser.evaluate("openclawA2UI.reset()"), {"ok": True})
        self.assertEqual(
            self.browser.evaluate("openclawA2UI.getSurfaces().length + document.querySelectorAll('.surface').length"), 0
        )

    def test_contract(self) -> None:
        """
        What apps look for is there, on the canvas port as well and without a slash at the end.
        """
        self.open("/__openclaw__/a2ui?platform=iOS&debug=1", self.gateway.port + 4)
        self.browser.wait("typeof globalThis.openclawA2UI?.applyMessages === 'function'")
        self.assertEqual(self.browser.evaluate("document.documentElement.dataset.platform"), "ios")
        self.assertEqual(self.browser.evaluate("__openclaw.canvas.id"), "openclaw-canvas")
        self.assertEqual(self.browser.evaluate("__openclaw.ctx instanceof CanvasRenderingContext2D"), True)
        self.browser.evaluate("__openclaw.setStatus('Title', 'below')")
        card = "document.getElementById('openclaw-status')"
        self.assertEqual(self.browser.evaluate(f"{card}.innerText"), "Title\nbelow")
        self.browser.evaluate("__openclaw.setDebugStatusEnabled(false)")
        self.assertTrue(self.browser.evaluate(f"{card}.hidden"))
        self.assertEqual(self.browser.evaluate("typeof openclawSendUserAction"), "function")
        # As iOS has it: an object, not text.
        self.browser.evaluate(
            "globalThis.got = [];"
            "const openclawCanvasA2UIAction = { postMessage: (one) => got.push(one) };"
            "globalThis.webkit = { messageHandlers: { openclawCanvasA2UIAction } };"
        )
        button = component("b", "Button", child="none", action={"name": "go"})
        self.apply(update(button), begin("b"))
        self.browser.click("[data-component=b]")
        self.assertEqual(self.browser.evaluate("got[0].userAction.name"), "go")
        self.assertFalse(self.browser.evaluate("'context' in got[0].userAction"))
        self.assert_quiet()


class TunnelTests(ProcessCase):
    """
    A client that comes through a proxy of which the gateway knows nothing, as through Tailscale.
    """

    def test_told_address(self) -> None:
        """
        With the address that it was told it sees the canvas and its changes on both ports, until it goes.
        """
        gateway = self.start_gateway()
        proxied = {"X-Forwarded-For": "100.64.0.7", "X-Forwarded-Proto": "https"}
        peer = Peer.open(gateway.url, additional_headers=proxied)
        self.addCleanup(peer.close)
        peer.greet()
        told = urlsplit(peer.hello["canvasHostUrl"])
        self.assertEqual((told.scheme, told.netloc), ("https", f"127.0.0.1:{gateway.port}"))
        self.assertEqual(gateway.get(CANVAS, headers=proxied).status, 403)
        self.assertEqual(gateway.get(told.path + CANVAS, headers=proxied).status, 200)
        self.assertEqual(gateway.get(told.path + A2UI, headers=proxied).status, 200)
        elsewhere = {**proxied, "Origin": "https://gw.example"}
        pages = []
        for port in (gateway.port, gateway.port + 4):
            url = f"ws://127.0.0.1:{port}{told.path}/__openclaw__/ws"
            page = connect(url, additional_headers=elsewhere, proxy=None, close_timeout=1)
            self.addCleanup(page.close)
            pages.append(page)
        changed = threading.Event()
        writing = threading.Thread(target=change_until, args=(gateway.state / "workspace" / "canvas", changed))
        writing.start()
        try:
            self.assertEqual([page.recv(timeout=LIMIT) for page in pages], ["reload", "reload"])
        finally:
            changed.set()
            writing.join()
        peer.close()
        for page in pages:
            with self.assertRaises(ConnectionClosed):
                while True:
                    page.recv(timeout=LIMIT)
        self.assertEqual(gateway.get(told.path + CANVAS, headers=proxied).status, 403)


def change_until(root: Path, seen: threading.Event) -> None:
    """
    Make a file now and then: what changes before the first look at the tree is not seen.
    """
    for number in count():
        (root / f"{number}.txt").touch()
        if seen.wait(0.5):
            return


class CanvasTests(BrowserCase):
    def posted(self) -> Sequence[Any]:
        return [json.loads(text)["userAction"] for text in self.browser.evaluate("posted")]

    def test_starter(self) -> None:
        """
        The first page shows whether an app is there, and hands it what is pressed.
        """
        self.open(CANVAS)
        self.browser.wait("document.getElementById('helper')?.textContent === 'there'")
        self.browser.click("[data-name=hello]")
        self.browser.wait("document.getElementById('log').textContent.includes('not sent: hello')")
        self.browser.evaluate(APP)
        self.browser.click("[data-name=dalek]")
        (action,) = self.posted()
        self.assertEqual((action["name"], action["sourceComponentId"]), ("dalek", "demo.dalek"))
        self.assertRegex(action["id"], "^[0-9a-f-]{36}$")
        self.assertEqual(self.browser.complaints, [])

    def test_live_reload(self) -> None:
        """
        A page is loaded again when a file of the canvas changes, on both ports, with modules and styles that work.
        """
        for port in (self.gateway.port, self.gateway.port + 4):
            (self.root / "app.mjs").write_text("document.body.dataset.loaded = 'one';")
            (self.root / "style.css").write_text("body { color: rgb(1, 2, 3) }")
            (self.root / "index.html").write_text(
                '<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><body>'
                '<script type="module" src="app.mjs"></script></body>'
            )
            self.open(CANVAS, port)
            self.browser.wait("document.body?.dataset.loaded === 'one'")
            self.assertEqual(self.browser.evaluate("getComputedStyle(document.body).color"), "rgb(1, 2, 3)")
            # The first look at the tree follows the socket; what changes before it is not seen.
            self.browser.wait("performance.now() > 1000")
            (self.root / "app.mjs").write_text("document.body.dataset.loaded = 'two';")
            self.browser.wait("document.body?.dataset.loaded === 'two'")
        self.assertEqual(self.browser.complaints, [])
