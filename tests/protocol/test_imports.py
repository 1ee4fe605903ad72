"""
What importing the definitions costs.
"""

import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from openclaw.protocol.codes import CloseCode, ErrorCode
from openclaw.protocol.validate import compile_check, generated_check, rust_check

#: What both programs need before the first message.
CONNECTING = (
    "import openclaw.protocol.frames, openclaw.protocol.connect, openclaw.protocol.validate, openclaw.protocol.codes"
)

LISTING = "; import sys; print(*sorted(sys.modules))"


def loaded(statement: str) -> set[str]:
    """
    The modules that a fresh interpreter has after a statement.
    """
    command = [sys.executable, "-c", statement + LISTING]
    root = Path(__file__).parent.parent.parent
    return set(subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout.split())


class ImportTests(SynchronousTestCase):
    def test_light(self) -> None:
        """
        The command line can use the wire without Twisted, and no validator is loaded before something is validated.
        """
        modules = loaded(CONNECTING)
        heavy = {"twisted", "jsonschema", "jsonschema_rs", "fastjsonschema", "asyncio", "ssl"}
        self.assertEqual(modules & heavy, set())
        self.assertEqual({name for name in modules if name.startswith("openclaw.protocol.cron")}, set())


class StandInTests(SynchronousTestCase):
    def test_without_fast_ones(self) -> None:
        """
        Without a compiled validator, values are checked all the same.
        """
        schema = {"type": "integer", "minimum": 1}
        with patch.dict(sys.modules, {"jsonschema_rs": None, "fastjsonschema": None}):
            self.assertRaises(ImportError, rust_check, schema)
            self.assertRaises(ImportError, generated_check, schema)
            check = compile_check(schema)
        self.assertEqual([check(value) for value in (1, 3.0, 0, True, "1")], [True, True, False, False, False])


class CodeTests(SynchronousTestCase):
    def test_values(self) -> None:
        """
        Codes go onto the wire as they are.
        """
        self.assertEqual(f"{ErrorCode.NOT_PAIRED}", "NOT_PAIRED")
        self.assertEqual(CloseCode.SERVICE_RESTART, 1012)
