"""
Every event: what it carries, who gets it, and how it is sent (``protocol.md`` 18).

Names and order are those of ``features.EVENT_ORDER``; what of them a gateway publishes is in ``features.PUBLISHED``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from attrs import frozen

from openclaw.protocol import agent, approvals, chat, connect, cron, devices, nodes, system, talk
from openclaw.protocol.scopes import APPROVALS, PAIRING


@frozen(kw_only=True)
class Event:
    """
    One event.

    :ivar payload: its definition.
    :ivar to: ``everyone`` who is connected, ``operators`` who hold ``scope``, the ``node`` that it concerns, or the one
        ``connection``.
    :ivar scope: what operators have to hold; ``operator.admin`` does too.
    :ivar dropped: whether a slow client misses it rather than being closed; of ``chat`` only the ``deltas``.
    :ivar versions: whether its frame carries ``stateVersion``.
    """

    name: str
    payload: Any
    to: Literal["everyone", "operators", "node", "connection"] = "everyone"
    scope: str | None = None
    dropped: Literal["never", "deltas", "always"] = "always"
    versions: bool = False

    @property
    def numbered(self) -> bool:
        """
        Whether its frame has a ``seq``; one that goes to a single connection has none.
        """
        return self.to in ("everyone", "operators")


def _named(rows: Iterable[Event]) -> Mapping[str, Event]:
    return {row.name: row for row in rows}


EVENT_TABLE: Final[Mapping[str, Event]] = _named(
    (
        Event(name="connect.challenge", payload=connect.ConnectChallengeEvent, to="connection", dropped="never"),
        Event(name="agent", payload=agent.AgentRunEvent, dropped="never"),
        Event(name="chat", payload=chat.ChatEvent, dropped="deltas"),
        Event(name="presence", payload=connect.PresenceEvent, versions=True),
        Event(name="tick", payload=system.TickEvent),
        Event(name="talk.mode", payload=talk.TalkModeEvent),
        Event(name="shutdown", payload=system.ShutdownEvent, dropped="never"),
        Event(name="health", payload=system.HealthSnapshot, dropped="never", versions=True),
        Event(name="heartbeat", payload=cron.HeartbeatEvent),
        Event(name="cron", payload=cron.CronEvent),
        Event(name="node.pair.requested", payload=nodes.NodePairRequestedEvent, to="operators", scope=PAIRING),
        Event(name="node.pair.resolved", payload=nodes.NodePairResolvedEvent, to="operators", scope=PAIRING),
        Event(name="node.invoke.request", payload=nodes.NodeInvokeRequest, to="node", dropped="never"),
        Event(name="device.pair.requested", payload=devices.DevicePairRequestedEvent, to="operators", scope=PAIRING),
        Event(name="device.pair.resolved", payload=devices.DevicePairResolvedEvent, to="operators", scope=PAIRING),
        Event(name="voicewake.changed", payload=talk.VoiceWakeWords),
        Event(
            name="exec.approval.requested",
            payload=approvals.ExecApprovalRequestedEvent,
            to="operators",
            scope=APPROVALS,
        ),
        Event(
            name="exec.approval.resolved",
            payload=approvals.ExecApprovalResolvedEvent,
            to="operators",
            scope=APPROVALS,
        ),
    )
)
