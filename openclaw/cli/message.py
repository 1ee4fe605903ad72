"""
``openclaw message send``: a message through a channel, always by way of the gateway.
"""

from __future__ import annotations

import uuid
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError, unknown_command
from openclaw.cli.rpc import call
from openclaw.cli.target import dig, read_config
from openclaw.client.errors import RequestFailed

_USAGE = "message send --target <dest> --message <text>"
#: Members of ``channels`` that are no channels.
_NO_CHANNELS = frozenset({"defaults"})
_LABELS = {"whatsapp": "WhatsApp", "telegram": "Telegram", "discord": "Discord", "slack": "Slack", "signal": "Signal"}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    :raise CommandFailed: it was not sent.
    """
    parser = Arguments("message", "Send a message through a channel.", _USAGE)
    add_client_options(parser)
    parser.option("-t", "--target", metavar="<dest>", help="an address in the channel's own form")
    parser.option("-m", "--message", metavar="<text>", help="what to say")
    parser.option("--media", metavar="<path-or-url>", help="a file to send along")
    parser.option("--channel", metavar="<id>", help="the channel (default: the only configured one)")
    parser.option("--account", metavar="<id>", help="the channel's account")
    parser.option("--gif-playback", action="store_true", help="play a video as a GIF")
    parser.option("--dry-run", action="store_true", help="show what would be sent")
    options, words = parser.split(arguments)
    name = words.pop(0) if words else ""
    if name != "send":
        raise unknown_command(name, ("send",), parent="message") if name else UsageError("missing argument 'send'")
    parser.command = "message send"
    parser.check_words(words, ())
    if not (options.target or "").strip():
        raise UsageError("required option '-t, --target <dest>' not specified")
    if not (options.message or "").strip() and not options.media:
        raise CommandFailed("Error: message required")
    channel = _channel(context, options)
    told: dict[str, Any] = {"channel": channel, "to": options.target.strip(), "via": "gateway"}
    told["mediaUrl"] = options.media
    if options.dry_run:
        told["dryRun"] = True
    else:
        told["result"] = _send(context, options, channel)
    if options.json:
        head = {"action": "send", "channel": channel, "dryRun": bool(options.dry_run), "handledBy": "core"}
        context.json({**head, "payload": told})
    elif options.dry_run:
        context.line(f"Would send to {told['to']} via {_LABELS.get(channel, channel)}.")
    else:
        number = told["result"].get("messageId", "unknown")
        context.line(f"✅ Sent via {_LABELS.get(channel, channel)}. Message ID: {number}")
    return 0


def _channel(context: Context, options: Namespace) -> str:
    """
    :raise CommandFailed: none is meant, or several may be.
    """
    if options.channel:
        named: str = options.channel.strip().lower()
        return named
    told = dig(read_config(context).config, "channels")
    configured: list[str] = sorted(
        name
        for name, value in (told.items() if isinstance(told, Mapping) else ())
        if name not in _NO_CHANNELS and isinstance(value, Mapping) and value.get("enabled") is not False
    )
    if not configured:
        raise CommandFailed("Error: Channel is required (no configured channels detected).")
    if len(configured) > 1:
        several = ", ".join(configured)
        raise CommandFailed(f"Error: Channel is required when multiple channels are configured: {several}")
    return configured[0]


def _send(context: Context, options: Namespace, channel: str) -> dict[str, Any]:
    """
    :raise CommandFailed: the gateway did not send it.
    """
    params = {
        "to": options.target.strip(),
        "message": options.message or options.media,
        "channel": channel,
        "mediaUrl": options.media,
        "gifPlayback": options.gif_playback or None,
        "accountId": options.account,
        "idempotencyKey": str(uuid.uuid4()),
    }
    try:
        result = call(context, options, "send", {name: value for name, value in params.items() if value is not None})
    except RequestFailed as error:
        unknown = error.message.startswith("unsupported channel: ")
        raise CommandFailed(f"Error: {f'Unknown channel: {channel}' if unknown else error.message}") from error
    return result if isinstance(result, dict) else {}
