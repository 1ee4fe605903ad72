"""
What reading the configuration costs a short command.
"""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

SCRIPT = """
import sys
from pathlib import Path
import openclaw.config.auth, openclaw.config.devdefaults, openclaw.config.redact, openclaw.config.writer
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("twisted", "zope", "jsonschema")))
"""

LOADER = """
import sys
from pathlib import Path
import openclaw.config.auth, openclaw.config.writer
from openclaw.config.loader import load
assert load({}, Path("/nonexistent")).valid
print(sorted(name for name in sys.modules if name.startswith("openclaw.config.model")))
"""


class ImportTests(SynchronousTestCase):
    """
    Modules that come along.
    """

    def imported(self, script: str) -> str:
        """
        What a fresh interpreter says.
        """
        path = [entry for entry in sys.path if entry]
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{script}"],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def test_no_twisted(self) -> None:
        """
        Nothing of this package needs Twisted or a schema library.
        """
        self.assertEqual(self.imported(SCRIPT), "[]")

    def test_no_model(self) -> None:
        """
        A command that looks at a few values does not pay for the model.
        """
        self.assertEqual(self.imported(LOADER), "[]")
