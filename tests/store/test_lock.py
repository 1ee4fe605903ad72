"""
One gateway per state directory.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.store.lock import (
    NAME,
    STALE_MS,
    AlreadyRunning,
    LockFailed,
    ProcessLock,
    Waiting,
    reference_lock,
    reference_owner,
    start_time,
)

NOW = 1_800_000_000_000
PROC = Path("/proc")

HOLDER = """
import sys
from pathlib import Path
from openclaw.store.lock import ProcessLock
lock = ProcessLock(state_dir=Path(sys.argv[1]), config_path=Path("/c"), now_ms=lambda: 0)
lock.acquire()
{then}
print("held", flush=True)
sys.stdin.read()
"""

#: As twistd does: the lock was taken, then the process goes on in a child.
FORK = """
import os
if os.fork():
    os._exit(0)
"""


class LockTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.state = Path(self.mktemp()).absolute()

    def lock(self, **changes: Any) -> ProcessLock:
        lock = ProcessLock(
            **{"state_dir": self.state, "config_path": Path("/c/openclaw.json"), "now_ms": lambda: NOW, **changes}
        )
        self.addCleanup(lock.release)
        return lock

    def holder(self, then: str = "") -> subprocess.Popen[str]:
        """
        Another process that holds the lock.
        """
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER.format(then=then), str(self.state)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.assertEqual(process.stdout.readline(), "held\n")
        return process


class OwnTests(LockTestCase):
    def test_content(self) -> None:
        """
        The file tells whose it is, and only its owner may read it.
        """
        self.lock().acquire()
        path = self.state / NAME
        told = json.loads(path.read_text())
        self.assertEqual((told["pid"], told["configPath"]), (os.getpid(), "/c/openclaw.json"))
        self.assertEqual(told["createdAt"], "2027-01-15T08:00:00.000Z")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_again(self) -> None:
        """
        Who has it may take it again: a tree that follows another in one process.
        """
        lock = self.lock()
        lock.acquire()
        lock.acquire()
        self.assertTrue(lock.is_held)
        lock.release()
        self.assertFalse(lock.is_held)
        lock.release()

    def test_one_after_another(self) -> None:
        """
        A lock that was given up is free for another one of the same process.
        """
        first = self.lock()
        first.acquire()
        self.assertRaises(AlreadyRunning, self.lock().acquire)
        first.release()
        self.lock().acquire()

    def test_held_by_another(self) -> None:
        """
        A second process is refused with the pid of the first, and waits if it is told how.
        """
        process = self.holder()
        slept: list[float] = []
        error = self.assertRaises(AlreadyRunning, self.lock().acquire)
        self.assertEqual(str(error), f"gateway already running (pid {process.pid})")
        error = self.assertRaises(AlreadyRunning, self.lock().acquire, Waiting(sleep=slept.append))
        self.assertEqual(str(error), f"gateway already running (pid {process.pid}); lock timeout after 5000ms")
        self.assertEqual(len(slept), 50)
        self.assertEqual(json.loads((self.state / NAME).read_text())["pid"], process.pid)

    def test_ends_while_waited_for(self) -> None:
        """
        A gateway that comes to its end makes room for the one that waits.
        """
        process = self.holder()

        def sleep(seconds: float) -> None:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()

        self.lock().acquire(Waiting(sleep=sleep))

    def test_killed(self) -> None:
        """
        A process that was killed holds nothing, whatever its file says.
        """
        process = self.holder()
        process.kill()
        process.wait()
        self.assertIn(str(process.pid), (self.state / NAME).read_text())
        self.lock().acquire()

    def test_fork(self) -> None:
        """
        A daemon that forks after it took the lock keeps it when its parent ends.
        """
        process = self.holder(FORK)
        process.wait()
        self.assertRaises(AlreadyRunning, self.lock().acquire)
        assert process.stdin is not None
        process.stdin.close()

    def test_child_processes(self) -> None:
        """
        A command that a gateway started does not hold the lock when the gateway has ended.
        """
        lock = self.lock()
        lock.acquire()
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            close_fds=False,
        )
        self.addCleanup(child.wait)
        self.addCleanup(child.communicate)
        # A parent goes on as soon as the child has a memory of its own: before its files are closed.
        assert child.stdout is not None
        child.stdout.readline()
        assert lock._descriptor is not None
        os.close(lock._descriptor)
        lock._descriptor = None
        self.lock().acquire()

    def test_cannot_be_made(self) -> None:
        """
        A state directory that is a file, and a link in place of the lock, are told as what they are.
        """
        self.state.mkdir()
        os.symlink("/etc/passwd", self.state / NAME)
        error = self.assertRaises(LockFailed, self.lock().acquire)
        self.assertTrue(str(error).startswith(f"failed to acquire gateway lock at {self.state / NAME}: "))
        file = self.state / "file"
        file.touch()
        self.assertRaises(LockFailed, self.lock(state_dir=file / "state").acquire)


class ReferenceTests(LockTestCase):
    """
    The lock of a reference gateway for the same configuration.
    """

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp()).absolute()

    def write(self, told: Any) -> None:
        self.path.write_text(told if isinstance(told, str) else json.dumps(told))

    def owner(self, now_ms: int = NOW, proc: Path = PROC) -> int | None:
        return reference_owner(self.path, proc, now_ms)

    def child(self, *arguments: str) -> subprocess.Popen[bytes]:
        """
        Another process that lives.
        """
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.communicate)
        # Before it has begun its own work, its command line may be empty.
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def test_place(self) -> None:
        """
        The file is named by the text of the configuration's path.
        """
        config = Path("/home/u/.openclaw/openclaw.json")
        self.assertEqual(reference_lock(config, {}, 1000), Path("/tmp/openclaw-1000/gateway.2761f18c.lock"))
        self.assertEqual(reference_lock(config, {"TMPDIR": "/t/"}, 0), Path("/t/openclaw-0/gateway.2761f18c.lock"))
        self.assertIsNone(reference_lock(config, {"OPENCLAW_ALLOW_MULTI_GATEWAY": "1"}, 0))
        self.assertIsNotNone(reference_lock(config, {"OPENCLAW_ALLOW_MULTI_GATEWAY": "true"}, 0))

    def test_none(self) -> None:
        """
        Without a file there is no owner.
        """
        self.assertIsNone(self.owner())

    def test_alive(self) -> None:
        """
        A process that began when the file says is the owner, whatever it is called.
        """
        process = self.child()
        started = start_time(process.pid, PROC)
        self.write({"pid": process.pid, "createdAt": "2026-11-23T05:53:27.349Z", "startTime": started})
        self.assertEqual(self.owner(), process.pid)
        error = self.assertRaises(AlreadyRunning, self.lock(reference=self.path).acquire)
        self.assertEqual(error.pid, process.pid)
        self.assertFalse((self.state / NAME).exists())

    def test_pid_of_another(self) -> None:
        """
        A process that began at another time has only got the number.
        """
        process = self.child("openclaw-gateway")
        self.write({"pid": process.pid, "startTime": 1})
        self.assertIsNone(self.owner())

    def test_dead(self) -> None:
        """
        A file that was left behind is ignored, and stays as it is.
        """
        process = self.child()
        process.communicate()
        text = json.dumps({"pid": process.pid, "startTime": 1})
        self.write(text)
        self.lock(reference=self.path).acquire()
        self.assertEqual(self.path.read_text(), text)

    def test_without_start_time(self) -> None:
        """
        Where the file does not say when its owner began, its command line decides.
        """
        for arguments, is_owner in ((("openclaw-gateway",), True), (("sleep",), False)):
            process = self.child(*arguments)
            self.write({"pid": process.pid})
            self.assertEqual(self.owner(), process.pid if is_owner else None)

    def test_ourselves(self) -> None:
        """
        A file with our own number is older than we are.
        """
        self.write({"pid": os.getpid()})
        self.assertIsNone(self.owner())

    def test_unreadable(self) -> None:
        """
        A file that tells nothing counts while it is young.
        """

        def made(at_ms: int) -> None:
            os.utime(self.path, ns=(at_ms * 1_000_000, at_ms * 1_000_000))

        for told in ("", "not json", "[]", {"pid": "x"}, {"pid": -1}, {"pid": True}):
            self.write(told)
            made(NOW - STALE_MS + 1_000)
            self.assertEqual(self.owner(), 0, told)
            made(NOW - STALE_MS - 1_000)
            self.assertIsNone(self.owner(), told)
        self.write({"createdAt": "2027-01-15T07:59:59.000Z"})
        self.assertEqual(self.owner(), 0)
        error = self.assertRaises(AlreadyRunning, self.lock(reference=self.path).acquire)
        self.assertEqual(str(error), "gateway already running (pid unknown)")

    def test_name_with_brackets(self) -> None:
        """
        The name of a program cannot be taken for the numbers behind it.
        """
        proc = Path(self.mktemp())
        (proc / "7").mkdir(parents=True)
        fields = " ".join(str(number) for number in range(4, 30))
        (proc / "7" / "stat").write_text(f"7 (a) b (c 1 2) S {fields}\n")
        self.assertEqual(start_time(7, proc), 22)
        (proc / "7" / "stat").write_text("7 (a")
        self.assertIsNone(start_time(7, proc))
