"""
Tests of ``openclaw.approvals.scripts`` and ``openclaw.approvals.programs``, on real files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.policy import Rules, Surroundings, Use, rules_for, weigh
from openclaw.approvals.programs import resolve
from openclaw.approvals.scripts import Changed, bind, check


class MachineCase(SynchronousTestCase):
    """
    Two directories of programs and one to work in.
    """

    def setUp(self) -> None:
        self.root = Path(os.path.realpath(self.mktemp()))
        self.cwd = self.root / "work"
        self.search = [str(self.root / "bin"), str(self.root / "more")]
        for name in ("work", "bin", "more"):
            (self.root / name).mkdir(parents=True)

    def program(self, name: str, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return str(path)


class ResolveTests(MachineCase):
    """
    Which program a word names.
    """

    def test_search(self) -> None:
        """
        The first directory that has one counts; what is no program is passed over.
        """
        self.program("bin/tool", mode=0o644)
        second = self.program("more/tool")
        (self.root / "bin" / "dir").mkdir()
        self.assertEqual(resolve("tool", self.cwd, self.search), second)
        self.assertIsNone(resolve("dir", self.cwd, self.search))
        self.assertIsNone(resolve("nothing", self.cwd, self.search))

    def test_relative(self) -> None:
        """
        A word with a slash, and an empty or relative directory of the search, are seen from the working directory.
        """
        mine = self.program("work/tool")
        self.assertEqual(resolve("./tool", self.cwd, []), mine)
        self.assertEqual(resolve("tool", self.cwd, ["", *self.search]), mine)
        self.assertEqual(resolve("tool", self.cwd, ["."]), mine)
        self.assertIsNone(resolve("tool", self.cwd, self.search))

    def test_dots(self) -> None:
        """
        Dots lead where they lead, also behind links, so that no pattern is met by the text of a path alone.
        """
        evil = self.program("work/evil")
        (self.root / "bin" / "link").symlink_to(self.cwd)
        self.assertEqual(resolve(f"{self.root}/bin/../work/evil", self.cwd, []), evil)
        self.assertEqual(resolve(f"{self.root}/bin//../work/./evil", self.cwd, []), evil)
        self.assertIsNone(resolve(f"{self.root}/bin/link/../bin/evil", self.cwd, []))


class BindTests(MachineCase):
    """
    What was approved is what runs.
    """

    def assert_bound(self, command: str, change: Any, told: str) -> None:
        bound = bind(command, self.cwd, self.search)
        check(bound, command, self.cwd, self.search)
        change()
        error = self.assertRaises(Changed, check, bound, command, self.cwd, self.search)
        self.assertIn(told, str(error))

    def test_ghsa_57jw_9722_6rf2(self) -> None:
        """
        A script that changes between approval and run does not run, however it is called.
        """
        self.program("bin/tool")
        for number, command in enumerate(
            (
                "tool x",
                "python3 script.py",
                "bash ./script.py",
                "env python3 script.py",
                "node --require=script.py",
                "python3 script.py > out && echo $HOME",
                "sh -c './script.py'",
                "source script.py",
                ". ./script.py",
                "cat < script.py | sh",
            )
        ):
            script = self.program("work/script.py", f"# {number}\n")
            name = "bin/tool" if command.startswith("tool") else "work/script.py"
            self.assert_bound(command, lambda name=name: self.program(name, "#!/bin/sh\nevil\n"), "the file")
            os.unlink(script)

    def test_appears(self) -> None:
        """
        A script that was not there is not approved.
        """
        self.assert_bound("bash later.sh", lambda: self.program("work/later.sh"), "later.sh")

    def test_vanishes(self) -> None:
        """
        One that is gone is not what it was.
        """
        script = self.program("work/now.sh")
        self.assert_bound("bash now.sh", lambda: os.unlink(script), "now.sh")

    def test_other_program(self) -> None:
        """
        A program that comes before the approved one, or takes its place, does not run.
        """
        self.program("more/tool", "\x7fELF")
        self.assert_bound("tool x", lambda: self.program("bin/tool", "\x7fELF"), "the program tool")
        link = self.root / "bin" / "other"
        link.symlink_to(self.root / "more" / "tool")

        def swap() -> None:
            link.unlink()
            link.symlink_to(self.program("work/evil", "\x7fELF"))

        self.assert_bound("other", swap, "the program other")

    def test_other_directory(self) -> None:
        """
        The directory is the one itself, not its name.
        """
        link = self.root / "link"
        link.symlink_to(self.cwd)
        bound = bind("ls", link, self.search)
        check(bound, "ls", self.cwd, self.search)
        link.unlink()
        link.symlink_to(self.root / "bin")
        self.assertRaises(Changed, check, bound, "ls", link, self.search)

    def test_other_command(self) -> None:
        """
        The bytes of the command count, not how they look.
        """
        bound = bind("ls", self.cwd, self.search)
        self.assertRaises(Changed, check, bound, "ls\u200b", self.cwd, self.search)

    def test_odd_files(self) -> None:
        """
        What cannot be read, or would never end, is no script and holds nothing up.
        """
        os.mkfifo(self.cwd / "pipe")
        (self.cwd / "dir").mkdir()
        (self.cwd / "large").write_bytes(b"x" * (4 * 2**20 + 1))
        command = f"bash pipe dir large nothing {'y' * 300} 'a\x00b'"
        self.assertEqual(bind(command, self.cwd, self.search).files, {})


class RememberedScriptTests(MachineCase):
    """
    A script that may always run.
    """

    def rules(self, content: dict[str, Any]) -> Rules:
        return rules_for(content, "main", security="allowlist")

    def test_ghsa_57jw_9722_6rf2(self) -> None:
        """
        It may run as long as it says what it said then; after another "always" as it is now.
        """
        around = Surroundings(cwd=self.cwd, home=self.root, search=self.search)
        self.program("work/deploy", "#!/bin/sh\nls\n")
        content: dict[str, Any] = {}

        def remember() -> int:
            nonlocal content
            verdict = weigh("./deploy", self.rules(content), around)
            self.assertEqual(verdict.kind, "ask")
            content = Use(agent_id="main", command="./deploy", now_ms=1, remembered=verdict.remembered)(content)
            self.assertEqual(weigh("./deploy", self.rules(content), around).kind, "run")
            return len(content["agents"]["main"]["allowlist"])

        self.assertEqual(remember(), 1)
        self.program("work/deploy", "#!/bin/sh\nevil\n")
        self.assertEqual(weigh("./deploy", self.rules(content), around).kind, "ask")
        self.assertEqual(remember(), 1)

    def test_links_to_shells(self) -> None:
        """
        A shell by another name is a shell.
        """
        for name, real in (("harmless", "bash"), ("tool", "python3.11"), ("ls", "env")):
            self.program(f"more/{real}", "\x7fELF")
            (self.root / "bin" / name).symlink_to(self.root / "more" / real)
            content = {"agents": {"main": {"allowlist": [{"pattern": f"{self.root}/bin/**"}]}}}
            around = Surroundings(cwd=self.cwd, home=self.root, search=self.search)
            verdict = weigh(f"{name} -c x", self.rules(content), around)
            self.assertEqual((verdict.kind, verdict.remembered), ("ask", []), name)

    def test_many_in_one(self) -> None:
        """
        An applet of busybox is what it is called, and its shell is a shell.
        """
        self.program("more/busybox", "\x7fELF")
        content = {"agents": {"main": {"allowlist": [{"pattern": f"{self.root}/bin/*"}]}}}
        around = Surroundings(cwd=self.cwd, home=self.root, search=self.search)
        for name, decision in (("ls", "run"), ("sh", "ask"), ("env", "ask")):
            (self.root / "bin" / name).symlink_to(self.root / "more" / "busybox")
            self.assertEqual(weigh(f"{name} x", self.rules(content), around).kind, decision, name)
