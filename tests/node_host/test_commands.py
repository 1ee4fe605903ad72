"""
What a node does when it is asked, and what it refuses.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.node_host.child import Ended
from openclaw.node_host.commands import MOST_LIMIT_MS, CommandFailed, NodeCommands

DONE = Ended(exit_code=0, timed_out=False, output="out", errors="err")


class CommandCase(SynchronousTestCase):
    """
    A node with two programs and a file of rules.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.bin = self.home / "bin"
        self.bin.mkdir(parents=True)
        for name in ("tool", "other"):
            self.program(name)
        self.ran: list[tuple[str, list[str], dict[str, Any]]] = []
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.path = self.home / ".openclaw" / "exec-approvals.json"
        self.commands = NodeCommands(
            clock=Clock(),
            home=self.home,
            environ={"PATH": str(self.bin), "LD_PRELOAD": "/evil.so", "KEEP": "1"},
            approvals=self.path,
            run_program=self.run_program,
            in_thread=maybeDeferred,
            tell=lambda event, payload: self.events.append((event, payload)),
            make_id=lambda: "run-1",
        )

    def program(self, name: str, text: str = "#!/bin/sh\n") -> Path:
        path = self.bin / name
        path.write_text(text)
        os.chmod(path, 0o755)
        return path

    def run_program(self, program: str, argv: Any, **options: Any) -> Deferred[Ended]:
        self.ran.append((program, list(argv), options))
        return succeed(DONE)

    def rules(self, **defaults: Any) -> None:
        self.path.parent.mkdir(exist_ok=True)
        allowed = defaults.pop("allowlist", [])
        agents = {"main": {"allowlist": [{"id": str(n), "pattern": str(p)} for n, p in enumerate(allowed)]}}
        self.path.write_text(json.dumps({"version": 1, "defaults": defaults, "agents": agents}))

    def ask(self, command: str, /, **params: Any) -> Any:
        handler = self.commands.find(command)
        assert handler is not None
        return self.successResultOf(Deferred.fromCoroutine(handler(params)))  # type: ignore[arg-type]

    def refused(self, command: str, /, **params: Any) -> str:
        handler = self.commands.find(command)
        assert handler is not None
        failure = self.failureResultOf(Deferred.fromCoroutine(handler(params)), CommandFailed)  # type: ignore[arg-type]
        return str(failure.value)


