"""
Files of rules that nobody would write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.file import approvals_path, read_approvals, set_approvals
from openclaw.approvals.policy import ASK, SECURITY, Surroundings, Use, rules_of, weigh
from openclaw.protocol.approvals import ExecApprovalsSnapshot
from openclaw.protocol.frames import encode
from openclaw.protocol.validate import violations

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just("\ud800")
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def some(**members: Any) -> Any:
    """
    Objects in which each member is what it should be, anything else, or missing.
    """
    return st.fixed_dictionaries({}, optional={name: kind | ANYTHING for name, kind in members.items()}) | ANYTHING


ENTRY = some(id=st.text(), pattern=st.just("/usr/bin/**"), lastUsedAt=st.integers(), sha256=st.text())
RULES = {"security": st.sampled_from(SECURITY), "ask": st.sampled_from(ASK), "autoAllowSkills": st.booleans()}
AGENT = some(**RULES, allowlist=st.lists(ENTRY, max_size=3))
FILE = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={
        "socket": some(path=st.text(), token=st.text()) | ANYTHING,
        "defaults": some(**RULES),
        "agents": st.dictionaries(st.sampled_from(["main", "default", "*"]), AGENT) | ANYTHING,
        "more": ANYTHING,
    },
)


class OddFileTests(SynchronousTestCase):
    """
    Whatever is in the file.
    """

    @given(FILE)
    def test_anything(self, content: Any) -> None:
        """
        It can be shown, decided by, written back and noted in; what others wrote beside it stays.
        """
        path = approvals_path(Path(self.mktemp()))
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
        found = read_approvals(path)
        shown = found.shown()
        encode(shown)
        self.assertIsNone(violations(ExecApprovalsSnapshot, shown))
        rules = rules_of(found, "main", security="allowlist")
        around = Surroundings(cwd=Path("/"), home=Path("/"), search=["/usr/bin", "/bin"])
        verdict = weigh("env true; ls", rules, around)
        self.assertNotEqual(verdict.kind, "run")
        after = set_approvals(path, shown["file"], found.hash)
        self.assertEqual(after, read_approvals(path))
        self.assertEqual(after.content.get("more"), content.get("more"))
        used = weigh("ls", rules, around).used
        Use(agent_id="main", command="ls", now_ms=1, used=used, remembered=["/bin/ls"])(dict(found.content))
