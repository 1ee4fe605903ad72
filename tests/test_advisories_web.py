"""
Published holes of gateways like this one that concern pages and files on the port.
"""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.web import page
from openclaw.web.canvas.host import CanvasHost
from tests.test_files import SECRET, TRAVERSALS
from tests.web.asking import ask, configured, make_root

UI = Path(page.__file__).parent / "ui"


class PageTests(SynchronousTestCase):
    """
    Our page in a browser.
    """

    def test_cve_2026_25253(self) -> None:
        """
        No address makes the page send its token elsewhere: it reads no gateway from it, and opens one socket, to where
        it came from.
        """
        scripts = {path.name: path.read_text(encoding="utf-8") for path in UI.glob("*.js")}
        self.assertEqual([name for name, script in scripts.items() if "gatewayurl" in script.lower()], [])
        whole = "\n".join(scripts.values())
        self.assertEqual(re.findall(r"new WebSocket\((.*?)\)", whole), ["this.address"])
        (address,) = re.findall(r"const address = `(.*)`;", whole)
        self.assertTrue(address.endswith("://${location.host}${place}"), address)
        self.assertEqual(re.findall(r"\b(?:fetch|XMLHttpRequest|EventSource|sendBeacon)\b", whole), [])
        read = set(
            re.findall(r"(?:query|fragment|parameters|URLSearchParams)[^;\n]*?\.(?:get|delete)\(\"(\w+)\"\)", whole)
        )
        self.assertLessEqual(read, {"token", "password", "session"})


class FileTests(SynchronousTestCase):
    """
    What can be read without a secret.
    """

    def test_canvas_auth(self) -> None:
        """
        From elsewhere nobody sees a canvas without a capability, with one that has ended, or with what is none.
        """
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        (directory / "index.html").write_bytes(SECRET)
        host = CanvasHost(root=directory, config=Config)
        root = make_root(canvas=host)
        good, ended = host.capabilities.issue("here"), host.capabilities.issue("gone")
        host.capabilities.revoke("gone")
        for path in (
            "/__openclaw__/canvas/",
            "/__openclaw__/canvas/index.html",
            "/__openclaw__/a2ui/",
            "/__openclaw__/ws",
        ):
            for before in ("", "/__openclaw__/cap/x", f"/__openclaw__/cap/{ended}"):
                answer = ask(root, before + path, peer="192.0.2.7")
                self.assertEqual((answer.status, answer.text), (403, "Forbidden"), before + path)
        answer = ask(root, f"/__openclaw__/cap/{good}/__openclaw__/canvas/", peer="192.0.2.7")
        self.assertEqual((answer.status, answer.body), (200, SECRET))

    def test_media_lfi(self) -> None:
        """
        No path reads a file outside the directories that are served.
        """
        top = Path(self.mktemp()).absolute()
        bundle = top / "bundle"
        bundle.mkdir(parents=True)
        (top / "secret").write_bytes(SECRET)
        (bundle / "index.html").write_bytes(b"<head></head>")
        (bundle / "link").symlink_to("../secret")
        for root in (make_root(), make_root(configured(root=str(bundle)))):
            for name in (*TRAVERSALS, "link", str(top / "secret"), "%2e%2e/secret", "..%2fsecret", "%252e%252e/secret"):
                for folder in ("", "avatar/", "media/", "assets/", "__openclaw__/media/"):
                    path = f"/{folder}{name}".encode().decode("latin-1")
                    if not any(letter in path for letter in " \r\n\0"):
                        self.assertNotIn(SECRET, ask(root, path).body, path)
