"""
``openai-completions``: the chat completions API and the many servers that speak it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.providers.adapt import adapted
from openclaw.agent.providers.base import (
    Emit,
    ModelRequest,
    ResolvedModel,
    Stop,
    StopReason,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from openclaw.agent.providers.errors import (
    AnswerRefused,
    GarbledAnswer,
    ProviderError,
    ProviderOverloaded,
    StreamBroken,
)
from openclaw.agent.providers.halves import WholeTexts
from openclaw.agent.providers.http import HttpClient, error_text, post_events
from openclaw.agent.providers.sse import ServerEvent
from openclaw.protocol.frames import NotJson, parse_json, whole

#: More output than this is never asked for.
MAX_OUTPUT_TOKENS = 32_000

#: Where servers put reasoning; the first that is not empty counts.
REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text")

FINISH: Mapping[str, StopReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "toolUse",
    "function_call": "toolUse",
    "end": "stop",
}


@frozen(kw_only=True)
class OpenAIModel:
    """
    A model behind ``/chat/completions``.
    """

    model: ResolvedModel
    client: HttpClient
    clock: IReactorTime

    def stream(self, request: ModelRequest, emit: Emit) -> Deferred[None]:
        headers = dict(self.model.headers)
        if self.model.api_key:
            headers["authorization"] = f"Bearer {self.model.api_key}"
        return Deferred.fromCoroutine(
            post_events(
                self.client,
                self.clock,
                f"{self.model.base_url}/chat/completions",
                headers,
                request_body(self.model, request),
                CompletionReader(WholeTexts(emit)),
            )
        )


def request_body(model: ResolvedModel, request: ModelRequest) -> dict[str, Any]:
    """
    The JSON body of a request.
    """
    compat = model.compat
    body: dict[str, Any] = {
        "model": model.model_id,
        "messages": list(_messages(model, request)),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if compat.supports_store:
        body["store"] = False
    body[compat.max_tokens_field] = request.output_limit(min(model.max_tokens, MAX_OUTPUT_TOKENS))
    if model.reasoning and request.thinking != "off" and compat.supports_reasoning_effort:
        body["reasoning_effort"] = request.thinking
    if model.reasoning and compat.thinking_switch:
        body["thinking"] = {"type": "disabled" if request.thinking == "off" else "enabled"}
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                },
            }
            for tool in request.tools
        ]
    return body


def _messages(model: ResolvedModel, request: ModelRequest) -> Iterator[dict[str, Any]]:
    if request.system:
        developer = model.reasoning and model.compat.supports_developer_role
        yield {"role": "developer" if developer else "system", "content": request.system}
    for message in adapted(model, request.messages):
        content = message["content"]
        if message["role"] == "user":
            yield {"role": "user", "content": [_user_part(block) for block in content]}
        elif message["role"] == "assistant":
            yield _assistant(content, own=_is_own(model, message) and not model.compat.thinking_as_text)
        elif message["role"] == "toolResult":
            result = {"role": "tool", "tool_call_id": message["toolCallId"], "content": plain_text(content)}
            if model.compat.names_tool_results and message.get("toolName"):
                result["name"] = message["toolName"]
            yield result
            pictures = [_user_part(block) for block in content if block["type"] == "image"]
            if pictures:
                lead = {"type": "text", "text": "Image of the tool result above:"}
                yield {"role": "user", "content": [lead, *pictures]}


def _user_part(block: Mapping[str, Any]) -> dict[str, Any]:
    if block["type"] == "image":
        url = f"data:{block['mimeType']};base64,{block['data']}"
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "text", "text": block.get("text", "")}


def _assistant(content: Sequence[Mapping[str, Any]], *, own: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant"}
    parts: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for block in content:
        if block["type"] == "text":
            parts.append({"type": "text", "text": block["text"]})
        elif block["type"] == "thinking":
            # Reasoning goes back where it came from; another model's is only something that was said.
            name = block.get("thinkingSignature", "")
            if own and name in REASONING_FIELDS:
                said[name] = said.get(name, "") + block["thinking"]
            elif not own:
                parts.append({"type": "text", "text": block["thinking"]})
        elif block["type"] == "toolCall":
            function = {"name": block["name"], "arguments": orjson.dumps(block["arguments"]).decode()}
            calls.append({"id": block["id"], "type": "function", "function": function})
    said["content"] = parts or (None if calls else "")
    if calls:
        said["tool_calls"] = calls
    return said


def _is_own(model: ResolvedModel, message: Mapping[str, Any]) -> bool:
    return message.get("provider") == model.provider and message.get("model") == model.model_id


def plain_text(content: Sequence[Mapping[str, Any]]) -> str:
    """
    The text of some content blocks.
    """
    return "\n".join(block["text"] for block in content if block["type"] == "text")


@define
class _PartialCall:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(factory=list)

    def complete(self, *, cut: bool) -> ToolCall:
        """
        :param cut: whether the answer ended because it had become too long.
        """
        text = whole("".join(self.arguments))
        try:
            arguments = parse_json(text) if text.strip() else {}
        except NotJson as error:
            if cut:
                raise AnswerRefused(f"The model's call of {self.name} is longer than its answer may be.") from error
            raise StreamBroken(f"The arguments of the model's call of {self.name} are not JSON.") from error
        if not isinstance(arguments, dict):
            raise GarbledAnswer(f"The arguments of the model's call of {self.name} are not an object.")
        return ToolCall(self.id, self.name, arguments)


@define
class CompletionReader:
    """
    Makes model events of chunks.
    """

    _emit: Emit
    _calls: list[_PartialCall] = field(factory=list)
    _at: dict[int, _PartialCall] = field(factory=dict)
    _finish: StopReason | None = None
    _done: bool = False

    def event(self, event: ServerEvent) -> bool:
        if self._done:
            return True
        if event.data.strip() == "[DONE]":
            self.finish()
            return True
        try:
            chunk = parse_json(event.data, halves=True)
        except NotJson as error:
            raise GarbledAnswer("The model's answer is not JSON.") from error
        if not isinstance(chunk, dict):
            raise GarbledAnswer("The model's answer is not made of objects.")
        if chunk.get("error"):
            raise stream_error(chunk["error"])
        try:
            self._chunk(chunk)
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise GarbledAnswer("The model's answer is not in the form of chat completions.") from error
        return False

    def finish(self) -> None:
        if self._done:
            return
        if self._finish is None:
            raise StreamBroken("The model's answer ended before it was complete.")
        self._done = True
        for call in self._calls:
            self._emit(call.complete(cut=self._finish == "length"))
        self._emit(Stop("toolUse" if self._calls else self._finish))

    def _chunk(self, chunk: Mapping[str, Any]) -> None:
        usage = chunk.get("usage")
        if usage:
            self._emit(_usage(usage))
        choices = chunk.get("choices")
        if not choices:
            return
        delta = choices[0].get("delta") or {}
        for name in REASONING_FIELDS:
            if delta.get(name):
                self._emit(ThinkingDelta(str(delta[name]), name))
                break
        text = delta.get("content")
        if text:
            if not isinstance(text, str):
                raise TypeError(text)
            self._emit(TextDelta(text))
        for call in delta.get("tool_calls") or ():
            self._call(call)
        reason = choices[0].get("finish_reason")
        if reason == "content_filter":
            raise AnswerRefused("The provider's content filter stopped the answer.")
        if reason:
            self._finish = FINISH.get(reason, "stop")

    def _call(self, part: Mapping[str, Any]) -> None:
        call = self._called(part.get("index"), part.get("id"))
        function = part.get("function") or {}
        call.name = function.get("name") or call.name
        arguments = function.get("arguments")
        if arguments:
            # Some servers give an object in place of its text.
            call.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def _called(self, index: int | None, id: str | None) -> _PartialCall:
        """
        The call that a part belongs to. Some servers leave the index out, others give each call the same: there an id
        that is not that of the call begins a new one.
        """
        last = self._calls[-1] if self._calls else None
        call = last if index is None else self._at.get(index)
        if call is None or (id and call.id and id != call.id):
            call = _PartialCall()
            self._calls.append(call)
        if index is not None:
            self._at[index] = call
        call.id = id or call.id
        return call


def _usage(usage: Mapping[str, Any]) -> Usage:
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(
        input=max(0, int(usage.get("prompt_tokens") or 0) - cached),
        output=int(usage.get("completion_tokens") or 0),
        cache_read=cached,
    )


def stream_error(error: Any) -> ProviderError:
    """
    An error that came inside a stream.
    """
    text = error_text(json.dumps({"error": error}).encode())
    kind = f"{error.get('code', '')} {error.get('type', '')}" if isinstance(error, dict) else ""
    if any(word in kind for word in ("overloaded", "rate_limit", "server_error", "api_error", "429", "50")):
        return ProviderOverloaded(text)
    return AnswerRefused(text)
