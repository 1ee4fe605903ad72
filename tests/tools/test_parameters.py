"""
The arguments of the tools, as models were told them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.tools.base import parameters

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "session-tool-schemas.json").read_text(encoding="utf-8")
)

#: Tools that are not here yet.
LATER = {"read", "edit", "write", "exec", "process", "whatsapp_login"}


class RecordedTests(SynchronousTestCase):
    def test_same(self) -> None:
        """
        What models have learned to send is what is asked of them.
        """
        self.assertEqual(set(RECORDED) - set(parameters()), LATER)
        for name, schema in parameters().items():
            self.assertEqual(schema, RECORDED[name], name)
