"""
Schemathesis makes requests of the gateway's own OpenAPI document, good ones and bad ones, and looks whether the real
process answers as the document says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.process.case import ProcessCase
from tests.process.gateway import TOKEN, configuration
from tests.process.peer import Peer

#: What each answer has to be.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "allow_header_conformance",
    "unsupported_method",
    "ignored_auth",
)

#: Requests for each operation, besides those that cover its schema.
EXAMPLES = 200 if os.environ.get("OPENCLAW_SOAK") else 15
SEED = 1
HOOK_TOKEN = "a-hook-token-of-the-test"

CONFIG = """
seed = {seed}
headers = {{ Authorization = "Bearer {token}" }}
parameters = {{ "path.capability" = "{capability}" }}
continue-on-failure = true
color = false

[[operations]]
include-tag = "hooks"
headers = {{ Authorization = "Bearer {hook_token}" }}

[generation]
database = "none"

[phases.stateful]
enabled = false
"""


class DocumentTests(ProcessCase):
    if find_spec("schemathesis") is None:
        skip = "schemathesis (of the extra test) is not installed"

    timeout = 300

    def test_conformance(self) -> None:
        """
        Every answer is one that the document describes, and none is a defect of the gateway.
        """
        model = self.start_model()
        gateway = self.make_gateway()
        hooks = {"enabled": True, "token": HOOK_TOKEN}
        gateway.config = configuration({**model.configuration(), "hooks": hooks})
        gateway.start()
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "schemathesis.toml").write_text(
            CONFIG.format(seed=SEED, token=TOKEN, hook_token=HOOK_TOKEN, capability=self.capability(gateway.url))
        )
        address = f"http://127.0.0.1:{gateway.port}"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--url", address),
                *("--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES)),
                *("--report", "har", "--report-har-path", "report.har"),
            ],
            cwd=folder,
            env=gateway.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.timeout,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout[-20_000:] + done.stderr[-2_000:])
        self.assertNotIn("Traceback", gateway.output)
        asked = answered(folder / "report.har")
        for path in ("/v1/chat/completions", "/v1/responses"):
            self.assertLessEqual({"200 application/json", "200 text/event-stream", "400 application/json"}, asked[path])
        self.assertLessEqual({"200 application/json", "400 application/json"}, asked["/hooks/wake"])
        self.assertLessEqual({"202 application/json", "400 application/json"}, asked["/hooks/agent"])
        for path in ("/__openclaw__/canvas/index.html", "/__openclaw__/a2ui/index.html", "/protocol.json", "/healthz"):
            self.assertTrue(any(answer.startswith("200 ") for answer in asked[path]), path)

    def capability(self, url: str) -> str:
        """
        What lets a client from elsewhere see the canvas, as long as it is connected.
        """
        # It takes all events of the test's runs, and looks at none.
        peer = Peer.open(url, additional_headers={"X-Forwarded-For": "100.64.0.7"}, max_queue=None)
        self.addCleanup(peer.close)
        peer.greet()
        told: str = peer.hello["canvasHostUrl"]
        return told.rpartition("/")[2]


def answered(report: Path) -> dict[str, set[str]]:
    """
    How paths were answered: statuses and types.
    """
    found: dict[str, set[str]] = {}
    entries: list[dict[str, Any]] = json.loads(report.read_text())["log"]["entries"]
    for entry in entries:
        response = entry["response"]
        media_type = response["content"]["mimeType"].partition(";")[0]
        found.setdefault(urlsplit(entry["request"]["url"]).path, set()).add(f"{response['status']} {media_type}")
    return found
