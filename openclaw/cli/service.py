"""
``openclaw gateway install|uninstall|start|stop|restart``: the gateway as a service of the system; ``openclaw daemon``
is another name for it.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import define, evolve, field, frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import FAILED, UNAVAILABLE, CommandFailed, UsageError, unknown_command
from openclaw.config.loader import Snapshot, referenced
from openclaw.config.paths import is_true
from openclaw.daemon.actions import Action, ServiceFailed, carry_out
from openclaw.daemon.base import Surroundings, SystemService
from openclaw.daemon.manage import make_spec, service_for, surroundings

ACTIONS = ("install", "uninstall", "start", "stop", "restart")
_RUNTIMES = ("node", "bun", "python")


@define
class Outcome:
    """
    What an action came to.

    :ivar lines: for people; the JSON has ``message`` instead.
    :ivar result: as the JSON calls it.
    """

    result: str
    lines: list[str] = field(factory=list)
    message: str | None = None
    hints: list[str] = field(factory=list)
    warnings: list[str] = field(factory=list)


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    ``openclaw daemon ...``.

    :return: the exit code.
    """
    from openclaw.cli import gateway

    known = (*ACTIONS, "status")
    words = gateway.words_of(arguments)
    if "--help" not in arguments and "-h" not in arguments:
        if not words:
            raise UsageError(f"daemon needs one of: {', '.join(known)}")
        if words[0] not in known:
            raise unknown_command(words[0], known, parent="daemon")
    elif not words:
        # The gateway's own help would be about running it.
        context.line(f"Usage: openclaw daemon {'|'.join(known)} [options]")
        return 0
    return gateway.run(context, arguments)


def act(context: Context, name: str, options: Namespace) -> int:
    """
    One of the actions, told to people or as JSON.

    :return: the exit code.
    """
    try:
        around = _around(context, options)
        service = service_for(around)
        outcome = _ACTIONS[name](context, around, service, options)
    except ServiceFailed as error:
        return _fail(context, name, options, error)
    if options.json:
        loaded = service.inspect() if options.dry_run else evolve(service.inspect(), loaded=service.is_loaded())
        report: dict[str, Any] = {"action": name, "ok": True, "result": outcome.result}
        report |= {"message": outcome.message} if outcome.message else {}
        report |= {"hints": outcome.hints} if outcome.hints else {}
        report |= {"warnings": outcome.warnings} if outcome.warnings else {}
        report |= {"dryRun": True, "plan": outcome.lines} if options.dry_run else {}
        context.json({**report, "service": loaded.brief()})
        return 0
    for line in [*([outcome.message] if outcome.message else []), *outcome.lines]:
        context.line(line)
    for line in outcome.hints:
        context.line(f"Start with: {line}")
    for line in outcome.warnings:
        context.problem(line)
    return 0


def _fail(context: Context, name: str, options: Namespace, error: ServiceFailed) -> int:
    hints = [context.command(hint) if hint.startswith("openclaw ") else hint for hint in error.hints]
    if options.json:
        report: dict[str, Any] = {"action": name, "ok": False, "error": str(error)}
        context.json({**report, "hints": hints} if hints else report)
    else:
        for line in [str(error), *hints]:
            context.problem(line)
    return UNAVAILABLE if error.missing else FAILED


def _around(context: Context, options: Namespace) -> Surroundings:
    if options.user and not options.system:
        raise ServiceFailed("--user belongs to --system: it says whom the machine's service runs as")
    return surroundings(context.environ, context.home, system=options.system, user=options.user)


def _checked(check: Callable[[], Any]) -> Any:
    """
    Ask the supervisor for what must be known before anything is done.
    """
    try:
        return check()
    except ServiceFailed as error:
        raise evolve(error, message=f"Gateway service check failed: {error}") from error


