"""
Tests for ``openclaw.protocol.codegen.python`` and for choosing a language.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

from twisted.trial.unittest import SynchronousTestCase

from openclaw.methods.families import METHODS
from openclaw.protocol.codegen import LANGUAGES, UnknownLanguage, generate
from openclaw.protocol.definitions import DEFINITIONS
from openclaw.protocol.events import EVENT_TABLE

#: A client that uses the types; each ignored line is an error that mypy must find, else the comment itself is one.
USE = """
import wire

connect: wire.ConnectParams = {
    "minProtocol": wire.PROTOCOL_VERSION,
    "maxProtocol": 3,
    "client": {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"},
}
by_id: wire.CronRunParams = {"id": "x", "mode": "force"}
methods: list[wire.MethodName] = ["chat.send", "connect", "chat.inject"]
cleared: wire.SessionsPatchParams = {"key": "k", "label": None}


def read(frame: wire.GatewayFrame) -> str:
    if frame["type"] == "req":
        return frame["method"]
    if frame["type"] == "res":
        return frame["id"]
    return frame["event"]


bad_mode: wire.WakeParams = {"mode": "later", "text": "x"}  # type: ignore[typeddict-item]
missing: wire.WakeParams = {"mode": "now"}  # type: ignore[typeddict-item]
unknown: wire.NodeListParams = {"a": 1}  # type: ignore[typeddict-unknown-key]
"""


class PythonTests(SynchronousTestCase):
    def test_checks(self) -> None:
        """
        mypy takes the types, and a client that uses them right; it refuses what the schema would refuse.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "wire.py").write_text(generate("python", METHODS), encoding="utf-8")
        (folder / "use.py").write_text(USE, encoding="utf-8")
        result = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "use.py", "wire.py"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((result.returncode, result.stdout), (0, "Success: no issues found in 2 source files\n"))

    def test_runs(self) -> None:
        """
        The module can be imported, and has every definition.
        """
        names: dict[str, Any] = {}
        exec(compile(generate("python", METHODS), "wire.py", "exec"), names)
        self.assertEqual(set(DEFINITIONS) - set(names), set())
        self.assertEqual(list(get_type_hints(names["Results"])), list(METHODS))
        self.assertEqual(list(get_type_hints(names["Events"])), list(EVENT_TABLE))


class LanguageTests(SynchronousTestCase):
    def test_unknown(self) -> None:
        """
        A language without a generator is refused with the names of those that have one.
        """
        error = self.assertRaises(UnknownLanguage, generate, "cobol", METHODS)
        self.assertEqual(str(error), 'no types for "cobol"; there are ts, swift, python')

    def test_repeatable(self) -> None:
        """
        The same definitions give the same text.
        """
        for lang in LANGUAGES:
            self.assertEqual(generate(lang, METHODS), generate(lang, METHODS))
