"""
Tests for :mod:`openclaw.config.dotenv`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.dotenv import fill_environment, parse_dotenv


class DotenvTests(SynchronousTestCase):
    """
    Variables from files.
    """

    def test_parse(self) -> None:
        """
        Quotes, comments, exports and junk are read as people mean them.
        """
        text = """
# comment
A=one # two
export B="x\\ny # z"
C='it is $raw'
not a variable
D=
A=last
"""
        self.assertEqual(parse_dotenv(text), {"A": "last", "B": "x\ny # z", "C": "it is $raw", "D": ""})

    def test_order(self) -> None:
        """
        The process wins over the current directory, which wins over the state directory.
        """
        home = Path(self.mktemp()).absolute()
        state = home / ".openclaw"
        state.mkdir(parents=True)
        work = home / "work"
        work.mkdir()
        (work / ".env").write_text("A=work\nB=work\n")
        (state / ".env").write_text("A=state\nB=state\nC=state\n")
        environ = {"A": "process"}
        fill_environment(environ, home, work)
        self.assertEqual(environ, {"A": "process", "B": "work", "C": "state"})

    def test_no_files(self) -> None:
        """
        Files that are not there change nothing.
        """
        environ: dict[str, str] = {}
        fill_environment(environ, Path("/nonexistent"), Path("/nonexistent"))
        self.assertEqual(environ, {})
