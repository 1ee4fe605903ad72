"""
What is done to the system, as a list that can be shown before it is carried out.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from attrs import field, frozen

from openclaw.config.files import make_private_directory, replace_file
from openclaw.daemon.runner import Runner
from openclaw.errors import OpenClawError


@frozen
class ServiceFailed(OpenClawError):
    """
    The supervisor did not do what it was asked for.

    :ivar hints: commands or sentences that help.
    :ivar missing: whether the supervisor's own program is not there.
    """

    message: str
    hints: tuple[str, ...] = ()
    missing: bool = False

    def __str__(self) -> str:
        return self.message


@frozen(kw_only=True)
class Write:
    """
    A file, written whole.

    :ivar secret: only its owner reads it, and it is never shown.
    :ivar owner: a user's number; ``None`` is whoever runs this.
    """

    path: Path
    text: str = field(repr=False)
    secret: bool = False
    owner: int | None = None

    def lines(self) -> list[str]:
        """
        For people, before it happens.
        """
        shown = [] if self.secret else [f"  {line}" for line in self.text.splitlines()]
        return [f"Would write {self.path}{' (0600)' if self.secret else ''}", *shown]

    def act(self, run: Runner) -> None:
        """
        :raise ServiceFailed: it cannot be written.
        """
        try:
            if self.secret:
                _make_private(self.path.parent, self.owner)
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            # A file of variables keeps the bytes that are no text.
            replace_file(self.path, self.text.encode("utf-8", "surrogateescape"))
            if self.owner is not None:
                os.chown(self.path, self.owner, -1)
            if not self.secret:
                self.path.chmod(0o644)
        except OSError as error:
            raise ServiceFailed(f"cannot write {self.path}: {os.strerror(error.errno or 0)}") from error


@frozen(kw_only=True)
class Remove:
    """
    A file, removed, or moved to where it does nothing.
    """

    path: Path
    to: Path | None = None

    def lines(self) -> list[str]:
        """
        For people, before it happens.
        """
        return [f"Would remove {self.path}" if self.to is None else f"Would move {self.path} to {self.to}"]

    def act(self, run: Runner) -> None:
        """
        :raise ServiceFailed: it cannot be removed.
        """
        try:
            if self.to is None:
                self.path.unlink(missing_ok=True)
            elif self.path.exists():
                self.to.parent.mkdir(parents=True, exist_ok=True)
                self.path.replace(self.to)
        except OSError as error:
            raise ServiceFailed(f"cannot remove {self.path}: {os.strerror(error.errno or 0)}") from error


@frozen(kw_only=True)
class Run:
    """
    A program of the supervisor.

    :ivar name: how errors call the step.
    :ivar may_fail: what it is for may be so already.
    :ivar fine: texts that mean the same as success.
    :ivar otherwise: another command, tried when this one fails.
    :ivar excused: a command whose success shows that the failure does not matter.
    """

    command: tuple[str, ...]
    name: str
    may_fail: bool = False
    fine: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """
        For people, before it happens.
        """
        return [f"Would run: {shlex.join(self.command)}"]

    def act(self, run: Runner) -> None:
        """
        :raise ServiceFailed: it failed, and that matters.
        """
        done = run(*self.command)
        if done.code != 0 and self.otherwise:
            done = run(*self.otherwise)
        if done.code == 0 or self.may_fail or any(text in done.said.lower() for text in self.fine):
            return
        if self.excused and run(*self.excused).code == 0:
            return
        raise ServiceFailed(f"{self.name} failed: {done.said}")


@frozen(kw_only=True)
class Directory:
    """
    A directory that the supervisor itself writes to.

    :ivar owner: a user's number; ``None`` is whoever runs this.
    """

    path: Path
    owner: int | None = None

    def lines(self) -> list[str]:
        """
        For people, before it happens.
        """
        return [] if self.path.is_dir() else [f"Would make {self.path}"]

    def act(self, run: Runner) -> None:
        """
        :raise ServiceFailed: it cannot be made.
        """
        try:
            _make_private(self.path, self.owner)
        except OSError as error:
            raise ServiceFailed(f"cannot make {self.path}: {os.strerror(error.errno or 0)}") from error


def _make_private(path: Path, owner: int | None) -> None:
    """
    Make a directory and those above it; what is new belongs to ``owner``.
    """
    missing = [part for part in (path, *path.parents) if not part.exists()]
    make_private_directory(path)
    if owner is not None:
        for part in missing:
            os.chown(part, owner, -1)


Action = Write | Remove | Run | Directory


def carry_out(actions: Iterable[Action], run: Runner) -> None:
    """
    One after the other.

    :raise ServiceFailed: at the first that does not work; the later ones are not tried.
    """
    for action in actions:
        action.act(run)
