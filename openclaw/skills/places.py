"""
Where skills are found (``agent.md`` 25).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen
from twisted.logger import Logger

from openclaw.skills.reading import BadSkill, Skill, read_skill

#: More folders than that are no folder of skills.
MOST_SKILLS = 1_000

_log = Logger()


@frozen(kw_only=True)
class Place:
    """
    A folder with a folder for each skill.

    :ivar source: as clients know it.
    """

    folder: Path
    source: str


def places(state_dir: Path, extra: Sequence[Path], workspace: Path | None) -> list[Place]:
    """
    All folders; skills of later ones win by name.
    """
    found = [Place(folder=managed_folder(state_dir), source="openclaw-managed")]
    found += [Place(folder=folder, source="openclaw-extra") for folder in extra]
    if workspace is not None:
        found.append(Place(folder=workspace / "skills", source="openclaw-workspace"))
    return found


def managed_folder(state_dir: Path) -> Path:
    return state_dir / "skills"


def read_skills(folders: Sequence[Place]) -> list[Skill]:
    """
    The skills of all places, by name. One that cannot be read is told in the log and left out. Blocks.
    """
    found: dict[str, Skill] = {}
    for place in folders:
        for path in _files(place.folder):
            try:
                skill = read_skill(path, place.source)
            except BadSkill as error:
                _log.warn("A skill is left out: {error}", error=error)
                continue
            found[skill.name] = skill
    return [found[name] for name in sorted(found)]


def _files(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(child.name for child in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        _log.warn("The skills in {folder} cannot be listed: {error}", folder=str(folder), error=error)
        return
    for name in names[:MOST_SKILLS]:
        path = folder / name / "SKILL.md"
        if path.is_file():
            yield path
