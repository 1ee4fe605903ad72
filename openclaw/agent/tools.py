"""
What the agent can do besides talking: the interface of a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.providers.base import ResolvedModel, ToolCall, ToolSpec


@frozen(kw_only=True)
class ToolResult:
    """
    What a tool answered.

    :ivar content: text and image blocks for the model.
    :ivar details: for clients only.
    :ivar meta: one line that says what was done, for clients.
    :ivar foreign: whether text from outside is in it: from here on the run is not only the operator's.
    """

    content: Sequence[Mapping[str, Any]]
    details: Any = None
    is_error: bool = False
    meta: str | None = None
    foreign: bool = False

    @classmethod
    def of_text(cls, text: str, *, is_error: bool = False) -> ToolResult:
        """
        A result that is only a text.
        """
        return cls(content=[{"type": "text", "text": text}], is_error=is_error)


@frozen(kw_only=True)
class ToolContext:
    """
    Where a tool call happens.

    :ivar trust: ``external`` when text from outside has been read in this run.
    :ivar update: tells clients of progress: content blocks and details.
    :ivar channel: the chat channel of the conversation, where it is known; ``account_id`` is the account there.
    """

    run_id: str
    session_key: str
    agent_id: str
    workspace: Path
    trust: str
    clock: IReactorTime
    update: Callable[[ToolResult], None]
    channel: str = ""
    account_id: str = ""


class Tool(Protocol):
    """
    One thing the agent can do.
    """

    @property
    def spec(self) -> ToolSpec: ...

    def question(self, call: ToolCall, context: ToolContext) -> str | None:
        """
        What a person must approve before this call; ``None`` when nobody need be asked.
        """
        ...

    def run(self, call: ToolCall, context: ToolContext) -> Deferred[ToolResult]:
        """
        Do it.

        :return: cancelling it ends whatever was started: when it has fired, nothing of the call is left.
        """
        ...


class Offered(Protocol):
    """
    Which tools a run may use.
    """

    def __call__(self, tools: Sequence[Tool], session_key: str, model: ResolvedModel) -> Sequence[Tool]:
        """
        :param session_key: canonical.
        """
        ...


def all_of_them(tools: Sequence[Tool], session_key: str, model: ResolvedModel) -> Sequence[Tool]:
    """
    Without a policy.
    """
    return tools


#: What models call tools that have another name here.
OTHER_NAMES: Final[Mapping[str, str]] = {"bash": "exec", "apply-patch": "apply_patch"}


def plain_name(name: str) -> str:
    """
    The name of a tool, whatever case it is written in.
    """
    lowered = name.strip().lower()
    return OTHER_NAMES.get(lowered, lowered)


def find_tool(tools: Sequence[Tool], name: str) -> Tool | None:
    """
    The tool that a model means (``agent.md`` 19.1).
    """
    exact = next((tool for tool in tools if tool.spec.name == name), None)
    return exact or next((tool for tool in tools if tool.spec.name == plain_name(name)), None)
