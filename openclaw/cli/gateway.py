"""
``openclaw gateway``: run the gateway, or ask one that runs.
"""

from __future__ import annotations

import json
from argparse import SUPPRESS, Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError

_USAGE = """\
gateway [run] [options]
       openclaw gateway call <method> [--params <json>] [options]
       openclaw gateway health|status|probe|discover [options]
       openclaw gateway install|uninstall|start|stop|restart [options]"""

_CLIENT = frozenset({"url", "token", "password", "tls_fingerprint", "timeout", "expect_final", "json"})
_RUN = frozenset(
    {
        *("port", "bind", "token", "auth", "password", "tailscale", "tailscale_reset_on_exit", "allow_unconfigured"),
        *("dev", "reset", "force", "verbose", "ws_log", "compact", "raw_stream", "raw_stream_path", "watch"),
    }
)
_SERVICE = frozenset({"system", "user", "dry_run", "json"})
OPTIONS = {
    "run": _RUN,
    "call": _CLIENT | {"params"},
    "health": _CLIENT,
    "status": _CLIENT | {"no_probe", "deep", "system"},
    "probe": _CLIENT | {"ssh", "ssh_identity", "ssh_auto"},
    "discover": frozenset({"timeout", "json"}),
    "install": _SERVICE | {"port", "runtime", "token", "force"},
    **dict.fromkeys(("uninstall", "start", "stop", "restart"), _SERVICE),
}
_WORDS = {"call": ("method",)}
_TIMEOUTS = {"probe": 3000, "discover": 2000}
#: In modules of their own.
_LARGE = frozenset({"run", "status", "probe", "discover"})


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    name, options = parse(arguments)
    if name == "run" and options.watch:
        from openclaw.cli.gateway_watch import run as watch

        return watch(context, [argument for argument in arguments if argument != "--watch"])
    if "dry_run" in OPTIONS[name]:
        from openclaw.cli.service import act

        options.action = name
        return act(context, name, options)
    if name in _LARGE:
        code: int = import_module(f"openclaw.cli.gateway_{name}").run(context, options)
        return code
    return _call(context, options) if name == "call" else _health(context, options)


def words_of(arguments: Sequence[str]) -> list[str]:
    """
    The words among the arguments, for who decides by the first of them.
    """
    return _parser(suppress=True).split(arguments)[1]


def parse(arguments: Sequence[str]) -> tuple[str, Namespace]:
    """
    Options count wherever they stand: before the subcommand, behind it, or without one.

    :return: the subcommand and its options; one that was not given has its default.
    :raise UsageError: an option does not belong to the subcommand, or a word is one too many.
    """
    given, words = _parser(suppress=True).split(arguments)
    name = words[0] if words and words[0] in OPTIONS else "run"
    if words and words[0] not in OPTIONS:
        raise UsageError(f"too many arguments for 'gateway'. Expected 0 arguments but got {len(words)}.")
    parser = _parser(suppress=False)
    parser.command = f"gateway {name}" if words else "gateway"
    if "help" in given:
        _help(parser, OPTIONS[name] if words else frozenset().union(*OPTIONS.values()))
    for option in vars(given):
        if option not in OPTIONS[name]:
            raise UsageError(f"unknown option '--{option.replace('_', '-')}'")
    before, _, after = _cut(arguments, words)
    options = parser.take([*before, *after], _WORDS.get(name, ()))
    if "timeout" not in vars(given) and name in _TIMEOUTS:
        options.timeout = _TIMEOUTS[name]
    return name, options


def _help(parser: Arguments, options: frozenset[str]) -> NoReturn:
    """
    Print the help, as far as it is about these options.
    """
    for action in parser._actions:
        if action.dest not in options | {"help"}:
            action.help = SUPPRESS
    parser.print_help()
    raise SystemExit(0)


