"""
Which commands a node may be asked for, by its platform and the configuration (``methods.md`` 10.6), and which
parameters of a command are the gateway's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

CANVAS: Final = (
    "canvas.present",
    "canvas.hide",
    "canvas.navigate",
    "canvas.eval",
    "canvas.snapshot",
    "canvas.a2ui.push",
    "canvas.a2ui.pushJSONL",
    "canvas.a2ui.reset",
)
CAMERA: Final = ("camera.list", "camera.snap", "camera.clip")
SCREEN: Final = ("screen.record",)
LOCATION: Final = ("location.get",)
SMS: Final = ("sms.send",)

#: These read and write what a node runs without asking: more than using it.
APPROVALS: Final = ("system.execApprovals.get", "system.execApprovals.set")
BROWSER: Final = "browser.proxy"
SYSTEM: Final = ("system.run", "system.which", "system.notify", *APPROVALS, BROWSER)

#: Where the browser's server keeps its profiles.
_PROFILES: Final = frozenset({"profiles", "reset-profile"})

#: What each platform offers; one that nobody knows may offer everything.
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "ios": (*CANVAS, *CAMERA, *SCREEN, *LOCATION),
    "android": (*CANVAS, *CAMERA, *SCREEN, *LOCATION, *SMS),
    "macos": (*CANVAS, *CAMERA, *SCREEN, *LOCATION, *SYSTEM),
    "linux": SYSTEM,
    "windows": SYSTEM,
    "unknown": (*CANVAS, *CAMERA, *SCREEN, *LOCATION, *SMS, *SYSTEM),
}

_PREFIXES: Final = (
    ("ios", "ios"),
    ("android", "android"),
    ("mac", "macos"),
    ("darwin", "macos"),
    ("win", "windows"),
    ("linux", "linux"),
)
_FAMILIES: Final = (
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("ios", "ios"),
    ("android", "android"),
    ("mac", "macos"),
    ("windows", "windows"),
    ("linux", "linux"),
)

_NO_LETTER = re.compile(r"[^a-z0-9]")


def platform_of(platform: str | None, device_family: str | None) -> str:
    """
    The platform of a node, from what it says of itself: a key of ``COMMANDS``.
    """
    told = (platform or "").strip().lower()
    for prefix, found in _PREFIXES:
        if told.startswith(prefix):
            return found
    family = (device_family or "").strip().lower()
    for part, found in _FAMILIES:
        if part in family:
            return found
    return "unknown"


def allowed_commands(platform: str, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> frozenset[str]:
    """
    The commands that nodes of a platform may be asked for.

    :param platform: a key of ``COMMANDS``.
    :param allow: ``gateway.nodes.allowCommands``.
    :param deny: ``gateway.nodes.denyCommands``; it wins.
    """
    return (frozenset(COMMANDS[platform]) | _trimmed(allow)) - _trimmed(deny)


def declared_commands(given: Iterable[str], allowed: frozenset[str]) -> tuple[str, ...]:
    """
    What counts of the commands that a node offers, sorted.
    """
    return tuple(sorted(_trimmed(given) & allowed))


def refusal(command: str, declared: Sequence[str], allowed: frozenset[str]) -> str | None:
    """
    Why a node is not asked for a command; ``None`` if it is.

    :param declared: what the node offered when it connected.
    """
    if not command:
        return "command required"
    if command not in allowed:
        return "command not allowlisted"
    if not declared:
        return "node did not declare commands"
    return None if command in declared else "command not declared by node"


def needs_admin(command: str, params: Any) -> bool:
    """
    Whether a command does more than use a node: it changes what the node runs without asking, or which browser
    profiles it keeps (GHSA-vmhq-cqm9-6p7q).
    """
    if command in APPROVALS:
        return True
    if command != BROWSER or not isinstance(params, Mapping):
        return False
    method, path = str(params.get("method") or "GET"), str(params.get("path") or "")
    # Servers differ in what they take for the same path: any part of it that names profiles counts.
    parts = re.split(r"[/\\?#;]+", unquote(unquote(path)).lower())
    return method.strip().upper() != "GET" and any(part.strip() in _PROFILES for part in parts)


def data_of(params: Any) -> Any:
    """
    Parameters of a command without what only the gateway may say in them: that something was approved, and how.

    Nodes believe these members, so they must never come from whoever asks (CVE-2026-28466). They are told by their
    name, in whatever spelling, since every host of nodes may read others: ``approved``, ``approvalDecision``, ...
    """
    if not isinstance(params, Mapping):
        return params
    return {name: value for name, value in params.items() if not is_reserved(name)}


def is_reserved(name: str) -> bool:
    """
    Whether a member of a command's parameters is the gateway's own.
    """
    return _NO_LETTER.sub("", name.lower()).startswith("approv")


def _trimmed(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.strip() for name in names) - {""}
