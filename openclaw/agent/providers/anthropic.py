"""
``anthropic-messages``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
from openclaw.agent.providers.errors import AnswerRefused, GarbledAnswer, StreamBroken
from openclaw.agent.providers.halves import WholeTexts
from openclaw.agent.providers.http import HttpClient, post_events
from openclaw.agent.providers.openai import MAX_OUTPUT_TOKENS, stream_error
from openclaw.agent.providers.sse import ServerEvent
from openclaw.protocol.frames import NotJson, parse_json, whole

VERSION = "2023-06-01"
BETAS = ("fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14")
OAUTH_BETA = "oauth-2025-04-20"

#: Tokens of reasoning that each level may use, beside the answer's own.
BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 16_384}

#: What is left for the answer when a model's limit clips the sum.
LEAST_ANSWER = 1_024

STOPS: Mapping[str, StopReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "tool_use": "toolUse",
}


@frozen(kw_only=True)
class AnthropicModel:
    """
    A model behind ``/v1/messages``.
    """

    model: ResolvedModel
    client: HttpClient
    clock: IReactorTime

    def stream(self, request: ModelRequest, emit: Emit) -> Deferred[None]:
        return Deferred.fromCoroutine(
            post_events(
                self.client,
                self.clock,
                f"{self.model.base_url.removesuffix('/v1')}/v1/messages",
                self._headers(),
                request_body(self.model, request),
                MessageReader(WholeTexts(emit)),
            )
        )

    def _headers(self) -> dict[str, str]:
        betas = list(BETAS)
        headers = {"anthropic-version": VERSION}
        key = self.model.api_key
        if key and (self.model.bearer or key.startswith("sk-ant-oat")):
            headers["authorization"] = f"Bearer {key}"
            betas.append(OAUTH_BETA)
        if key and not key.startswith("sk-ant-oat"):
            headers["x-api-key"] = key
        headers["anthropic-beta"] = ",".join(betas)
        return {**headers, **self.model.headers}


def request_body(model: ResolvedModel, request: ModelRequest) -> dict[str, Any]:
    """
    The JSON body of a request.
    """
    limit = request.output_limit(min(model.max_tokens, MAX_OUTPUT_TOKENS))
    body: dict[str, Any] = {"model": model.model_id, "stream": True, "messages": _messages(model, request)}
    if request.system:
        body["system"] = [{"type": "text", "text": request.system, "cache_control": cache_mark(model)}]
    budget = BUDGETS.get(request.thinking, 0) if model.reasoning else 0
    if budget:
        # The budget comes on top of the answer, within what the model can write.
        limit = min(limit + budget, max(model.max_tokens, limit))
        budget = min(budget, limit - LEAST_ANSWER)
    if budget >= BUDGETS["minimal"]:
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    body["max_tokens"] = limit
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
            for tool in request.tools
        ]
    return body


def cache_mark(model: ResolvedModel) -> dict[str, str]:
    """
    Up to where the provider keeps the prompt, and how long.
    """
    return {"type": "ephemeral", **({"ttl": "1h"} if model.cache_ttl == "1h" else {})}


def _messages(model: ResolvedModel, request: ModelRequest) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for message in adapted(model, request.messages):
        own = message.get("provider") == model.provider and message.get("model") == model.model_id
        blocks = _blocks(message, own=own)
        role = "assistant" if message["role"] == "assistant" else "user"
        if not blocks:
            continue
        # Roles must alternate: neighbours of one role become one turn.
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(blocks)
        else:
            turns.append({"role": role, "content": blocks})
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"type": "text", "text": "(conversation continues)"}]})
    if turns and turns[-1]["role"] == "user":
        turns[-1]["content"][-1]["cache_control"] = cache_mark(model)
    return turns


def _blocks(message: Mapping[str, Any], *, own: bool) -> list[dict[str, Any]]:
    if message["role"] == "toolResult":
        result = {
            "type": "tool_result",
            "tool_use_id": message["toolCallId"],
            "content": _plain_blocks(message["content"]),
            "is_error": bool(message.get("isError")),
        }
        return [result]
    if message["role"] == "user":
        return _plain_blocks(message["content"])
    blocks: list[dict[str, Any]] = []
    for block in message["content"]:
        if block["type"] == "toolCall":
            use = {"type": "tool_use", "id": block["id"], "name": block["name"]}
            blocks.append({**use, "input": dict(block["arguments"])})
        elif block["type"] == "thinking":
            signature = block.get("thinkingSignature")
            if own and signature:
                blocks.append(
                    {"type": "thinking", "thinking": block["thinking"], "signature": signature},
                )
            elif block["thinking"].strip():
                blocks.append({"type": "text", "text": block["thinking"]})
        else:
            blocks.extend(_plain_blocks([block]))
    return blocks


def _plain_blocks(content: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for block in content:
        if block["type"] == "image":
            source = {"type": "base64", "media_type": block["mimeType"], "data": block["data"]}
            blocks.append({"type": "image", "source": source})
        elif block["type"] == "text" and block["text"].strip():
            # Empty text blocks are refused by the API.
            blocks.append({"type": "text", "text": block["text"]})
    return blocks


@define
class _Block:
    kind: str
    id: str = ""
    name: str = ""
    json: list[str] = field(factory=list)


@define
class MessageReader:
    """
    Makes model events of message stream events.
    """

    _emit: Emit
    _block: _Block | None = None
    _usage: dict[str, int] = field(factory=dict)
    _stop: StopReason | None = None
    _called: bool = False
    _done: bool = False

    def event(self, event: ServerEvent) -> bool:
        if self._done:
            return True
        try:
            data = parse_json(event.data, halves=True)
        except NotJson as error:
            raise GarbledAnswer("The model's answer is not JSON.") from error
        try:
            return self._take(data["type"], data)
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise GarbledAnswer("The model's answer is not in the form of messages.") from error

    def finish(self) -> None:
        if self._done:
            return
        if self._stop is None:
            raise StreamBroken("The model's answer ended before it was complete.")
        self._done = True
        self._emit(Stop("toolUse" if self._called else self._stop))

    def _take(self, kind: str, data: Mapping[str, Any]) -> bool:
        if kind == "message_start":
            self._count(data["message"].get("usage") or {})
        elif kind == "content_block_start":
            block = data["content_block"]
            self._block = _Block(block["type"], block.get("id", ""), block.get("name", ""))
        elif kind == "content_block_delta":
            self._delta(data["delta"])
        elif kind == "content_block_stop":
            self._close()
        elif kind == "message_delta":
            self._count(data.get("usage") or {})
            reason = data["delta"].get("stop_reason")
            if reason == "refusal":
                raise AnswerRefused("The model refused to answer.")
            if reason:
                self._stop = STOPS.get(reason, "stop")
        elif kind == "message_stop":
            self._emit(
                Usage(
                    input=self._usage.get("input_tokens", 0),
                    output=self._usage.get("output_tokens", 0),
                    cache_read=self._usage.get("cache_read_input_tokens", 0),
                    cache_write=self._usage.get("cache_creation_input_tokens", 0),
                )
            )
            self.finish()
            return True
        elif kind == "error":
            raise stream_error(data["error"])
        return False

    def _delta(self, delta: Mapping[str, Any]) -> None:
        kind = delta["type"]
        if kind == "text_delta":
            self._emit(TextDelta(delta["text"]))
        elif kind == "thinking_delta":
            self._emit(ThinkingDelta(delta["thinking"]))
        elif kind == "signature_delta":
            self._emit(ThinkingDelta("", whole(delta["signature"])))
        elif kind == "input_json_delta" and self._block is not None:
            self._block.json.append(delta["partial_json"])

    def _close(self) -> None:
        block, self._block = self._block, None
        if block is None or block.kind != "tool_use":
            return
        text = whole("".join(block.json))
        try:
            arguments = parse_json(text) if text.strip() else {}
        except NotJson as error:
            raise StreamBroken(f"The arguments of the model's call of {block.name} are not JSON.") from error
        if not isinstance(arguments, dict):
            raise GarbledAnswer(f"The arguments of the model's call of {block.name} are not an object.")
        self._called = True
        self._emit(ToolCall(block.id, block.name, arguments))

    def _count(self, usage: Mapping[str, Any]) -> None:
        for name, value in usage.items():
            if isinstance(value, int):
                self._usage[name] = value
