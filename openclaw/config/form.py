"""
The key set as a JSON Schema, with titles, help and hints for forms (``config.schema``).

Hints are by dotted path, in which ``*`` stands for any name or element. Pages of other versions leave the indexes of
arrays out of their paths; for those, hints below arrays are there without the ``*`` too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import attrs

from openclaw.config.keys import ROOT
from openclaw.config.model import Config
from openclaw.config.schema import AnyOf, Choice, Each, Flag, Number, Obj, Record, Shape, Text
from openclaw.config.structure import wire_name

ANY = "*"

#: Parts of names that are written in capitals.
_CAPITALS = frozenset(
    (
        "api",
        "cdp",
        "cli",
        "dm",
        "dns",
        "http",
        "id",
        "json",
        "mb",
        "ms",
        "otel",
        "pdf",
        "rpc",
        "ssh",
        "tls",
        "ttl",
        "tts",
    )
) | {"tts", "ui", "uri", "url", "vnc"}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
#: Names that are not made of words.
_NAMES = {"imessage": "iMessage", "msteams": "Microsoft Teams", "whatsapp": "WhatsApp", "openai": "OpenAI"} | {
    "elevenlabs": "ElevenLabs",
    "googlechat": "Google Chat",
    "mdns": "mDNS",
    "env": "Environment",
    "auth": "Authentication",
}
#: Sections that few people change stand behind the others, folded.
_ADVANCED = frozenset({"audio", "broadcast", "diagnostics", "env", "media", "meta", "nodeHost", "update", "wizard"})
_ORDER: tuple[str, ...] = (
    *("gateway", "agents", "models", "channels", "messages", "session", "tools", "commands", "bindings", "cron"),
    *("hooks", "skills", "plugins", "browser", "canvasHost", "talk", "ui", "logging", "discovery", "approvals"),
)


@cache
def config_form() -> Mapping[str, Any]:
    """
    ``{"schema": ..., "uiHints": ...}``; not to be changed.
    """
    hints: dict[str, dict[str, Any]] = {}
    texts = help_texts()
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "OpenClaw configuration",
        **_schema(ROOT, (), Config(), hints, texts),
    }
    sections = [*_ORDER, *(name for name in ROOT.members if name not in _ORDER)]
    for index, name in enumerate(sections):
        hints[name] |= {"group": hints[name]["label"], "order": (index + 1) * 10}
        if name in _ADVANCED:
            hints[name]["advanced"] = True
    return MappingProxyType({"schema": schema, "uiHints": _without_indexes(hints)})


@cache
def help_texts() -> Mapping[str, str]:
    """
    What keys are for, by the paths of their hints.
    """
    lines = files("openclaw.config").joinpath("help.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def title(key: str) -> str:
    """
    A key as people read it: ``allowInsecureAuth`` is ``Allow insecure auth``.
    """
    if key in _NAMES:
        return _NAMES[key]
    words = [word.lower() for word in _WORDS.findall(key)]
    shown = [word.upper() if word in _CAPITALS else word for word in words]
    return " ".join([shown[0][:1].upper() + shown[0][1:], *shown[1:]]) if shown else key


def _schema(
    shape: Shape, path: tuple[str, ...], default: Any, hints: dict[str, dict[str, Any]], texts: Mapping[str, str]
) -> dict[str, Any]:
    """
    The schema of one value; the hints of what is below it are added.

    :param default: what the program takes where the file says nothing; ``None`` where nobody can tell.
    """
    found: dict[str, Any] = {}
    name = ".".join(path)
    if path and path[-1] != ANY:
        found["title"] = title(path[-1])
        hints[name] = {"label": found["title"]}
    if name in texts:
        found["description"] = texts[name]
        hints.setdefault(name, {})["help"] = texts[name]
    if shape.secret:
        hints.setdefault(name, {})["sensitive"] = True
    if isinstance(default, str | int | float) and not shape.secret:
        found["default"] = default
        if not isinstance(default, bool) and default != "":
            hints.setdefault(name, {})["placeholder"] = str(default)

    def below(inner: Shape, key: str) -> dict[str, Any]:
        return _schema(inner, (*path, key), _member(default, key), hints, texts)

    if isinstance(shape, Obj):
        found |= {"type": "object", "properties": {key: below(inner, key) for key, inner in shape.members.items()}}
        found["additionalProperties"] = below(shape.rest, ANY) if shape.rest is not None else shape.unknown == "ignore"
        required = [key for key, inner in shape.members.items() if inner.required]
        return found | ({"required": required} if required else {})
    if isinstance(shape, Record):
        names = {} if shape.keys is None else {"propertyNames": {"pattern": f"^(?:{shape.keys})$"}}
        return found | {"type": "object", "additionalProperties": below(shape.item, ANY)} | names
    if isinstance(shape, Each):
        return found | {"type": "array", "items": below(shape.item, ANY)}
    if isinstance(shape, AnyOf):
        variants = [_schema(variant, path, None, hints, {}) for variant in shape.shapes]
        return found | {"anyOf": [{key: told for key, told in one.items() if key != "title"} for one in variants]}
    return found | _plain(shape)


def _plain(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Text):
        found: dict[str, Any] = {"type": "string"}
        if shape.least:
            found["minLength"] = shape.least
        if shape.most is not None:
            found["maxLength"] = shape.most
        if shape.pattern is not None:
            found["pattern"] = f"^(?:{shape.pattern})$"
        return found
    if isinstance(shape, Number):
        limits = {"exclusiveMinimum": shape.above, "minimum": shape.least, "maximum": shape.most}
        told = {name: limit for name, limit in limits.items() if limit is not None}
        return {"type": "integer" if shape.whole else "number", **told}
    if isinstance(shape, Flag):
        return {"type": "boolean"}
    if isinstance(shape, Choice):
        texts = all(isinstance(value, str) for value in shape.values)
        return {**({"type": "string"} if texts else {}), "enum": list(shape.values)}
    return {}


def _member(model: Any, key: str) -> Any:
    """
    The default of a member of something that the model has a class for.
    """
    if not attrs.has(type(model)):
        return None
    return next(
        (getattr(model, field.name) for field in attrs.fields(type(model)) if wire_name(field.name) == key), None
    )


def _without_indexes(hints: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = dict(hints)
    for name, hint in hints.items():
        short = ".".join(_short(tuple(name.split("."))))
        if short and short not in found:
            found[short] = hint
    return found


def _short(path: tuple[str, ...]) -> tuple[str, ...]:
    shape: Shape | None = ROOT
    kept = []
    for part in path:
        index = part == ANY and isinstance(shape, Each)
        if not index:
            kept.append(part)
        shape = None if shape is None else shape.child(0 if index else part)
    return tuple(kept)
