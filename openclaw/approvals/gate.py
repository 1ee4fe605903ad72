"""
From a command that somebody wants to run to leave for exactly that: rules, a person where they say so, and what was
there when it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred

from openclaw.approvals.errors import NobodyToAsk
from openclaw.approvals.file import ApprovalsSnapshot, change_approvals, read_approvals
from openclaw.approvals.policy import Rules, Surroundings, Use, Verdict, rules_of, undecided, weigh
from openclaw.approvals.questions import Asked, Questions
from openclaw.approvals.scripts import Bound, bind, check
from openclaw.errors import OpenClawError


@frozen(kw_only=True)
class Wanted:
    """
    A command that is to run.

    :ivar security: as configured, asked for and set for the session: the strictest of these.
    :ivar ask: the same; the one of them that asks most.
    """

    command: str
    cwd: Path
    agent_id: str
    session_key: str | None = None
    security: str | None = None
    ask: str | None = None
    host: str = "gateway"


@frozen(kw_only=True)
class ExecDenied(OpenClawError):
    """
    The command does not run.

    :ivar message: as the model is told.
    :ivar cause: ``policy``, ``user-denied``, ``approval-timeout`` or ``no-approver``.
    """

    message: str
    cause: str

    def __str__(self) -> str:
        return self.message


@frozen(kw_only=True)
class Leave:
    """
    A command may run, as it was when this was decided.

    :ivar used: what the file is told once it has run.
    """

    wanted: Wanted
    bound: Bound
    used: Use


@frozen(kw_only=True)
class Awaited:
    """
    Somebody was asked.

    :ivar outcome: fires with the leave, or fails with ``ExecDenied``. Cancelling it withdraws the question.
    """

    asked: Asked
    outcome: Deferred[Leave]


@define(kw_only=True, eq=False)
class Gate:
    """
    The one way to leave on a host.

    :ivar path: of the file of rules.
    :ivar around: what surrounds commands in a directory.
    :ivar in_thread: runs blocking work off the reactor's thread.
    """

    path: Path
    questions: Questions
    around: Callable[[Path], Surroundings]
    in_thread: Callable[..., Deferred[Any]]
    now_ms: Callable[[], int]

    async def leave(self, wanted: Wanted) -> Leave | Awaited:
        """
        Decide, or ask.

        :raise ExecDenied: it does not run: by the rules, or because nobody is there who could be asked.
        :raise TooManyQuestions: too many wait already.
        """
        found: tuple[Rules, Verdict, Bound] = await self.in_thread(self._look, wanted)
        rules, verdict, bound = found
        if verdict.kind == "deny":
            raise ExecDenied(message=verdict.reason, cause="policy")
        if verdict.kind == "run":
            return self._given(wanted, verdict, bound)
        request = {
            "command": wanted.command,
            "cwd": bound.cwd,
            "host": wanted.host,
            "security": rules.security,
            "ask": rules.ask,
            "agentId": wanted.agent_id,
            "resolvedPath": verdict.resolved_path,
            "sessionKey": wanted.session_key,
        }
        try:
            waiting = self.questions.wait(request)
        except NobodyToAsk:
            if undecided(verdict, rules):
                return self._given(wanted, verdict, bound)
            raise _denied(wanted, None, "no-approver") from None
        outcome = waiting.decided.addCallback(self._answered, waiting.asked, wanted, rules, verdict, bound)
        return Awaited(asked=waiting.asked, outcome=outcome)

    def _look(self, wanted: Wanted) -> tuple[Rules, Verdict, Bound]:
        around = self.around(wanted.cwd)
        # Before the rules are asked: what is decided about is what is bound.
        bound = bind(wanted.command, wanted.cwd, around.search)
        snapshot: ApprovalsSnapshot = read_approvals(self.path)
        rules = rules_of(snapshot, wanted.agent_id, security=wanted.security, ask=wanted.ask)
        return rules, weigh(wanted.command, rules, around, host=wanted.host), bound

    def _answered(
        self, decision: str | None, asked: Asked, wanted: Wanted, rules: Rules, verdict: Verdict, bound: Bound
    ) -> Leave:
        if decision == "deny":
            raise _denied(wanted, asked, "user-denied")
        if decision is None and not undecided(verdict, rules):
            raise _denied(wanted, asked, "approval-timeout")
        return self._given(wanted, verdict, bound, always=decision == "allow-always")

    def _given(self, wanted: Wanted, verdict: Verdict, bound: Bound, *, always: bool = False) -> Leave:
        used = Use(
            agent_id=wanted.agent_id,
            command=wanted.command,
            now_ms=self.now_ms(),
            used=verdict.used,
            remembered=verdict.remembered if always else (),
        )
        return Leave(wanted=wanted, bound=bound, used=used)

    async def begin(self, leave: Leave) -> None:
        """
        To be called right before the command runs.

        :raise Changed: something is not what it was; it must not run.
        """
        await self.in_thread(self._begin, leave)

    def _begin(self, leave: Leave) -> None:
        wanted = leave.wanted
        check(leave.bound, wanted.command, wanted.cwd, self.around(wanted.cwd).search)
        if leave.used.used or leave.used.remembered:
            change_approvals(self.path, leave.used)


def _denied(wanted: Wanted, asked: Asked | None, cause: str) -> ExecDenied:
    about = wanted.host if asked is None else f"{wanted.host} id={asked.id}"
    return ExecDenied(message=f"Exec denied ({about}, {cause}): {wanted.command}", cause=cause)