class RunTests(CommandCase):
    def test_by_default_nothing_runs(self) -> None:
        """
        Without a file of rules nothing is allowed, and the gateway learns of the attempt.
        """
        self.assertEqual(self.refused("system.run", command=["tool"]), "SYSTEM_RUN_DENIED: security=deny")
        ((name, payload),) = self.events
        self.assertEqual((name, payload["reason"], payload["command"]), ("exec.denied", "security=deny", "tool"))
        self.assertEqual(self.ran, [])

    def test_allowed(self) -> None:
        """
        What the allowlist names runs, where it was found and with the caller's variables but for those that change it.
        """
        self.rules(security="allowlist", ask="off", allowlist=[self.bin / "tool"])
        env = {"A": "1", "PATH": "/evil", "LD_PRELOAD": "/evil.so", "N": 1}
        result = self.ask("system.run", command=["tool", "a b"], env=env, timeoutMs=1500, sessionKey="s")
        told = {"exitCode": 0, "timedOut": False, "success": True}
        self.assertEqual(result, {**told, "stdout": "out", "stderr": "err", "error": None})
        ((program, argv, options),) = self.ran
        self.assertEqual((program, argv), (str(self.bin / "tool"), ["a b"]))
        self.assertEqual((options["cwd"], options["limit"]), (self.home, 1.5))
        self.assertEqual(options["environ"], {"PATH": str(self.bin), "KEEP": "1", "A": "1"})
        self.assertEqual([name for name, _ in self.events], ["exec.started", "exec.finished"])
        self.assertEqual(self.events[1][1]["output"], "out\nerr")
        self.assertEqual({payload["sessionKey"] for _, payload in self.events}, {"s"})
        used = json.loads(self.path.read_text())["agents"]["main"]["allowlist"][0]
        self.assertEqual(used["lastUsedCommand"], "tool 'a b'")

    def test_missed(self) -> None:
        """
        Another program is asked for, or refused where nobody is to be asked.
        """
        self.rules(security="allowlist", ask="off", allowlist=[self.bin / "tool"])
        self.assertEqual(self.refused("system.run", command=["other"]), "SYSTEM_RUN_DENIED: allowlist miss")
        self.rules(security="allowlist", ask="on-miss", allowlist=[self.bin / "tool"])
        self.assertEqual(self.refused("system.run", command=["other"]), "SYSTEM_RUN_DENIED: approval required")
        self.assertEqual(self.ran, [])
        self.ask("system.run", command=["other"], approved=True)
        self.assertEqual([program for program, _, _ in self.ran], [str(self.bin / "other")])

    def test_always(self) -> None:
        """
        Leave for good is kept; the text beside the arguments has no say in what it is for.
        """
        self.rules(security="allowlist", ask="on-miss")
        self.ask("system.run", command=["other"], rawCommand="tool", approvalDecision="allow-always")
        kept = json.loads(self.path.read_text())["agents"]["main"]["allowlist"]
        self.assertEqual([entry["pattern"] for entry in kept], [str(self.bin / "other")])
        self.ask("system.run", command=["other", "-x"])
        self.assertEqual(self.refused("system.run", command=["tool"]), "SYSTEM_RUN_DENIED: approval required")

    def test_shells_hide_nothing(self) -> None:
        """
        A shell is not what it runs: an allowed program inside does not allow it.
        """
        self.rules(security="allowlist", ask="on-miss", allowlist=[self.bin / "tool", "/bin/sh"])
        message = self.refused("system.run", command=["/bin/sh", "-c", "tool"])
        self.assertEqual(message, "SYSTEM_RUN_DENIED: approval required")

    def test_denied_for_good(self) -> None:
        """
        Where nothing may run, nobody's leave helps.
        """
        self.rules(security="deny")
        self.refused("system.run", command=["tool"], approved=True, approvalDecision="allow-always")
        self.assertEqual(self.ran, [])

    def test_bad_requests(self) -> None:
        """
        What is no command is told before anything is looked at.
        """
        for command in (None, [], "tool", [1], [" "], ["a\0"]):
            self.assertEqual(self.refused("system.run", command=command), "command required")
        self.assertIn("cwd is no directory", self.refused("system.run", command=["tool"], cwd="nowhere"))
        self.rules(security="full", ask="off")
        self.assertEqual(self.refused("system.run", command=["no-such"]), "program not found: no-such")
        self.ask("system.run", command=["tool"], timeoutMs=10**12)
        self.assertEqual(self.ran[0][2]["limit"], MOST_LIMIT_MS / 1000)


class OtherTests(CommandCase):
    def test_which(self) -> None:
        """
        Programs that are there, by their paths.
        """
        found = self.ask("system.which", bins=["tool", " other ", "nope", ""])
        self.assertEqual(found, {"bins": {"tool": str(self.bin / "tool"), "other": str(self.bin / "other")}})
        self.assertEqual(self.refused("system.which", bins="tool"), "bins required")

    def test_rules(self) -> None:
        """
        The rules are shown without the socket's token, and replaced only by who has seen them.
        """
        shown = self.ask("system.execApprovals.get")
        self.assertNotIn("token", json.dumps(shown["file"]))
        file = {"version": 1, "defaults": {"security": "full"}}
        self.assertIn("hash", self.refused("system.execApprovals.set", file=file))
        self.assertIn("file required", self.refused("system.execApprovals.set", file=[], baseHash=shown["hash"]))
        changed = self.ask("system.execApprovals.set", file=file, baseHash=shown["hash"])
        self.assertEqual(changed["file"]["defaults"]["security"], "full")
        self.refused("system.execApprovals.set", file=file, baseHash=shown["hash"])

    def test_unknown(self) -> None:
        self.assertIsNone(self.commands.find("system.reboot"))
