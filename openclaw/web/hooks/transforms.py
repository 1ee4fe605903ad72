"""
Transforms of mappings: functions in Python modules of the user's (``http.md`` 10.4), in place of the reference's
JavaScript.

A transform is called with one dict, ``{"payload", "headers", "url", "path"}``, and returns a dict of what it changes,
``{}`` for nothing, or ``None`` when nothing is to happen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.python.failure import Failure

from openclaw.config.model_hooks import HooksConfig, HookTransformConfig
from openclaw.errors import OpenClawError
from openclaw.processes import Spawn, in_own_thread
from openclaw.web.hooks.templates import Call

JAVASCRIPT = frozenset({".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"})
EXPORT = "transform"

#: How long a transform may take, in seconds.
LIMIT = 10.0

#: Transforms at once. One that never ends keeps its place.
AT_ONCE = 4

#: Modules that are kept loaded.
KEPT = 64

Function = Callable[[dict[str, Any]], Any]


@frozen
class TransformFailed(OpenClawError):
    """
    A transform could not be run, or gave nothing that could be used. The text is for the log.
    """

    why: str

    def __str__(self) -> str:
        return self.why


def complaints(hooks: HooksConfig, directory: Path) -> list[str]:
    """
    What is wrong with the transforms of a configuration, in sentences for the log.

    :param directory: of the configuration file.
    """
    found = []
    for index, mapping in enumerate(hooks.mappings):
        if hooks.enabled and mapping.transform is not None:
            try:
                locate(mapping.transform.module, base_of(hooks, directory))
            except TransformFailed as error:
                found.append(f"hooks.mappings[{index}].transform.module: {error}")
    return found


def base_of(hooks: HooksConfig, directory: Path) -> Path:
    """
    Where the modules are.
    """
    return directory / Path(hooks.transforms_dir).expanduser() if hooks.transforms_dir else directory


def locate(module: str, base: Path) -> Path:
    """
    The file of a module. Blocks on the disk.

    :raise TransformFailed: it is not Python, not there, or not below ``base``.
    """
    if Path(module).suffix in JAVASCRIPT:
        raise TransformFailed(f"{module} is JavaScript, which this gateway does not run; write it in Python (.py)")
    if Path(module).suffix != ".py":
        raise TransformFailed(f"{module} must be the path of a Python file (.py)")
    root = base.resolve()
    path = (root / module).resolve()
    if not path.is_relative_to(root):
        raise TransformFailed(f"{module} is not below {root}")
    if not path.is_file():
        raise TransformFailed(f"{module} is not a file below {root}")
    return path


@define
class _Loaded:
    """
    A module as it was when it was loaded.
    """

    stamp: tuple[int, int]
    module: ModuleType


@define(kw_only=True, eq=False)
class Transforms:
    """
    Loads and calls them, each in a thread of its own, so that one that never ends keeps nobody but other transforms.

    :ivar reactor: tells the time, and is told from threads.
    :ivar hooks: the configuration that counts.
    :ivar directory: of the configuration file.
    :ivar spawn: runs work in a thread of its own that does not keep the process from ending.
    """

    reactor: Any
    hooks: Callable[[], HooksConfig]
    directory: Path
    spawn: Spawn
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)
    _loaded: dict[Path, _Loaded] = field(factory=dict, init=False)
    _loading: threading.Lock = field(factory=threading.Lock, init=False)

    def __call__(self, transform: HookTransformConfig, call: Call) -> Deferred[Mapping[str, Any] | None]:
        """
        :raise TransformFailed: with what went wrong, also when it took too long.
        """
        result: Deferred[Any] = Deferred.fromCoroutine(self._called(transform, call))
        return result.addTimeout(LIMIT, self.reactor, self._too_long)

    def _too_long(self, result: Any, seconds: float) -> Any:
        return Failure(TransformFailed(f"a transform took more than {seconds:g} seconds, or waited for others"))

    async def _called(self, transform: HookTransformConfig, call: Call) -> Mapping[str, Any] | None:
        await self._turns.acquire()
        base = base_of(self.hooks(), self.directory)
        made = await in_own_thread(self.reactor, self.spawn, lambda: self._take_turn(transform, base, call))
        if made is not None and not isinstance(made, Mapping):
            raise TransformFailed(f"{transform.module} must return a dict or None, and gave {type(made).__name__}")
        return made

    def _take_turn(self, transform: HookTransformConfig, base: Path, call: Call) -> Any:
        """
        The turn goes back when the thread ends, whether or not somebody still waits for it.
        """
        try:
            return self._run(transform, base, call)
        finally:
            self.reactor.callFromThread(self._turns.release)

    def _run(self, transform: HookTransformConfig, base: Path, call: Call) -> Any:
        try:
            function = self._function(locate(transform.module, base), transform.export or EXPORT)
            return function(
                {"payload": call.payload, "headers": dict(call.headers), "url": call.url, "path": call.path}
            )
        except TransformFailed:
            raise
        except (Exception, SystemExit) as error:
            raise TransformFailed(f"{transform.module} failed: {type(error).__name__}: {error}") from error

    def _function(self, path: Path, export: str) -> Function:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        with self._loading:
            known = self._loaded.get(path)
            if known is None or known.stamp != stamp:
                known = _Loaded(stamp, _load(path))
                self._loaded[path] = known
                while len(self._loaded) > KEPT:
                    del self._loaded[next(iter(self._loaded))]
        function: Function | None = getattr(known.module, export, None)
        if not callable(function):
            raise TransformFailed(f"{path.name} has no function {export}")
        return function


def _load(path: Path) -> ModuleType:
    """
    Run a module. It is not in ``sys.modules``: two of one name in two directories are two.
    """
    module = ModuleType(f"openclaw_hook_{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102 - the user's own program
    except Exception as error:
        raise TransformFailed(f"{path.name} could not be loaded: {type(error).__name__}: {error}") from error
    return module
