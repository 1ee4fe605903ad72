"""
Replays of what operators have nodes do, and of what nodes ask for.

The recording of several connections is not in the order of cause and effect. So answers that a node has a part in are
compared at the end, and what a node answers waits for the command that it answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from openclaw.testing.client import SCOPES, TestDevice
from tests.harness.conversation import RUN_EVENTS, Conversation, _Peer, events_of
from tests.harness.replay import lines

#: Their answers come when a node has answered.
THROUGH_NODES = ("node.invoke", "exec.approvals.node.get")


@define
class NodeConversation(Conversation):
    """
    One replay.

    :ivar seeds: those of the devices that have an id in the recording, by that id.
    :ivar first: the connection that was there before the others.
    :ivar leaves: connections that close when a request, ``connection#id``, has been sent.
    :ivar joins: what a connection says when it comes again before a request is sent.
    :ivar sessions: the session key of runs whose ids the gateway makes, by the id in the recording.
    :ivar tokens: requests with a token that an earlier answer gave: ids by ids.
    """

    seeds: Mapping[str, int] = field(factory=dict)
    first: str | None = None
    leaves: Mapping[str, str] = field(factory=dict)
    joins: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    sessions: Mapping[str, str] = field(factory=dict)
    tokens: Mapping[str, str] = field(factory=dict)
    _asked: dict[str, tuple[str, Any]] = field(factory=dict, init=False)
    _answered: dict[str, Mapping[str, Any]] = field(factory=dict, init=False)
    _later: list[tuple[str, dict[str, Any]]] = field(factory=list, init=False)
    _joined: dict[str, int] = field(factory=dict, init=False)
    _opened: set[str] = field(factory=set, init=False)
    _ending: bool = field(default=False, init=False)

    def _recording(self, name: str) -> list[dict[str, Any]]:
        found = []
        for line in lines(name):
            text = json.dumps(line)
            for recorded, seed in self.seeds.items():
                text = text.replace(recorded, TestDevice(seed=seed).id)
            found.append(json.loads(text))
        for line in found:
            frame = line.get("frame", {})
            if frame.get("event") == "node.invoke.request":
                payload = frame["payload"]
                self._asked[payload["id"]] = (payload["command"], payload.get("idempotencyKey"))
        self._opened = {line["conn"] for line in found if line["dir"] == "open"}
        if self.first is not None:
            self._peer(self.first)
        # After the last line come the answers that were put off.
        return [*found, {"t": found[-1]["t"], "dir": "end"}]

    def _peer(self, conn: str) -> _Peer:
        if conn not in self._peers:
            self._connect(conn, self.connections.get(conn, {}))
        return self._peers[conn]

    def _connect(self, conn: str, told: Mapping[str, Any]) -> None:
        arguments = {"scopes": SCOPES, **told}
        if "device" in arguments:
            arguments["device"] = TestDevice(seed=arguments["device"])
        client = self.gateway.connected(token=self.token, **arguments)
        old = self._peers.get(conn)
        if old is None:
            self._joined[conn] = len(client.frames)
            self._peers[conn] = _Peer(client, taken=list(range(len(client.frames))))
        else:
            # What was told to the connection before is compared with the rest; another handshake was not recorded.
            client.frames[:] = old.client.frames
            old.client = client

    def _told(self, conn: str) -> list[dict[str, Any]]:
        frames = self._peers[conn].client.frames
        return frames if conn in self._opened else frames[self._joined[conn] :]

    def _send(self, conn: str, frame: Mapping[str, Any], pause: float) -> None:
        name = f"{conn}#{frame['id']}"
        if name in self.joins:
            again = dict(self.joins[name])
            other = again.pop("conn")
            self._peers[other].client.close()
            self._connect(other, again)
        super()._send(conn, self._prepared(conn, frame), pause)
        if name in self.leaves:
            self._peers[self.leaves[name]].client.close()

    def _prepared(self, conn: str, frame: Mapping[str, Any]) -> Mapping[str, Any]:
        prepared: dict[str, Any] = json.loads(json.dumps(frame))
        if frame["id"] in self.tokens:
            prepared["params"]["token"] = self._answered[self.tokens[frame["id"]]]["payload"]["node"]["token"]
        if frame["method"] == "node.invoke.result" and frame["params"]["id"] in self._asked:
            prepared["params"]["id"] = self._invocation(conn, self._asked[frame["params"]["id"]])
        return prepared

    def _invocation(self, conn: str, asked: tuple[str, Any]) -> str:
        def found() -> list[str]:
            payloads = [event["payload"] for event in self._peers[conn].client.events("node.invoke.request")]
            return [one["id"] for one in payloads if (one["command"], one.get("idempotencyKey")) == asked]

        self._wait(found)
        return found()[0]

    def _recv(self, conn: str, frame: dict[str, Any]) -> None:
        through_nodes = frame["type"] == "res" and self._peers[conn].methods.get(frame["id"]) in THROUGH_NODES
        if through_nodes and not self._ending and "timed out" not in str(frame.get("error")):
            self._later.append((conn, frame))
        else:
            super()._recv(conn, frame)

    def _end(self) -> None:
        self._ending = True
        for conn, frame in self._later:
            self._recv(conn, frame)

    def _learn(self, recorded: Any, now: Any) -> None:
        if isinstance(recorded, Mapping) and recorded.get("type") == "res":
            self._answered[recorded["id"]] = now
        super()._learn(recorded, now)

    def _run(self, peer: _Peer, run_id: str) -> list[dict[str, Any]]:
        if run_id not in self.sessions:
            return super()._run(peer, run_id)
        # The reference has several ids for one run: for its steps, and for what is said.
        frames = [frame for frame in peer.client.frames if frame.get("event") in RUN_EVENTS]
        ids = [frame["payload"]["runId"] for frame in frames if self._is_of(frame["payload"], run_id)]
        names = {frame["event"] for frame in peer.recorded if frame["payload"]["runId"] == run_id}
        return [frame for frame in events_of(frames, ids[0]) if frame["event"] in names] if ids else []

    def _is_of(self, payload: Mapping[str, Any], run_id: str) -> bool:
        return bool(payload.get("sessionKey") == self.sessions[run_id])
