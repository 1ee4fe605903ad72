"""
Units as systemd reads them.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.daemon.base import Spec
from openclaw.daemon.unit import parse, render

_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85"), min_size=1)


def spec(**changes: object) -> Spec:
    values: dict[str, object] = {
        "description": "OpenClaw Gateway",
        "program": ("/opt/x y/openclaw",),
        "port": 1,
        "directory": Path("/home/a b"),
        "state": Path("/s"),
        "environment": {},
        "stop_seconds": 30,
    }
    return Spec(**{**values, **changes})  # type: ignore[arg-type] # the defaults fit


class UnitTests(SynchronousTestCase):
    """
    Quoting.
    """

    @given(_TEXT, _TEXT)
    def test_round_trip(self, value: str, program: str) -> None:
        """
        What is written is read back, whatever is in it.
        """
        unit = parse(render(spec(environment={"A": value}, program=(program,)), secrets=None))
        self.assertEqual(unit.environment, {"A": value})
        self.assertEqual(unit.arguments, [program, "gateway", "--port", "1"])

    def test_percent(self) -> None:
        """
        A percent sign is doubled, a dollar only where systemd fills in variables; paths are not quoted.
        """
        text = render(spec(environment={"A": "5% $x"}, program=("/o$/%h",)), secrets=Path("/s t/%"))
        self.assertIn('Environment="A=5%% $x"\n', text)
        self.assertIn('ExecStart="/o$$/%%h" gateway', text)
        self.assertIn("WorkingDirectory=/home/a b\nRestart=always\n", text)
        self.assertIn("EnvironmentFile=-/s t/%%\n", text)

    def test_bare(self) -> None:
        """
        Words without quotes are read as well, several in a line, continued lines, comments.
        """
        unit = parse("# no\n[Service]\nExecStart=/x \\\n gateway\nEnvironment=A=1 B=2 'C=3 4'\nEnvironment=\"bad\n")
        self.assertEqual(unit.arguments, ["/x", "gateway"])
        self.assertEqual(unit.environment, {"A": "1", "B": "2", "C": "3 4"})
