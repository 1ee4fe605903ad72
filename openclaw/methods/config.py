"""
``config.get`` (``methods.md`` 13.1).
"""

from __future__ import annotations

from typing import Any

from openclaw.config.redact import redact
from openclaw.methods.authorise import ADMIN
from openclaw.methods.context import Caller, MethodContext
from openclaw.methods.table import MethodTable
from openclaw.protocol.config import ConfigGetParams, ConfigSnapshot

#: Clients that are programs of their own on a person's device. Phones read the key for speech from the configuration.
NATIVE_CLIENTS = frozenset({"openclaw-ios", "openclaw-android", "openclaw-macos"})
NATIVE_READS = frozenset({"talk.apiKey"})

methods = MethodTable()


@methods.method("config.get", ConfigGetParams, result=ConfigSnapshot)
async def get(context: MethodContext, params: ConfigGetParams) -> dict[str, Any]:
    """
    The configuration file and what it means, without its secrets.
    """
    keep = readable_secrets(context.caller)
    return dict(await context.in_thread(lambda: redact(context.snapshot(), keep=keep)))


def readable_secrets(caller: Caller) -> frozenset[str]:
    """
    Paths of the secrets that a caller may read: a paired native client reads what it cannot do without.
    """
    paired = caller.device_id is not None and caller.client_id in NATIVE_CLIENTS
    return NATIVE_READS if paired and ADMIN in caller.scopes else frozenset()
