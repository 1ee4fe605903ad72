"""
Reading ``SKILL.md``: front matter between two lines of dashes, as the reference's skills have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyjson5
from attrs import field, frozen

from openclaw.errors import OpenClawError

#: More is no description of a skill.
MOST_BYTES = 256 * 1024
#: Under which names metadata is told; older skills have the older ones.
METADATA_NAMES = ("openclaw", "clawdbot", "moltbot")


@frozen(kw_only=True)
class BadSkill(OpenClawError):
    """
    A ``SKILL.md`` that cannot be used.
    """

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@frozen(kw_only=True)
class Requirements:
    """
    What a skill needs.

    :ivar any_bins: one of these programs is enough.
    :ivar config: dotted keys of the configuration that must be set.
    :ivar os: ``linux``, ``darwin`` or ``win32``; empty for all.
    """

    bins: tuple[str, ...] = ()
    any_bins: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    os: tuple[str, ...] = ()

    def members(self) -> dict[str, list[str]]:
        """
        As clients know them.
        """
        return {
            "bins": list(self.bins),
            "anyBins": list(self.any_bins),
            "env": list(self.env),
            "config": list(self.config),
            "os": list(self.os),
        }


@frozen(kw_only=True)
class Installer:
    """
    A way to get what a skill needs.

    :ivar kind: ``brew``, ``node``, ``go``, ``uv`` or ``download``.
    :ivar target: the formula, package or module.
    """

    id: str
    kind: str
    label: str
    target: str
    bins: tuple[str, ...] = ()
    os: tuple[str, ...] = ()


@frozen(kw_only=True)
class Skill:
    """
    One skill.

    :ivar source: where it was found, by the name that clients know.
    :ivar key: under which it is configured.
    :ivar primary_env: the variable that holds its key for some service.
    """

    name: str
    description: str
    source: str
    path: Path
    key: str
    primary_env: str | None = None
    emoji: str | None = None
    homepage: str | None = None
    always: bool = False
    requires: Requirements = Requirements()
    installers: tuple[Installer, ...] = field(default=())


def read_skill(path: Path, source: str) -> Skill:
    """
    Read a ``SKILL.md``. Blocks.

    :raise BadSkill: there is no front matter, or it is none.
    """
    front = _front_matter(path)
    name = _text(front.get("name")) or path.parent.name
    metadata = _metadata(path, front)
    requires = metadata.get("requires")
    requires = requires if isinstance(requires, Mapping) else {}
    return Skill(
        name=name,
        description=_text(front.get("description")) or "",
        source=source,
        path=path,
        key=_text(metadata.get("skillKey")) or name,
        primary_env=_text(metadata.get("primaryEnv")),
        emoji=_text(metadata.get("emoji")),
        homepage=_text(metadata.get("homepage")) or _text(front.get("homepage")) or _text(front.get("website")),
        always=metadata.get("always") is True,
        requires=Requirements(
            bins=_texts(requires.get("bins")),
            any_bins=_texts(requires.get("anyBins")),
            env=_texts(requires.get("env")),
            config=_texts(requires.get("config")),
            os=_texts(metadata.get("os")),
        ),
        installers=_installers(metadata.get("install")),
    )


def _front_matter(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadSkill(path=path, why=str(error)) from error
    if len(text) > MOST_BYTES:
        raise BadSkill(path=path, why=f"it is longer than {MOST_BYTES} bytes")
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---" or "---" not in lines[1:]:
        raise BadSkill(path=path, why="it has no front matter between two lines of dashes")
    block = "\n".join(lines[1 : lines.index("---", 1)])
    try:
        front = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError, RecursionError):
        # Descriptions with a colon are no YAML, and people write them.
        front = _lines(block)
    if not isinstance(front, Mapping):
        raise BadSkill(path=path, why="its front matter is no list of names and values")
    return front


def _lines(block: str) -> Mapping[str, Any]:
    pairs = (line.partition(":") for line in block.split("\n") if line[:1].isalpha())
    return {name.strip(): value.strip().strip("\"'") for name, colon, value in pairs if colon}


def _metadata(path: Path, front: Mapping[str, Any]) -> Mapping[str, Any]:
    told = front.get("metadata")
    if isinstance(told, str):
        try:
            told = pyjson5.decode(told)
        except pyjson5.Json5Exception as error:
            raise BadSkill(path=path, why=f"its metadata is no JSON: {error}") from error
    if not isinstance(told, Mapping):
        return {}
    ours = (told[name] for name in METADATA_NAMES if isinstance(told.get(name), Mapping))
    return next(ours, {})


def _installers(told: Any) -> tuple[Installer, ...]:
    rows = told if isinstance(told, list) else []
    found = (_installer(row, number) for number, row in enumerate(rows) if isinstance(row, Mapping))
    return tuple(installer for installer in found if installer is not None)


def _installer(row: Mapping[str, Any], number: int) -> Installer | None:
    kind = (_text(row.get("kind")) or "").lower()
    named = {"brew": "formula", "node": "package", "go": "module", "uv": "package", "download": "url"}
    target = _text(row.get(named.get(kind, "")))
    if target is None:
        return None
    return Installer(
        id=_text(row.get("id")) or f"{kind}-{number}",
        kind=kind,
        label=_text(row.get("label")) or f"Install {target} ({kind})",
        target=target,
        bins=_texts(row.get("bins")),
        os=_texts(row.get("os")),
    )


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _texts(value: Any) -> tuple[str, ...]:
    items: Sequence[Any] = value if isinstance(value, list) else [value]
    return tuple(text for item in items if (text := _text(item)) is not None)
