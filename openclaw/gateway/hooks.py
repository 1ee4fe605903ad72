"""
Hooks as they act: what the main session is told, turns of the agent, and who may call (``http.md`` 10).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.agent.errors import RuntimeStopped
from openclaw.agent.external import unmarked, wrapped
from openclaw.agent.heartbeat import OK
from openclaw.agent.outcomes import last_text
from openclaw.agent.runtime import AgentRuntime
from openclaw.agent.types import Agents, Inbound, Outcome
from openclaw.config.auth import ResolvedAuth
from openclaw.config.model import Config
from openclaw.config.model_hooks import HooksConfig, hooks_problem
from openclaw.cron.jobs import MAX_SUMMARY
from openclaw.gateway.authenticate import same_secret
from openclaw.gateway.cron_runs import MAX_SECONDS, told_now
from openclaw.gateway.heartbeats import HeartbeatService
from openclaw.gateway.limits import OURSELVES, FailureLimiter, counted_address
from openclaw.sessions.keys import canonical_key, default_agent, main_session_key
from openclaw.store.interfaces import Run, Store
from openclaw.web.hooks.asking import AgentTurn, TooManyHooks, Wake
from openclaw.web.local import is_local

ORIGIN: Final = "hook"
MAIL: Final = "hook:gmail:"

#: Runs of hooks that are not at their end.
MOST_RUNS: Final = 1_000
MOST_NAME: Final = 100


@define(kw_only=True, eq=False)
class CurrentHooks:
    """
    The configuration of the hooks that counts: one that cannot be served leaves the one before it.

    :ivar directory: of the configuration file.
    """

    _log = Logger()
    config: Callable[[], Config]
    auth: ResolvedAuth
    directory: Path
    _hooks: HooksConfig = field(factory=HooksConfig, init=False)

    def __attrs_post_init__(self) -> None:
        self.reconfigured()

    def __call__(self) -> HooksConfig:
        return self._hooks

    def reconfigured(self) -> None:
        """
        The configuration may have changed.
        """
        hooks = self.config().hooks
        if hooks == self._hooks:
            return
        problem = hooks_problem(hooks, (self.auth.token, self.auth.password))
        if problem is not None:
            self._log.warn("Hooks go on with what they were configured to: {problem}.", problem=problem)
            return
        self._hooks = hooks
        if hooks.enabled:
            # Reading them is not needed before somebody calls.
            from openclaw.web.hooks.transforms import complaints

            for complaint in complaints(hooks, self.directory):
                self._log.warn("{complaint}", complaint=complaint)


@define(kw_only=True, eq=False)
class HookSecret:
    """
    Whether a call brings the token of the hooks. Wrong ones are counted with those for the gateway itself.
    """

    hooks: Callable[[], HooksConfig]
    limiter: FailureLimiter
    clock: IReactorTime
    config: Callable[[], Config]

    async def admits(self, peer: str, headers: Mapping[str, str], given: str) -> bool:
        """
        :return: also later, for a wrong token: its answer is held back for a second at most.
        """
        wanted = (self.hooks().token or "").strip()
        if wanted and same_secret(given, wanted):
            return True
        if given:
            address = self._address(peer, headers)
            self.limiter.failed(address, given)
            delay = self.limiter.delay(address)
            if delay:
                await deferLater(self.clock, delay)
        return False

    def locked_for(self, peer: str, headers: Mapping[str, str]) -> int:
        return math.ceil(self.limiter.locked_for_ms(self._address(peer, headers)) / 1000)

    def _address(self, peer: str, headers: Mapping[str, str]) -> str:
        proxies = self.config().gateway.trusted_proxies
        plain = is_local(peer, headers, proxies) and "origin" not in headers
        return OURSELVES if plain else counted_address(peer, headers, proxies)


@define(kw_only=True, eq=False)
class HookService(Service):
    """
    Does what hooks ask for, and tells the main session how it ended; also of runs that an earlier process accepted.
    Implements ``openclaw.web.hooks.asking.HookActions``.

    :ivar current: the configuration that counts.
    """

    _log = Logger()
    current: CurrentHooks
    store: Store
    config: Callable[[], Config]
    clock: IReactorTime
    agents: Agents
    heartbeats: HeartbeatService
    make_id: Callable[[], str]
    _waiting: dict[str, Deferred[Any]] = field(factory=dict, init=False)

    def startService(self) -> None:
        super().startService()
        reading = self.store.read(lambda unit: [run for run in unit.runs.unfinished() if run.origin == ORIGIN])
        reading.addCallback(self._resume)
        reading.addErrback(lambda failure: self._log.debug("No runs of hooks: {error}", error=failure.value))

    def _resume(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self._follow(run.run_id, run.inbound.get("afterwards") or {})

    def stopService(self) -> None:
        super().stopService()
        for waiting in list(self._waiting.values()):
            waiting.cancel()

    # -- HookActions --------------------------------------------------------------------------------------------------

    def hooks(self) -> HooksConfig:
        return self.current()

    def channels(self) -> Sequence[str]:
        """
        None, before the channels come.
        """
        return ()

    def wake(self, wake: Wake) -> None:
        """
        Queue a note for the main session. It is one line: a second one could look like another note.
        """
        config = self.config()
        self.agents.note(main_session_key(config), _one_line(wake.text))
        if wake.mode == "now":
            self.heartbeats.request(default_agent(config), "hook:wake")

    async def run(self, turn: AgentTurn) -> str:
        """
        :return: the id of the run, which is durable.
        :raise TooManyHooks: it was not taken.
        """
        if len(self._waiting) >= MOST_RUNS:
            raise TooManyHooks()
        run_id, config = self.make_id(), self.config()
        key = canonical_key(f"agent:{default_agent(config)}:{turn.session_key.lower()}", config)
        gmail = self.current().gmail if turn.session_key.lower().startswith(MAIL) else None
        afterwards = {"name": _name(turn.name), "wake": turn.wake_mode == "now", "deliver": turn.deliver}
        seconds = turn.timeout_seconds
        accepted = await self.agents.submit(
            Inbound(
                run_id=run_id,
                session_key=key,
                shown_key=key,
                origin=ORIGIN,
                trust="operator" if turn.unsafe else "external",
                dedupe_key=f"hook:{turn.idempotency_key or run_id}",
                message=self._prompt(turn, run_id),
                thinking=turn.thinking or (gmail.thinking if gmail is not None else None),
                model=turn.model or (gmail.model if gmail is not None else None),
                timeout=None if seconds is None else timedelta(seconds=min(seconds, MAX_SECONDS)),
                lane="cron",
                afterwards=afterwards,
            )
        )
        if not accepted.repeated:
            self._follow(accepted.run_id, afterwards)
        return accepted.run_id

    def _prompt(self, turn: AgentTurn, run_id: str) -> str:
        now, zone = told_now(self.clock.seconds(), self.config())
        name = _name(turn.name)
        if turn.unsafe:
            return f"[cron:{run_id} {name}] {turn.message}\nCurrent time: {now} ({zone})"
        source = "Email" if turn.session_key.lower().startswith(MAIL) else "Webhook"
        head = f"Task: {name} | Job ID: {run_id} | Received: {now}"
        return f"{head}\n\n{wrapped(turn.message, source)}\n\nCurrent time: {now} ({zone})"

    # -- how it ended -------------------------------------------------------------------------------------------------

    def _follow(self, run_id: str, afterwards: Mapping[str, Any]) -> None:
        waiting = self._waiting[run_id] = self.agents.outcome(run_id)

        def ended(result: Any) -> None:
            del self._waiting[run_id]
            if not isinstance(result, Failure):
                self._tell(afterwards, result)
            elif not result.check(CancelledError, RuntimeStopped):
                self._log.failure("How the hook {run} ended is not known.", result, run=run_id)

        waiting.addBoth(ended)

    def _tell(self, afterwards: Mapping[str, Any], outcome: Outcome) -> None:
        """
        Tell the main session, and wake it if the hook says so.
        """
        status, body = outcome.status, outcome.summary.removeprefix("Error: ")
        if status == "ok":
            body = last_text(outcome).strip()
            if afterwards.get("deliver") and body not in ("", OK):
                # There is no channel yet that it could go to.
                status = "error"
        config = self.config()
        lead = f"Hook {afterwards.get('name', '')}" + ("" if status == "ok" else " (error)")
        self.agents.note(main_session_key(config), f"{lead}: {_one_line(body[:MAX_SUMMARY]) or status}")
        if afterwards.get("wake"):
            self.heartbeats.request(default_agent(config), f"hook:{outcome.run_id}")


def make_hooks(agents: AgentRuntime, heartbeats: HeartbeatService, auth: ResolvedAuth, directory: Path) -> HookService:
    """
    Hooks, on what the agents have.

    :param directory: of the configuration file.
    """
    return HookService(
        current=CurrentHooks(config=agents.config, auth=auth, directory=directory),
        store=agents.store,
        config=agents.config,
        clock=agents.clock,
        agents=agents,
        heartbeats=heartbeats,
        make_id=agents.make_id,
    )


def _one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.strip().splitlines())


def _name(text: str) -> str:
    """
    A name stands outside of what is marked as foreign, and may come from there.
    """
    return unmarked(_one_line(text).replace("|", "/"))[:MOST_NAME]
