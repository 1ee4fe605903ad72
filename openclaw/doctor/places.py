"""
Where everything is that belongs to a gateway, and what must never be moved as if it did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from openclaw.config.include import read_file
from openclaw.config.loader import load
from openclaw.config.model import Config
from openclaw.config.paths import config_path, state_dir, workspace_dir
from openclaw.errors import OpenClawError

#: The default agent's workspace among the parts of a gateway; those of others are ``workspaces/<agent>``.
WORKSPACE: Final = "workspace"


@frozen
class UnsafePath(OpenClawError):
    """
    The home directory, or one that it is in, or the root.
    """

    path: Path

    def __str__(self) -> str:
        return f"Refusing to remove unsafe path: {self.path}"


@frozen(kw_only=True)
class Places:
    """
    What belongs to a gateway, as absolute paths without links.

    :ivar config: the configuration file, wherever it is.
    :ivar workspaces: by the names of their parts, each directory once; any of them may stand in the state directory.
    :ivar includes: the files that the configuration includes.
    """

    state: Path
    config: Path
    workspaces: Mapping[str, Path]
    includes: Sequence[Path] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> Places:
        """
        Those of the profile; also of a configuration that cannot be used.
        """
        includes: list[Path] = []

        def read(path: Path) -> str:
            includes.append(path)
            return read_file(path)

        config = _absolute(config_path(environ, home))
        return cls(
            state=_absolute(state_dir(environ, home)),
            config=config,
            workspaces=workspaces(environ, home, load(environ, home, path=config, read=read).model),
            includes=includes,
        )

    def parts(self) -> Mapping[str, Path]:
        """
        By their names. What one stands in comes before it.
        """
        found = {"state": self.state, "config": self.config, **self.workspaces}
        return dict(sorted(found.items(), key=lambda part: len(part[1].parts)))

    def all_workspaces(self) -> list[Path]:
        """
        Those that are known, and those of other profiles and former agents that stand in the state directory.
        """
        return [*self.workspaces.values(), *(path for path in sorted(self.state.glob("workspace-*")) if path.is_dir())]


def workspaces(environ: Mapping[str, str], home: Path, config: Config | None) -> Mapping[str, Path]:
    """
    The workspaces of a configuration's agents, by the names of their parts; two agents may have one together.
    """
    found = {WORKSPACE: _absolute(workspace_dir(environ, home, config))}
    for agent in config.agents.list if config is not None else ():
        path = _absolute(workspace_dir(environ, home, config, agent.id))
        if path not in found.values():
            found[f"workspaces/{agent.id}"] = path
    return found


def _absolute(path: Path) -> Path:
    # Without ".." and without links, since they are compared, and what a link leads to is what is meant.
    return Path(os.path.realpath(path))


def check_movable(path: Path, home: Path) -> None:
    """
    :raise UnsafePath: it is not to be moved or removed, whatever leads to it.
    """
    real = Path(os.path.realpath(home))
    for kept in (home, *home.parents, real, *real.parents):
        # What cannot be looked at cannot be moved, either.
        with suppress(OSError):
            if path.samefile(kept):
                raise UnsafePath(path)


def around(path: Path, kept: frozenset[Path]) -> Iterator[Path]:
    """
    A directory as few paths that are everything in it but what is to be kept: itself where that is nothing.
    """
    if path in kept:
        return
    if not any(path in one.parents and os.path.lexists(one) for one in kept):
        yield path
        return
    for entry in sorted(path.iterdir()):
        yield from around(entry, kept)
