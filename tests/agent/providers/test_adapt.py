"""
A transcript as one model can read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.adapt import LEFT_OUT, adapted, call_id
from openclaw.agent.providers.anthropic import request_body as anthropic_body
from openclaw.agent.providers.base import ModelRequest, ResolvedModel
from openclaw.agent.providers.compat import guessed_compat
from openclaw.agent.providers.openai import request_body
from tests.agent.providers.serving import resolved

MISTRAL = resolved(compat=guessed_compat("mistral", "https://api.mistral.ai/v1"))
ODD = "call|with/strange:signs" + "x" * 100


def called(id: str) -> Mapping[str, Any]:
    block = {"type": "toolCall", "id": id, "name": "launch", "arguments": {}}
    return {"role": "assistant", "provider": "mock", "model": "mock-1", "content": [block]}


def result(id: str) -> Mapping[str, Any]:
    content = [{"type": "text", "text": "up"}]
    return {"role": "toolResult", "toolCallId": id, "toolName": "launch", "content": content}


def sent(model: ResolvedModel, *messages: Mapping[str, Any]) -> Any:
    return request_body(model, ModelRequest(system="", messages=messages))["messages"]


class IdTests(SynchronousTestCase):
    def test_kept(self) -> None:
        """
        An id that everybody takes stays.
        """
        self.assertEqual(call_id("call_1-A"), "call_1-A")
        self.assertEqual(call_id("aB3dE6gH9", short=True), "aB3dE6gH9")

    def test_made(self) -> None:
        """
        Another becomes one, always the same, and two of them never the same.
        """
        made = [call_id(ODD), call_id(ODD + "y"), call_id("a b"), call_id("a.b")]
        self.assertEqual(len(set(made)), 4)
        self.assertEqual(call_id(ODD), made[0])
        for one in made:
            self.assertTrue(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one), one)
        self.assertTrue(re.fullmatch(r"[a-z0-9]{9}", call_id("call_1", short=True)))

    def test_call_and_result(self) -> None:
        """
        A call and its result have one id, at every provider.
        """
        said, told = sent(resolved(), called(ODD), result(ODD))
        self.assertEqual(told["tool_call_id"], said["tool_calls"][0]["id"])
        self.assertEqual(told["tool_call_id"], call_id(ODD))
        body = anthropic_body(resolved(), ModelRequest(system="", messages=[called(ODD), result(ODD)]))
        blocks = [block for message in body["messages"] for block in message["content"]]
        self.assertEqual([block.get("id") or block.get("tool_use_id") for block in blocks[1:]], [call_id(ODD)] * 2)

    def test_used_again(self) -> None:
        """
        Two calls of one id have two, each with its result.
        """
        first, one, second, two = sent(resolved(), called("c"), result("c"), called("c"), result("c"))
        self.assertEqual(one["tool_call_id"], first["tool_calls"][0]["id"])
        self.assertEqual(two["tool_call_id"], second["tool_calls"][0]["id"])
        self.assertEqual(one["tool_call_id"], "c")
        self.assertNotEqual(two["tool_call_id"], "c")


class PictureTests(SynchronousTestCase):
    def test_left_out(self) -> None:
        """
        A model that reads only text is told that there was a picture; the transcript is not changed.
        """
        image = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
        message = {"role": "user", "content": [image]}
        (read,) = adapted(resolved(), [message])
        self.assertEqual(read["content"], [{"type": "text", "text": LEFT_OUT}])
        self.assertEqual(list(adapted(resolved(inputs=("text", "image")), [message])), [message])
        self.assertEqual(message["content"], [image])


class CompatTests(SynchronousTestCase):
    def test_mistral(self) -> None:
        """
        Short ids, results with the tool's name, and reasoning as text.
        """
        said, told = sent(MISTRAL, called("call_1"), result("call_1"))
        self.assertEqual((told["name"], told["tool_call_id"]), ("launch", said["tool_calls"][0]["id"]))
        self.assertEqual(len(told["tool_call_id"]), 9)
        thought = {"type": "thinking", "thinking": "hm", "thinkingSignature": "reasoning_content"}
        (said,) = sent(MISTRAL, {**called("x"), "content": [thought]})
        self.assertEqual(said, {"role": "assistant", "content": [{"type": "text", "text": "hm"}]})
        self.assertNotIn("name", sent(resolved(), result("call_1"))[0])

    def test_switch(self) -> None:
        """
        Where reasoning is only switched, it is switched on or off, and no effort is named.
        """
        zai = guessed_compat("zai", "https://api.z.ai/api/paas/v4")
        for level, kind in (("off", "disabled"), ("high", "enabled")):
            body = request_body(
                resolved(compat=zai, reasoning=True), ModelRequest(system="", messages=[], thinking=level)
            )
            self.assertEqual((body["thinking"], body.get("reasoning_effort")), ({"type": kind}, None))
        self.assertNotIn("thinking", request_body(resolved(compat=zai), ModelRequest(system="", messages=[])))
