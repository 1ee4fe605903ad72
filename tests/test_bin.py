"""
The scripts in bin/, in a copy of the checkout whose Python is a fake: nothing is downloaded, and every start is seen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.tables import ROOT

NAMES = ("python3.13", "python3.12", "python3.11", "python3")

#: Writes down how it was called. As a system's Python it makes environments, in which it is the Python as well.
FAKE = """\
#!/bin/bash
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in
    "-c "*) [ -z "$NO_PYTHON" ] ;;
    --version) printf 'Python 3.11.99\\n' ;;
    "-m venv "*) [ -z "$NO_VENV" ] && mkdir -p "$3/bin" && cp "$FAKE" "$3/bin/python" ;;
    "-m pip "*) [ -z "$SLOW" ] || sleep "$SLOW"; [ -z "$NO_PIP" ] ;;
    *) printf 'soak=%s\\n%s\\n' "$OPENCLAW_SOAK" "$SAYS${SHOWS:+${!SHOWS}}"; exit "${EXITS:-0}" ;;
esac
"""


@frozen(kw_only=True)
class Ran:
    """
    What a script left behind.

    :ivar calls: how Python was called, in order.
    """

    code: int
    out: str
    err: str
    calls: Sequence[str]

    @property
    def installations(self) -> list[str]:
        return [call for call in self.calls if call.startswith("-m pip install")]

    @property
    def environments(self) -> list[str]:
        return [call for call in self.calls if call.startswith("-m venv")]


class ScriptCase(SynchronousTestCase):
    """
    A checkout with the scripts and the files that they look at.
    """

    def setUp(self) -> None:
        if not Path("/bin/bash").exists():
            self.skipTest("there is no /bin/bash")
        self.scratch = Path(self.mktemp()).absolute()
        self.checkout = self.scratch / "a checkout"
        (self.checkout / "bin").mkdir(parents=True)
        for name in ("bin/openclaw", "bin/test", "bin/environment.sh", "setup.py", "pyproject.toml"):
            shutil.copy(ROOT / name, self.checkout / name)
        self.date("setup.py", 1_700_000_000)
        self.date("pyproject.toml", 1_700_000_000)
        self.programs = self.scratch / "programs"
        self.programs.mkdir()
        for name in NAMES:
            (self.programs / name).write_text(FAKE)
            (self.programs / name).chmod(0o755)
        self.calls = self.scratch / "calls"
        self.environ = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "CALLS": str(self.calls),
            "FAKE": str(self.programs / NAMES[0]),
            "HOME": str(self.scratch),
        }

    def date(self, name: str, seconds: int) -> None:
        os.utime(self.checkout / name, (seconds, seconds))

    def run_script(self, *command: str, cwd: Path | None = None, **environ: str) -> Ran:
        """
        Run a script of the checkout, given relative to it, or by its path.
        """
        self.calls.write_text("")
        ended = subprocess.run(
            ["/bin/bash", *command],
            cwd=cwd or self.checkout,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=30,
        )
        calls = self.calls.read_text().splitlines()
        return Ran(code=ended.returncode, out=ended.stdout, err=ended.stderr, calls=calls)


class FirstUseTests(ScriptCase):
    """
    ``.venv`` is made and filled once.
    """

    def test_first_use(self) -> None:
        """
        The first use makes .venv, installs the checkout into it, and runs the command.
        """
        ran = self.run_script("bin/openclaw", "health", "--json", SAYS="healthy")
        self.assertEqual((ran.code, ran.out), (0, "soak=\nhealthy\n"))
        self.assertEqual(ran.environments, ["-m venv bin/../.venv"])
        self.assertEqual(len(ran.installations), 1)
        self.assertTrue(ran.installations[0].endswith(f"--editable {self.checkout}"), ran.installations)
        self.assertEqual(ran.calls[-1], "-P -m openclaw.cli.main health --json")

    def test_later_use_starts_nothing_else(self) -> None:
        """
        A later use finds no program on its path, needs none, and starts the interpreter alone.
        """
        self.run_script("bin/openclaw", "--version")
        ran = self.run_script("bin/openclaw", "--version", PATH="/nowhere")
        self.assertEqual((ran.code, ran.err), (0, ""))
        self.assertEqual(ran.calls, ["-P -m openclaw.cli.main --version"])

    def test_what_the_command_says_is_what_the_script_says(self) -> None:
        """
        The exit code is the command's, and nothing of the script's stands on stdout.
        """
        ran = self.run_script("bin/openclaw", "nonsense", EXITS="2", SAYS="")
        self.assertEqual((ran.code, ran.out), (2, "soak=\n\n"))

    def test_how_it_was_called(self) -> None:
        """
        What is printed to be typed is what a shell finds: the path that was typed, or the bare name when that would do.
        """
        ran = self.run_script("bin/openclaw", "health", SHOWS="OPENCLAW_PROGRAM")
        self.assertEqual(ran.out, "soak=\nbin/openclaw\n")
        path = f"{self.checkout}/bin:{self.environ['PATH']}"
        ran = self.run_script("-c", "openclaw health", SHOWS="OPENCLAW_PROGRAM", PATH=path)
        self.assertEqual(ran.out, "soak=\n\n")

    def test_through_a_link_and_from_elsewhere(self) -> None:
        """
        A link to the script, used in another directory, finds the checkout.
        """
        link = self.scratch / "openclaw"
        link.symlink_to(self.checkout / "bin" / "openclaw")
        second = self.scratch / "again"
        second.symlink_to("openclaw")
        self.assertEqual(self.run_script(str(second), "status", cwd=self.programs).code, 0)
        self.assertTrue((self.checkout / ".venv" / "bin" / "python").exists())
        ran = self.run_script("bin/openclaw", "status")
        self.assertEqual(ran.calls, ["-P -m openclaw.cli.main status"])

    def test_no_python(self) -> None:
        """
        Without a Python that can do it nothing is made, and the text says what is needed.
        """
        ran = self.run_script("bin/openclaw", "--version", NO_PYTHON="1")
        self.assertEqual(ran.code, 69)
        self.assertIn("Python 3.11 or newer with its venv module is needed", ran.err)
        self.assertFalse((self.checkout / ".venv").exists())

    def test_failed_installation(self) -> None:
        """
        After an installation that failed nothing runs; the next use begins again from nothing.
        """
        ran = self.run_script("bin/openclaw", "--version", NO_PIP="1")
        self.assertNotEqual(ran.code, 0)
        self.assertIn("nothing was started", ran.err)
        self.assertNotIn("-P -m openclaw.cli.main --version", ran.calls)
        (self.checkout / ".venv" / "left-over").touch()
        again = self.run_script("bin/openclaw", "--version")
        self.assertEqual((again.code, len(again.environments), len(again.installations)), (0, 1, 1))
        self.assertFalse((self.checkout / ".venv" / "left-over").exists())

    def test_two_at_once(self) -> None:
        """
        Of two first uses at the same time one installs, and both run.
        """
        if shutil.which("flock") is None:
            self.skipTest("there is no flock")
        self.calls.write_text("")
        environ = {**self.environ, "SLOW": "0.3"}
        command = ["/bin/bash", "bin/openclaw", "--version"]
        both = [
            subprocess.Popen(
                command, cwd=self.checkout, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for _ in range(2)
        ]
        self.assertEqual([one.wait(30) for one in both], [0, 0])
        calls = self.calls.read_text().splitlines()
        self.assertEqual(sum(call.startswith("-m pip install") for call in calls), 1)
        self.assertEqual(calls.count("-P -m openclaw.cli.main --version"), 2)


class ChangedTests(ScriptCase):
    """
    What was installed is renewed when it has to be.
    """

    def setUp(self) -> None:
        super().setUp()
        self.run_script("bin/openclaw", "--version")

    def test_other_requirements(self) -> None:
        """
        Another text of setup.py is installed again, into the same environment.
        """
        with (self.checkout / "setup.py").open("a") as file:
            file.write("\n# something else\n")
        self.date("setup.py", 2_000_000_000)
        ran = self.run_script("bin/openclaw", "--version")
        self.assertEqual((ran.environments, len(ran.installations)), ([], 1))

    def test_same_text_with_a_new_date(self) -> None:
        """
        A checkout that was only written anew is not installed again, and the next use is quick again.
        """
        os.utime(self.checkout / ".venv" / "openclaw.stamp", (1_700_000_001, 1_700_000_001))
        self.date("pyproject.toml", 1_700_000_002)
        self.assertEqual(self.run_script("bin/openclaw", "--version").installations, [])
        self.assertEqual(self.run_script("bin/openclaw", "--version", PATH="/nowhere").code, 0)

    def test_moved_checkout(self) -> None:
        """
        A checkout that stands elsewhere now is installed again, since the environment names the old place.
        """
        moved = self.scratch / "moved"
        self.checkout.rename(moved)
        self.checkout = moved
        ran = self.run_script("bin/openclaw", "--version")
        self.assertEqual(len(ran.installations), 1)
        self.assertTrue(ran.installations[0].endswith(f"--editable {moved}"))


class TestScriptTests(ScriptCase):
    """
    ``bin/test``.
    """

    def last_line(self, said: str, code: str) -> tuple[int, str]:
        ran = self.run_script("bin/test", SAYS=said, EXITS=code)
        return ran.code, ran.out.splitlines()[-1]

    def test_installs_what_tests_need(self) -> None:
        """
        The extra is installed, which covers bin/openclaw as well; trial runs over tests/ by default.
        """
        ran = self.run_script("bin/test", SAYS="PASSED (successes=1)")
        self.assertTrue(ran.installations[0].endswith(f"--editable {self.checkout}[test]"))
        self.assertRegex(ran.calls[-1], r"^-m twisted\.trial --temp-directory=\S+ tests$")
        self.assertEqual(self.run_script("bin/openclaw", "--version").installations, [])

    def test_two_at_once(self) -> None:
        """
        Tests of the process run beside all others; both count, and a failure of either is one of the whole.
        """
        for name in ("process", "store"):
            (self.checkout / "tests" / name).mkdir(parents=True)
            (self.checkout / "tests" / name / "__init__.py").touch()
        (self.checkout / "tests" / "test_docs.py").touch()
        ran = self.run_script("bin/test", SAYS="PASSED (skips=1, successes=2)")
        self.assertEqual((ran.code, ran.out.splitlines()[-1]), (0, "4 passed, 0 failed, 2 skipped"))
        ran_over = sorted(call.rpartition(".trial ")[2] for call in ran.calls if "twisted.trial" in call)
        self.assertEqual(ran_over, ["tests.process", "tests.test_docs tests.store"])
        fails = self.programs / NAMES[0]
        failure = '    *tests.store) printf "FAILED (errors=1)\\n"; exit 1 ;;\n    *) printf'
        fails.write_text(FAKE.replace("    *) printf", failure))
        shutil.copy(fails, self.checkout / ".venv" / "bin" / "python")
        ran = self.run_script("bin/test", SAYS="PASSED (successes=2)")
        self.assertEqual((ran.code, ran.out.splitlines()[-1]), (1, "2 passed, 1 failed, 0 skipped"))
        ran = self.run_script("bin/test", "tests", SAYS="PASSED (successes=2)")
        self.assertEqual(len(ran.calls), 1)

    def test_arguments(self) -> None:
        """
        Arguments go to trial, in place of tests/; --soak goes into the environment instead.
        """
        ran = self.run_script("bin/test", "tests.store", "--soak", "--until-failure", SAYS="PASSED (successes=1)")
        self.assertRegex(ran.calls[-1], r" tests\.store --until-failure$")
        self.assertIn("soak=1\n", ran.out)
        self.assertIn("soak=\n", self.run_script("bin/test", SAYS="PASSED (successes=1)").out)

    def test_counts(self) -> None:
        """
        The last line counts what passed, failed and was skipped, and the exit code is trial's.
        """
        for said, code, line in (
            ("PASSED (skips=2, successes=12)", "0", "12 passed, 0 failed, 2 skipped"),
            ("PASSED (successes=3, expectedFailures=1)", "0", "4 passed, 0 failed, 0 skipped"),
            ("FAILED (failures=1, errors=2, successes=9)", "1", "9 passed, 3 failed, 0 skipped"),
            ("FAILED (unexpectedSuccesses=1)", "1", "0 passed, 1 failed, 0 skipped"),
            ("PASSED", "0", "0 passed, 0 failed, 0 skipped"),
            ("Segmentation fault", "139", "0 passed, 1 failed, 0 skipped"),
        ):
            self.assertEqual(self.last_line(said, code), (int(code), line))

    def test_nothing_is_left(self) -> None:
        """
        Trial's directory is outside the checkout, and gone afterwards.
        """
        before = sorted(path.name for path in self.checkout.iterdir())
        ran = self.run_script("bin/test", SAYS="PASSED (successes=1)", TMPDIR=str(self.scratch))
        self.assertIn(f"--temp-directory={self.scratch}/", ran.calls[-1])
        self.assertEqual(sorted(path.name for path in self.checkout.iterdir()), sorted([*before, ".venv"]))
        self.assertEqual([path for path in self.scratch.iterdir() if path.name.startswith("tmp")], [])
