"""
``openclaw reset`` and ``openclaw uninstall``: what a gateway keeps goes to the trash, and its service with it.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.cli.terminal import answered, has_terminal, prompter
from openclaw.doctor.places import Places, UnsafePath, around, check_movable
from openclaw.doctor.reset import conversations, kept_from_gateways
from openclaw.doctor.trash import Trash

#: What is to be removed, as it is now: a service that ends may still write.
Paths = Callable[[], Iterable[Path]]

SCOPES = ("config", "config+creds+sessions", "full")
_SCOPE_LABELS = {
    "config": "The configuration",
    "config+creds+sessions": "The configuration, credentials and conversations",
    "full": "Everything: state and workspace",
}
#: What ``uninstall`` removes, and how it asks for each.
_PARTS = {
    "service": "Remove the service?",
    "state": "Remove configuration and state?",
    "workspace": "Remove the agent's files?",
    "app": "Remove the macOS app?",
}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    ``openclaw reset``.

    :return: the exit code.
    :raise CommandFailed: it was not said what to remove, or not confirmed; nothing was removed.
    """
    parser = Arguments("reset", "Begin anew: configuration, conversations, or everything goes to the trash.")
    parser.option("--scope", metavar="<scope>", help=", ".join(SCOPES))
    _add_options(parser)
    options = parser.take(arguments)
    if options.scope is None:
        if not _asks(context, options):
            raise CommandFailed("Non-interactive mode requires --scope.")
        choices = [{"value": scope, "label": _SCOPE_LABELS[scope]} for scope in SCOPES]
        options.scope = answered(prompter(context).select("What is to go to the trash?", choices))
    if options.scope not in SCOPES:
        raise CommandFailed('Invalid --scope. Expected "config", "config+creds+sessions", or "full".')
    _confirm(context, options)
    found = Places.of(context.environ, context.home)
    mine = found.workspaces.values()
    paths: Paths = {
        "config": lambda: [found.config],
        "config+creds+sessions": lambda: [found.config, *conversations(found.state)],
        "full": lambda: [found.config, *mine, *_state(found, mine)],
    }[options.scope]
    _check(context, paths)
    if options.scope != "config":
        _stop(context, options)
    _remove(context, options, found, paths)
    context.line(f"Next: {context.command('openclaw onboard')} --install-daemon")
    return 0


def run_uninstall(context: Context, arguments: Sequence[str]) -> int:
    """
    ``openclaw uninstall``; see ``run``.
    """
    parser = Arguments("uninstall", "Remove the service, the state, and the workspace.")
    parser.option("--service", action="store_true", help="the service of the system")
    parser.option("--state", action="store_true", help="configuration and state directory")
    parser.option("--workspace", action="store_true", help="the agent's files")
    parser.option("--app", action="store_true", help="the macOS app")
    parser.option("--all", action="store_true", help="all of these")
    _add_options(parser)
    options = parser.take(arguments)
    if not any(getattr(options, name) for name in (*_PARTS, "all")):
        if not _asks(context, options):
            raise CommandFailed("Non-interactive mode requires explicit scopes (use --all).")
        for name, question in _PARTS.items():
            if name != "app" or sys.platform == "darwin":
                setattr(options, name, answered(prompter(context).confirm(question, initial=name == "service")))
        if not any(getattr(options, name) for name in _PARTS):
            raise CommandFailed("Nothing was chosen, and nothing was removed.")
    _confirm(context, options)
    found = Places.of(context.environ, context.home)
    mine = list(found.workspaces.values()) if options.workspace or options.all else []

    # Who has put it all into one directory has not said that it is to go.
    kept = frozenset[Path]() if options.state or options.all else frozenset({found.state, found.config})

    def paths() -> Iterator[Path]:
        for workspace in mine:
            yield from around(workspace, kept)
        if options.state or options.all:
            yield found.config
            yield from _state(found, mine)
        if options.app or options.all:
            yield Path("/Applications/OpenClaw.app")

    _check(context, paths)
    if options.service or options.all:
        _uninstall_service(context, options)
    _remove(context, options, found, paths)
    context.line("CLI still installed. Remove it as you installed it: pip uninstall openclaw, or delete the checkout.")
    return 0


def _state(found: Places, removed: Collection[Path]) -> Iterator[Path]:
    """
    The state directory, without the workspaces in it that are to stay.
    """
    return around(found.state, frozenset(found.all_workspaces()) - frozenset(removed))


def _add_options(parser: Arguments) -> None:
    parser.option("--yes", action="store_true", help="do it")
    parser.option("--non-interactive", action="store_true", help="ask nothing, also on a terminal")
    parser.option("--dry-run", action="store_true", help="only say what would be done")


def _asks(context: Context, options: Namespace) -> bool:
    return not options.non_interactive and not options.yes and not options.dry_run and has_terminal(context)


def _confirm(context: Context, options: Namespace) -> None:
    """
    :raise CommandFailed: nobody has said that it may be done.
    """
    if options.yes or options.dry_run:
        return
    if not _asks(context, options):
        raise CommandFailed("Non-interactive mode requires --yes.")
    if not answered(prompter(context).confirm("Do it? A running gateway must be stopped first.", initial=False)):
        raise CommandFailed("Nothing was removed.")


def _stop(context: Context, options: Namespace) -> None:
    if options.dry_run:
        context.line("[dry-run] stop gateway service")
        return
    _try(context, "stop")


def _uninstall_service(context: Context, options: Namespace) -> None:
    if options.dry_run:
        context.line("[dry-run] remove gateway service")
        return
    _try(context, "uninstall")


def _try(context: Context, name: str) -> None:
    """
    What has no supervisor has no service: that is told, and no reason to end.
    """
    from openclaw.cli import service

    actions: Mapping[str, Callable[[Context], list[str]]] = {"stop": service.stop, "uninstall": service.uninstall}
    try:
        for line in actions[name](context):
            context.line(line)
    except CommandFailed as error:
        context.problem(f"Gateway service: {error}".partition("\n")[0])


def _check(context: Context, paths: Paths) -> None:
    """
    :raise CommandFailed: one of them must not be removed; nothing was.
    """
    try:
        for path in paths():
            check_movable(path, context.home)
    except UnsafePath as error:
        raise CommandFailed(str(error)) from error


def _remove(context: Context, options: Namespace, found: Places, paths: Paths) -> None:
    """
    :raise AlreadyRunning: a gateway works on the state; nothing was removed.
    :raise ClaimRefused: another one works on a workspace; nothing was removed.
    """
    there = [path for path in dict.fromkeys(paths()) if os.path.lexists(path)]
    if options.dry_run:
        for path in there:
            context.line(f"[dry-run] remove {context.short(path)}")
        return
    for path in _take(context, found, there):
        context.line(f"Removed {context.short(path)}")


def _take(context: Context, found: Places, paths: Sequence[Path]) -> Iterator[Path]:
    trash = Trash.of(context.home, context.environ)
    with kept_from_gateways(found.state, found.config, context.environ, context.now, paths):
        for path in paths:
            # What stood in something that went before is gone with it.
            if os.path.lexists(path):
                trash.take(path, datetime.fromtimestamp(context.now()).astimezone())
                yield path
