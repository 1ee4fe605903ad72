"""
Names from outside never open what is not below the directory.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.files import NoSuchFile, NotBelowRoot, open_below

SECRET = b"outside"

#: Ways out that were tried on other programs.
TRAVERSALS = (
    "..",
    "../secret",
    "../../secret",
    "../../../../../../../../etc/passwd",
    "./../secret",
    "a/../../secret",
    "a/b/../../../secret",
    "a/..",
    "a/../",
    "a/../a.txt",
    "./a.txt",
    "a/./b",
    ".",
    "./",
    "",
    "/",
    "//",
    "/secret",
    "/etc/passwd",
    "//etc/passwd",
    "///etc/passwd",
    "a//b.txt",
    "a/",
    "a.txt/",
    "a.txt/..",
    "a.txt/../../secret",
    "..\\secret",
    "..\\..\\secret",
    "a\\..\\..\\secret",
    "\\etc\\passwd",
    "C:\\secret",
    "C:/secret\\",
    "\\\\server\\share",
    "a.txt\0",
    "a.txt\0.png",
    "\0",
    "../secret\0.png",
    "..\0/secret",
    "..;/secret",
    ".../secret",
    "..../secret",
    "....//secret",
    "..../..../secret",
    "%2e%2e/secret",
    "..%2fsecret",
    "%2e%2e%2fsecret",
    "..%252fsecret",
    "..%c0%afsecret",
    "..%5csecret",
    "\u2025/secret",
    "\uff0e\uff0e/secret",
    "..\u2215secret",
    "..\uff0fsecret",
    "~/secret",
    "~root/.ssh/id_rsa",
    "file:///etc/passwd",
    "\r\n../secret",
    " ../secret",
    "../secret ",
    "x" * 300,
    "x/" * 3000 + "y",
)


class Below(SynchronousTestCase):
    """
    A directory with files in it and a secret beside it.
    """

    def setUp(self) -> None:
        top = Path(self.mktemp()).absolute()
        self.root = top / "root"
        (self.root / "a" / "b").mkdir(parents=True)
        (top / "secret").write_bytes(SECRET)
        (self.root / "a.txt").write_bytes(b"a")
        (self.root / "a" / "b.txt").write_bytes(b"b")
        (self.root / "a" / "b" / "c.txt").write_bytes(b"c")

    def read(self, name: str) -> bytes:
        opened = open_below(self.root, name)
        with opened.file as file:
            data = file.read()
        self.assertEqual(opened.stat.st_size, len(data))
        return data


class PlainTests(Below):
    """
    What is there.
    """

    def test_files(self) -> None:
        """
        Regular files at any depth open for reading.
        """
        self.assertEqual([self.read(name) for name in ("a.txt", "a/b.txt", "a/b/c.txt")], [b"a", b"b", b"c"])

    def test_absent(self) -> None:
        """
        What is not there is told apart from what is refused.
        """
        for name in ("nothing", "a/nothing", "nothing/a.txt", "a.txt/b", "..a", "a..", "...", "x" * 300):
            self.assertRaises(NoSuchFile, open_below, self.root, name)

    def test_no_regular_file(self) -> None:
        """
        Directories and pipes are no files; a pipe without a writer does not hold us up.
        """
        os.mkfifo(self.root / "pipe")
        for name in ("a", "a/b", "pipe"):
            self.assertRaises(NoSuchFile, open_below, self.root, name)

    def test_root_absent(self) -> None:
        """
        Below a directory that is not there is nothing.
        """
        self.assertRaises(NoSuchFile, open_below, self.root / "nothing", "a.txt")
        self.assertRaises(NoSuchFile, open_below, self.root / "a.txt", "a.txt")

    def test_root_through_link(self) -> None:
        """
        Whoever configured the directory may have linked to it.
        """
        (self.root.parent / "linked").symlink_to(self.root)
        with open_below(self.root.parent / "linked", "a.txt").file as file:
            self.assertEqual(file.read(), b"a")

    def test_nothing_stays_open(self) -> None:
        """
        No descriptor is left, whatever the outcome.
        """
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
        if before is None:
            self.skipTest("there is no /proc")
        (self.root / "a" / "link").symlink_to("../a.txt")
        for name in ("a.txt", "a/link", *TRAVERSALS):
            with contextlib.suppress(NotBelowRoot, NoSuchFile):
                open_below(self.root, name).file.close()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)


class TraversalTests(Below):
    """
    Names that want out.
    """

    def test_names(self) -> None:
        """
        Each is refused or names nothing.
        """
        self.assertGreaterEqual(len(TRAVERSALS), 50)
        for name in TRAVERSALS:
            with self.assertRaises((NotBelowRoot, NoSuchFile), msg=repr(name)):
                open_below(self.root, name)

    def test_why(self) -> None:
        """
        The refusal says what is wrong, in one line.
        """
        for name, word in (("../secret", "'..'"), ("/etc/passwd", "absolute"), ("a\\b", "backslash"), ("a\0", "NUL")):
            error = self.assertRaises(NotBelowRoot, open_below, self.root, name)
            self.assertIn(word, str(error))
            self.assertNotIn("\0", str(error))

    @settings(max_examples=50, derandomize=True)
    @given(st.text(alphabet="./\\\0ab~%2e ", max_size=24))
    def test_any_name(self, name: str) -> None:
        """
        No name whatever reads the secret.
        """
        try:
            data = self.read(name)
        except (NotBelowRoot, NoSuchFile):
            return
        self.assertNotEqual(data, SECRET)


class LinkTests(Below):
    """
    Links lead where they lead, but not out.
    """

    def test_inside(self) -> None:
        """
        A link to a file or a directory below the root is followed, from wherever it stands.
        """
        (self.root / "to-file").symlink_to("a/b.txt")
        (self.root / "to-directory").symlink_to("a/b")
        (self.root / "a" / "up").symlink_to("../a.txt")
        (self.root / "to-link").symlink_to("to-file")
        (self.root / "a" / "b" / "far-up").symlink_to("../../to-directory/./c.txt")
        for name, data in (
            ("to-file", b"b"),
            ("to-directory/c.txt", b"c"),
            ("a/up", b"a"),
            ("to-link", b"b"),
            ("a/b/far-up", b"c"),
            ("to-directory/far-up", b"c"),
        ):
            self.assertEqual(self.read(name), data, name)

    def test_outside(self) -> None:
        """
        A link out is refused: absolute, relative, through a directory, through another link.
        """
        (self.root / "absolute").symlink_to(self.root.parent.resolve() / "secret")
        (self.root / "absolute-inside").symlink_to((self.root / "a.txt").resolve())
        (self.root / "relative").symlink_to("../secret")
        (self.root / "a" / "relative").symlink_to("../../secret")
        (self.root / "directory").symlink_to("..")
        (self.root / "chain").symlink_to("relative")
        (self.root / "out-and-in").symlink_to("../root/a.txt")
        for name in (
            "absolute",
            "absolute-inside",
            "relative",
            "a/relative",
            "directory/secret",
            "chain",
            "out-and-in",
            "directory",
        ):
            with self.assertRaises(NotBelowRoot, msg=name):
                open_below(self.root, name)

    def test_no_link(self) -> None:
        """
        Where the file may be no link, a directory before it still may.
        """
        (self.root / "to-file").symlink_to("a/b.txt")
        (self.root / "to-directory").symlink_to("a/b")
        (self.root / "a" / "to-directory").symlink_to("../to-directory")
        for name in ("to-file", "to-directory"):
            with self.assertRaises(NotBelowRoot, msg=name):
                open_below(self.root, name, may_be_link=False)
        for name in ("a/b.txt", "to-directory/c.txt", "a/to-directory/c.txt"):
            open_below(self.root, name, may_be_link=False).file.close()

    def test_circles(self) -> None:
        """
        Links that never end are refused.
        """
        (self.root / "one").symlink_to("two")
        (self.root / "two").symlink_to("one")
        (self.root / "self").symlink_to("self/a")
        for name in ("one", "self", "self/x"):
            self.assertRaises(NotBelowRoot, open_below, self.root, name)

    def test_dangling(self) -> None:
        """
        A link to nothing, or to a directory, is no file.
        """
        (self.root / "dangling").symlink_to("nothing")
        (self.root / "directory").symlink_to("a")
        (self.root / "here").symlink_to(".")
        for name in ("dangling", "dangling/x", "directory", "here"):
            self.assertRaises(NoSuchFile, open_below, self.root, name)