def _do(name: str, actions: Iterable[Action], service: SystemService, around: Surroundings, *, running: bool) -> None:
    """
    Carry it out, and look whether that is how it is now.
    """
    try:
        carry_out(actions, around.run)
        service.verify(running=running)
    except ServiceFailed as error:
        hints = error.hints or (f"Look at it with: {service.state_hint}",)
        raise evolve(error, message=f"Gateway {name} failed: {error}", hints=hints) from error


def _plan(result: str, actions: Iterable[Action]) -> Outcome:
    return Outcome(result=result, lines=[line for action in actions for line in action.lines()])


def _install(context: Context, around: Surroundings, service: SystemService, options: Namespace) -> Outcome:
    if is_true(context.environ.get("OPENCLAW_NIX_MODE")):
        raise ServiceFailed("Nix mode detected; service install is disabled.")
    if options.runtime is not None and options.runtime not in _RUNTIMES:
        raise ServiceFailed('Invalid --runtime (use "node" or "bun")')
    if around.system and around.user == "root" and not options.user:
        raise ServiceFailed("--system needs --user <name>: whom the gateway runs as")
    from openclaw.cli.target import dig

    snapshot, port, configured = _configured(context, around, options)
    config = snapshot.config
    if not options.dry_run:
        _checked(service.check)
        if service.is_loaded() and not options.force:
            lines = [f"Reinstall with: {context.command('openclaw gateway install --force')}"]
            text = f"Gateway service already {service.inspect().texts[0]}."
            return Outcome(result="already-installed", message=text, lines=lines)
    spec = make_spec(around, config, port, options.token, referenced(snapshot))
    try:
        actions = service.install(spec)
    except ServiceFailed as error:
        raise evolve(error, message=f"Gateway install failed: {error}") from error
    if options.dry_run:
        return _plan("installed", actions)
    # Before it is enabled: else it would end with this login.
    lines, warnings = service.prepare()
    if port != configured:
        fix = context.command(f"openclaw config set gateway.port {port}")
        warnings = [*warnings, f"The configuration says port {configured}, where commands look for it. Fix: {fix}"]
    if options.token and dig(config, "gateway", "auth", "token") not in (None, "", options.token):
        warnings = [*warnings, "The gateway uses gateway.auth.token of the configuration, not --token."]
    _do("install", actions, service, around, running=True)
    return Outcome(result="installed", lines=["", *service.told("install"), *lines], warnings=warnings)


def _configured(context: Context, around: Surroundings, options: Namespace) -> tuple[Snapshot, int, int]:
    """
    :return: the configuration of the gateway to be, its port, and the port that the configuration says.
    """
    from openclaw.cli.target import local_port, read_config

    if options.port is not None and not _is_port(options.port):
        raise ServiceFailed("Invalid port")
    # A gateway that cannot read its configuration would be started in vain, every five seconds.
    snapshot = read_config(evolve(context, environ=dict(around.environ), home=around.home))
    own = local_port(snapshot)
    return snapshot, int(options.port) if options.port is not None else own, own


def _is_port(text: object) -> bool:
    return str(text).isascii() and str(text).isdecimal() and 1 <= int(str(text)) <= 65535


def _uninstall(context: Context, around: Surroundings, service: SystemService, options: Namespace) -> Outcome:
    if is_true(context.environ.get("OPENCLAW_NIX_MODE")):
        raise ServiceFailed("Nix mode detected; service uninstall is disabled.")
    if options.dry_run:
        return _plan("uninstalled", service.uninstall())
    _checked(service.check)
    lines = []
    if service.is_loaded():
        _do("uninstall", service.stop(), service, around, running=False)
        lines += service.told("stop")
    there = service.path.exists()
    _do("uninstall", service.uninstall(), service, around, running=False)
    if service.is_loaded():
        raise ServiceFailed("Gateway service still loaded after uninstall.")
    return Outcome(result="uninstalled", lines=lines + (service.told("uninstall") if there else [service.absent()]))


