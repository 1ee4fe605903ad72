"""
The documents say what the program does.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.client.identity import Identity
from openclaw.devices.identity import Claim, raw_public_key, signature_holds
from openclaw.protocol.connect import ConnectParams
from openclaw.protocol.frames import RequestFrame
from openclaw.protocol.validate import violations
from tests.cli.harness import CommandCase
from tests.tables import ROOT, event_rows, method_rows, model_keys, rows

PATHS = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "contrib").rglob("*.md")),
)

#: Nobody's machine, no registry, and nothing that is not there for a reader of the project.
FORBIDDEN = re.compile(
    r"/root\b|/work/|/tmp/(?!openclaw)|\.\./shared|registry\.|pypi\.|npmjs|files\.pythonhosted|\bTODO\b|issue #?\d",
    re.IGNORECASE,
)


#: Commands whose first word is a subcommand.
SUBCOMMANDS = ("config", "devices", "gateway", "protocol")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    """
    The fenced blocks of a language.
    """
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


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
        No document names a path of somebody's machine, or a registry.
        """
        wrong = [
            f"{path.relative_to(ROOT)}: {found[0]}"
            for path in PATHS
            for found in FORBIDDEN.finditer(path.read_text(encoding="utf-8"))
        ]
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


class ConfigurationTests(SynchronousTestCase):
    """
    ``docs/configuration.md`` and the model.
    """

    groups = ("Gateway", "Logs", "Sessions", "Agents", "Models", "Others")

    def effective(self) -> list[list[str]]:
        document = text("docs/configuration.md")
        return [row for group in self.groups for row in rows(document, group)]

    def test_keys(self) -> None:
        """
        Every key of the model stands in exactly one of the two tables, and no other key does.
        """
        told = [row[0].strip("`") for row in self.effective()]
        waiting = [
            name.strip("`")
            for row in rows(text("docs/configuration.md"), "Keys without an effect yet")
            for name in row[0].split(", ")
        ]
        self.assertEqual(sorted(set(told)), sorted(told))
        both, missing, unused = [], [], set(waiting)
        for key in model_keys():
            matching = [name for name in waiting if key.name == name or _covers(name, key.name)]
            unused -= set(matching)
            if matching and key.name in told:
                both.append(key.name)
            if not matching and key.name not in told:
                missing.append(key.name)
        self.assertEqual((both, missing, sorted(unused)), ([], [], []))
        self.assertEqual(set(told) - {key.name for key in model_keys()}, set())

    def test_values_and_defaults(self) -> None:
        """
        What a key may be, and what it is when the file does not say, stand in the table as in the program.
        """
        keys = {key.name: key for key in model_keys()}
        wrong = []
        for name, value, default, _ in self.effective():
            key = keys[name.strip("`")]
            if (value, default) != (key.value, key.default):
                wrong.append(f"| {name} | {key.value} | {key.default} |")
        self.assertEqual(wrong, [])


def _covers(pattern: str, name: str) -> bool:
    return pattern.endswith(".*") and name.startswith(pattern[:-1])


class ProtocolTests(SynchronousTestCase):
    """
    ``docs/protocol.md`` and the method table.
    """

    def test_methods(self) -> None:
        """
        The table names every method with its scope, parameters and marks.
        """
        table = rows(text("docs/protocol.md"), "Methods")
        self.assertEqual([row[:4] for row in table], method_rows())
        self.assertEqual([row[0] for row in table if not row[4]], [])

    def test_events(self) -> None:
        """
        The table names the events that are advertised.
        """
        self.assertEqual([row[0] for row in rows(text("docs/protocol.md"), "Events")], event_rows())

    def test_frames(self) -> None:
        """
        The frames in the document are ones, and every ``connect`` fits its definition.
        """
        connects = 0
        for block in blocks(ROOT / "docs" / "protocol.md", "json"):
            for frame in _values(block):
                if frame["type"] == "req":
                    self.assertIsNone(violations(RequestFrame, frame))
                if frame.get("method") == "connect":
                    connects += 1
                    self.assertIsNone(violations(ConnectParams, frame["params"]))
        self.assertEqual(connects, 2)

    def test_worked_example(self) -> None:
        """
        The signed example is what its key signs, in the words of the document.
        """
        (example,) = blocks(ROOT / "docs" / "protocol.md", "text")
        told = dict(line.split(None, 1) for line in example.splitlines())
        frame = _values(blocks(ROOT / "docs" / "protocol.md", "json")[-1])[0]
        params = frame["params"]
        device = params["device"]
        claim = Claim(
            device_id=device["id"],
            client_id=params["client"]["id"],
            client_mode=params["client"]["mode"],
            role=params["role"],
            scopes=params["scopes"],
            signed_at_ms=device["signedAt"],
            token=params["auth"]["token"],
            nonce=device["nonce"],
        )
        self.assertEqual(told["payload"], claim.payload().decode())
        signed = Identity(b"\x01" * 32).claim(
            client_id=claim.client_id,
            mode=claim.client_mode,
            role=claim.role,
            scopes=claim.scopes,
            signed_at_ms=claim.signed_at_ms,
            token=claim.token,
            nonce=claim.nonce,
        )
        self.assertEqual(device, signed)
        self.assertEqual(
            {name: told[name] for name in ("publicKey", "id", "signature")},
            {name: device[name] for name in ("publicKey", "id", "signature")},
        )
        self.assertTrue(signature_holds(raw_public_key(told["publicKey"]), told["signature"], claim))


def _values(block: str) -> list[Any]:
    """
    The JSON values of a block, one after the other.
    """
    found, left, decoder = [], block.strip(), json.JSONDecoder()
    while left:
        value, end = decoder.raw_decode(left)
        found.append(value)
        left = left[end:].strip()
    return found


class ExampleTests(SynchronousTestCase):
    """
    ``docs/testing.md``.
    """

    def test_the_example_runs(self) -> None:
        """
        The test case in the document passes as it stands there.
        """
        (source,) = blocks(ROOT / "docs" / "testing.md", "python")
        namespace: dict[str, object] = {"__name__": "documented"}
        exec(compile(source, "docs/testing.md", "exec"), namespace)
        case = namespace["ConversationTests"]
        assert isinstance(case, type)
        assert issubclass(case, SynchronousTestCase)
        result = unittest.TestResult()
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
        suite.run(result)
        self.assertEqual([trace for _, trace in [*result.failures, *result.errors]], [])
        self.assertEqual(result.testsRun, 4)
