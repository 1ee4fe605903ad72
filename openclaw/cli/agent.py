"""
``openclaw agent``: one turn of an agent, through the gateway.
"""

from __future__ import annotations

import re
import uuid
from argparse import SUPPRESS, Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openclaw.cli.arguments import Arguments, add_client_options
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError, code_for
from openclaw.cli.rpc import NotReached, connect
from openclaw.cli.target import dig, read_config, resolve_target
from openclaw.client.errors import ConnectionClosed, GatewayTimeout, ProtocolViolation, RequestFailed
from openclaw.client.sync import GatewayClient

_DEFAULT_TIMEOUT = 600
#: What the gateway may take beyond the run itself, and the least we wait, in seconds.
_GRACE = 30
_LEAST_WAIT = 10

#: As the gateway says it.
_UNKNOWN = re.compile(r'unknown agent id "([^"]*)"')


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: 0 when the run ended well.
    """
    options = parse(arguments)
    snapshot = read_config(context)
    seconds = options.seconds or dig(snapshot.config, "agents", "defaults", "timeoutSeconds") or _DEFAULT_TIMEOUT
    target = resolve_target(context, options, snapshot)
    with connect(context, target, timeout_ms=_LEAST_WAIT * 1000) as client:
        main = dig(client.hello, "snapshot", "sessionDefaults", "mainSessionKey")
        wait = max(_LEAST_WAIT, seconds + _GRACE)
        try:
            if options.verbose is not None:
                _set_verbose(client, options, main)
            answer = client.call("agent", request(options, main), timeout=wait, expect_final=True)
        except RequestFailed as error:
            if options.json and isinstance(error.payload, Mapping):
                context.json(error.payload)
            raise CommandFailed(_told(context, error), code_for(error)) from error
        except (ConnectionClosed, GatewayTimeout, ProtocolViolation) as error:
            raise NotReached(error, target) from error
    if options.json:
        context.json(answer)
    else:
        for line in reply_lines(answer):
            context.line(line)
    return 0


def parse(arguments: Sequence[str]) -> Namespace:
    """
    :raise UsageError: they make no sense.
    """
    parser = Arguments("agent", "Run one agent turn through the gateway.")
    add_client_options(parser, timeout=None)
    parser.option("--timeout", metavar="<s>", dest="seconds", help="limit of the run in seconds")
    parser.option("-m", "--message", metavar="<text>", help="what to say")
    parser.option("-t", "--to", metavar="<number>", help="whose conversation")
    parser.option("--session-id", metavar="<id>", help="which conversation")
    parser.option("--session-key", metavar="<key>", help="which conversation, by its key")
    parser.option("--agent", metavar="<id>", help="which agent's main conversation")
    parser.option("--thinking", metavar="<level>", help="off, minimal, low, medium or high")
    parser.option("--verbose", metavar="<level>", help="on, full or off, from now on in this conversation")
    parser.option("--deliver", action="store_true", help="send the answer to a channel, too")
    parser.option("--channel", metavar="<channel>", help="which channel")
    parser.option("--reply-to", metavar="<target>", help="to whom on that channel")
    parser.option("--reply-channel", metavar="<channel>", help="another channel for the answer")
    parser.option("--reply-account", metavar="<id>", help="another account for the answer")
    parser.option("--local", action="store_true", help=SUPPRESS)
    options = parser.take(arguments)
    if options.local:
        raise UsageError("--local is not here: agents run in the gateway, which has their conversations; start one")
    if not (options.message or "").strip():
        raise UsageError("required option '-m, --message <text>' not specified")
    if options.verbose not in (None, "on", "full", "off"):
        raise UsageError('Invalid --verbose (use "on", "full" or "off")')
    if options.seconds is not None:
        if not options.seconds.isdecimal() or int(options.seconds) <= 0:
            raise UsageError("--timeout must be a positive integer (seconds)")
        options.seconds = int(options.seconds)
    return options


def _set_verbose(client: GatewayClient, options: Namespace, main_session: str | None) -> None:
    """
    How much a conversation tells of its work is one of its settings, not one of a run.
    """
    key = options.session_key or (f"agent:{options.agent}:main" if options.agent else main_session)
    if options.session_id and not options.session_key:
        key = client.call("sessions.resolve", {"sessionId": options.session_id})["key"]
    client.call("sessions.patch", {"key": key, "verboseLevel": options.verbose})


def request(options: Namespace, main_session: str | None) -> dict[str, Any]:
    """
    The parameters of ``agent``.

    :param main_session: the conversation to use when the options name none.
    """
    params = {
        "message": options.message,
        "agentId": options.agent,
        "to": options.to,
        "sessionId": options.session_id,
        "sessionKey": options.session_key,
        "thinking": options.thinking,
        "channel": options.channel,
        "replyTo": options.reply_to,
        "replyChannel": options.reply_channel,
        "replyAccountId": options.reply_account,
        "timeout": options.seconds,
        "deliver": options.deliver or None,
        "idempotencyKey": str(uuid.uuid4()),
    }
    if not (options.agent or options.to or options.session_id or options.session_key):
        params["sessionKey"] = main_session
    return {name: value for name, value in params.items() if value is not None}


def reply_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """
    What the agent said, for people.
    """
    payloads = dig(answer, "result", "payloads") or []
    for payload in payloads:
        if payload.get("text"):
            yield payload["text"]
        media = payload.get("mediaUrls") or [payload.get("mediaUrl")]
        yield from (f"MEDIA:{url}" for url in media if url)
    if not payloads:
        yield answer.get("summary") or "No reply from agent."


def _told(context: Context, error: RequestFailed) -> str:
    if (unknown := _UNKNOWN.search(error.message)) is not None:
        known = context.command("openclaw agents list")
        return f'Unknown agent id "{unknown[1]}". Use "{known}" to see configured agents.'
    return error.message if error.message.startswith("Error: ") else f"Error: {error.message}"
