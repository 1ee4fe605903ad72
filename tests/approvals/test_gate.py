"""
Tests of ``openclaw.approvals.gate``: from a command to leave for it, on real files.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.gate import Awaited, ExecDenied, Gate, Leave, Wanted
from openclaw.approvals.policy import Surroundings
from openclaw.approvals.questions import Questions
from openclaw.approvals.scripts import Changed
from openclaw.clock import millis


class GateCase(SynchronousTestCase):
    """
    A host with two programs, and one person to ask.
    """

    def setUp(self) -> None:
        self.root = Path(os.path.realpath(self.mktemp()))
        self.cwd, self.bin = self.root / "work", self.root / "bin"
        for directory in (self.cwd, self.bin):
            directory.mkdir(parents=True)
        for name in ("tool", "other"):
            self.put(self.bin / name, "\x7fELF")
        self.clock = Clock()
        self.clock.advance(1000)
        self.told: list[Any] = []
        self.approvers = True
        self.questions = Questions(
            clock=self.clock,
            publish=lambda event, payload, **how: self.told.append(payload),
            make_id=lambda: "q1",
            reachable=lambda: self.approvers,
        )
        self.gate = Gate(
            path=self.root / "home" / "exec-approvals.json",
            questions=self.questions,
            around=lambda cwd: Surroundings(cwd=cwd, home=self.root, search=[str(self.bin)]),
            in_thread=maybeDeferred,
            now_ms=lambda: millis(self.clock),
        )
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def put(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def rules(self, **content: Any) -> None:
        self.gate.path.parent.mkdir(exist_ok=True)
        self.gate.path.write_text(json.dumps({"version": 1, **content}))

    def ask(self, command: str, **members: Any) -> Deferred[Leave | Awaited]:
        told = {"cwd": self.cwd, "agent_id": "main", "security": "allowlist", **members}
        return Deferred.fromCoroutine(self.gate.leave(Wanted(command=command, **told)))

    def awaited(self, command: str, **members: Any) -> Awaited:
        found = self.successResultOf(self.ask(command, **members))
        assert isinstance(found, Awaited)
        return found

    def decide(self, decision: str) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.questions.resolve("q1", decision, "me")))
        self.clock.advance(0)

    def begin(self, leave: Leave) -> Deferred[None]:
        return Deferred.fromCoroutine(self.gate.begin(leave))

    def denied(self, waiting: Deferred[Any]) -> tuple[str, str]:
        error = self.failureResultOf(waiting, ExecDenied).value
        return error.cause, str(error)


class GateTests(GateCase):
    """
    Leave, and none.
    """

    def test_once(self) -> None:
        """
        Somebody is asked with all that is known; leave for once is not kept.
        """
        awaited = self.awaited("tool x", session_key="agent:main:main")
        request = {
            "command": "tool x",
            "cwd": str(self.cwd),
            "host": "gateway",
            "security": "allowlist",
            "ask": "on-miss",
            "agentId": "main",
            "resolvedPath": str(self.bin / "tool"),
            "sessionKey": "agent:main:main",
        }
        self.assertEqual(awaited.asked.request, request)
        self.decide("allow-once")
        self.successResultOf(self.begin(self.successResultOf(awaited.outcome)))
        self.assertFalse(self.gate.path.exists())

    def test_always(self) -> None:
        """
        Leave for always is in the file when the command begins; from then on nobody is asked.
        """
        awaited = self.awaited("tool x | other")
        self.decide("allow-always")
        self.successResultOf(self.begin(self.successResultOf(awaited.outcome)))
        leave = self.successResultOf(self.ask("other y"))
        assert isinstance(leave, Leave)
        self.clock.advance(5)
        self.successResultOf(self.begin(leave))
        entries = json.loads(self.gate.path.read_text())["agents"]["main"]["allowlist"]
        told = [(entry["pattern"], entry["lastUsedCommand"]) for entry in entries]
        self.assertEqual(told, [(f"{self.bin}/tool", "tool x | other"), (f"{self.bin}/other", "other y")])

    def test_always_of_a_wrapper(self) -> None:
        """
        Of a wrapper "always" is once.
        """
        self.put(self.bin / "env", "\x7fELF")
        for _ in range(2):
            awaited = self.awaited("env tool")
            self.decide("allow-always")
            self.successResultOf(self.begin(self.successResultOf(awaited.outcome)))
        self.assertFalse(self.gate.path.exists())

    def test_denied(self) -> None:
        """
        The rules, a person or nobody in time: each is told in its own words.
        """
        self.assertEqual(
            self.denied(self.ask("tool", security="deny")), ("policy", "exec denied: host=gateway security=deny")
        )
        self.assertEqual(self.denied(self.ask("tool", ask="off")), ("policy", "exec denied: allowlist miss"))
        awaited = self.awaited("tool x")
        self.decide("deny")
        self.assertEqual(
            self.denied(awaited.outcome), ("user-denied", "Exec denied (gateway id=q1, user-denied): tool x")
        )
        awaited = self.awaited("tool x")
        self.clock.pump([120, 0])
        self.assertEqual(self.denied(awaited.outcome)[0], "approval-timeout")

    def test_f5_nobody_to_ask(self) -> None:
        """
        Without anybody to ask nothing waits (lesson F5).
        """
        self.approvers = False
        self.assertEqual(self.denied(self.ask("tool")), ("no-approver", "Exec denied (gateway, no-approver): tool"))
        self.rules(defaults={"askFallback": "full"})
        self.assertIsInstance(self.successResultOf(self.ask("tool")), Leave)

    def test_fallback(self) -> None:
        """
        Without a decision what the file says for that.
        """
        entry = {"id": "e", "pattern": f"{self.bin}/tool"}
        self.rules(defaults={"askFallback": "allowlist", "ask": "always"}, agents={"main": {"allowlist": [entry]}})
        for command, allowed in (("tool x", True), ("other x", False)):
            awaited = self.awaited(command)
            self.clock.pump([120, 0])
            if allowed:
                self.assertIsInstance(self.successResultOf(awaited.outcome), Leave)
            else:
                self.assertEqual(self.denied(awaited.outcome)[0], "approval-timeout")

    def test_withdrawn(self) -> None:
        """
        Who ends the wait takes the question back.
        """
        awaited = self.awaited("tool x")
        awaited.outcome.addErrback(lambda failure: None)
        awaited.outcome.cancel()
        self.assertEqual(self.questions.pending(), [])


class BoundTests(GateCase):
    """
    Leave is for what was there when it was asked for.
    """

    def test_ghsa_57jw_9722_6rf2(self) -> None:
        """
        A script that is swapped while a person reads does not run, and "always" is not kept for it.
        """
        self.put(self.cwd / "deploy", "#!/bin/sh\nls\n")
        awaited = self.awaited("./deploy")
        self.put(self.cwd / "deploy", "#!/bin/sh\nevil\n")
        self.decide("allow-always")
        self.failureResultOf(self.begin(self.successResultOf(awaited.outcome)), Changed)
        self.assertFalse(self.gate.path.exists())

    def test_other_directory(self) -> None:
        """
        Nor does a command in a directory that is another one by then.
        """
        link = self.root / "link"
        link.symlink_to(self.cwd)
        awaited = self.awaited("tool x", cwd=link)
        link.unlink()
        link.symlink_to(self.root)
        self.decide("allow-once")
        self.failureResultOf(self.begin(self.successResultOf(awaited.outcome)), Changed)

    def test_allowed_by_the_list(self) -> None:
        """
        The same holds for what nobody was asked about.
        """
        entry = {"id": "e", "pattern": f"{self.bin}/tool"}
        self.rules(agents={"main": {"allowlist": [entry]}})
        leave = self.successResultOf(self.ask("tool x"))
        assert isinstance(leave, Leave)
        (self.bin / "tool").unlink()
        (self.bin / "tool").symlink_to(self.bin / "other")
        self.failureResultOf(self.begin(leave), Changed)
