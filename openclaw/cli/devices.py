"""
``openclaw devices``: who may connect, and with which tokens.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context, age
from openclaw.cli.exits import UsageError, unknown_command
from openclaw.cli.rpc import call
from openclaw.cli.tables import table, table_width

_USAGE = """\
devices list
       openclaw devices approve|reject <requestId>
       openclaw devices rotate --device <id> --role <role> [--scope <scope>]...
       openclaw devices revoke --device <id> --role <role>"""
_WORDS: Mapping[str, tuple[str, ...]] = {
    "list": (),
    "approve": ("requestId",),
    "reject": ("requestId",),
    "rotate": (),
    "revoke": (),
}
#: What only some of them take.
_NOT_OF: Mapping[str, tuple[str, ...]] = {"rotate": (), "revoke": ("scope",)}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("devices", "Who may connect, and with which tokens.", _USAGE)
    add_client_options(parser)
    parser.option("--device", metavar="<id>", help="rotate, revoke: whose token")
    parser.option("--role", metavar="<role>", help="rotate, revoke: of which role")
    parser.option("--scope", metavar="<scope>", action="append", help="rotate: what the token allows")
    options, words = parser.split(arguments)
    name = words.pop(0) if words else "list"
    if name not in _WORDS:
        raise unknown_command(name, _WORDS, parent="devices")
    parser.command = f"devices {name}"
    parser.check_words(words, _WORDS[name])
    parser.check_options(options, *_NOT_OF.get(name, ("device", "role", "scope")))
    options.words = words
    commands: dict[str, Callable[[Context, Namespace], None]] = {
        "list": _list,
        "approve": _approve,
        "reject": _reject,
        "rotate": _rotate,
        "revoke": _revoke,
    }
    commands[name](context, options)
    return 0


def _list(context: Context, options: Namespace) -> None:
    listed = call(context, options, "device.pair.list", {})
    if options.json:
        context.json(listed)
        return
    now = context.now() * 1000
    width = table_width(context.out)
    pending, paired = listed.get("pending") or [], listed.get("paired") or []
    if not pending and not paired:
        context.line("No device pairing entries.")
    if pending:
        rows = [
            (
                request.get("requestId"),
                request.get("displayName") or request.get("deviceId"),
                request.get("role"),
                request.get("remoteIp"),
                age(now - request["ts"]) if "ts" in request else "",
                "repair" if request.get("isRepair") else "",
            )
            for request in pending
        ]
        context.line(context.paint(f"Pending ({len(pending)})", "bold"))
        _print(context, table(("Request", "Device", "Role", "IP", "Age", "Flags"), rows, width))
    if paired:
        known = [
            (
                device.get("displayName") or device.get("deviceId"),
                ", ".join(device.get("roles") or []),
                ", ".join(device.get("scopes") or []),
                ", ".join(_token(token) for token in device.get("tokens") or []),
                device.get("remoteIp"),
            )
            for device in paired
        ]
        context.line(context.paint(f"Paired ({len(paired)})", "bold"))
        _print(context, table(("Device", "Roles", "Scopes", "Tokens", "IP"), known, width))


def _token(token: Mapping[str, Any]) -> str:
    return f"{token.get('role')}{' (revoked)' if token.get('revokedAtMs') else ''}"


def _print(context: Context, lines: Sequence[str]) -> None:
    for line in lines:
        context.line(line)


def _approve(context: Context, options: Namespace) -> None:
    answer = call(context, options, "device.pair.approve", {"requestId": options.words[0]})
    if options.json:
        context.json(answer)
    else:
        context.line(f"Approved {answer.get('device', {}).get('deviceId', 'ok')}")


def _reject(context: Context, options: Namespace) -> None:
    answer = call(context, options, "device.pair.reject", {"requestId": options.words[0]})
    if options.json:
        context.json(answer)
    else:
        context.line(f"Rejected {answer.get('deviceId', 'ok')}")


def _rotate(context: Context, options: Namespace) -> None:
    params: dict[str, Any] = _whose(options)
    if options.scope:
        params["scopes"] = options.scope
    context.json(call(context, options, "device.token.rotate", params))


def _revoke(context: Context, options: Namespace) -> None:
    context.json(call(context, options, "device.token.revoke", _whose(options)))


def _whose(options: Namespace) -> dict[str, str]:
    for name in ("device", "role"):
        if not getattr(options, name):
            raise UsageError(f"required option '--{name} <{name}>' not specified")
    return {"deviceId": options.device, "role": options.role}
