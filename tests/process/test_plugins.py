"""
A plugin in the real process: the one of ``docs/plugins.md``, as an installed package.
"""

from __future__ import annotations

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

from attrs import define

from tests.process.case import ProcessCase
from tests.process.gateway import LIMIT, GatewayProcess, configuration, eventually
from tests.tables import ROOT, blocks

SLOW = """
from twisted.internet import defer, reactor, task

def register(api):
    def slow(request):
        api.log.info("asked for slow")
        return task.deferLater(reactor, 1.0, lambda: b"at last")

    def never(request):
        api.log.info("asked for never")
        return defer.Deferred()

    api.register_http_route("/slow", slow)
    api.register_http_route("/never", never)
"""

SECRET = "a secret of this doorbell"


@define(eq=False)
class WithPackages(GatewayProcess):
    """
    One whose Python finds packages in a directory of its own.
    """

    @property
    def packages(self) -> Path:
        return self.home / "packages"

    def environ(self) -> dict[str, str]:
        inherited = super().environ()
        paths = [inherited["PYTHONPATH"], str(self.packages)]
        return {**inherited, "PYTHONPATH": os.pathsep.join(paths), "DOORBELL_SECRET": SECRET}

    def install(self, name: str, source: str, entry: str) -> None:
        """
        As an installer does it.
        """
        about = self.packages / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (self.packages / f"{name}.py").write_text(source)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[openclaw.plugins]\n{entry}\n")


class PluginTests(ProcessCase):
    def post(self, gateway: GatewayProcess, secret: str) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{gateway.port}/doorbell"
        request = urllib.request.Request(url, b"ding", {"x-doorbell-secret": secret})
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def make(self, entries: Mapping[str, Any]) -> WithPackages:
        home = Path(self.mktemp()).absolute()
        home.mkdir(parents=True)
        gateway = WithPackages(home, configuration({"plugins": {"entries": entries}}))
        self.addCleanup(gateway.kill)
        return gateway

    def test_endless(self) -> None:
        """
        One whose import never ends keeps neither those who ask for something else, nor the process from ending.
        """
        gateway = self.make({"endless": {"enabled": True}})
        gateway.install("endless", "import time\ntime.sleep(1000)\n", "endless = endless:register")
        gateway.start(ready=False)
        eventually(lambda: "listening on" in gateway.output, "it does not listen")
        self.assertEqual(gateway.get("/").status, 200)
        self.assertEqual(gateway.get("/readyz").status, 503)
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.ended(), 0)

    def test_stopped_meanwhile(self) -> None:
        """
        Who waits for an answer when the gateway is told to end has it, in seconds; a longer one is cut off.
        """
        gateway = self.make({"slow": {"enabled": True}})
        gateway.install("slow", SLOW, "slow = slow:register")
        gateway.start()
        with ThreadPoolExecutor() as threads:
            asked = threads.submit(gateway.get, "/slow")
            never = threads.submit(gateway.get, "/never")
            eventually(lambda: gateway.output.count("asked for") == 2, "they were not asked")
            gateway.signal(signal.SIGTERM)
            self.assertEqual(asked.result(LIMIT).body, b"at last")
            self.assertIsInstance(never.exception(LIMIT), OSError | HTTPException)
        self.assertEqual(gateway.ended(), 0)

    def test_documented(self) -> None:
        """
        It answers with what the configuration has for it; one that is not there is told, by the log and by doctor.
        """
        (source,) = blocks(ROOT / "docs" / "plugins.md", "python")
        (toml,) = blocks(ROOT / "docs" / "plugins.md", "toml")
        doorbell = {"enabled": True, "config": {"secret": "${DOORBELL_SECRET}"}}
        gateway = self.make({"doorbell": doorbell, "missing": {"enabled": True}})
        gateway.install("doorbell", source, toml.strip().splitlines()[-1].replace('"', ""))
        gateway.start()
        self.assertEqual(self.post(gateway, SECRET), (200, b"ok"))
        self.assertEqual(self.post(gateway, "another"), (401, b"Unauthorized"))
        self.assertIn("plugin not found: missing", gateway.output)
        self.assertIn("The bell has rung: ding", gateway.output)
        self.assertNotIn(SECRET, gateway.output)
        told = gateway.openclaw("doctor", "--json").stdout
        self.assertIn("plugin not found: missing", told)
        self.assertNotIn("plugin not found: doorbell", told)
