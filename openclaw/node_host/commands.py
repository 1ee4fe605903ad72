"""
What this node can do: ``system.run``, ``system.which`` and the file of rules.

Leave to run something is this machine's: its own file of rules decides, and a person where it says so. That somebody
has approved a command is believed only from the gateway, which takes it out of what its callers say.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from openclaw.approvals.environment import environment
from openclaw.approvals.errors import ApprovalsChanged, ApprovalsHashMissing
from openclaw.approvals.file import change_approvals, ensure_approvals, read_approvals, set_approvals
from openclaw.approvals.policy import Surroundings, Use, Verdict, rules_of, weigh
from openclaw.approvals.programs import resolve
from openclaw.approvals.scripts import Bound, Changed, bind, check
from openclaw.clock import millis
from openclaw.errors import OpenClawError
from openclaw.node_host.child import Ended

COMMANDS = ("system.run", "system.which", "system.execApprovals.get", "system.execApprovals.set")
CAPS = ("system",)

#: A program that was given no limit, in milliseconds; and the longest that any is given.
DEFAULT_LIMIT_MS = 10 * 60_000
MOST_LIMIT_MS = 60 * 60_000
MOST_NAMES = 256
#: Of what a program said, an event tells the end.
MOST_TOLD = 20_000


@frozen(kw_only=True)
class CommandFailed(OpenClawError):
    """
    The node cannot do what it was asked.

    :ivar code: as the gateway's callers know it.
    """

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


@frozen(kw_only=True)
class Asked:
    """
    One command line that a gateway wants run.

    :ivar line: as a shell would read it: the arguments themselves, whatever text came beside them.
    """

    argv: tuple[str, ...]
    line: str
    cwd: Path
    env: Mapping[str, str]
    limit_ms: int
    agent_id: str
    session_key: str
    run_id: str
    approved: bool
    always: bool


RunProgram = Callable[..., Deferred[Ended]]
Tell = Callable[[str, Mapping[str, Any]], object]


@define(kw_only=True, eq=False)
class NodeCommands:
    """
    The commands of one node.

    :ivar approvals: the file of rules.
    :ivar run_program: see ``openclaw.node_host.child.run``, without its reactor.
    :ivar tell: sends an event to the gateway.
    """

    clock: IReactorTime
    home: Path
    environ: Mapping[str, str]
    approvals: Path
    run_program: RunProgram
    in_thread: Callable[..., Deferred[Any]]
    tell: Tell
    make_id: Callable[[], str]

    def find(self, command: str) -> Callable[[Mapping[str, Any]], Awaitable[Any]] | None:
        """
        What is behind a command.
        """
        return {
            "system.run": self.run,
            "system.which": self.which,
            "system.execApprovals.get": self.get_approvals,
            "system.execApprovals.set": self.set_approvals,
        }.get(command)

    async def which(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """
        Where programs are; those that are not there are left out.
        """
        names = params.get("bins")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _invalid("bins required")
        wanted = [name.strip() for name in names[:MOST_NAMES] if name.strip()]
        found = await self.in_thread(lambda: {name: resolve(name, self.home, self._search()) for name in wanted})
        return {"bins": {name: path for name, path in found.items() if path is not None}}

    async def get_approvals(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """
        The file of rules, without the token of its socket.
        """
        snapshot = await self.in_thread(ensure_approvals, self.approvals)
        shown: dict[str, Any] = snapshot.shown()
        return shown

    async def set_approvals(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """
        Other rules; only who has seen the present ones may replace them.
        """
        file, base_hash = params.get("file"), params.get("baseHash")
        if not isinstance(file, Mapping):
            raise _invalid("exec approvals file required")
        told = base_hash if isinstance(base_hash, str) else None
        try:
            snapshot = await self.in_thread(set_approvals, self.approvals, file, told)
        except (ApprovalsChanged, ApprovalsHashMissing) as error:
            raise _invalid(str(error)) from error
        shown: dict[str, Any] = snapshot.shown()
        return shown

    async def run(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """
        Run a program, if the rules or a person allow it.
        """
        asked = self._asked(params)
        verdict, bound = await self.in_thread(self._look, asked)
        why = _denied(verdict, asked)
        if why is not None:
            self._tell(asked, "exec.denied", reason=why)
            raise CommandFailed(code="UNAVAILABLE", message=f"SYSTEM_RUN_DENIED: {why}")
        try:
            program = await self.in_thread(self._begin, asked, verdict, bound)
        except Changed as error:
            self._tell(asked, "exec.denied", reason=str(error))
            raise CommandFailed(code="UNAVAILABLE", message=f"SYSTEM_RUN_DENIED: {error}") from error
        if program is None:
            raise _invalid(f"program not found: {asked.argv[0]}")
        self._tell(asked, "exec.started")
        ended = await self.run_program(
            program,
            asked.argv[1:],
            cwd=asked.cwd,
            environ=environment(self.environ, asked.env),
            limit=asked.limit_ms / 1000,
        )
        result = {
            "exitCode": ended.exit_code,
            "timedOut": ended.timed_out,
            "success": ended.exit_code == 0 and not ended.timed_out,
        }
        output = "\n".join(text for text in (ended.output, ended.errors) if text)
        self._tell(asked, "exec.finished", **result, output=output[-MOST_TOLD:])
        return {**result, "stdout": ended.output, "stderr": ended.errors, "error": None}

    def _asked(self, params: Mapping[str, Any]) -> Asked:
        argv = params.get("command")
        if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
            raise _invalid("command required")
        if not argv[0].strip() or any("\0" in word for word in argv):
            raise _invalid("command required")
        limit, env, cwd = params.get("timeoutMs"), params.get("env"), _text(params.get("cwd"))
        directory = self.home / cwd if cwd else self.home
        if not directory.is_dir():
            raise _invalid(f"cwd is no directory: {directory}")
        decision = params.get("approvalDecision")
        told = limit if isinstance(limit, int | float) and not isinstance(limit, bool) and limit > 0 else None
        return Asked(
            argv=tuple(argv),
            line=shlex.join(argv),
            cwd=directory,
            env={name: value for name, value in env.items() if isinstance(value, str)}
            if isinstance(env, Mapping)
            else {},
            limit_ms=int(min(told or DEFAULT_LIMIT_MS, MOST_LIMIT_MS)),
            agent_id=_text(params.get("agentId")) or "main",
            session_key=_text(params.get("sessionKey")) or "node",
            run_id=_text(params.get("runId")) or self.make_id(),
            approved=params.get("approved") is True or decision in ("allow-once", "allow-always"),
            always=decision == "allow-always",
        )

    def _look(self, asked: Asked) -> tuple[Verdict, Bound]:
        # Before the rules are asked: what is decided about is what is bound.
        bound = bind(asked.line, asked.cwd, self._search())
        rules = rules_of(read_approvals(self.approvals), asked.agent_id)
        return weigh(asked.line, rules, self._around(asked), host="node"), bound

    def _begin(self, asked: Asked, verdict: Verdict, bound: Bound) -> str | None:
        check(bound, asked.line, asked.cwd, self._search())
        used = Use(
            agent_id=asked.agent_id,
            command=asked.line,
            now_ms=millis(self.clock),
            used=verdict.used,
            remembered=verdict.remembered if asked.always else (),
        )
        if used.used or used.remembered:
            change_approvals(self.approvals, used)
        return resolve(asked.argv[0], asked.cwd, self._search())

    def _around(self, asked: Asked) -> Surroundings:
        return Surroundings(cwd=asked.cwd, home=self.home, search=self._search())

    def _search(self) -> list[str]:
        return [folder for folder in self.environ.get("PATH", "").split(":") if folder]

    def _tell(self, asked: Asked, event: str, **more: Any) -> None:
        told = {"sessionKey": asked.session_key, "runId": asked.run_id, "host": "node", "command": asked.line}
        self.tell(event, {**told, **more})


def _denied(verdict: Verdict, asked: Asked) -> str | None:
    """
    Why a command does not run.
    """
    if verdict.kind == "deny":
        return "allowlist miss" if "allowlist" in verdict.reason else "security=deny"
    return "approval required" if verdict.kind == "ask" and not asked.approved else None


def _invalid(message: str) -> CommandFailed:
    return CommandFailed(code="INVALID_REQUEST", message=message)


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
