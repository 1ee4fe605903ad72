"""
Changes to a session's settings, checked as a whole before any of them counts (``methods.md`` 9.4, 9.5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from openclaw.errors import OpenClawError
from openclaw.sessions import levels
from openclaw.sessions.keys import is_subagent

#: Members that survive ``sessions.reset``.
KEPT_BY_RESET = (
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "responseUsage",
    "model",
    "contextTokens",
    "sendPolicy",
    "label",
    "origin",
    "lastChannel",
    "lastTo",
    "skillsSnapshot",
)

MAX_LABEL = 64


@frozen(kw_only=True)
class InvalidPatch(OpenClawError):
    """
    A change that a session's settings do not allow.
    """

    message: str

    def __str__(self) -> str:
        return self.message


@frozen(kw_only=True)
class PickedModel:
    """
    What a word for a model means.

    :ivar default: whether it is the model that the session would have anyway.
    """

    provider: str
    model: str
    default: bool
    allowed: bool = True


@frozen(kw_only=True)
class Surroundings:
    """
    What a patch is checked against beside the entry itself.

    :ivar label_taken: whether another session has a label.
    :ivar pick_model: what a word for a model means; ``""`` asks for the default.
    """

    key: str
    label_taken: Callable[[str], bool]
    pick_model: Callable[[str], PickedModel]


Members = dict[str, Any]


def patched(members: Mapping[str, Any], changes: Mapping[str, Any], around: Surroundings) -> Members:
    """
    The members of an entry after a change.

    :param changes: by wire name; ``None`` clears. Names that are no settings are not there: the schema refused them.
    :return: new members; the old ones are not touched.
    :raise InvalidPatch: one of the changes is not allowed. The first one in the order of the table counts.
    """
    result = dict(members)
    for name, rule in RULES.items():
        if name in changes:
            rule(result, changes[name], around)
    if result.get("thinkingLevel") == "xhigh":
        _check_xhigh(result, "thinkingLevel" in changes and changes["thinkingLevel"] is not None, around)
    return result


def after_reset(members: Mapping[str, Any]) -> Members:
    """
    The members of an entry whose transcript starts afresh by ``sessions.reset``.
    """
    kept = {name: members[name] for name in KEPT_BY_RESET if members.get(name) is not None}
    return {
        "systemSent": False,
        "abortedLastRun": False,
        **kept,
        "inputTokens": 0,
        "outputTokens": 0,
        "totalTokens": 0,
    }


def checked_label(text: str) -> str:
    """
    :raise InvalidPatch: the label is blank.
    """
    label = text.strip()
    if not label:
        raise InvalidPatch(message="invalid label: empty")
    if len(label) > MAX_LABEL:
        raise InvalidPatch(message=f"invalid label: too long (max {MAX_LABEL})")
    return label


def _spawned_by(result: Members, value: str | None, around: Surroundings) -> None:
    old = result.get("spawnedBy")
    if value is None:
        if old:
            raise InvalidPatch(message="spawnedBy cannot be cleared once set")
        return
    parent = value.strip()
    if not parent:
        raise InvalidPatch(message="invalid spawnedBy: empty")
    if not is_subagent(around.key):
        raise InvalidPatch(message="spawnedBy is only supported for subagent:* sessions")
    if old and old != parent:
        raise InvalidPatch(message="spawnedBy cannot be changed once set")
    result["spawnedBy"] = parent


def _label(result: Members, value: str | None, around: Surroundings) -> None:
    if value is None:
        result.pop("label", None)
        return
    label = checked_label(value)
    if around.label_taken(label):
        raise InvalidPatch(message=f"label already in use: {label}")
    result["label"] = label


def _model(result: Members, value: str | None, around: Surroundings) -> None:
    word = "" if value is None else value.strip()
    if value is not None and not word:
        raise InvalidPatch(message="invalid model: empty")
    picked = around.pick_model(word)
    if word and not picked.allowed:
        raise InvalidPatch(message=f"model not allowed: {picked.provider}/{picked.model}")
    for name in ("providerOverride", "modelOverride"):
        result.pop(name, None)
    for name in ("authProfileOverride", "authProfileOverrideSource", "authProfileOverrideCompactionCount"):
        result.pop(name, None)
    if word and not picked.default:
        result |= {"providerOverride": picked.provider, "modelOverride": picked.model}


def _execution_node(result: Members, value: str | None, around: Surroundings) -> None:
    node = None if value is None else value.strip()
    if node == "":
        raise InvalidPatch(message="invalid execNode: empty")
    _store(result, "execNode", node)


def _level(
    name: str, parse: Callable[[str], str | None], error: str, *, removed_by_off: bool
) -> Callable[[Members, str | None, Surroundings], None]:
    def rule(result: Members, value: str | None, around: Surroundings) -> None:
        level = None if value is None else parse(value)
        if value is not None and level is None:
            raise InvalidPatch(message=error)
        _store(result, name, None if removed_by_off and level == "off" else level)

    return rule


def _one_of(name: str, *values: str) -> Callable[[Members, str | None, Surroundings], None]:
    listed = "|".join(f'"{value}"' for value in values)
    error = f"invalid {name} (use {listed})"

    def parse(text: str) -> str | None:
        word = text.strip().lower()
        return word if word in values else None

    return _level(name, parse, error, removed_by_off=False)


def _store(result: Members, name: str, value: str | None) -> None:
    if value is None:
        result.pop(name, None)
    else:
        result[name] = value


def _check_xhigh(result: Members, asked: bool, around: Surroundings) -> None:
    """
    ``xhigh`` needs a model that knows it: asking for it is refused, having it from another model lowers it.
    """
    provider, model = result.get("providerOverride"), result.get("modelOverride")
    if not (provider and model):
        picked = around.pick_model("")
        provider, model = picked.provider, picked.model
    if levels.supports_xhigh(provider, model):
        return
    if asked:
        *first, last = levels.XHIGH_MODELS
        raise InvalidPatch(message=f'thinkingLevel "xhigh" is only supported for {", ".join(first)}, or {last}')
    result["thinkingLevel"] = "high"


#: How each member is checked and stored, in the order in which errors count.
RULES: Mapping[str, Callable[[Members, Any, Surroundings], None]] = {
    "spawnedBy": _spawned_by,
    "label": _label,
    "thinkingLevel": _level(
        "thinkingLevel",
        levels.thinking_level,
        "invalid thinkingLevel (use off|minimal|low|medium|high)",
        removed_by_off=True,
    ),
    "verboseLevel": _level(
        "verboseLevel", levels.verbose_level, 'invalid verboseLevel (use "on"|"off")', removed_by_off=False
    ),
    "reasoningLevel": _level(
        "reasoningLevel",
        levels.reasoning_level,
        'invalid reasoningLevel (use "on"|"off"|"stream")',
        removed_by_off=True,
    ),
    "responseUsage": _level(
        "responseUsage", levels.usage_mode, 'invalid responseUsage (use "off"|"tokens"|"full")', removed_by_off=True
    ),
    "elevatedLevel": _level(
        "elevatedLevel",
        levels.elevated_level,
        'invalid elevatedLevel (use "on"|"off"|"ask"|"full")',
        removed_by_off=False,
    ),
    "execHost": _one_of("execHost", "sandbox", "gateway", "node"),
    "execSecurity": _one_of("execSecurity", "deny", "allowlist", "full"),
    "execAsk": _one_of("execAsk", "off", "on-miss", "always"),
    "execNode": _execution_node,
    "model": _model,
    "sendPolicy": _one_of("sendPolicy", "allow", "deny"),
    "groupActivation": _one_of("groupActivation", "mention", "always"),
}
