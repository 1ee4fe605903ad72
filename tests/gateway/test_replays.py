"""
The recorded connections, replayed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.testing.gateway import MemoryGateway
from tests.harness.replay import CAPTURES, Replay

MANIFEST: Mapping[str, Mapping[str, Any]] = json.loads((CAPTURES / "manifest.json").read_text(encoding="utf-8"))
TOKEN_CONFIG = {"gateway": {"mode": "local", "auth": {"mode": "token", "token": "placeholder-gateway-token"}}}


class ManifestTests(SynchronousTestCase):
    def test_every_capture_is_listed(self) -> None:
        """
        No capture is forgotten, and none is listed that is not there.
        """
        self.assertEqual(set(MANIFEST), {path.stem for path in CAPTURES.glob("*.jsonl")})

    def test_every_override_says_why(self) -> None:
        """
        Where ours answers differently, the manifest names the line that says so.
        """
        for name, row in MANIFEST.items():
            for conn, override in row.get("overrides", {}).items():
                self.assertIn("why", override, f"{name} {conn}")


class ReplayTests(SynchronousTestCase):
    """
    One test for each capture of this issue.
    """


def _make_test(name: str, row: Mapping[str, Any]) -> Any:
    def test(self: SynchronousTestCase) -> None:
        gateway = MemoryGateway(directory=Path(self.mktemp()), config=row.get("config", TOKEN_CONFIG)).start()
        replay = Replay(
            gateway, overrides=row.get("overrides", {}), skip=row.get("skip", {}), settle=lambda: gateway.advance(0.05)
        )
        try:
            differences = replay.run(name)
        finally:
            gateway.stop()
        self.assertEqual(differences, [], "\n".join(str(difference) for difference in differences[:5]))

    test.__doc__ = f"The capture {name} goes as recorded."
    return test


for _name, _row in MANIFEST.items():
    if _row["issue"] == 2 and "later" not in _row:
        setattr(ReplayTests, f"test_{_name.replace('-', '_')}", _make_test(_name, _row))
