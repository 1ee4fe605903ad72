"""
What a tool of the gateway's is made of.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from openclaw.agent.providers.base import ToolCall, ToolSpec
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.config.model import Config
from openclaw.egress.fetch import Fetched, Limits
from openclaw.errors import OpenClawError
from openclaw.protocol.frames import NotJson, parse_json
from openclaw.store.errors import StoreUnavailable
from openclaw.store.interfaces import Store
from openclaw.tools.subagents import Subagents

_log = Logger()


@frozen
class ToolFailed(OpenClawError):
    """
    A tool could not do what it was asked for, in words for whoever asked.

    :ivar foreign: whether text from outside is among them.
    """

    text: str
    foreign: bool = False

    def __str__(self) -> str:
        return self.text


class Methods(Protocol):
    """
    The gateway's methods, as its owner calls them.
    """

    async def __call__(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """
        :return: the payload of the last answer.
        :raise ToolFailed: with the message of the refusal.
        """
        ...


class Fetch(Protocol):
    """
    See :meth:`openclaw.egress.fetch.Egress.fetch`.
    """

    def __call__(
        self, url: str, *, limits: Limits, headers: Mapping[str, str] | None = None, any_status: bool = False
    ) -> Awaitable[Fetched]: ...


@frozen(kw_only=True)
class ToolWorld:
    """
    Everything that tools act on.

    :ivar restart: puts a new gateway in this one's place, told the reason and a delay in seconds; gives the seconds
        after which it comes, ``None`` where it does not.
    :ivar http: asks services that the owner has configured: method, URL, headers and body; status and body come back.
    """

    methods: Methods
    config: Callable[[], Config]
    store: Store
    clock: IReactorTime
    make_id: Callable[[], str]
    environ: Mapping[str, str]
    state_dir: Path
    workspace_of: Callable[[str], Path]
    in_thread: Callable[..., Deferred[Any]]
    fetch: Fetch
    subagents: Subagents
    http: Callable[[], Any]
    config_path: Path
    restart: Callable[[str, float], float | None]


@frozen
class Arguments:
    """
    The arguments of a call, of which nobody has checked anything.
    """

    given: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """
        A text without blanks around it; ``None`` for anything else.
        """
        value = self.given.get(name)
        return (value.strip() or None) if isinstance(value, str) else None

    def needed(self, *names: str) -> str:
        """
        The first of these that is a text.

        :raise ToolFailed: there is none.
        """
        for name in names:
            if (value := self.text(name)) is not None:
                return value
        raise ToolFailed(f"{names[0]} required")

    def number(self, name: str) -> float | None:
        """
        A number, also one in a text; ``None`` for anything else.
        """
        value = self.given.get(name)
        try:
            number = float(value) if isinstance(value, str) else value
        except ValueError:
            return None
        usable = isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < 1e15
        return float(number) if usable and number is not None else None

    def whole(self, name: str, default: int, *, least: int = 1, most: int) -> int:
        """
        A whole number within limits.
        """
        number = self.number(name)
        return default if number is None else max(least, min(most, int(number)))

    def flag(self, name: str) -> bool:
        return self.given.get(name) is True

    def names(self, name: str) -> list[str]:
        """
        The texts of a list.
        """
        value = self.given.get(name)
        return [item.strip() for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def members(self, name: str) -> dict[str, Any] | None:
        """
        An object, also one that is written as JSON.
        """
        value = self.given.get(name)
        if isinstance(value, str):
            try:
                value = parse_json(value)
            except NotJson:
                return None
        return dict(value) if isinstance(value, dict) else None

    def known(self, *names: str) -> dict[str, Any]:
        """
        Those of these that were given.
        """
        return {name: self.given[name] for name in names if self.given.get(name) is not None}


Work = Callable[[ToolWorld, Arguments, ToolContext], Awaitable[ToolResult]]
Action = Callable[[ToolWorld, Arguments, ToolContext], Awaitable[Any]]


@frozen(kw_only=True, eq=False)
class GatewayTool:
    """
    One tool. Implements ``openclaw.agent.tools.Tool``.

    :ivar work: does it; what it raises of our own errors is told.
    :ivar acts: whether a call changes something, or tells somebody something. Once text from outside was read, a person
        is asked before.
    """

    spec: ToolSpec
    world: ToolWorld
    work: Work
    acts: Callable[[Arguments], bool]

    @property
    def name(self) -> str:
        return self.spec.name

    def question(self, call: ToolCall, context: ToolContext) -> str | None:
        arguments = self._read(call.arguments)
        if context.trust != "external" or not self.acts(arguments):
            return None
        action = arguments.text("action")
        return f"{self.name}{f' {action}' if action else ''} after reading text from outside"

    def checked(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Arguments as a call would take them.

        :raise ToolFailed: they are not what the tool takes, or it would refuse them.
        """
        read = self._read(arguments)
        wrong = violations(self.spec, read.given)
        if wrong is not None:
            raise ToolFailed(wrong)
        _stay_here(read)
        return read.given

    def run(self, call: ToolCall, context: ToolContext) -> Deferred[ToolResult]:
        return Deferred.fromCoroutine(self._run(call, context))

    async def _run(self, call: ToolCall, context: ToolContext) -> ToolResult:
        wrong = violations(self.spec, converted(self.spec.parameters, call.arguments))
        if wrong is not None:
            return ToolResult.of_text(wrong, is_error=True)
        try:
            return await self.perform(call.arguments, context)
        except OpenClawError as error:
            return failed(self.name, error)

    async def perform(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """
        :raise ToolFailed: it could not be done.
        :raise StoreUnavailable: nor anything else just now.
        """
        try:
            read = self._read(arguments)
            _stay_here(read)
            return await self.work(self.world, read, context)
        except (CancelledError, ToolFailed, StoreUnavailable):
            raise
        except OpenClawError as error:
            raise ToolFailed(str(error)) from error
        except Exception as error:
            _log.failure("The tool {tool} failed in a way it does not know.", tool=self.name)
            raise ToolFailed(f"{self.name} failed with an internal error") from error

    def _read(self, given: Mapping[str, Any]) -> Arguments:
        # What is asked before a call and what is done in it have to be about the same.
        return Arguments(converted(self.spec.parameters, given))


def _stay_here(arguments: Arguments) -> None:
    """
    Whoever means another gateway must not change this one, and a model connects to nobody it was told of.

    :raise ToolFailed: another gateway is named.
    """
    if arguments.text("gatewayUrl") is not None:
        raise ToolFailed("gatewayUrl cannot be used here: this tool acts on its own gateway only. Leave it out.")


def failed(tool: str, error: OpenClawError) -> ToolResult:
    """
    What the model is told of a failure.
    """
    told = {"status": "error", "tool": tool, "error": str(error)}
    foreign = isinstance(error, ToolFailed) and error.foreign
    return ToolResult(content=_text_of(told), details=told, is_error=True, foreign=foreign)


def result(value: Any, *, foreign: bool = False) -> ToolResult:
    """
    A JSON value as text and as it is.

    :param foreign: whether text from outside is in it.
    """
    return ToolResult(content=_text_of(value), details=value, foreign=foreign)


def _text_of(value: Any) -> list[dict[str, str]]:
    return [{"type": "text", "text": json.dumps(value, indent=2, ensure_ascii=False)}]


def by_action(actions: Mapping[str, Action]) -> Work:
    """
    A tool whose ``action`` says what it does. What an action gives is a result, or a value that becomes one.
    """

    async def work(world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
        action = arguments.needed("action")
        if action not in actions:
            raise ToolFailed(f"Unknown action: {action}")
        value = await actions[action](world, arguments, context)
        return value if isinstance(value, ToolResult) else result(value)

    return work


def never(arguments: Arguments) -> bool:
    """
    For tools that only look.
    """
    return False


def always(arguments: Arguments) -> bool:
    """
    For tools that act in any case.
    """
    return True


def unless(*actions: str) -> Callable[[Arguments], bool]:
    """
    For tools that act with any but these actions.
    """
    return lambda arguments: arguments.text("action") not in actions


@cache
def parameters() -> Mapping[str, Any]:
    """
    The JSON Schema of each tool's arguments.
    """
    told: dict[str, Any] = json.loads((files("openclaw.tools") / "parameters.json").read_bytes())
    return told


def violations(spec: ToolSpec, given: Mapping[str, Any]) -> str | None:
    """
    What a model is told of arguments that are not what the tool takes; ``None`` if they are.
    """
    # What checks them takes time to load, and a start does not need it.
    from jsonschema_rs import validator_for

    errors = list(validator_for(dict(spec.parameters)).iter_errors(dict(given)))
    if not errors:
        return None
    lines = [f"  - {'/'.join(map(str, error.instance_path)) or 'root'}: {error.message}" for error in errors[:5]]
    received = json.dumps(dict(given), ensure_ascii=False)[:2000]
    return "\n".join(
        [f'Validation failed for tool "{spec.name}":', *lines, "", f"Received arguments:\n{received}"],
    )


def converted(schema: Mapping[str, Any], value: Any) -> Any:
    """
    A value in the form of its schema, where it is clear what is meant: models write numbers as text, lists and objects
    as JSON in a text, and ``null`` for what they leave out. Else it is as it was.
    """
    kind = schema.get("type")
    if kind in ("object", "array"):
        value = _parsed(value)
    if kind == "object" and isinstance(value, Mapping):
        properties, required = schema.get("properties", {}), schema.get("required", ())
        return {
            name: converted(properties.get(name, {}), member)
            for name, member in value.items()
            if not (member is None and name in properties and name not in required)
        }
    if kind == "array" and isinstance(value, list):
        return [converted(schema.get("items", {}), member) for member in value]
    if kind == "number" and isinstance(value, str):
        return _number(value)
    if kind == "boolean" and isinstance(value, str):
        return _SWITCHES.get(value.strip().lower(), value)
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        # Ids of chats and messages are often numbers.
        return str(value)
    return value


def _parsed(value: Any) -> Any:
    # A text that is no JSON is not taken for a list of one: the line of a command is no list of its words.
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return parse_json(value)
        except NotJson:
            return value
    return value


_SWITCHES = {"true": True, "false": False}


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    if not isfinite(number):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
