"""
Which part of the canvas host a path means (``http.md`` 2 and 12.4). Pure.

Dot segments are resolved before that, also written as ``%2e``; what is left is decoded once, by whoever opens files.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from openclaw.web.paths import is_below

BASE = "/__openclaw__"
CANVAS = f"{BASE}/canvas"
A2UI = f"{BASE}/a2ui"
SOCKET = f"{BASE}/ws"
CAPABILITY = f"{BASE}/cap/"

Part = Literal["canvas", "a2ui", "socket"]


@frozen(kw_only=True)
class Place:
    """
    What a path means.

    :ivar part: ``None`` when the path has a capability and nothing behind it that we know.
    :ivar name: below the part, as it was written, with its slash.
    :ivar capability: what the path brings to show that its client was let in.
    """

    part: Part | None
    name: str = ""
    capability: str | None = None


def place_of(path: str) -> Place | None:
    """
    The place of a path as the client wrote it, without query.

    :return: ``None`` for what is not ours.
    """
    resolved = resolve(path)
    capability = None
    if resolved.startswith(CAPABILITY):
        capability, _, rest = resolved[len(CAPABILITY) :].partition("/")
        resolved = "/" + rest
    if is_below(resolved, CANVAS):
        return Place(part="canvas", name=resolved[len(CANVAS) :], capability=capability)
    if is_below(resolved, A2UI):
        return Place(part="a2ui", name=resolved[len(A2UI) :], capability=capability)
    if resolved == SOCKET:
        return Place(part="socket", capability=capability)
    return None if capability is None else Place(part=None, capability=capability)


def resolve(path: str) -> str:
    """
    Resolve the dot segments of a path as URLs do.
    """
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments, 1):
        plain = segment.lower().replace("%2e", ".")
        if plain not in (".", ".."):
            kept.append(segment)
            continue
        if plain == "..":
            del kept[-1:]
        if number == len(segments):
            kept.append("")
    return "/" + "/".join(kept)
