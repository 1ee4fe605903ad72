"""
Templates, mappings and what they make of a call.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model_hooks import (
    HookMappingConfig,
    HookMatchConfig,
    HooksConfig,
    HooksGmailConfig,
    HookTransformConfig,
)
from openclaw.web.hooks.asking import AgentTurn, HookRefused, Wake
from openclaw.web.hooks.mappings import find_mapping, mapped
from openclaw.web.hooks.templates import Call, render

CALL = Call(
    payload={"a": {"b": [1, {"c": "deep"}]}, "yes": True, "none": None, "text": "hi", "é": "ü", "list": [1, "x"]},
    headers={"x-event": "push"},
    query={"q": "asked"},
    url="/hooks/x/?q=asked",
    path="x/",
    now="2026-11-23T06:18:49.000Z",
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class TemplateTests(SynchronousTestCase):
    def test_expressions(self) -> None:
        told = {
            "{{payload.a.b[0]}}": "1",
            "{{a.b[1].c}}": "deep",
            "{{ a.b }}": '[1,{"c":"deep"}]',
            "{{a.b[7]}}{{a.b.c}}{{a[0]}}{{nope.x}}": "",
            "{{yes}} {{none}}|": "true |",
            "{{headers.X-Event}}/{{headers.nope}}": "push/",
            "{{query.q}}{{query.z}}": "asked",
            "{{path}} {{now}}": "x/ 2026-11-23T06:18:49.000Z",
            "{{é}} {{payload.text}}": "ü hi",
            "no {{ braces } {x}": "no {{ braces } {x}",
            "{{}}": '{"a":{"b":[1,{"c":"deep"}]},"yes":true,"none":null,"text":"hi","é":"ü","list":[1,"x"]}',
        }
        for template, text in told.items():
            self.assertEqual(render(template, CALL), text, template)

    @settings(max_examples=300, deadline=None)
    @given(template=st.text(alphabet=st.sampled_from("{}ab.[]0 payloadheaders")), payload=VALUES)
    def test_any(self, template: str, payload: Any) -> None:
        """
        Whatever a template and a payload are, text comes of it, and what was filled in is not read as a template again.
        """
        self.assertIsInstance(render(template, evolve(CALL, payload=payload)), str)
        nested = evolve(CALL, payload={"text": "{{query.q}}"})
        self.assertEqual(render("{{text}}", nested), "{{query.q}}")


def mapping(**members: Any) -> HookMappingConfig:
    return HookMappingConfig(message_template="do {{text}}", **members)


class MappingTests(SynchronousTestCase):
    def made(self, one: HookMappingConfig, changes: Any = None, call: Call = CALL) -> Wake | AgentTurn | None:
        async def transform(_: HookTransformConfig, __: Call) -> Any:
            return changes

        return self.successResultOf(Deferred.fromCoroutine(mapped(one, call, transform, ("telegram",), "hook:own")))

    def turn(self, one: HookMappingConfig, changes: Any = None) -> AgentTurn:
        made = self.made(one, changes)
        assert isinstance(made, AgentTurn)
        return made

    def refused(self, one: HookMappingConfig, changes: Any = None) -> str:
        async def transform(_: HookTransformConfig, __: Call) -> Any:
            return changes

        making = Deferred.fromCoroutine(mapped(one, CALL, transform, ("telegram",), "hook:own"))
        return str(self.failureResultOf(making, HookRefused).value)

    def test_which(self) -> None:
        """
        The first that matches, by path without the slashes around it and by the payload's source; the preset last.
        """
        first = mapping(id="first", match=HookMatchConfig(path="/x/"))
        second = mapping(id="second", match=HookMatchConfig(source="s"))
        both = mapping(id="both", match=HookMatchConfig(path="y", source="s"))
        hooks = HooksConfig(mappings=(both, first, second), presets=("gmail", "unknown"))
        cases: list[tuple[str, Any, str | None]] = [
            ("x", {}, "first"),
            ("x/", {"source": "s"}, "first"),
            ("y", {"source": "s"}, "both"),
            ("y", {"source": "t"}, None),
            ("z", {"source": "s"}, "second"),
            ("z", ["s"], None),
            ("gmail", {}, "gmail"),
            ("gmail", {"source": "s"}, "second"),
        ]
        for path, payload, wanted in cases:
            found = find_mapping(hooks, evolve(CALL, path=path, payload=payload))
            self.assertEqual(found.id if found else None, wanted, (path, payload))
        self.assertEqual(find_mapping(HooksConfig(mappings=(mapping(),)), CALL), mapping())

    def test_turn(self) -> None:
        turn = self.turn(mapping())
        self.assertEqual((turn.message, turn.name, turn.session_key), ("do hi", "Hook", "hook:own"))
        self.assertEqual((turn.deliver, turn.channel, turn.wake_mode, turn.unsafe), (True, "last", "now", False))
        whole = mapping(
            name="N {{text}}",
            session_key="hook:{{a.b[0]}}",
            to="{{nope}}",
            model="m/{{text}}",
            thinking="low",
            deliver=False,
            wake_mode="next-heartbeat",
            channel="telegram",
            timeout_seconds=30.9,
            allow_unsafe_external_content=True,
        )
        turn = self.turn(whole)
        self.assertEqual((turn.name, turn.session_key, turn.to, turn.model), ("N hi", "hook:1", None, "m/hi"))
        self.assertEqual((turn.deliver, turn.wake_mode, turn.timeout_seconds), (False, "next-heartbeat", 30))
        self.assertEqual((turn.channel, turn.unsafe), ("telegram", True))

    def test_refused(self) -> None:
        self.assertEqual(self.refused(HookMappingConfig()), "hook mapping requires message")
        self.assertEqual(self.refused(HookMappingConfig(action="wake")), "hook mapping requires text")
        self.assertEqual(self.refused(mapping(channel="slack")), "channel must be last|telegram")

    def test_wake(self) -> None:
        one = HookMappingConfig(action="wake", text_template=" ev {{text}} ", wake_mode="next-heartbeat")
        self.assertEqual(self.made(one), Wake(text="ev hi", mode="next-heartbeat"))

    def test_transform(self) -> None:
        """
        It changes what it names, says that nothing is to happen, or makes another kind of it.
        """
        one = mapping(transform=HookTransformConfig(module="x.py"))
        self.assertEqual(self.turn(one, {}).message, "do hi")
        turn = self.turn(one, {"message": "else", "deliver": False, "allowUnsafeExternalContent": True})
        self.assertEqual((turn.message, turn.deliver, turn.unsafe), ("else", False, True))
        self.assertIsNone(self.made(one, None))
        self.assertEqual(self.made(one, {"kind": "wake", "text": "up"}), Wake(text="up", mode="now"))
        self.assertEqual(self.refused(one, {"kind": "wake"}), "hook mapping requires text")
        empty = HookMappingConfig(transform=HookTransformConfig(module="x.py"))
        self.assertEqual(self.turn(empty, {"message": "filled"}).message, "filled")

    def test_gmail(self) -> None:
        hooks = HooksConfig(presets=("gmail",), gmail=HooksGmailConfig(allow_unsafe_external_content=True))
        mail = {"messages": [{"id": "m1", "from": "Ada", "subject": "S", "snippet": "Hi", "body": "B"}]}
        call = evolve(CALL, path="gmail", payload=mail)
        found = find_mapping(hooks, call)
        assert found is not None
        turn = self.made(found, call=call)
        assert isinstance(turn, AgentTurn)
        self.assertEqual((turn.session_key, turn.unsafe), ("hook:gmail:m1", True))
        self.assertEqual(turn.message, "New email from Ada\nSubject: S\nHi\nB")
