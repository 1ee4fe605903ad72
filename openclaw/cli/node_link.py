"""
The link of ``openclaw nodes`` to the gateway, and through it to nodes.
"""

from __future__ import annotations

import uuid
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError
from openclaw.cli.node_choice import chosen
from openclaw.cli.rpc import connected
from openclaw.cli.target import read_config, resolve_target
from openclaw.client.errors import RequestFailed
from openclaw.client.sync import GatewayClient

#: How much longer the gateway has than a node, in milliseconds.
GRACE_MS = 5_000

Node = Mapping[str, Any]


@frozen
class Asking:
    """
    A connection to the gateway, for as long as a subcommand needs it.
    """

    context: Context
    options: Namespace
    client: GatewayClient

    def call(self, method: str, params: Mapping[str, Any], *, timeout_ms: int | None = None) -> Any:
        timeout = self.options.timeout if timeout_ms is None else timeout_ms
        return self.client.call(method, dict(params), timeout=timeout / 1000)

    def nodes(self) -> list[Node]:
        nodes: list[Node] = self.call("node.list", {}).get("nodes") or []
        return nodes

    def node(self) -> str:
        """
        The id of the node that ``--node`` means.
        """
        return chosen(required(self.options, "node"), self.nodes())


@contextmanager
def asking(context: Context, options: Namespace, name: str) -> Iterator[Asking]:
    """
    :raise CommandFailed: the gateway or the node said no.
    """
    target = resolve_target(context, options, read_config(context))
    with connected(context, options, target) as client:
        try:
            yield Asking(context, options, client)
        except (RequestFailed, CommandFailed) as error:
            code = 75 if getattr(error, "retryable", False) else 1
            raise CommandFailed(f"nodes {name} failed: Error: {error}", code) from error


def required(options: Namespace, name: str) -> str:
    """
    :raise UsageError: an option that this subcommand cannot do without is missing.
    """
    value = getattr(options, name)
    if not value or not value.strip():
        raise UsageError(f"required option '--{name} <{name}>' not specified")
    text: str = value
    return text


def invoke(ask: Asking, node_id: str, command: str, params: Any, *, default_ms: int) -> Any:
    """
    Have a node run a command.

    :return: the answer of ``node.invoke``.
    """
    limit = ask.options.invoke_timeout or default_ms
    asked: dict[str, Any] = {
        "nodeId": node_id,
        "command": command,
        "timeoutMs": limit,
        "idempotencyKey": ask.options.idempotency_key or str(uuid.uuid4()),
    }
    if params is not None:
        asked["params"] = params
    # The node's own limit ends it first, so that its end is told.
    return ask.call("node.invoke", asked, timeout_ms=max(ask.options.timeout, limit + GRACE_MS))