def _start(context: Context, around: Surroundings, service: SystemService, options: Namespace) -> Outcome:
    result = {"restart": "restarted"}.get(options.action, "started")
    _checked(service.check)
    if not service.can_start():
        commands = [context.command(text) for text in ("openclaw gateway install", "openclaw gateway")]
        return evolve(_not_loaded(service), hints=[*commands, service.start_hint])
    actions = service.start()
    if options.dry_run:
        return _plan(result, actions)
    _do(options.action, actions, service, around, running=True)
    return Outcome(result=result, lines=service.told("start"))


def _stop(context: Context, around: Surroundings, service: SystemService, options: Namespace) -> Outcome:
    _checked(service.check)
    found = service.inspect()
    # What is disabled may run nevertheless, started by hand.
    if not service.is_loaded() and found.runtime["status"] != "running":
        return _not_loaded(service)
    actions = service.stop()
    if options.dry_run:
        return _plan("stopped", actions)
    _do("stop", actions, service, around, running=False)
    return Outcome(result="stopped", lines=service.told("stop"), warnings=_still_served(context, found.command))


def _still_served(context: Context, command: Any) -> list[str]:
    """
    A stop that leaves someone on the gateway's port is told as what it is.
    """
    from openclaw.cli.ports import inspect

    arguments = list((command or {}).get("programArguments", ()))
    if "--port" not in arguments[:-1] or not _is_port(arguments[arguments.index("--port") + 1]):
        return []
    port = inspect(int(arguments[arguments.index("--port") + 1]))
    if port.status != "busy":
        return []
    return ["The service is stopped, but something else still listens there.", *port.lines()]


def _not_loaded(service: SystemService) -> Outcome:
    return Outcome(result="not-loaded", message=f"Gateway service {service.inspect().texts[1]}.")


_ACTIONS: dict[str, Callable[[Context, Surroundings, SystemService, Namespace], Outcome]] = {
    "install": _install,
    "uninstall": _uninstall,
    "start": _start,
    "restart": _start,
    "stop": _stop,
}


@frozen(kw_only=True)
class Installed:
    """
    A service that was installed for another command.

    :ivar already: it was there before, and nothing was changed.
    :ivar lines: what to tell of it.
    :ivar warnings: what the user has to do besides.
    """

    already: bool
    lines: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def install(context: Context, *, port: int | None = None, token: str | None = None, force: bool = False) -> Installed:
    """
    Install the service of this profile, for commands that do so among other things.

    :raise CommandFailed: it could not be; the text ends with what works instead.
    """
    outcome = _quietly(context, "install", port=port, token=token, force=force)
    lines = [*([outcome.message] if outcome.message else []), *outcome.lines]
    already = outcome.result == "already-installed"
    return Installed(already=already, lines=tuple(line for line in lines if line), warnings=tuple(outcome.warnings))


def uninstall(context: Context) -> list[str]:
    """
    Stop and remove the service of this profile.

    :return: what was done.
    :raise CommandFailed: it could not be.
    """
    return _quietly(context, "uninstall").lines


def stop(context: Context) -> list[str]:
    """
    Stop the service of this profile.

    :return: what was done; that there is none is no error.
    :raise CommandFailed: it could not be.
    """
    outcome = _quietly(context, "stop")
    return [*([outcome.message] if outcome.message else []), *outcome.lines, *outcome.warnings]


def _quietly(context: Context, name: str, **given: Any) -> Outcome:
    defaults = {"port": None, "token": None, "force": False, "runtime": None, "system": False, "user": None}
    options = Namespace(**{**defaults, "dry_run": False, "json": False, "action": name, **given})
    try:
        around = _around(context, options)
        return _ACTIONS[name](context, around, service_for(around), options)
    except ServiceFailed as error:
        code = UNAVAILABLE if error.missing else FAILED
        raise CommandFailed("\n".join([str(error), *error.hints]), code) from error
