"""
Changing the configuration file: through the gateway while one runs with it, so that it follows at once; else here,
under the lock of the file.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import ConfigurationRefused
from openclaw.config.files import NEW_FILE
from openclaw.config.issues import ConfigInvalid, Issue
from openclaw.config.loader import Snapshot, evaluate, load
from openclaw.config.paths import state_dir
from openclaw.config.writer import HashMismatch, check_change, edit_file, undo

#: How often a change that came too late is made again, before it goes past the gateway.
ATTEMPTS = 200
#: How long the gateway has to answer, in milliseconds.
LIMIT_MS = 5_000
_CHANGED = "config changed since last load"


@frozen(kw_only=True)
class Change:
    """
    A change that is in the file.

    :ivar waiting: what the running gateway does not follow before it starts again, as dotted paths; ``None`` where no
        gateway was reached.
    :ivar restarts: whether the running gateway restarts by itself for that.
    """

    waiting: tuple[str, ...] | None
    restarts: bool = False

    def waits(self, path: Iterable[str | int]) -> bool:
        """
        Whether a value counts only after the next start.
        """
        if self.waiting is None:
            return True
        name = ".".join(map(str, path)) + "."
        return any(f"{found}.".startswith(name) or name.startswith(f"{found}.") for found in self.waiting)


def change(context: Context, edit: Callable[[str], str]) -> Change:
    """
    Change the file. What is asked for is one value, whatever else others write meanwhile.

    :param edit: makes the new text from the old one.
    :raise ConfigError: nothing was written.
    """
    for _ in range(ATTEMPTS):
        snapshot = valid(context)
        if not gateway_runs(context, snapshot):
            break
        text = _edited(snapshot, edit)
        check_change(snapshot, evaluate(text, snapshot.path, context.environ, context.home))
        try:
            waiting = _ask_gateway(context, snapshot, text)
        except HashMismatch:
            continue
        if waiting is None:
            break
        return _followed(context, waiting)
    path = valid(context).path
    edit_file(path, lambda before: _edited(before, edit), context.environ, context.home)
    return Change(waiting=None)


def _edited(snapshot: Snapshot, edit: Callable[[str], str]) -> str:
    snapshot.require()
    return edit(NEW_FILE if snapshot.raw is None else snapshot.raw)


def bring_back(context: Context, number: int) -> Change:
    """
    Give the file the text of a backup, whatever is wrong with what it says now.

    :raise ConfigError: nothing was written.
    """
    path = load(context.environ, context.home).path
    snapshot = undo(path, number, context.environ, context.home)
    if not gateway_runs(context, snapshot):
        return Change(waiting=None)
    try:
        # It is in the file; a gateway that is given the same text takes a look at it.
        return _followed(context, _ask_gateway(context, snapshot, snapshot.raw or ""))
    except (ConfigInvalid, HashMismatch):
        return Change(waiting=None)


def _followed(context: Context, waiting: tuple[str, ...] | None) -> Change:
    mode = valid(context).require().gateway.reload.mode
    return Change(waiting=waiting, restarts=bool(waiting) and mode in ("hybrid", "restart"))


def valid(context: Context) -> Snapshot:
    """
    The configuration, which can be used.

    :raise ConfigurationRefused: it cannot.
    """
    snapshot = load(context.environ, context.home)
    if not snapshot.valid:
        lines = [f"Config invalid at {context.short(snapshot.path)}."]
        lines += [f"- {issue.line()}" for issue in snapshot.issues]
        hint = f"Run `{context.command('openclaw doctor')}` to repair, then retry."
        raise ConfigurationRefused("\n".join([*lines, hint]))
    return snapshot


def _ask_gateway(context: Context, snapshot: Snapshot, text: str) -> tuple[str, ...] | None:
    """
    Let the running gateway write.

    :return: what it does not follow at once; ``None`` where it cannot be reached, or does not know how to.
    :raise HashMismatch: it says that somebody else was faster.
    :raise ConfigInvalid: it cannot use the text.
    """
    # Loaded only for this: without a gateway, the command is much shorter.
    from openclaw.cli.rpc import NotReached, connected
    from openclaw.cli.target import local_target
    from openclaw.client.errors import RequestFailed

    options = Namespace(url=None, token=None, password=None, tls_fingerprint=None, timeout=LIMIT_MS)
    params = {"raw": text, "baseHash": snapshot.hash}
    try:
        with connected(context, options, local_target(context, options, snapshot)) as client:
            answer = client.call("config.set", params, timeout=LIMIT_MS / 1000)
    except NotReached:
        return None
    except RequestFailed as error:
        if error.message.startswith(_CHANGED):
            raise HashMismatch(snapshot.path, snapshot.hash, "") from error
        details = error.error.get("details")
        issues = details.get("issues") if isinstance(details, dict) else None
        if issues:
            told = [Issue(path=str(issue.get("path")), message=str(issue.get("message"))) for issue in issues]
            raise ConfigInvalid(snapshot.path, told) from error
        return None
    return tuple(map(str, answer.get("restartNeeded") or ()))


def gateway_runs(context: Context, snapshot: Snapshot) -> bool:
    """
    Whether a process has told that it is the gateway of this configuration. The lock itself is left alone, since a
    gateway that is about to start must not find it taken.
    """
    told = _lock(context)
    return told is not None and told.get("configPath") == str(snapshot.path)


def lock_owner(context: Context) -> int | None:
    """
    The process that has told that it is the gateway of this state directory, if it is there.
    """
    told = _lock(context)
    return None if told is None else int(told["pid"])


def _lock(context: Context) -> Mapping[str, Any] | None:
    try:
        told: Any = json.loads((state_dir(context.environ, context.home) / "gateway.lock").read_bytes())
        if not isinstance(told["pid"], int) or told["pid"] <= 0:
            return None
        with suppress(PermissionError):
            os.kill(told["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if isinstance(told, Mapping) else None
