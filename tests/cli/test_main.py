"""
Global options, the list of commands and exit codes.
"""

from __future__ import annotations

import contextlib
import io
from importlib.util import find_spec
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw import __version__
from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.exits import CommandFailed, DependencyMissing, UsageError, code_for, exit_code
from openclaw.cli.main import COMMANDS, Globals, main
from openclaw.client.errors import RequestFailed
from openclaw.config.issues import ConfigInvalid
from tests.cli.harness import CommandCase


class GlobalsTests(SynchronousTestCase):
    """
    What stands before the command.
    """

    def test_positions(self) -> None:
        """
        Profiles count only before the command; what follows is the command's own.
        """
        given = Globals(["--dev", "gateway", "--dev", "--profile", "x"])
        self.assertTrue(given.dev)
        self.assertIsNone(given.profile)
        self.assertEqual(given.rest, ["gateway", "--dev", "--profile", "x"])

    def test_profile(self) -> None:
        """
        A profile's name follows as a word or behind an equals sign, and must be there.
        """
        self.assertEqual(Globals(["--profile", "rescue", "health"]).profile, "rescue")
        self.assertEqual(Globals(["--profile=rescue", "health"]).profile, "rescue")
        for arguments in (["--profile"], ["--profile=", "health"], ["--profile", "--dev"]):
            error = self.assertRaises(ValueError, Globals, arguments)
            self.assertEqual(str(error), "[openclaw] --profile requires a value")

    def test_no_color_anywhere(self) -> None:
        """
        ``--no-color`` is taken out wherever it stands, but not out of a text.
        """
        for arguments in (["--no-color", "health"], ["health", "--no-color"]):
            given = Globals(arguments)
            self.assertFalse(given.color)
            self.assertEqual(given.rest, ["health"])
        self.assertTrue(Globals(["agent", "--", "--no-color"]).color)


class MainTests(SynchronousTestCase):
    """
    The entry point.
    """

    def run_main(self, *arguments: str) -> tuple[int, str, str]:
        """
        Exit code and output.
        """
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
        return code, out.getvalue(), err.getvalue()

    def test_version(self) -> None:
        """
        The version is one line, whatever else stands there.
        """
        for arguments in (["--version"], ["-V"], ["-v"], ["--dev", "--version"]):
            self.assertEqual(self.run_main(*arguments), (0, f"{__version__}\n", ""))

    def test_help(self) -> None:
        """
        Help that was asked for is a result; help because nothing was said is a complaint.
        """
        code, out, err = self.run_main("--help")
        self.assertEqual((code, err), (0, ""))
        for name in COMMANDS:
            self.assertIn(f"  {name} ", out)
        self.assertEqual(self.run_main(), (2, "", out))

    def test_every_command_exists(self) -> None:
        """
        The list names no module that is not there.
        """
        for module, _ in COMMANDS.values():
            self.assertIsNotNone(find_spec(module), module)

    def test_unknown_option(self) -> None:
        """
        Unknown options are a usage error.
        """
        self.assertEqual(self.run_main("--nope"), (2, "", "error: unknown option '--nope'\n"))


