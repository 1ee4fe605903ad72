"""
The documents say what the program does.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import unittest
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.harness import CommandCase
from tests.tables import ROOT, blocks, text

PATHS = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "contrib").rglob("*.md")),
)

#: Servers that a document may point to.
HOSTS = re.compile(r"127\.0\.0\.1|localhost|keepachangelog\.com|[\w.<>-]+\.ts\.net|[\w.-]*example\.com")

#: Commands whose first word is a subcommand.
SUBCOMMANDS = ("config", "devices", "gateway", "nodes", "protocol")


def anchors(path: Path) -> set[str]:
    """
    The names by which headings can be linked to.
    """
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class LinkTests(SynchronousTestCase):
    """
    What a document points to is there.
    """

    def test_relative_links(self) -> None:
        """
        Every link to a file of the project finds it, and every anchor its heading.
        """
        broken = []
        for path in PATHS:
            prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
            for target in re.findall(r"\]\(([^)\s]+)\)", prose):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                found = (path.parent / name).resolve() if name else path
                if not found.exists() or (anchor and anchor not in anchors(found)):
                    broken.append(f"{path.relative_to(ROOT)}: {target}")
        self.assertEqual(broken, [])

    def test_every_document_is_linked_from_the_readme(self) -> None:
        """
        A reader who begins at the README finds every document.
        """
        readme = text("README.md")
        self.assertEqual([path.name for path in (ROOT / "docs").glob("*.md") if f"docs/{path.name}" not in readme], [])

    def test_paths_of_the_project(self) -> None:
        """
        A path in backquotes that begins with a directory of the project exists.
        """
        wrong = []
        for path in PATHS:
            for name in re.findall(
                r"`((?:openclaw|tests|bin|benchmarks|contrib|docs)/[\w./-]+)`", path.read_text(encoding="utf-8")
            ):
                if not (ROOT / name).exists():
                    wrong.append(f"{path.relative_to(ROOT)}: {name}")
        self.assertEqual(wrong, [])

    def test_nothing_of_a_machine(self) -> None:
        """
        No document names a path of this machine, nor a server but the few that are meant.
        """
        wrong = []
        for path in PATHS:
            told = path.read_text(encoding="utf-8")
            wrong += [f"{path.name}: {place}" for place in {str(ROOT), str(Path.home())} - {"/"} if place in told]
            hosts = re.findall(r"\b(?:https?|wss?)://([^/:\s`\")]+)", told)
            wrong += [f"{path.name}: {host}" for host in hosts if not HOSTS.fullmatch(host)]
        self.assertEqual(wrong, [])


_BETWEEN = frozenset("| || & && ; ( ) > < >>".split())  # noqa: SIM905 - a list


def commands() -> Iterator[tuple[Path, list[str]]]:
    """
    What ``console`` blocks have a reader type: every call of ``openclaw``, as its arguments.
    """
    for path in PATHS:
        for block in blocks(path, "console"):
            for line in block.replace("\\\n", " ").splitlines():
                typed = re.match(r"\s*[$#] (.*)", line)
                for words in _calls(typed[1]) if typed else ():
                    if words[0] in ("openclaw", "bin/openclaw"):
                        yield path, words[1:]


def _calls(line: str) -> Iterator[list[str]]:
    """
    The commands of a line, each as its words, without variables that are set for it.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _BETWEEN:
            if words or not re.fullmatch(r"\w+=.*|sudo", word):
                words.append(word)
        elif words:
            yield words
            words = []


class CommandTests(CommandCase):
    """
    What a document has a reader type exists.
    """

    def help_of(self, command: str) -> str:
        """
        What ``--help`` prints; nothing for a command that does not exist.
        """
        # argparse prints to the process's own output.
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.openclaw(command, "--help")
        return printed.getvalue()

    def test_commands_exist(self) -> None:
        """
        Every ``openclaw`` command of a console block is one, with its subcommand and its options.
        """
        wrong, seen = [], 0
        for path, given in commands():
            seen += 1
            words = [word for word in given if word != "--dev"]
            words = words[2:] if words[:1] == ["--profile"] else words
            if words[0] == "--version":
                continue
            told = self.help_of(words[0])
            name = words[1] if len(words) > 1 and words[0] in SUBCOMMANDS and words[1].isalpha() else None
            if not told:
                wrong.append(f"{path.name}: {' '.join(given)}")
            for part in filter(None, (name, *(word for word in words[1:] if word.startswith("--")))):
                if not re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", told):
                    wrong.append(f"{path.name}: {' '.join(given)}")
        self.assertGreater(seen, 30)
        self.assertEqual(wrong, [])

    def test_example_of_a_client(self) -> None:
        """
        The client in the README is the one in contrib.
        """
        example = text("contrib/examples/websocket_client.py")
        self.assertIn(example, blocks(ROOT / "README.md", "python"))


class ExampleTests(SynchronousTestCase):
    """
    ``docs/testing.md``.
    """

    def run_example(self, source: str, name: str) -> int:
        """
        Run a test case of the document as it stands there.

        :return: how many tests it has; all have passed.
        """
        namespace: dict[str, object] = {"__name__": "documented"}
        exec(compile(source, "docs/testing.md", "exec"), namespace)
        case = namespace[name]
        assert isinstance(case, type)
        assert issubclass(case, SynchronousTestCase)
        result = unittest.TestResult()
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
        suite.run(result)
        self.assertEqual([trace for _, trace in [*result.failures, *result.errors]], [])
        return result.testsRun

    def test_the_examples_run(self) -> None:
        """
        The short suite is short, and both pass.
        """
        short, long = blocks(ROOT / "docs" / "testing.md", "python")
        self.assertLessEqual(len([line for line in short.splitlines() if line.strip()]), 15)
        self.assertEqual(self.run_example(short, "AnswerTests"), 1)
        self.assertEqual(self.run_example(long, "ConversationTests"), 6)
