"""
Asking a running gateway, as every command does it.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.target import Target, read_config, resolve_target
from openclaw.client.errors import ConnectionClosed, GatewayTimeout, ProtocolViolation
from openclaw.client.identity import DeviceTokens, load_identity
from openclaw.client.sync import GatewayClient
from openclaw.config.paths import state_dir
from openclaw.errors import OpenClawError


@frozen
class NotReached(OpenClawError):
    """
    The gateway did not answer, or did not let us in.

    :ivar error: what the client says of it.
    :ivar fix: a command to type, where one helps.
    """

    error: ConnectionClosed | GatewayTimeout | ProtocolViolation
    target: Target
    fix: str | None = None

    def __str__(self) -> str:
        lines = [str(self.error), *self.target.lines()]
        cause = getattr(self.error, "cause", None)
        if cause:
            lines.append(f"Cause: {cause}")
        if self.fix:
            lines.append(f"Fix: start it with: {self.fix}")
        return "\n".join(lines)


def identity_path(context: Context) -> Path:
    """
    Where this device's key is. Other versions keep one for all profiles in ``~/.openclaw``; it is used where it exists,
    but nothing is created there: the directory's mere existence says which state directory counts.
    """
    own = state_dir(context.environ, context.home) / "identity" / "device.json"
    shared = context.home / ".openclaw" / "identity" / "device.json"
    return shared if shared.exists() and not own.exists() else own


def connect(context: Context, target: Target, *, timeout_ms: int, mode: str = "cli") -> GatewayClient:
    """
    Open a connection to a gateway.

    :raise NotReached: it did not work.
    """
    identity = load_identity(identity_path(context), now=context.now)
    stored = state_dir(context.environ, context.home) / "identity" / "device-auth.json"
    try:
        return GatewayClient.connect(
            target.url,
            token=target.token,
            password=target.password,
            identity=identity,
            tokens=DeviceTokens(stored, identity.device_id, context.now) if target.ours else None,
            mode=mode,
            timeout=timeout_ms / 1000,
            fingerprint=target.fingerprint,
            now=context.now,
        )
    except (ConnectionClosed, GatewayTimeout, ProtocolViolation) as error:
        raise NotReached(error, target, _fix(context, error, target)) from error


def _fix(context: Context, error: Exception, target: Target) -> str | None:
    """
    A gateway of this machine that is not there can be started.
    """
    refused = isinstance(error, ConnectionClosed) and "ECONNREFUSED" in (error.cause or "")
    return context.command("openclaw gateway") if refused and target.bind is not None else None


@contextmanager
def connected(context: Context, options: Namespace, target: Target) -> Iterator[GatewayClient]:
    """
    A connection for as long as a command needs it.

    :raise NotReached: it did not work, or ended too early.
    """
    client = connect(context, target, timeout_ms=options.timeout)
    try:
        yield client
    except (ConnectionClosed, GatewayTimeout, ProtocolViolation) as error:
        raise NotReached(error, target) from error
    finally:
        client.close()


def call(context: Context, options: Namespace, method: str, params: Any = None, *, lenient: bool = False) -> Any:
    """
    Ask one question.

    :param lenient: also with a configuration that is invalid.
    :return: the answer's payload.
    :raise RequestFailed: the gateway said no.
    :raise NotReached: it did not answer.
    """
    target = resolve_target(context, options, read_config(context, lenient=lenient))
    with connected(context, options, target) as client:
        return client.call(method, params, timeout=options.timeout / 1000, expect_final=options.expect_final)
