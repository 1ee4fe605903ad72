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
    ChannelsStatusParams,
    WebLoginStartParams,
    WebLoginWaitParams,
)
from openclaw.protocol.send import PollParams, SendParams

#: The channel of a message that names none.
DEFAULT_CHANNEL = "whatsapp"

methods = MethodTable()


@methods.method("channels.status", ChannelsStatusParams, scope=READ)
async def status(context: MethodContext, params: ChannelsStatusParams) -> dict[str, Any]:
    """
    The channels and their accounts: none.
    """
    by_channel = ("channelLabels", "channelDetailLabels", "channelSystemImages", "channels", "channelAccounts")
    maps: Mapping[str, Any] = {name: {} for name in (*by_channel, "channelDefaultAccountId")}
    return {"ts": millis(context.clock), "channelOrder": [], "channelMeta": [], **maps}


@methods.method("channels.logout", ChannelsLogoutParams)
async def logout(context: MethodContext, params: ChannelsLogoutParams) -> dict[str, Any]:
    """
    Sign an account out.

    :raise Failed: always; there is no such channel.
    """
    raise invalid("invalid channels.logout channel")


@methods.method("web.login.start", WebLoginStartParams, advertised=False)
async def login_start(context: MethodContext, params: WebLoginStartParams) -> dict[str, Any]:
    """
    Link a number by QR code.

    :raise Failed: always; no channel is linked that way.
    """
    raise _no_login()


@methods.method("web.login.wait", WebLoginWaitParams, advertised=False)
async def login_wait(context: MethodContext, params: WebLoginWaitParams) -> dict[str, Any]:
    """
    Wait for the QR code to be scanned.

    :raise Failed: always; no channel is linked that way.
    """
    raise _no_login()


def _no_login() -> Failed:
    return invalid("web login provider is not available")


@methods.method("send", SendParams, scope=WRITE, idempotent=True)
async def send(context: MethodContext, params: SendParams) -> dict[str, Any]:
    """
    Send a message through a channel.

    :raise Failed: always; there is no such channel.
    """
    raise invalid(f"unsupported channel: {_channel(params.channel)}")


@methods.method("poll", PollParams, advertised=False, idempotent=True)
async def poll(context: MethodContext, params: PollParams) -> dict[str, Any]:
    """
    Ask a group on a channel to vote.

    :raise Failed: always; there is no such channel.
    """
    raise invalid(f"unsupported poll channel: {_channel(params.channel)}")


def _channel(told: str | None) -> str:
    return (told or "").strip() or DEFAULT_CHANNEL
