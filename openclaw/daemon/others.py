"""
Services of the system that look like a gateway, beside the one that is meant (``service.md`` 4.3).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

_MARKERS = ("openclaw", "clawdbot", "moltbot")
_SYSTEM_UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


@frozen(kw_only=True)
class Place:
    """
    A directory of service files.

    :ivar scope: ``user`` or ``system``.
    """

    scope: str
    directory: Path


@frozen(kw_only=True)
class OtherService:
    """
    One that was found.

    :ivar marker: by which it was.
    """

    platform: str
    label: str
    path: Path
    scope: str
    marker: str

    @property
    def detail(self) -> str:
        return f"{'plist' if self.platform == 'darwin' else 'unit'}: {self.path}"

    def payload(self) -> dict[str, Any]:
        """
        The shape of ``gateway status --json``.
        """
        return {
            "platform": self.platform,
            "label": self.label,
            "detail": self.detail,
            "scope": self.scope,
            "marker": self.marker,
            "legacy": self.marker != "openclaw",
        }

    def cleanup(self) -> list[str]:
        """
        Commands that end it for good.
        """
        if self.platform == "darwin":
            domain = "gui/$UID" if self.scope == "user" else "system"
            return [f"launchctl bootout {domain}/{self.label}", f"rm {self.path}"]
        scope = "--user " if self.scope == "user" else ""
        return [f"systemctl {scope}disable --now {self.label}", f"rm {self.path}"]


def places(home: Path, *, deep: bool, platform: str = sys.platform) -> list[Place]:
    """
    Where to look.

    :param deep: also at what is not this user's.
    """
    others: tuple[str, ...]
    if platform == "darwin":
        own, others = home / "Library" / "LaunchAgents", ("/Library/LaunchAgents", "/Library/LaunchDaemons")
    else:
        own, others = home / ".config" / "systemd" / "user", _SYSTEM_UNITS
    system = [Place(scope="system", directory=Path(name)) for name in others]
    return [Place(scope="user", directory=own), *(system if deep else ())]


def other_services(found_in: Sequence[Place], own: str, platform: str = sys.platform) -> list[OtherService]:
    """
    Look. What cannot be read is not found; a file that several directories lead to is found once.

    :param own: the service that is no other one.
    """
    seen = set[Path]()
    found = []
    for place in found_in:
        for path in _files(place.directory, "plist" if platform == "darwin" else "service"):
            real = path.resolve()
            text = _text(real)
            marker = next((marker for marker in _MARKERS if marker in text), None)
            label = path.stem if platform == "darwin" else path.name
            if marker is None or real in seen or label == own or _is_ours(label, text):
                continue
            seen.add(real)
            found.append(OtherService(platform=platform, label=label, path=path, scope=place.scope, marker=marker))
    return found


def _is_ours(name: str, text: str) -> bool:
    """
    The gateway of a profile, or a node host: both belong here.
    """
    if "openclaw_service_marker" in text and "openclaw_service_kind" in text:
        return "gateway" in text or "openclaw_service_kind=node" in text.replace('"', "")
    return name.startswith(("openclaw-gateway", "ai.openclaw", "bot.molt")) and "gateway" in text


def _files(directory: Path, kind: str) -> Iterator[Path]:
    try:
        yield from sorted(directory.glob(f"*.{kind}"))
    except OSError:
        return


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return ""
