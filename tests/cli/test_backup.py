"""
Tests of ``openclaw.cli.backup``, ``openclaw.doctor.backup`` and ``openclaw.doctor.restore``.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import stat
import tarfile
from pathlib import Path
from typing import Any

from openclaw.store.bodies import LARGE_BODY_BYTES, Bodies
from openclaw.store.claims import Claim, Claims
from openclaw.store.interfaces import Entry, Session
from openclaw.store.lock import ProcessLock
from openclaw.store.schema import close_cleanly, open_reader, open_writer
from openclaw.store.sql_unit import SqlUnit
from tests.cli.harness import CommandCase

#: What makes a manifest that is right otherwise one that is not, and what is said of it.
WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"version": 2}, "is not of version 1"),
    ({"files": []}, "does not list what is in it"),
    ({"files": {"/etc/passwd": "0"}}, "/etc/passwd leads out of it"),
    ({"files": {"state/x": 1}}, "does not list what is in it"),
    ({"files": {}}, "was not written"),
    ({"createdAt": None}, "does not say when"),
    ({"program": 1}, "does not say when"),
    ({"state": 1}, "does not say what it is of"),
    ({"links": {"state": "/etc"}}, "state is no link"),
    ({"links": {"workspaces/x": "/etc"}}, "workspaces/x is no link"),
)
#: Neither may there be these.
LINKS = ({"state/a": "/etc", "state/a/b": "x"}, {"../a": "x"}, {"/a": "x"}, {"state/identity": "/etc"}, {"state/a": 1})


class BackupTests(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.configure({"gateway": {"mode": "local"}})
        self.state = self.path.parent
        self.database = self.state / "openclaw.sqlite3"
        writer = open_writer(self.database)
        unit = SqlUnit(writer, Bodies(self.state / "blobs"))
        unit.sessions.put(Session(key="agent:main:main", agent_id="main", session_id="s", updated_at_ms=1, members={}))
        text = "x" * (LARGE_BODY_BYTES + 1)
        unit.entries.append(
            Entry(
                id="e", session_id="s", parent_id=None, type="message", timestamp_ms=1, run_id=None, body={"text": text}
            )
        )
        close_cleanly(writer)
        for name, text in {
            "identity/device.json": "key",
            "workspace/SOUL.md": "soul",
            "logs/openclaw.log": "old",
            "gateway.lock": "",
        }.items():
            (self.state / name).parent.mkdir(exist_ok=True)
            (self.state / name).write_text(text)
        (self.state / "workspace" / "link").symlink_to("/etc/passwd")

    def make(self) -> Path:
        outcome = self.openclaw("backup", "--output", "b.tar.gz", "--json")
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        return Path(outcome.json["path"])

    def test_what_is_in_it(self) -> None:
        """
        Everything that cannot be made again, each once, for its owner only; not the log, nor what a link leads to.
        """
        path = self.make()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        with tarfile.open(path) as archive:
            names = archive.getnames()
        (blob,) = [path.name for path in (self.state / "blobs").iterdir()]
        expected = ["state/openclaw.sqlite3", "config", f"state/blobs/{blob}", "state/identity/device.json"]
        self.assertEqual(sorted(names), sorted([*expected, "workspace/SOUL.md", "manifest.json"]))
        outcome = self.openclaw("backup", "verify", "b.tar.gz")
        self.assertEqual((outcome.code, outcome.out[:20]), (0, "Backup OK: 5 files o"), outcome.err)
        left = [path.name for path in self.home.iterdir()]
        self.assertEqual(sorted(left), [".openclaw", "b.tar.gz"])

    def test_made_inside(self) -> None:
        """
        One that is made in the state directory holds neither itself nor what it was made with.
        """
        with tarfile.open(self.make()) as archive:
            expected = sorted(archive.getnames())
        for name in ("inside.tar.gz", "workspace/inside.tar.gz"):
            self.assertEqual(self.openclaw("backup", "--output", str(self.state / name)).code, 0)
            with tarfile.open(self.state / name) as archive:
                self.assertEqual(sorted(archive.getnames()), expected)
            (self.state / name).unlink()

    def test_while_somebody_writes(self) -> None:
        """
        A transaction that is open is not in the copy, and not in the way.
        """
        writer = open_writer(self.database)
        self.addCleanup(writer.close)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM sessions")
        self.make()
        writer.execute("ROLLBACK")
        self.assertEqual(self.openclaw("backup", "verify", "b.tar.gz").code, 0)

    def test_restore(self) -> None:
        """
        All is as it was; what was there meanwhile is in the trash.
        """
        os.utime(self.state / "workspace" / "SOUL.md", (0, 1_700_000_000.5))
        self.make()
        self.path.write_text("{gateway: ")
        (self.state / "workspace" / "SOUL.md").write_text("another")
        self.database.write_bytes(b"broken")
        self.assertIn("--yes", self.openclaw("backup", "restore", "b.tar.gz").err)
        outcome = self.openclaw("backup", "restore", "b.tar.gz", "--yes")
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        self.assertTrue(outcome.out.endswith("Restored ~/b.tar.gz\n"), outcome.out)
        self.assertEqual(json.loads(self.path.read_text()), {"gateway": {"mode": "local"}})
        self.assertEqual((self.state / "workspace" / "SOUL.md").read_text(), "soul")
        self.assertEqual((self.state / "workspace" / "SOUL.md").stat().st_mtime, 1_700_000_000.5)
        self.assertEqual((self.state / "identity" / "device.json").read_text(), "key")
        self.assertEqual(stat.S_IMODE(self.state.stat().st_mode), 0o700)
        connection = open_reader(self.database)
        self.addCleanup(connection.close)
        unit = SqlUnit(connection, Bodies(self.state / "blobs"))
        self.assertIsNotNone(unit.sessions.get("agent:main:main"))
        (entry,) = unit.entries.all("s")
        self.assertEqual(len(entry.body["text"]), LARGE_BODY_BYTES + 1)
        trash = self.home / ".local" / "share" / "Trash" / "files"
        self.assertEqual((trash / ".openclaw" / "openclaw.json").read_text(), "{gateway: ")
        self.assertEqual(sorted(path.name for path in self.home.iterdir()), [".local", ".openclaw", "b.tar.gz"])

    def test_elsewhere(self) -> None:
        """
        A configuration and a workspace outside the state directory go back where they belong.
        """
        self.environ["OPENCLAW_CONFIG_PATH"] = str(self.home / "etc" / "my.json")
        (self.home / "etc").mkdir()
        config = {"agents": {"defaults": {"workspace": str(self.home / "work")}}}
        (self.home / "etc" / "my.json").write_text(json.dumps(config))
        (self.home / "work").mkdir()
        (self.home / "work" / "USER.md").write_text("me")
        self.make()
        (self.home / "work" / "USER.md").write_text("you")
        self.assertEqual(self.openclaw("backup", "restore", "b.tar.gz", "--yes").code, 0)
        self.assertEqual((self.home / "work" / "USER.md").read_text(), "me")
        self.assertEqual(json.loads((self.home / "etc" / "my.json").read_text()), config)

    def test_places_of_the_archive(self) -> None:
        """
        Workspaces go where the restored configuration says, whatever the present one does.
        """
        self.configure({"agents": {"defaults": {"workspace": "~/one"}}})
        for name in ("one", "two"):
            (self.home / name).mkdir()
            (self.home / name / "SOUL.md").write_text(name)
        self.make()
        self.configure({"agents": {"defaults": {"workspace": "~/two"}}})
        (self.home / "one" / "SOUL.md").write_text("changed")
        self.assertEqual(self.openclaw("backup", "restore", "b.tar.gz", "--yes").code, 0)
        for name in ("one", "two"):
            self.assertEqual((self.home / name / "SOUL.md").read_text(), name)

    def test_other_agents(self) -> None:
        """
        Their workspaces belong to it, wherever they are; links are links again, and what is elsewhere is told.
        """
        elsewhere = self.home / "dotfiles"
        elsewhere.mkdir()
        agents = {"list": [{"id": "main"}, {"id": "far", "workspace": "~/far"}, {"id": "near"}]}
        (elsewhere / "agents.json").write_text(json.dumps(agents))
        (self.state / "agents.json").symlink_to(elsewhere / "agents.json")
        (self.state / "here").symlink_to("identity/device.json")
        self.configure({"agents": {"$include": "agents.json"}})
        for place in (self.home / "far", self.state / "workspace-near"):
            place.mkdir()
            (place / "SOUL.md").write_text(place.name)
        outcome = self.openclaw("backup", "--output", "b.tar.gz")
        self.assertEqual(
            outcome.out.splitlines()[1:],
            [
                "Not in it, since it is elsewhere: ~/dotfiles/agents.json",
                "Not in it, since it is elsewhere: /etc/passwd",
            ],
        )
        for place in (self.home / "far", self.state):
            shutil.rmtree(place)
        outcome = self.openclaw("backup", "restore", "b.tar.gz", "--yes")
        self.assertEqual((outcome.code, outcome.out), (0, "Restored ~/b.tar.gz\n"), outcome.err)
        for place in (self.home / "far", self.state / "workspace-near"):
            self.assertEqual((place / "SOUL.md").read_text(), place.name)
        self.assertEqual((self.state / "here").read_text(), "key")
        self.assertEqual((self.state / "agents.json").readlink(), elsewhere / "agents.json")

    def test_home_is_no_workspace(self) -> None:
        """
        Nothing goes in the place of the home directory, by whatever name.
        """
        self.configure({"agents": {"defaults": {"workspace": f"~/../{self.home.name}"}}})
        (self.home / "mine").write_text("mine")
        self.make()
        outcome = self.openclaw("backup", "restore", "b.tar.gz", "--yes")
        self.assertEqual((outcome.code, outcome.err), (1, f"Error: Refusing to remove unsafe path: {self.home}\n"))
        self.assertEqual((self.home / "mine").read_text(), "mine")

    def test_half(self) -> None:
        """
        What fails in the middle leaves everything as it was, and nothing in the trash.
        """
        self.environ["OPENCLAW_CONFIG_PATH"] = str(self.home / "etc" / "my.json")
        (self.home / "etc").mkdir()
        (self.home / "etc" / "my.json").write_text("{}")
        self.make()
        (self.home / "etc" / "my.json").write_text("{gateway: {}}")
        (self.state / "workspace" / "SOUL.md").write_text("another")
        before = {path: path.read_bytes() for path in self.home.rglob("*") if path.is_file()}
        real = shutil.move

        def move(source: Path, target: Path) -> object:
            if Path(source).name == "config":
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(source, target)

        self.patch(shutil, "move", move)
        outcome = self.openclaw("backup", "restore", "b.tar.gz", "--yes")
        self.assertEqual(outcome.code, 1)
        self.assertIn("No space left on device", outcome.err)
        left = {path: path.read_bytes() for path in self.home.rglob("*") if path.is_file()}
        self.assertEqual({**left, **before}, left, "what was there is there")
        self.assertEqual(list((self.home / ".local" / "share" / "Trash" / "files").iterdir()), [])

    def test_running(self) -> None:
        """
        Not under a gateway that runs.
        """
        self.make()
        lock = ProcessLock(state_dir=self.state, config_path=self.path, now_ms=lambda: 0)
        lock.acquire()
        self.addCleanup(lock.release)
        before = self.path.read_bytes()
        outcome = self.openclaw("backup", "restore", "b.tar.gz", "--yes")
        self.assertEqual(outcome.code, 75)
        self.assertIn("gateway already running", outcome.err)
        self.assertEqual(self.path.read_bytes(), before)

    def test_anothers_workspace(self) -> None:
        """
        Not where another profile's gateway works, which the restored configuration may name.
        """
        self.configure({"agents": {"defaults": {"workspace": str(self.state / "workspace")}}})
        self.make()
        claims = Claims()
        claims.take([Claim(path=self.state / "workspace", what="workspace", fix="", is_directory=True)])
        self.addCleanup(claims.release)
        for command in (("backup", "restore", "b.tar.gz", "--yes"), ("reset", "--scope", "full", "--yes")):
            outcome = self.openclaw(*command)
            self.assertEqual(outcome.code, 75)
            self.assertIn(f"{self.state / 'workspace'} is used by another gateway", outcome.err)
            self.assertTrue((self.state / "workspace" / "SOUL.md").exists())
        # Nor with nobody there, in another profile.
        claims.release()
        self.environ["OPENCLAW_STATE_DIR"] = str(self.home / "other")
        outcome = self.openclaw("backup", "restore", "b.tar.gz", "--yes")
        self.assertEqual(outcome.code, 1)
        self.assertIn(f"{self.state / 'workspace'} is not replaced", outcome.err)
        self.assertTrue((self.state / "workspace" / "SOUL.md").exists())
        self.assertFalse((self.home / "other").exists())

    def test_two_agents_in_one_place(self) -> None:
        """
        A part never takes the place of another one.
        """
        agents = {"list": [{"id": "main"}, {"id": "test"}]}
        self.configure({"agents": agents})
        (self.state / "workspace-test").mkdir()
        (self.state / "workspace-test" / "SOUL.md").write_text("test")
        self.make()
        self.environ |= {"OPENCLAW_PROFILE": "test", "OPENCLAW_STATE_DIR": str(self.home / ".openclaw-test")}
        outcome = self.openclaw("backup", "restore", "b.tar.gz", "--yes")
        self.assertEqual(outcome.code, 1)
        self.assertIn("is not replaced: ", outcome.err)
        self.assertEqual((self.state / "workspace" / "SOUL.md").read_text(), "soul")

    def test_odd_names(self) -> None:
        """
        Whatever file systems take is kept, put back, and moved to the trash; a loop of links leads nowhere.
        """
        names = ["odd\nname", "n\udcffon", "x" * 255]
        for name in names:
            (self.state / "workspace" / name).write_text("odd")
            (self.state / name).mkdir()
        (self.state / "workspace" / "loop").symlink_to("loop")
        (self.state / "workspace-other").mkdir()
        self.make()
        self.assertEqual(self.openclaw("reset", "--scope", "full", "--yes").code, 0)
        self.assertEqual([path.name for path in self.state.iterdir()], ["workspace-other"])
        self.assertEqual(self.openclaw("backup", "restore", "b.tar.gz", "--yes").code, 0)
        for name in names:
            self.assertEqual((self.state / "workspace" / name).read_text(), "odd")

    def test_broken(self) -> None:
        """
        What is not whole, or would reach outside, changes nothing.
        """
        good = self.make()
        body = good.read_bytes()
        (self.home / "cut.tar.gz").write_bytes(body[: len(body) // 2])
        (self.home / "none.tar.gz").write_bytes(b"no archive")
        self.forge("outside.tar.gz", "../outside", b"x")
        self.forge("other.tar.gz", "state/identity/device.json", b"other")
        self.forge("unlisted.tar.gz", "state/agents/more.json", b"{}")
        (self.home / "noise.tar.gz").write_bytes(body[:500] + bytes(byte ^ 0x55 for byte in body[500:600]) + body[600:])
        with tarfile.open(good) as archive:
            told = archive.extractfile("manifest.json")
            assert told is not None
            whole = json.load(told)
        manifests: list[Any] = [[], {}, *({**whole, "links": links} for links in LINKS)]
        for number, manifest in enumerate(manifests):
            self.forge(f"manifest-{number}.tar.gz", "manifest.json", json.dumps(manifest).encode())
        for change, told_of in WRONG:
            self.forge("wrong.tar.gz", "manifest.json", json.dumps({**whole, **change}).encode())
            self.assertIn(told_of, self.openclaw("backup", "verify", "wrong.tar.gz").err)
        before = sorted(path.name for path in self.state.rglob("*"))
        names = [f"manifest-{number}" for number in range(len(manifests))]
        for name in ("cut", "none", "outside", "other", "missing", "unlisted", "noise", *names):
            for command in (("verify", f"{name}.tar.gz"), ("restore", f"{name}.tar.gz", "--yes")):
                outcome = self.openclaw("backup", *command)
                self.assertEqual((outcome.code, outcome.out), (1, ""), (name, outcome.err))
                self.assertIn("cannot be read: ", outcome.err)
        self.assertEqual(sorted(path.name for path in self.state.rglob("*")), before)
        self.assertFalse((self.home.parent / "outside").exists() or os.path.exists(self.home / "outside"))
        self.assertEqual(self.openclaw("backup", "nonsense").code, 2)

    def forge(self, name: str, member: str, body: bytes) -> None:
        """
        The good archive with one member more, or another in its place.
        """
        with tarfile.open(self.home / "b.tar.gz") as good, tarfile.open(self.home / name, "w:gz") as forged:
            for info in good.getmembers():
                if info.name != member:
                    forged.addfile(info, good.extractfile(info))
            info = tarfile.TarInfo(member)
            info.size = len(body)
            forged.addfile(info, io.BytesIO(body))
