"""
Following the configuration file when somebody else writes it (``config.md`` 7).

A file that is being written is let alone until it has been the same for a while, and what cannot be used changes
nothing: half a file is never followed. For what needs a restart one is asked for, unless ``gateway.reload.mode`` says
otherwise; then the running value stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from openclaw.config.live import Plan, plan
from openclaw.config.loader import Snapshot
from openclaw.gateway.configuration import Configuration
from openclaw.logs.subsystem import SubsystemLogger

#: Between two looks, in seconds.
INTERVAL: Final = 0.5
#: For so long a file has to be the same, looked at so often.
STABLE: Final = 0.2
LOOK: Final = 0.05

#: What tells one state of a file from another: size, time and number. ``None`` where there is no file.
Stamp = tuple[int, int, int] | None


def stamp_of(path: Path) -> Stamp:
    """
    The state of a file. Blocks on the disk.
    """
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


@define(kw_only=True, eq=False, repr=False)
class ConfigWatch(Service):
    """
    Looks at the file again and again.

    :ivar configuration: reads and follows it.
    :ivar in_thread: runs what waits for the disk.
    :ivar look: the state of the file.
    :ivar keep: called with each file that can be used.
    :ivar restart: asks for a restart, told the reason.
    :ivar problem: why the file cannot be used, or not followed, as it is now; ``None`` if it can.
    :ivar told: called when ``problem`` has changed.
    """

    _log = SubsystemLogger(namespace="gateway/reload")
    configuration: Configuration
    clock: IReactorTime
    in_thread: Callable[..., Deferred[Any]]
    look: Callable[[Path], Stamp] = stamp_of
    keep: Callable[[Snapshot], None] = lambda snapshot: None
    told: Callable[[], None] = lambda: None
    restart: Callable[[str], object] = lambda reason: None
    problem: str | None = field(default=None, init=False)
    _seen: Stamp = field(default=None, init=False)
    _base: Mapping[str, Any] = field(factory=dict, init=False)
    _going: Deferred[None] | None = field(default=None, init=False)

    def startService(self) -> None:
        super().startService()
        self._base = self.configuration.config.effective
        self._going = Deferred.fromCoroutine(self._go())

    def stopService(self) -> Deferred[Any] | None:
        """
        :return: fires when nothing of it is left.
        """
        super().stopService()
        going, self._going = self._going, None
        if going is not None:
            going.cancel()
        return going

    async def _go(self) -> None:
        try:
            self._seen = await self._stamp()
            # What was written between the reading of the file and now would be seen by nobody.
            await self._try(partial(self.configuration.reload, self._evaluate_first))
            while True:
                await deferLater(self.clock, INTERVAL)
                await self._try(self._turn)
        except CancelledError:
            pass

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except CancelledError:
            raise
        except Exception:
            self._log.failure("config reload failed: the file could not be looked at.")

    async def _stamp(self) -> Stamp:
        stamp: Stamp = await self.in_thread(self.look, self.configuration.path)
        return stamp

    async def _turn(self) -> None:
        now = await self._stamp()
        if now == self._seen:
            return
        self._seen = await self._settled(now)
        if self._seen is not None:
            await self.configuration.reload(self._evaluate)

    async def _settled(self, stamp: Stamp) -> Stamp:
        """
        Wait until nobody writes the file any more: it is the same for a while, and stays so for the debounce after it.
        """
        while True:
            same = 0.0
            while same < STABLE:
                await deferLater(self.clock, LOOK)
                now = await self._stamp()
                same, stamp = (same + LOOK, now) if now == stamp else (0.0, now)
            await deferLater(self.clock, self.configuration.config.gateway.reload.debounce_ms / 1000)
            now = await self._stamp()
            if now == stamp:
                return now
            stamp = now

    # -- what is done with it -----------------------------------------------------------------------------------------

    def _evaluate_first(self, snapshot: Snapshot) -> bool:
        return snapshot.config != self._base and self._evaluate(snapshot)

    def _evaluate(self, snapshot: Snapshot) -> bool:
        """
        :return: whether the gateway is to follow.
        """
        if not snapshot.exists or snapshot.model is None:
            self._unusable(snapshot)
            return False
        self._set_problem(None)
        self.keep(snapshot)
        change = plan(self._base, snapshot.config, snapshot.model.gateway.reload.mode)
        self._base = snapshot.config
        if not change.changes:
            return False
        self._log.info("config change detected; evaluating reload ({names})", names=change.names())
        return self._carry_out(change)

    def _carry_out(self, change: Plan) -> bool:
        waiting = change.names("restart") or change.names()
        if change.outcome == "ignored":
            if change.mode == "off":
                self._log.info("config reload disabled (gateway.reload.mode=off)")
            else:
                told = "config reload requires gateway restart; hot mode ignoring ({names})"
                self._log.warn(told, names=waiting)
            return False
        if change.outcome == "restart":
            self._log.warn("config change requires gateway restart ({names})", names=waiting)
            self.restart(f"config change: {waiting}")
            # What needs no restart does not wait for it, unless everything is to.
            return change.mode != "restart"
        if hot := change.names("hot"):
            self._log.info("config hot reload applied ({names})", names=hot)
        else:
            self._log.info("config change applied (dynamic reads: {names})", names=change.names())
        return True

    def _unusable(self, snapshot: Snapshot) -> None:
        """
        Say why, once for each reason.
        """
        if not snapshot.exists:
            return
        issues = ", ".join(f"{issue.path}: {issue.message}" for issue in snapshot.issues) or "it cannot be read"
        if issues != self.problem:
            self._log.warn("config reload skipped (invalid config): {issues}", issues=issues)
        self._set_problem(issues)

    def refused(self, why: str) -> None:
        """
        The gateway could not be started again, as a change would have it, and goes on without it.
        """
        self._set_problem(f"restart refused: {why}")

    def _set_problem(self, problem: str | None) -> None:
        if problem != self.problem:
            self.problem = problem
            self.told()
