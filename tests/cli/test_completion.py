"""
Tests of ``openclaw.cli.completion``, by itself and in the shells that are here.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest

import openclaw
from openclaw.cli.completion import SHELLS
from openclaw.cli.main import COMMANDS
from tests.cli.harness import CommandCase


class WordTests(CommandCase):
    """
    What may follow.
    """

    def after(self, *words: str) -> list[str]:
        outcome = self.openclaw("completion", "--words", "--", *words)
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        return outcome.out.splitlines()

    def test_commands(self) -> None:
        """
        Commands, and the options before them.
        """
        self.assertEqual(self.after(""), list(COMMANDS))
        self.assertEqual(self.after("gat"), ["gateway"])
        self.assertEqual(self.after("--profile", "rescue", "gat"), ["gateway"])
        self.assertEqual(self.after("--p"), ["--profile"])
        self.assertEqual(self.after("nothing", ""), [])

    def test_words(self) -> None:
        """
        The words of a command, down to the last.
        """
        self.assertEqual(self.after("gateway", "st"), ["status", "start", "stop"])
        self.assertEqual(self.after("daemon", "un"), ["uninstall"])
        self.assertEqual(self.after("system", "heartbeat", ""), ["last", "enable", "disable"])
        self.assertEqual(self.after("nodes", "camera", "s"), ["snap"])
        self.assertEqual(self.after("gateway", "status", ""), [])
        outcome = self.openclaw("completion", "--words", "--next", "--", "system", "heartbeat")
        self.assertEqual(outcome.out, "last\nenable\ndisable\n")

    def test_options(self) -> None:
        """
        The options of a command; what follows one that takes a value is the shell's business.
        """
        self.assertEqual(self.after("gateway", "status", "--t"), ["--token", "--tls-fingerprint", "--timeout"])
        self.assertIn("--facing", self.after("nodes", "camera", "snap", "--f"))
        self.assertEqual(self.after("models", "list", "--provider", ""), [])

    def test_every_command(self) -> None:
        """
        Each has a help that can be read, and asking for it does nothing.
        """
        for name in COMMANDS:
            words = (name, "install") if name == "daemon" else (name,)
            self.assertIn("--help", self.after(*words, "--"), name)
        self.assertEqual(list(self.home.iterdir()), [])


class ScriptTests(CommandCase):
    """
    The scripts.
    """

    def test_install(self) -> None:
        """
        The line is put behind what is there, once.
        """
        profile = self.home / ".bashrc"
        profile.write_text("alias ll='ls -l'\n")
        profile.chmod(0o640)
        refused = self.openclaw("completion", "--shell", "bash", "--install")
        self.assertEqual((refused.code, profile.read_text()), (1, "alias ll='ls -l'\n"))
        for told in ("Installed completion of bash: ~/.bashrc\n", "Completion is installed already: ~/.bashrc\n"):
            self.assertIn(told, self.openclaw("completion", "-s", "bash", "-i", "-y").out)
        self.assertEqual(
            profile.read_text(),
            "alias ll='ls -l'\n\n# OpenClaw Completion\nsource <(openclaw completion --shell bash)\n",
        )
        self.assertEqual(stat.S_IMODE(profile.stat().st_mode), 0o640)

    def test_elsewhere(self) -> None:
        """
        Where the shell looks, for who keeps its files elsewhere; a line that was commented out is none.
        """
        self.environ |= {"ZDOTDIR": str(self.home / "z"), "XDG_CONFIG_HOME": str(self.home / "c")}
        (self.home / "z").mkdir()
        (self.home / "z" / ".zshrc").write_text(f"# {SHELLS['zsh'].line}\n")
        for shell, name in (
            ("zsh", "z/.zshrc"),
            ("fish", "c/fish/completions/openclaw.fish"),
            ("powershell", "c/powershell/profile.ps1"),
        ):
            outcome = self.openclaw("completion", "-s", shell, "-i", "-y")
            self.assertIn(f"Installed completion of {shell}: ~/{name}\n", outcome.out)
            lines = (self.home / name).read_text().splitlines()
            self.assertIn((SHELLS[shell].line or SHELLS[shell].script).splitlines()[0], lines)

    def test_own_file(self) -> None:
        """
        fish reads a file of its own, which is written again when there is another script.
        """
        path = self.home / ".config" / "fish" / "completions" / "openclaw.fish"
        self.openclaw("completion", "-s", "fish", "-i", "-y")
        self.assertEqual(path.read_text(), SHELLS["fish"].script)
        path.write_text("old")
        self.openclaw("completion", "-s", "fish", "-i", "-y")
        self.assertEqual(path.read_text(), SHELLS["fish"].script)

    def test_which(self) -> None:
        """
        zsh's where nothing is said.
        """
        self.assertEqual(self.openclaw("completion").out, SHELLS["zsh"].script)
        outcome = self.openclaw("completion", "-s", "csh")
        self.assertEqual(
            (outcome.code, outcome.err.splitlines()[0]),
            (2, "error: unknown shell 'csh': choose one of bash, zsh, fish, powershell"),
        )


class ShellTests(CommandCase):
    """
    In the shells themselves, with the program on their path.
    """

    def setUp(self) -> None:
        super().setUp()
        programs = self.home / "programs"
        programs.mkdir()
        program = programs / "openclaw"
        root = Path(openclaw.__file__).parent.parent
        program.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m openclaw.cli.main "$@"\n')
        program.chmod(0o755)
        self.path = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def shell(self, name: str, script: str) -> list[str]:
        """
        What a shell prints that has read the script of this program.
        """
        program = shutil.which(name)
        if program is None:
            raise SkipTest(f"{name} is not installed")
        (self.home / "script").write_text(SHELLS[name].script)
        options = ["-f"] if name == "zsh" else ["--no-config"] if name == "fish" else ["--norc"]
        done = subprocess.run(
            [program, *options, "-c", script],
            cwd=self.home,
            env={"HOME": str(self.home), "PATH": self.path, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def test_bash(self) -> None:
        """
        By the function that bash calls at a Tab, also for a word that begins.
        """
        ask = "COMP_CWORD=2; _openclaw; printf '%s\\n' \"${COMPREPLY[@]}\""
        words = "source ./script; complete -p openclaw >/dev/null; COMP_WORDS=(openclaw system {}); "
        self.assertEqual(self.shell("bash", words.format("he") + ask), ["heartbeat"])
        self.assertEqual(self.shell("bash", words.format("''") + ask), ["event", "heartbeat", "presence"])

    def test_zsh(self) -> None:
        """
        The same, with the part that shows them replaced.
        """
        stubs = "compdef() {}; compadd() { shift; print -l -- $@ }; _files() { print files }; source ./script; "
        words = "words=(openclaw system {}); CURRENT=3; _openclaw"
        self.assertEqual(self.shell("zsh", stubs + words.format("he")), ["heartbeat"])
        self.assertEqual(self.shell("zsh", stubs + words.format("''")), ["event", "heartbeat", "presence"])
        self.assertEqual(self.shell("zsh", stubs + words.format("x")), ["files"])

    def test_fish(self) -> None:
        """
        By what fish itself says that it would show.
        """
        ask = "source ./script; complete -C '{}'"
        self.assertEqual(self.shell("fish", ask.format("openclaw system he")), ["heartbeat"])
        self.assertEqual(self.shell("fish", ask.format("openclaw system ")), ["event", "heartbeat", "presence"])
