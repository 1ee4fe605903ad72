"""
What short commands load. A module that is not listed here costs every call of every script: think before adding it.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.cli.harness import GatewayCase

#: What of ours ``openclaw --version`` loads.
VERSION = {"openclaw", "openclaw.cli", "openclaw.cli.main"}

#: What else ``openclaw health --json`` loads of ours, besides the rules that a configuration is checked by.
HEALTH = VERSION | {
    "openclaw.cli.arguments",
    "openclaw.cli.context",
    "openclaw.cli.dispatch",
    "openclaw.cli.exits",
    "openclaw.cli.health",
    "openclaw.cli.rpc",
    "openclaw.cli.target",
    "openclaw.client",
    "openclaw.client.connection",
    "openclaw.client.errors",
    "openclaw.client.framing",
    "openclaw.client.identity",
    "openclaw.client.introduction",
    "openclaw.client.sync",
    "openclaw.errors",
}
CONFIG = "openclaw.config"

#: What others wrote, and ``openclaw health --json`` loads.
OTHERS = {"_cffi_backend", "_openssl", "attr", "attrs", "cryptography", "pyjson5"}

#: Appear with any extension of Cython, under names of its version.
CYTHON = ("_cython_", "cython_runtime")

#: What it never loads.
NEVER = {
    "asyncio",
    "autobahn",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "email",
    "http.client",
    "jsonschema",
    "klein",
    "openclaw.config.model",
    "openclaw.gateway",
    "openclaw.protocol",
    "orjson",
    "rich",
    "sqlite3",
    "ssl",
    "subprocess",
    "twisted",
    "zope",
}

SCRIPT = """\
import sys
started = set(sys.modules)
from openclaw.cli.main import main
code = main(sys.argv[1:])
print("\\n".join(sorted(set(sys.modules) - started)), file=sys.stderr)
sys.exit(code)
"""


class ImportTests(GatewayCase):
    """
    In a process of its own.
    """

    def loaded(self, *arguments: str) -> tuple[str, set[str]]:
        """
        What a command prints, and the modules that it loads.
        """
        path = os.pathsep.join(entry for entry in sys.path if entry)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            env={"HOME": str(self.home), "PYTHONPATH": path},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, set(done.stderr.split())

    def test_version(self) -> None:
        """
        ``--version`` loads nothing but itself.
        """
        _, modules = self.loaded("--version")
        self.assertEqual({name for name in modules if name.partition(".")[0] == "openclaw"}, VERSION)
        self.assertLessEqual(modules - VERSION, {"__future__"})

    def test_health(self) -> None:
        """
        ``health --json`` loads a client, the configuration's rules, and no framework.
        """
        self.gateway.methods["health"] = {"ok": True}
        out, modules = self.loaded("health", "--json")
        self.assertEqual(out, '{\n  "ok": true\n}\n')
        ours = {name for name in modules if name.partition(".")[0] == "openclaw"}
        self.assertEqual({name for name in ours if not name.startswith(CONFIG)}, HEALTH)
        others = {name.partition(".")[0] for name in modules if name not in ours} - set(sys.stdlib_module_names)
        self.assertLessEqual({name for name in others if not name.startswith(CYTHON)}, OTHERS)
        self.assertEqual(modules & NEVER, set())
