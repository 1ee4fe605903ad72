"""
What a gateway asks of its process.
"""

from __future__ import annotations

import resource
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

PRINT = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (100, {hard}));"
    "from openclaw.gateway.tuning import tune_process; tune_process();"
    "import gc; print(*resource.getrlimit(resource.RLIMIT_NOFILE), sys.getswitchinterval(), gc.get_freeze_count())"
)


class TuningTests(SynchronousTestCase):
    def test_open_files(self) -> None:
        """
        The soft limit rises to the hard one, which stays; threads give the interpreter back soon.
        """
        hard = min(4000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        told = subprocess.run(
            [sys.executable, "-c", PRINT.format(hard=hard)], check=True, capture_output=True, text=True
        ).stdout.split()
        self.assertEqual([int(limit) for limit in told[:2]], [hard, hard])
        self.assertLess(float(told[2]), 0.001)
        self.assertGreater(int(told[3]), 1_000, "modules are left to themselves")
