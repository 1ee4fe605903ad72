"""
The node host: one connection to a gateway, which asks it for commands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger

from openclaw.client.errors import ClientError
from openclaw.client.introduction import Event
from openclaw.client.service import GatewayService
from openclaw.node_host.commands import CommandFailed, NodeCommands

#: Commands that run at the same time.
MOST_RUNNING = 16


@define(kw_only=True, eq=False)
class NodeHost(Service):
    """
    Answers what the gateway asks.

    :ivar client: set before the start; it hands events to ``event``.
    """

    commands: NodeCommands
    client: GatewayService = field(init=False)
    _running: set[Deferred[None]] = field(factory=set, init=False)
    _log = Logger()

    def startService(self) -> None:
        super().startService()
        self.client.startService()

    def stopService(self) -> Deferred[Any]:
        """
        End what runs, and leave.
        """
        super().stopService()
        for running in list(self._running):
            running.cancel()
        return maybeDeferred(self.client.stopService)

    def event(self, event: Event) -> None:
        """
        The gateway told something.
        """
        if event.name != "node.invoke.request" or not isinstance(event.payload, dict):
            return
        answering = Deferred.fromCoroutine(self._answer(event.payload))
        self._running.add(answering)
        answering.addBoth(self._over, answering)

    def tell(self, event: str, payload: Mapping[str, Any]) -> None:
        """
        Send an event of this node; one that cannot be sent is told in the log.
        """
        sent = self.client.call("node.event", {"event": event, "payloadJSON": json.dumps(payload)})
        sent.addErrback(lambda failure: self._log.warn("{event}: {why}", event=event, why=failure.getErrorMessage()))

    def _over(self, result: Any, answering: Deferred[None]) -> None:
        self._running.discard(answering)

    async def _answer(self, request: Mapping[str, Any]) -> None:
        told = {"id": request.get("id"), "nodeId": request.get("nodeId")}
        try:
            payload = await self._do(request)
            answer = {**told, "ok": True, "payloadJSON": json.dumps(payload)}
        except CancelledError:
            return
        except CommandFailed as error:
            answer = {**told, "ok": False, "error": {"code": error.code, "message": error.message}}
        except Exception as error:
            self._log.failure("A command failed.")
            answer = {**told, "ok": False, "error": {"code": "UNAVAILABLE", "message": str(error) or "failed"}}
        try:
            await self.client.call("node.invoke.result", answer)
        except ClientError as error:
            self._log.warn("An answer could not be given: {why}", why=error)

    async def _do(self, request: Mapping[str, Any]) -> Any:
        if len(self._running) >= MOST_RUNNING:
            raise CommandFailed(code="UNAVAILABLE", message="node is busy; try again in a moment")
        command = self.commands.find(str(request.get("command")))
        if command is None:
            raise CommandFailed(code="INVALID_REQUEST", message="command not supported")
        return await command(_params(request.get("paramsJSON")))


def _params(text: Any) -> Mapping[str, Any]:
    """
    :raise CommandFailed: they are no object.
    """
    if text is None or text == "":
        return {}
    try:
        params = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise CommandFailed(code="INVALID_REQUEST", message="paramsJSON is no object")
    return params


def make_host(make_commands: Callable[..., NodeCommands], make_client: Callable[..., GatewayService]) -> NodeHost:
    """
    Put a host together: its commands tell events through it, and its client hands it what the gateway says.
    """
    host: NodeHost = NodeHost(commands=make_commands(tell=lambda event, payload: host.tell(event, payload)))
    host.client = make_client(on_event=host.event)
    return host
