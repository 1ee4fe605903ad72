"""
Seeing that something below the canvas has changed (``http.md`` 12.5).

The tree is looked at again and again while a page is open, and for a while after that, since a page that loads again is
gone for a moment; nothing is done for nobody. This works the same on every system and every file system. Looking costs
time in a thread, so that a large tree is looked at less often.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from openclaw.errors import OpenClawError

#: Seconds between two looks, at least, and as a multiple of what a look takes.
LOOK_EVERY = 0.05
LOOKS_COST = 20
#: Seconds without a change after which pages are told: 75 ms until a file counts as written, 75 ms for more to come.
QUIET = 0.15
#: Seconds for which the tree is looked at for nobody.
LINGER = 10.0

MOST_ENTRIES = 20_000

#: By path: what changes when the entry does.
Seen = Mapping[str, tuple[int, ...]]


@frozen
class TooManyFiles(OpenClawError):
    """
    The tree is too large to look at.
    """

    def __str__(self) -> str:
        return f"there are more than {MOST_ENTRIES} files"


def ignored(name: str) -> bool:
    """
    Whether an entry is passed over, with all below it. The root's own name, and what stands before it, do not count.
    """
    return name.startswith(".") or name == "node_modules"


def look(root: Path) -> Seen:
    """
    What is below a directory now. Links are entries, not ways. Blocks.

    :raise TooManyFiles: more than can be looked at.
    :raise OSError: the directory itself cannot be read.
    """
    seen: dict[str, tuple[int, ...]] = {}
    left = [""]
    while left:
        below = left.pop()
        try:
            with os.scandir(root / below) as entries:
                for entry in entries:
                    if ignored(entry.name):
                        continue
                    name = f"{below}/{entry.name}" if below else entry.name
                    if _note(entry, name, seen):
                        left.append(name)
                    if len(seen) > MOST_ENTRIES:
                        raise TooManyFiles
        except OSError:
            if not below:
                raise
            # A directory that went away meanwhile, or that is not for us.
    return seen


def _note(entry: os.DirEntry[str], name: str, seen: dict[str, tuple[int, ...]]) -> bool:
    """
    :return: whether there may be more below the entry.
    """
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    if entry.is_dir(follow_symlinks=False):
        seen[name] = (found.st_ino,)
        return True
    seen[name] = (found.st_ino, found.st_mtime_ns, found.st_size)
    return False


@define(kw_only=True, eq=False, repr=False)
class Watching:
    """
    :ivar look: looks at the tree, elsewhere.
    :ivar tell: called once for changes that came together.
    :ivar audience: how many there are to tell.
    :ivar failed: whether the tree cannot be watched; then nobody is told any more.
    """

    _log = Logger()
    clock: IReactorTime
    look: Callable[[], Deferred[Seen]]
    tell: Callable[[], None]
    audience: Callable[[], int]
    failed: bool = field(default=False, init=False)
    _looking: Deferred[None] | None = field(default=None, init=False)
    _next: IDelayedCall | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)
    _seen: Seen | None = field(default=None, init=False)
    _changed_at: float | None = field(default=None, init=False)
    _alone_since: float | None = field(default=None, init=False)

    def wake(self) -> None:
        """
        There is somebody to tell.
        """
        if self._looking is None and self._next is None and not self.failed and not self._stopped:
            self._look()

    def stop(self) -> Deferred[None]:
        """
        :return: fires when nothing is looked at any more.
        """
        self._stopped = True
        if self._next is not None:
            self._next.cancel()
            self._next = None
        ended: Deferred[None] = Deferred()
        if self._looking is None:
            return succeed(None)
        self._looking.addBoth(lambda _: ended.callback(None))
        return ended

    def _look(self) -> None:
        self._next = None
        began = self.clock.seconds()
        self._looking = looking = self.look().addCallbacks(self._compare, self._failed, callbackArgs=(began,))
        looking.addErrback(lambda failure: self._log.failure("Live reload failed.", failure))
        if looking.called:
            self._looking = None

    def _failed(self, failure: Failure) -> None:
        self._looking = None
        failure.trap(OSError, TooManyFiles)
        self.failed = True
        self._log.warn("live reload is off: {why}", why=failure.getErrorMessage())

    def _compare(self, seen: Seen, began: float) -> None:
        self._looking = None
        now = self.clock.seconds()
        if self._seen is not None and seen != self._seen:
            self._changed_at = now
        self._seen = seen
        if self._changed_at is not None and now - self._changed_at >= QUIET:
            self._changed_at = None
            self.tell()
        if not self._stopped and self._wanted(now):
            self._next = self.clock.callLater(max(LOOK_EVERY, (now - began) * LOOKS_COST), self._look)

    def _wanted(self, now: float) -> bool:
        """
        Whether to look again; else what was seen is forgotten.
        """
        if self.audience():
            self._alone_since = None
            return True
        if self._alone_since is None:
            self._alone_since = now
        if now - self._alone_since < LINGER:
            return True
        self._seen = self._changed_at = self._alone_since = None
        return False
