"""
``channels.*``, ``web.login.*``, ``send`` and ``poll`` (``methods.md`` 8, 14).

There is no channel yet, and whoever asks for one is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw.clock import millis
from openclaw.methods.authorise import READ, WRITE
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import Failed, MethodTable
from openclaw.protocol.channels import (
    ChannelsLogoutParams,
    ChannelsLogoutResult,
    ChannelsStatusParams,
    ChannelsStatusResult,
    WebLoginStartParams,
    WebLoginStartResult,
    WebLoginWaitParams,
    WebLoginWaitResult,
)
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.send import PollParams, PollResult, SendParams, SendResult

#: The channel of a message that names none.
DEFAULT_CHANNEL = "whatsapp"

methods = MethodTable()


@methods.method("channels.status", ChannelsStatusParams, result=ChannelsStatusResult, scope=READ)
async def status(context: MethodContext, params: ChannelsStatusParams) -> dict[str, Any]:
    """
    The channels and their accounts: none.
    """
    by_channel = ("channelLabels", "channelDetailLabels", "channelSystemImages", "channels", "channelAccounts")
    maps: Mapping[str, Any] = {name: {} for name in (*by_channel, "channelDefaultAccountId")}
    return {"ts": millis(context.clock), "channelOrder": [], "channelMeta": [], **maps}


@methods.method("channels.logout", ChannelsLogoutParams, result=ChannelsLogoutResult)
async def logout(context: MethodContext, params: ChannelsLogoutParams) -> dict[str, Any]:
    """
    Sign an account out.

    :raise Failed: always; there is no such channel.
    """
    raise invalid("invalid channels.logout channel")


@methods.method("web.login.start", WebLoginStartParams, result=WebLoginStartResult, advertised=False)
async def login_start(context: MethodContext, params: WebLoginStartParams) -> dict[str, Any]:
    """
    Link a number by QR code.

    :raise Failed: always; no channel is linked that way.
    """
    raise _no_login()


@methods.method("web.login.wait", WebLoginWaitParams, result=WebLoginWaitResult, advertised=False)
async def login_wait(context: MethodContext, params: WebLoginWaitParams) -> dict[str, Any]:
    """
    Wait for the QR code to be scanned.

    :raise Failed: always; no channel is linked that way.
    """
    raise _no_login()


def _no_login() -> Failed:
    return invalid("web login provider is not available")


@methods.method("send", SendParams, result=SendResult, errors=(ErrorCode.NOT_LINKED,), scope=WRITE, remembered="send")
async def send(context: MethodContext, params: SendParams) -> dict[str, Any]:
    """
    Send a message through a channel.

    :raise Failed: always; there is no such channel.
    """
    raise invalid(f"unsupported channel: {_channel(params.channel)}")


@methods.method(
    "poll", PollParams, result=PollResult, errors=(ErrorCode.NOT_LINKED,), advertised=False, remembered="poll"
)
async def poll(context: MethodContext, params: PollParams) -> dict[str, Any]:
    """
    Ask a group on a channel to vote.

    :raise Failed: always; there is no such channel.
    """
    raise invalid(f"unsupported poll channel: {_channel(params.channel)}")


def _channel(told: str | None) -> str:
    return (told or "").strip() or DEFAULT_CHANNEL
