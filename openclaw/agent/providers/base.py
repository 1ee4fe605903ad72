"""
What a model is asked, what it answers, and the one interface that every provider has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred

StopReason = Literal["stop", "length", "toolUse"]

#: What a configured key or header begins with that a command prints (``keys``).
COMMAND_MARK = "!"


@frozen(kw_only=True)
class Cost:
    """
    Prices per million tokens.
    """

    input: float = 0.0
    output: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0


@frozen(kw_only=True)
class Compat:
    """
    What a server that speaks ``openai-completions`` understands.

    :ivar short_call_ids: ids of tool calls are nine letters and digits.
    :ivar names_tool_results: a tool's result says the tool's name.
    :ivar thinking_as_text: earlier reasoning is told as text.
    :ivar thinking_switch: reasoning is switched on or off (``thinking``), not measured.
    """

    supports_store: bool = True
    supports_developer_role: bool = True
    supports_reasoning_effort: bool = True
    max_tokens_field: str = "max_completion_tokens"
    short_call_ids: bool = False
    names_tool_results: bool = False
    thinking_as_text: bool = False
    thinking_switch: bool = False


@frozen(kw_only=True)
class ResolvedModel:
    """
    A model with all that is needed to ask it.

    :ivar api: ``openai-completions``, ``anthropic-messages`` or ``echo``.
    :ivar base_url: API root without a final slash.
    :ivar key_source: where the key comes from, for people; never the key.
    :ivar key_is_command: the key is still the command that prints it.
    :ivar header_commands: names of headers that are still commands.
    :ivar bearer: the key is sent as ``Authorization: Bearer``, also where the API has its own header.
    :ivar inputs: ``text``, ``image``.
    :ivar cache_ttl: how long the provider is asked to keep the prompt, ``5m`` or ``1h``, where it can be told.
    """

    provider: str
    model_id: str
    api: str
    base_url: str
    name: str = ""
    api_key: str | None = field(default=None, repr=False)
    key_source: str = ""
    key_is_command: bool = False
    bearer: bool = False
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    header_commands: frozenset[str] = frozenset()
    reasoning: bool = False
    inputs: Sequence[str] = ("text",)
    cost: Cost = Cost()
    compat: Compat = Compat()
    cache_ttl: str = "5m"
    context_window: int = 200_000
    max_tokens: int = 8_192

    @property
    def ref(self) -> str:
        return f"{self.provider}/{self.model_id}"


@frozen(kw_only=True)
class ToolSpec:
    """
    A tool as the model is told of it.

    :ivar parameters: JSON Schema of the arguments.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@frozen(kw_only=True)
class ModelRequest:
    """
    One model turn.

    :ivar messages: transcript messages (``user``, ``assistant``, ``toolResult``), oldest first.
    :ivar thinking: ``off`` to ``xhigh``; ``off`` sends no reasoning parameters.
    :ivar max_output_tokens: less than the model's own limit, if anything.
    """

    system: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[ToolSpec] = ()
    thinking: str = "off"
    max_output_tokens: int | None = None

    def output_limit(self, most: int) -> int:
        """
        The most tokens of the answer, where the model and we take ``most``.
        """
        return most if self.max_output_tokens is None else min(self.max_output_tokens, most)


@frozen
class TextDelta:
    """
    Some more of the answer.
    """

    text: str


@frozen
class ThinkingDelta:
    """
    Some more of the reasoning.

    :ivar signature: the provider's token, or the name of the field it came in.
    """

    text: str
    signature: str = ""


@frozen
class ToolCall:
    """
    A complete tool call: its arguments have been read to the end.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Usage:
    """
    Tokens of one model turn; ``input`` leaves out what came from the provider's cache.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write


@frozen
class Stop:
    """
    The turn is complete. Always the last event of a stream that did not fail.
    """

    reason: StopReason


ModelEvent = TextDelta | ThinkingDelta | ToolCall | Usage | Stop
Emit = Callable[[ModelEvent], None]


class Model(Protocol):
    """
    Something that answers a request as a stream of events.
    """

    def stream(self, request: ModelRequest, emit: Emit) -> Deferred[None]:
        """
        Ask the model.

        :param emit: called with each event in order, on the reactor's thread, never after the Deferred has fired.
        :return: fires after ``Stop`` was emitted. Cancelling it ends the request and frees its connection.
        :raise ProviderError: the provider refused, failed, or ended its answer in the middle.
        """
        ...
