"""
Headless Chromium over its debugging protocol.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from attrs import define, field
from websockets.sync.client import ClientConnection, connect

from tests.process.gateway import LIMIT, NotSeen, eventually

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """
    The program, when one is installed.
    """
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@define(eq=False)
class Browser:
    """
    One page.

    :ivar complaints: console errors, log entries of level error, and exceptions of the page.
    """

    process: subprocess.Popen[bytes]
    socket: ClientConnection
    complaints: list[str] = field(factory=list, init=False)
    _session: str = field(default="", init=False)
    _last: int = field(default=0, init=False)

    @classmethod
    def start(cls, program: str, profile: Path) -> Browser:
        profile.mkdir(parents=True)
        process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--no-proxy-server",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        told = profile / "DevToolsActivePort"

        def address() -> str | None:
            lines = told.read_text().splitlines() if told.exists() else []
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else None

        try:
            socket = connect(eventually(address, "Chromium did not start") or "", max_size=None, proxy=None)
        except BaseException:
            process.kill()
            process.wait()
            raise
        browser = cls(process, socket)
        target = browser.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = browser.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        browser._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            browser.call(f"{domain}.enable")
        return browser

    def stop(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()

    def call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """
        One command.
        """
        self._last += 1
        command: dict[str, Any] = {"id": self._last, "method": method, "params": params or {}}
        if self._session:
            command["sessionId"] = self._session
        self.socket.send(json.dumps(command))
        end = time.monotonic() + LIMIT
        while True:
            message = json.loads(self.socket.recv(timeout=max(0.0, end - time.monotonic())))
            if message.get("id") == self._last:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def open(self, address: str) -> None:
        self.call("Page.navigate", {"url": address})

    def evaluate(self, expression: str) -> Any:
        """
        The value of an expression in the page.
        """
        params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", params)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str) -> Any:
        """
        Look until an expression is true.
        """
        try:
            return eventually(lambda: self.evaluate(expression), expression)
        except NotSeen as error:
            raise NotSeen(f"{error}; complaints: {self.complaints}") from None

    def type(self, selector: str, text: str) -> None:
        """
        Type as a person does.
        """
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", {"text": text})

    def click(self, selector: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif message.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.complaints.append(json.dumps(params["args"]))
        elif message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])
