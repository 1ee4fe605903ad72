"""
Tests of ``openclaw.store.claims``: what two gateways must not share.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import build
from openclaw.store.claims import Claim, ClaimRefused, Claims, claims_of, lock_owner, runtime_dir

BOT = "110201543:a-token-of-this-test-0123456789"


class ClaimsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).resolve()
        self.home.mkdir()
        self.directory = self.home / "run"

    def of(self, config: dict[str, Any], **environ: str) -> tuple[Claim, ...]:
        return claims_of(build(config), environ, self.home, self.directory)

    def claims(self) -> Claims:
        claims = Claims()
        self.addCleanup(claims.release)
        return claims


class TakeTests(ClaimsCase):
    def test_refused(self) -> None:
        """
        What one gateway has the other does not get, and nothing else of what it asked for with it; the refusal says
        who has it. When the one has gone, the other gets it.
        """
        first, second = self.claims(), self.claims()
        shared = self.of({})
        first.take(shared)
        wanted = self.of({"agents": {"list": [{"id": "main"}, {"id": "a", "workspace": "~/aa"}]}})
        self.assertEqual(len(wanted), 2)
        refused = self.assertRaises(ClaimRefused, second.take, wanted)
        workspace = self.home / ".openclaw" / "workspace"
        pid = os.getpid() if os.path.exists("/proc/locks") else "unknown"
        self.assertEqual(str(refused), f"workspace {workspace} is used by another gateway (pid {pid})")
        first.take(wanted)
        first.release()
        second.take(wanted)
        self.assertRaises(ClaimRefused, first.take, shared)

    def test_keep(self) -> None:
        """
        A restart keeps what it goes on with, and lets go of the rest; taking again changes nothing.
        """
        first, second = self.claims(), self.claims()
        old, new = self.of({"agents": {"defaults": {"workspace": "~/old"}}}), self.of({})
        first.take(old)
        first.take((*old, *new))
        first.keep(new)
        second.take(old)
        self.assertRaises(ClaimRefused, second.take, new)

    def test_nothing_left(self) -> None:
        """
        A workspace stays as it is: an empty one is still new to whoever fills it.
        """
        claims = self.claims()
        claims.take(self.of({}))
        self.assertEqual(list((self.home / ".openclaw" / "workspace").iterdir()), [])

    def test_cannot_be_locked(self) -> None:
        """
        What nobody can lock is no reason not to run, and the log says so.
        """
        (self.home / "file").write_text("")
        with capturedLogs() as events:
            self.claims().take(self.of({"agents": {"defaults": {"workspace": "~/file/below"}}}))
        (event,) = events
        self.assertIn(f"workspace {self.home}/file/below cannot be locked: Not a directory", str(formatEvent(event)))

    def test_private(self) -> None:
        """
        Locks of credentials are for nobody else to see, and their names tell no secret.
        """
        claims = self.claims()
        claims.take(self.of({"channels": {"telegram": {"botToken": BOT}}}))
        (file,) = self.directory.iterdir()
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.directory.stat().st_mode), 0o700)
        self.assertRegex(file.name, r"\Atelegram-[0-9a-f]{32}\.lock\Z")


class NamedTests(ClaimsCase):
    def credentials(self, channels: dict[str, Any]) -> list[Claim]:
        return [claim for claim in self.of({"channels": channels}) if not claim.is_directory]

    def test_workspaces(self) -> None:
        """
        One claim for each directory, also where agents share it or a link leads to it.
        """
        (self.home / "work").mkdir()
        (self.home / "link").symlink_to(self.home / "work")
        agents = [{"id": "a", "workspace": "~/work"}, {"id": "b", "workspace": "~/link"}, {"id": "c"}]
        found = self.of({"agents": {"list": agents}}, OPENCLAW_PROFILE="rescue")
        names = [".openclaw/workspace-c", "work"]
        self.assertEqual([claim.path for claim in found], [self.home / name for name in names])

    def test_bot(self) -> None:
        """
        A bot is the same wherever its token stands, and one that is switched off is nobody's.
        """
        (self.home / "token").write_text(f"{BOT}\n")
        (one,) = self.credentials({"telegram": {"botToken": BOT}})
        (two,) = self.credentials({"telegram": {"accounts": {"x": {"tokenFile": "~/token"}}}})
        self.assertEqual(one, two)
        self.assertEqual(two.what, "the account of channels.telegram.accounts.x.tokenFile")
        self.assertIn("openclaw config set channels.telegram.accounts.x.enabled false", two.fix)
        for off in (
            {"telegram": {"botToken": BOT, "enabled": False}},
            {"telegram": {"accounts": {"x": {"botToken": BOT, "enabled": False}}}},
            {"telegram": {"tokenFile": "~/nowhere"}},
        ):
            self.assertEqual(self.credentials(off), [])
        self.assertNotEqual(one, self.credentials({"discord": {"token": BOT}})[0])
        self.assertNotIn("token-of-this-test", repr(one))

    def test_account(self) -> None:
        """
        A linked WhatsApp account is its directory.
        """
        (one,) = self.credentials({"whatsapp": {"accounts": {"me": {"authDir": "~/wa"}}}})
        (two,) = self.credentials({"whatsapp": {"accounts": {"other": {"authDir": str(self.home / "wa")}}}})
        self.assertEqual(one, two)


class PlaceTests(ClaimsCase):
    def test_runtime_dir(self) -> None:
        """
        The system's own directory for the user, else one in the temporary directory.
        """
        (self.home / "7").mkdir()
        self.assertEqual(runtime_dir({"TMPDIR": "/var/t"}, 7, self.home), self.home / "7" / "openclaw")
        self.assertEqual(runtime_dir({"TMPDIR": "/var/t"}, 8, self.home), Path("/var/t/openclaw-8"))

    def test_owner(self) -> None:
        """
        The kernel's list names the process; what it does not list, or hides, is nobody's that we could name.
        """
        file = self.home / "file"
        file.write_text("")
        found = file.stat()
        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
        locks = self.home / "locks"
        lines = ("1: POSIX  ADVISORY  WRITE 12 {0}:{1} 0 EOF", "2: FLOCK  ADVISORY  WRITE {2} {0}:{1} 0 EOF")
        locks.write_text("\n".join(lines).format(device, found.st_ino, 4711))
        self.assertEqual(lock_owner(locks, found), 4711)
        locks.write_text("\n".join(lines).format(device, found.st_ino, 0))
        self.assertIsNone(lock_owner(locks, found))
        self.assertIsNone(lock_owner(self.home / "none", found))