def _cut(arguments: Sequence[str], words: Sequence[str]) -> tuple[Sequence[str], str, Sequence[str]]:
    """
    Take the subcommand out. A value of an option may read like it, so the place is found by parsing what stands before.
    """
    if not words:
        return arguments, "", ()
    parser = _parser(suppress=True)
    for place, argument in enumerate(arguments):
        if argument == words[0] and parser.split(arguments[: place + 1])[1] == [words[0]]:
            return arguments[:place], argument, arguments[place + 1 :]
    return arguments, "", ()


def _parser(*, suppress: bool) -> Arguments:
    """
    :param suppress: leave out what was not given, to know what was.
    """
    summary = "Run the gateway in the foreground, or ask one that runs."
    parser = Arguments("gateway", summary, _USAGE, helps=not suppress)
    if suppress:
        parser.option("-h", "--help", action="store_true")
    add_client_options(parser)
    parser.option("--params", metavar="<json>", default="{}", help="call: parameters of the method")
    parser.option("--ssh", metavar="<target>", help="probe: also through an SSH tunnel to [user@]host[:port]")
    parser.option("--ssh-identity", metavar="<file>", help="probe: the key for that")
    parser.option("--ssh-auto", action="store_true", help="probe: to the first gateway that the network tells of")
    parser.option("--no-probe", action="store_true", help="status: do not ask the gateway")
    parser.option("--deep", action="store_true", help="status: look for other gateways also in the system's own units")
    parser.option("--port", metavar="<port>", help="run, install: port to listen on")
    parser.option("--system", action="store_true", help="service commands: the machine's service, not the user's")
    parser.option("--user", metavar="<name>", help="install --system: whom the gateway runs as")
    parser.option("--dry-run", action="store_true", help="service commands: only say what would be done")
    parser.option("--runtime", metavar="<name>", help="install: node, bun or python; makes no difference")
    parser.option("--bind", metavar="<mode>", help="run: loopback, lan, tailnet, auto or custom")
    parser.option("--auth", metavar="<mode>", help="run: token or password")
    parser.option("--tailscale", metavar="<mode>", help="run: off, serve or funnel")
    parser.option("--tailscale-reset-on-exit", action="store_true", help="run: undo serve or funnel at the end")
    parser.option("--allow-unconfigured", action="store_true", help="run: without gateway.mode=local")
    parser.option("--dev", action="store_true", help="run: make a development configuration if there is none")
    parser.option("--reset", action="store_true", help="run, with --dev: begin with nothing")
    forces = "run: end the gateway on the port, twice: whatever is there; install: write it again"
    parser.option("--force", action="count", default=0, help=forces)
    parser.option("--verbose", action="store_true", help="run: log more")
    parser.option("--ws-log", metavar="<style>", default="auto", help="run: auto, full or compact")
    parser.option("--compact", action="store_true", help="run: like --ws-log compact")
    parser.option("--watch", action="store_true", help="run: again whenever the program's source changes")
    parser.option("--raw-stream", action="store_true", help=SUPPRESS)
    parser.option("--raw-stream-path", metavar="<file>", help=SUPPRESS)
    if suppress:
        for action in parser._actions:
            action.default = SUPPRESS
    return parser


def _call(context: Context, options: Namespace) -> int:
    from openclaw.cli.exits import code_for
    from openclaw.cli.rpc import call
    from openclaw.client.errors import RequestFailed

    method = options.words[0]
    try:
        params = json.loads(options.params)
    except ValueError as error:
        raise CommandFailed(f"Gateway call failed: SyntaxError: {error}") from error
    try:
        payload = call(context, options, method, params, lenient=True)
    except RequestFailed as error:
        raise CommandFailed(f"Gateway call failed: Error: {error}", code_for(error)) from error
    if not options.json:
        context.line(context.paint(f"Gateway call: {method}", "bold"))
    context.json(payload)
    return 0


def _health(context: Context, options: Namespace) -> int:
    from openclaw.cli.health import channel_lines
    from openclaw.cli.rpc import call

    payload = call(context, options, "health", {}, lenient=True)
    if options.json:
        context.json(payload)
        return 0
    context.line(context.paint("Gateway Health", "bold"))
    context.line(f"OK ({payload.get('durationMs', 0)}ms)")
    for line in channel_lines(payload):
        context.line(line)
    return 0
