"""
One wizard at a time, one step at a time (``methods.md`` 18).

A flow is a coroutine that asks a ``StepPrompter``. Between two of its questions nobody waits for a person: the flow is
suspended until ``answer`` goes on with it::

    start(flow) -> first step        answer(step id, value) -> next step, or the end
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger

from openclaw.clock import Seconds, millis
from openclaw.errors import OpenClawError
from openclaw.wizard.prompts import BadAnswer, Declined, Flow, WizardError

Status = Literal["running", "done", "cancelled", "error"]

#: A wizard that nobody has answered for so long makes room for another, in milliseconds.
ABANDONED_MS = 15 * 60_000


class AlreadyRunning(WizardError):
    def __str__(self) -> str:
        return "wizard already running"


class NotFound(WizardError):
    def __str__(self) -> str:
        return "wizard not found"


class NotRunning(WizardError):
    def __str__(self) -> str:
        return "wizard not running"


class NoPendingStep(WizardError):
    def __str__(self) -> str:
        return "Error: wizard: no pending step"


@define(eq=False)
class StepPrompter:
    """
    Shows each question as a step, and waits for its answer.
    """

    make_id: Callable[[], str]
    on_step: Callable[[Mapping[str, Any]], None]
    step: Mapping[str, Any] | None = None
    _answer: Deferred[Any] | None = None

    async def note(self, message: str, title: str) -> None:
        await self._ask("note", message=message, title=title)

    async def confirm(self, message: str, *, initial: bool) -> bool:
        return bool(await self._ask("confirm", message=message, initialValue=initial))

    async def select(self, message: str, options: Sequence[Mapping[str, Any]], *, initial: Any = None) -> Any:
        """
        :param options: ``value``, ``label`` and perhaps ``hint`` of each.
        :raise BadAnswer: the answer is none of them.
        """
        more = {} if initial is None else {"initialValue": initial}
        value = await self._ask("select", message=message, options=list(options), **more)
        if value not in [option["value"] for option in options]:
            raise BadAnswer(f"{message}: {value!r} is no choice")
        return value

    async def text(
        self,
        message: str,
        *,
        initial: str = "",
        placeholder: str | None = None,
        sensitive: bool = False,
        wrong: Callable[[str], str | None] = lambda text: None,
    ) -> str:
        """
        :param wrong: says what is wrong with a text.
        :raise BadAnswer: something is.
        """
        more: dict[str, Any] = {"initialValue": initial} if initial else {}
        if placeholder is not None:
            more["placeholder"] = placeholder
        if sensitive:
            more["sensitive"] = True
        value = await self._ask("text", message=message, **more)
        given = "" if value is None else str(value).strip() if isinstance(value, str | int | float | bool) else None
        problem = "expected a text" if given is None else wrong(given)
        if given is None or problem is not None:
            raise BadAnswer(f"{message}: {problem}")
        return given

    def give(self, step_id: str, value: Any) -> None:
        """
        Answer the step that is shown.

        :raise NoPendingStep: another one is.
        """
        if self.step is None or self._answer is None or self.step["id"] != step_id:
            raise NoPendingStep
        answer, self._answer, self.step = self._answer, None, None
        answer.callback(value)

    async def _ask(self, kind: str, **members: Any) -> Any:
        answer: Deferred[Any] = Deferred()
        self._answer = answer
        self.step = {"id": self.make_id(), "type": kind, **members, "executor": "client"}
        self.on_step(self.step)
        return await answer


@define(eq=False)
class Session:
    """
    One run of a flow.

    :ivar error: why it was cancelled or failed.
    """

    id: str
    prompter: StepPrompter
    touched_at_ms: int
    status: Status = "running"
    error: str | None = None
    running: Deferred[None] | None = None
    _waiting: list[Deferred[dict[str, Any]]] = field(factory=list)

    def shown(self) -> dict[str, Any]:
        """
        What clients see now.
        """
        if self.status == "running" and self.prompter.step is not None:
            return {"done": False, "step": dict(self.prompter.step), "status": "running"}
        return {"done": self.status != "running", **self.told()}

    def told(self) -> dict[str, Any]:
        """
        How it stands.
        """
        return {"status": self.status, **({} if self.error is None else {"error": self.error})}

    def next(self) -> Deferred[dict[str, Any]]:
        """
        :return: fires with the step that is to be answered, or with the end.
        """
        if self.status != "running" or self.prompter.step is not None:
            return succeed(self.shown())
        waiter: Deferred[dict[str, Any]] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        return waiter

    def changed(self) -> None:
        """
        There is a step, or the end: tell who waits.
        """
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(self.shown())


@define(eq=False)
class Wizards:
    """
    The wizards of a gateway: at most one.
    """

    clock: Seconds
    make_id: Callable[[], str]
    _session: Session | None = field(default=None, init=False)
    _log = Logger()

    def start(self, flow: Flow) -> Deferred[dict[str, Any]]:
        """
        :return: fires with the first step, or with the end.
        :raise AlreadyRunning: somebody is in the middle of one.
        """
        old = self._session
        if old is not None and old.status == "running":
            if millis(self.clock) - old.touched_at_ms < ABANDONED_MS:
                raise AlreadyRunning
            self.cancel(old.id)
        prompter = StepPrompter(self.make_id, lambda step: session.changed())
        session = Session(self.make_id(), prompter, millis(self.clock))
        self._session = session
        session.running = Deferred.fromCoroutine(self._run(session, flow))
        return session.next().addCallback(lambda shown: {"sessionId": session.id, **self._left(session, shown)})

    def answer(self, session_id: str, step_id: str | None, value: Any) -> Deferred[dict[str, Any]]:
        """
        :param step_id: ``None`` shows the current step again.
        :raise NotFound: there is no such wizard.
        :raise NoPendingStep: that step is not the one that is shown.
        """
        session = self._found(session_id)
        session.touched_at_ms = millis(self.clock)
        if session.status == "running" and step_id is not None:
            session.prompter.give(step_id, value)
        return session.next().addCallback(lambda shown: self._left(session, shown))

    def cancel(self, session_id: str) -> dict[str, Any]:
        """
        Leave it; nothing that it would have done is done.

        :raise NotFound: there is no such wizard.
        """
        session = self._found(session_id)
        if session.running is not None and session.status == "running":
            session.running.cancel()
        return self._left(session, session.told())

    def status(self, session_id: str) -> dict[str, Any]:
        """
        :raise NotFound: there is no such wizard.
        """
        session = self._found(session_id)
        return self._left(session, session.told())

    def _found(self, session_id: str) -> Session:
        if self._session is None or self._session.id != session_id:
            raise NotFound
        return self._session

    def _left(self, session: Session, told: dict[str, Any]) -> dict[str, Any]:
        """
        Forget a wizard whose end was told.
        """
        if session.status != "running" and self._session is session:
            self._session = None
        return told

    async def _run(self, session: Session, flow: Flow) -> None:
        try:
            await flow(session.prompter)
            session.status = "done"
        except CancelledError:
            session.status, session.error = "cancelled", "cancelled"
        except Declined as error:
            session.status, session.error = "cancelled", str(error)
        except Exception as error:
            if not isinstance(error, OpenClawError):
                self._log.failure("The wizard failed.")
            session.status, session.error = "error", str(error)
        session.prompter.step = None
        session.changed()