class DispatchTests(CommandCase):
    """
    Commands that do not exist, and profiles that cannot.
    """

    def test_unknown_command(self) -> None:
        """
        A command that is not there is a usage error.
        """
        outcome = self.openclaw("zzz")
        self.assertEqual((outcome.code, outcome.err), (2, "error: unknown command 'zzz'\n"))

    def test_mistyped_command(self) -> None:
        """
        One that was nearly typed is named.
        """
        cases = {
            ("gatway", "run"): ("gatway", "gateway"),
            ("device",): ("device", "devices"),
            ("config", "gett", "a"): ("config gett", "config get"),
            ("devices", "aprove", "x"): ("devices aprove", "devices approve"),
            ("protocol", "shema"): ("protocol shema", "protocol schema"),
        }
        for arguments, (typed, meant) in cases.items():
            outcome = self.openclaw(*arguments)
            told = f"error: unknown command '{typed}'\n(Did you mean {meant}?)\n"
            self.assertEqual((outcome.code, outcome.out, outcome.err), (2, "", told))

    def test_profiles(self) -> None:
        """
        A bad profile is a usage error with the known texts.
        """
        outcome = self.openclaw("--dev", "--profile", "x", "health")
        self.assertEqual((outcome.code, outcome.err), (2, "[openclaw] Cannot combine --dev with --profile\n"))
        outcome = self.openclaw("--profile", "a b", "health")
        self.assertEqual(outcome.code, 2)
        self.assertIn("Invalid --profile", outcome.err)

    def test_profile_applies(self) -> None:
        """
        A profile leads to its own state.
        """
        self.assertEqual(self.openclaw("--dev", "config", "file").out, f"{self.home}/.openclaw-dev/openclaw.json\n")


class ArgumentsTests(SynchronousTestCase):
    """
    Options and words behind a command.
    """

    def parser(self) -> Arguments:
        """
        A parser like that of most commands.
        """
        parser = Arguments("thing", "Does a thing.")
        add_client_options(parser)
        parser.option("-m", "--message")
        return parser

    def test_mixed(self) -> None:
        """
        Words and options may stand in any order.
        """
        options = self.parser().take(["one", "--json", "two", "--timeout", "5"], ("first", "second"))
        self.assertEqual(options.words, ["one", "two"])
        self.assertTrue(options.json)
        self.assertEqual(options.timeout, 5)

    def test_values_with_dashes(self) -> None:
        """
        A value may begin with a dash, and a negative number is a word.
        """
        options = self.parser().take(["--message", "--json", "-5"], ("number",))
        self.assertEqual((options.message, options.json, options.words), ("--json", False, ["-5"]))
        self.assertEqual(self.parser().take(["-m", "-x"]).message, "-x")
        self.assertEqual(self.parser().take(["--", "--json"], ("text",)).words, ["--json"])

    def test_errors(self) -> None:
        """
        The texts are those that users of the reference know.
        """
        cases = {
            ("--x",): "error: unknown option '--x'",
            ("--x=1",): "error: unknown option '--x'",
            ("a", "b"): "error: too many arguments for 'thing'. Expected 1 argument but got 2.",
            (): "error: missing required argument 'path'",
            ("--message",): "error: option '--message <value>' argument missing",
            ("a", "--timeout", "x"): "error: --timeout must be a positive integer",
            ("a", "--timeout", "0"): "error: --timeout must be a positive integer",
        }
        for arguments, text in cases.items():
            error = self.assertRaises(UsageError, self.parser().take, arguments, ("path",))
            self.assertEqual(str(error), text)


class ExitTests(SynchronousTestCase):
    """
    Exceptions and exit codes.
    """

    def test_codes(self) -> None:
        """
        Each kind of failure has its code.
        """
        cases = {
            UsageError("x"): 2,
            CommandFailed("x"): 1,
            CommandFailed("x", 78): 78,
            DependencyMissing("x"): 69,
            ModuleNotFoundError("x"): 69,
            ConfigInvalid(Path("x"), []): 78,
            RequestFailed("UNAVAILABLE", "x", None, {"retryable": True}): 75,
            RequestFailed("INVALID_REQUEST", "x"): 1,
            OSError("x"): 1,
        }
        for error, code in cases.items():
            self.assertEqual(code_for(error), code, repr(error))

    def test_texts(self) -> None:
        """
        What is ours is one line; a defect shows where it is.
        """
        err = io.StringIO()
        exit_code(RequestFailed("INVALID_REQUEST", "no"), err)
        self.assertEqual(err.getvalue(), "Error: no\n")
        try:
            raise ZeroDivisionError
        except ZeroDivisionError as error:
            self.assertEqual(exit_code(error, err), 1)
        self.assertIn("Traceback", err.getvalue())
