"""
From a call to what it asks for, by the mappings of the configuration and the presets (``http.md`` 10.4, 10.5).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import evolve

from openclaw.config.model_hooks import HookMappingConfig, HookMatchConfig, HooksConfig, HookTransformConfig
from openclaw.web.hooks.asking import AgentTurn, HookRefused, Wake, read_turn, wake_mode
from openclaw.web.hooks.templates import Call, render

#: Gives what a transform made of a call; ``None`` means that nothing is to happen.
Transform = Callable[[HookTransformConfig, Call], Awaitable[Mapping[str, Any] | None]]

GMAIL = HookMappingConfig(
    id="gmail",
    match=HookMatchConfig(path="gmail"),
    name="Gmail",
    session_key="hook:gmail:{{messages[0].id}}",
    message_template=(
        "New email from {{messages[0].from}}\nSubject: {{messages[0].subject}}\n"
        "{{messages[0].snippet}}\n{{messages[0].body}}"
    ),
)


def mappings_of(hooks: HooksConfig) -> Sequence[HookMappingConfig]:
    """
    In the order in which they are tried: the configured ones, then the presets.
    """
    if "gmail" not in hooks.presets:
        return hooks.mappings
    unsafe = hooks.gmail.allow_unsafe_external_content
    return (*hooks.mappings, evolve(GMAIL, allow_unsafe_external_content=unsafe))


def find_mapping(hooks: HooksConfig, call: Call) -> HookMappingConfig | None:
    """
    The first that matches.
    """
    return next((mapping for mapping in mappings_of(hooks) if _matches(mapping.match, call)), None)


def _matches(match: HookMatchConfig, call: Call) -> bool:
    if match.path is not None and match.path.strip("/") != call.path.strip("/"):
        return False
    source = call.payload.get("source") if isinstance(call.payload, dict) else None
    return match.source is None or match.source == source


async def mapped(
    mapping: HookMappingConfig, call: Call, transform: Transform, channels: Sequence[str], own_key: str
) -> Wake | AgentTurn | None:
    """
    What a mapping makes of a call; ``None`` if its transform says that nothing is to happen.

    :raise HookRefused: there is no message or text, or its channel is not loaded.
    """
    changes: Mapping[str, Any] = {}
    if mapping.transform is not None:
        made = await transform(mapping.transform, call)
        if made is None:
            return None
        changes = made
    kind = changes.get("kind") if changes.get("kind") in ("wake", "agent") else mapping.action
    return _wake(mapping, call, changes) if kind == "wake" else _turn(mapping, call, changes, channels, own_key)


def _wake(mapping: HookMappingConfig, call: Call, changes: Mapping[str, Any]) -> Wake:
    text = changes.get("text")
    if not isinstance(text, str):
        text = render(mapping.text_template or "", call) if mapping.action == "wake" else ""
    if not text.strip():
        raise HookRefused("hook mapping requires text")
    mode = changes.get("mode", changes.get("wakeMode", mapping.wake_mode))
    return Wake(text=text.strip(), mode=wake_mode(mode))


def _turn(
    mapping: HookMappingConfig, call: Call, changes: Mapping[str, Any], channels: Sequence[str], own_key: str
) -> AgentTurn:
    base: dict[str, Any] = {
        "message": render(mapping.message_template or "", call) if mapping.action == "agent" else "",
        "wakeMode": mapping.wake_mode,
        "deliver": mapping.deliver,
        "channel": mapping.channel,
        "timeoutSeconds": mapping.timeout_seconds,
        "allowUnsafeExternalContent": mapping.allow_unsafe_external_content,
    }
    for name in ("name", "session_key", "to", "model", "thinking"):
        base[_CAMEL.get(name, name)] = render(getattr(mapping, name) or "", call).strip()
    told = {name: value for name, value in {**base, **changes}.items() if value not in (None, "")}
    if not isinstance(told.get("message"), str) or not told["message"].strip():
        raise HookRefused("hook mapping requires message")
    turn = read_turn(told, channels, own_key)
    return evolve(turn, unsafe=told.get("allowUnsafeExternalContent") is True)


_CAMEL = {"session_key": "sessionKey"}
