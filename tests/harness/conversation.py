"""
Replays of recorded conversations: requests, answers, and the events of each run.

Besides what ``tests.harness.replay`` does, every recorded ``agent`` and ``chat`` event is waited for, and each run's
events are compared one by one. Of ``chat`` deltas only the first is: when the others come depends on the moment.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from attrs import define, field

from openclaw.testing.client import SCOPES, GatewayClient
from openclaw.testing.gateway import MemoryGateway
from tests.harness.compare import UUID, Difference, compare_events, here, same, same_answer, without
from tests.harness.replay import lines

#: Seconds that something recorded is waited for.
PATIENCE = 300.0

#: Of recorded pauses, so that a request which was sent just before something still is.
HASTE = 0.9

#: Seconds of one step of time.
STEP = 0.02

VERSION = re.compile(r"OpenClaw [0-9][\w.]*(?: \([0-9a-f]+\))?")

#: Leaves no trace in the presence of the clients.
CLIENT = {"id": "cli", "version": "1.0.0", "platform": "linux", "mode": "cli"}

RUN_EVENTS = ("agent", "chat")


def summary(frame: Mapping[str, Any]) -> str:
    """
    One event of a run in a few words.
    """
    payload = frame["payload"]
    if frame["event"] == "chat":
        said = plain(payload.get("message", {}).get("content", [{}])[0].get("text"))
        words = [said, payload.get("stopReason"), payload.get("errorMessage")]
        return " ".join([str(payload["seq"]), payload["state"], *(word for word in words if word is not None)])
    data = payload["data"]
    words = [data.get("phase"), data.get("name"), data.get("text"), data.get("error")]
    aborted = ["aborted"] if data.get("aborted") else []
    return " ".join([str(payload["seq"]), payload["stream"], *(word for word in words if word), *aborted])


def events_of(frames: list[dict[str, Any]], run_id: str) -> list[dict[str, Any]]:
    """
    The events of a run that are compared.
    """
    found: list[dict[str, Any]] = []
    deltas = 0
    for frame in frames:
        if frame["type"] != "event" or frame["event"] not in RUN_EVENTS or frame["payload"]["runId"] != run_id:
            continue
        if frame["payload"].get("state") == "delta":
            deltas += 1
            if deltas > 1:
                continue
        found.append(frame)
    return found


def plain(value: Any) -> Any:
    """
    What was recorded, without what was cut out of it.
    """
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items() if not _is_cut(name, item)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return VERSION.sub("OpenClaw", value) if isinstance(value, str) else value


@define
class _Peer:
    client: GatewayClient
    recorded: list[dict[str, Any]] = field(factory=list)
    taken: list[int] = field(factory=list)
    methods: dict[str, str] = field(factory=dict)
    others: list[dict[str, Any]] = field(factory=list)


@define
class Conversation:
    """
    One replay.

    :ivar answers: by ``id``, or ``connection#id``, what ours answers instead: ``{"res": frame}``, or some members of
        it, ``{"payload": ...}`` for some members of the payload, or ``{}`` for an answer that is not compared.
    :ivar runs: by run id, what ours tells instead: ``{"events": [summaries]}``, or ``{"more": [summaries]}``.
    :ivar events: as in ``tests.harness.replay``.
    :ivar skip: ids of requests that are not sent, or ``connection#id``.
    :ivar follows: events that are waited for at the end; runs may then begin by themselves.
    :ivar apart_from: members that are not compared, wherever they stand in answers and events that belong to no run.
    """

    gateway: MemoryGateway
    token: str
    answers: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    runs: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    events: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    skip: Mapping[str, str] = field(factory=dict)
    connections: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    apart_from: Collection[str] = ()
    follows: Collection[str] = ()
    differences: list[Difference] = field(factory=list)
    _peers: dict[str, _Peer] = field(factory=dict)
    _run_ids: dict[str, str] = field(factory=dict)
    _hashes: dict[str, str] = field(factory=dict)
    _made: dict[str, str] = field(factory=dict)

    def run(self, name: str) -> list[Difference]:
        """
        Replay a capture.

        :return: what differs.
        """
        recording = self._recording(name)
        for line in recording:
            if line["dir"] != "end":
                self._peer(line.get("conn", "op"))
        opened = {line["conn"] for line in recording if line["dir"] == "open"}
        before = 0
        for line in recording:
            pause, before = (line["t"] - before) / 1000 * HASTE, line["t"]
            conn, frame = line.get("conn", "op"), line.get("frame")
            if line["dir"] == "end":
                self._end()
            if line["dir"] == "client-close":
                self._peers[conn].client.close()
            if not isinstance(frame, dict) or (conn in opened and frame.get("method") == "connect"):
                continue
            if line["dir"] == "send":
                self._send(conn, frame, pause)
            elif line["dir"] == "recv":
                self._recv(conn, frame)
        for conn, peer in self._peers.items():
            self._wait_for_others(peer)
            self._compare_runs(conn, peer)
            told = [frame for frame in self._told(conn) if frame.get("event") not in (*RUN_EVENTS, "tick")]
            self.differences.extend(compare_events(conn, peer.others, told, self.events, self.apart_from))
            for index, frame in enumerate(peer.client.frames):
                if frame["type"] == "res" and index not in peer.taken:
                    self.differences.append(Difference(conn=conn, recorded=None, now=plain(frame)))
        return self.differences

    def _recording(self, name: str) -> list[dict[str, Any]]:
        return list(lines(name))

    def _end(self) -> None:
        """
        The recording is over.
        """

    def _told(self, conn: str) -> list[dict[str, Any]]:
        return self._peers[conn].client.frames

    def say(self, session_key: str, message: str) -> None:
        """
        Let a conversation be there before the recording begins.
        """
        client = self.gateway.connected(token=self.token, client=CLIENT)
        params = {"sessionKey": session_key, "message": message, "idempotencyKey": f"{session_key} {message}"}
        client.call("chat.send", params)
        self._wait(lambda: any(frame["payload"].get("state") == "final" for frame in client.events("chat")))
        client.close()

    def _peer(self, conn: str) -> _Peer:
        if conn not in self._peers:
            told = {"scopes": SCOPES, **self.connections.get(conn, {})}
            client = self.gateway.connected(token=self.token, **told)
            # Recordings leave the handshake out, and use its id again.
            self._peers[conn] = _Peer(client, taken=list(range(len(client.frames))))
        return self._peers[conn]

    def _send(self, conn: str, frame: Mapping[str, Any], pause: float) -> None:
        if self._skipped(conn, frame):
            return
        frame = self._here(frame)
        if "method" in frame:
            self._peers[conn].methods[frame["id"]] = frame["method"]
        end = self.gateway.reactor.seconds() + pause
        while (left := end - self.gateway.reactor.seconds()) > 0:
            self.gateway.advance(min(left, STEP))
        self._peers[conn].client.send(self._with_hash(frame))

    def _with_hash(self, frame: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        A request whose base hash, when it was recorded from an answer, is that of ours.
        """
        params = frame.get("params")
        if not isinstance(params, Mapping) or params.get("baseHash") not in self._hashes:
            return frame
        return {**frame, "params": {**params, "baseHash": self._hashes[params["baseHash"]]}}

    def _recv(self, conn: str, frame: dict[str, Any]) -> None:
        peer = self._peers[conn]
        if frame["type"] == "res":
            if not self._skipped(conn, frame) and not _is_hello(frame):
                self._answer(conn, peer, frame)
        elif frame["event"] in RUN_EVENTS:
            frame = self._here(frame)
            peer.recorded.append(frame)
            wanted = summary(frame)
            if not self._waits_not(frame["payload"]):
                self._wait(lambda: self._run_has(peer, frame["payload"], wanted))
        elif frame["event"] != "tick":
            # Recordings leave most ticks out.
            peer.others.append(frame)

    def _here(self, value: Any) -> Any:
        """
        What was recorded, with the ids that this gateway has made in place of those that the recorded one made.
        """
        if isinstance(value, dict):
            return {name: self._here(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._here(item) for item in value]
        if isinstance(value, str):
            for recorded, now in self._made.items():
                value = value.replace(recorded, now)
        return value

    def _learn(self, recorded: Any, now: Any) -> None:
        """
        Find the ids that were made anew: they stand where the recorded ones stood.
        """
        if isinstance(recorded, Mapping) and isinstance(now, Mapping):
            for name, value in recorded.items():
                self._learn(value, now.get(name))
        elif isinstance(recorded, str) and isinstance(now, str) and UUID.match(recorded) and UUID.match(now):
            self._made.setdefault(recorded, now)

    def _run_has(self, peer: _Peer, payload: Mapping[str, Any], wanted: str) -> bool:
        """
        Whether a recorded event of a run has come. A run that nobody named has another id here: it is the first one of
        its session that was not recorded under its own.
        """
        recorded = payload["runId"]
        run_id = self._run_ids.get(recorded, recorded)
        if run_id == recorded and not events_of(peer.client.frames, run_id):
            known = {*self._run_ids.values(), *(frame["payload"]["runId"] for frame in peer.recorded)}
            told = (frame["payload"] for frame in peer.client.frames if frame.get("event") in RUN_EVENTS)
            key = payload.get("sessionKey")
            fresh = (one["runId"] for one in told if one.get("sessionKey") == key and one["runId"] not in known)
            run_id = next(fresh, recorded) if self.follows else recorded
            if run_id != recorded:
                self._run_ids[recorded] = run_id
        return any(summary(now) == wanted for now in self._run(peer, recorded))

    def _wait_for_others(self, peer: _Peer) -> None:
        """
        Let the events come that belong to no run and were recorded once as often.
        """
        recorded = Counter(frame["event"] for frame in peer.others)
        wanted = {name: count for name, count in recorded.items() if name in self.follows}
        self._wait(lambda: all(len(peer.client.events(name)) >= count for name, count in wanted.items()))

    def _skipped(self, conn: str, frame: Mapping[str, Any]) -> bool:
        return frame.get("id") in self.skip or f"{conn}#{frame.get('id')}" in self.skip

    def _wait_for(self, peer: _Peer, run_id: str, count: int) -> None:
        self._wait(lambda: len(self._run(peer, run_id)) >= count)

    def _run(self, peer: _Peer, run_id: str) -> list[dict[str, Any]]:
        """
        What came of a run that was recorded under this id.
        """
        return events_of(peer.client.frames, self._run_ids.get(run_id, run_id))

    def _waits_not(self, payload: Mapping[str, Any]) -> bool:
        run_id = payload["runId"]
        own = "events" in self.runs.get(run_id, {})
        return own or run_id.startswith("inject-") or payload.get("state") == "delta"

    def _answer(self, conn: str, peer: _Peer, frame: Mapping[str, Any]) -> None:
        override = self.answers.get(f"{conn}#{frame['id']}") or self.answers.get(frame["id"])
        expected = here(self.gateway, frame, peer.methods.get(frame["id"]))
        own = {} if override is None else override.get("res", {})
        wanted = plain(own if "type" in own else {**expected, **own})
        now: Any = None
        self._wait(lambda: self._untaken(peer, frame["id"]) is not None)
        index = self._untaken(peer, frame["id"])
        if index is not None:
            peer.taken.append(index)
            now = plain(peer.client.frames[index])
        if override is not None and not {"res", "payload"} & set(override):
            return
        if override is not None and "payload" in override:
            wanted = {**wanted, "payload": {**wanted["payload"], **override["payload"]}}
        old, new = _message_id(wanted), _message_id(now)
        if old is not None and new is not None:
            # An id made by the gateway, which names a run of its own.
            self._run_ids[f"inject-{old}"] = f"inject-{new}"
            wanted = {**wanted, "payload": {**wanted["payload"], "messageId": new}}
        old, new = _hash(wanted), _hash(now)
        if old is not None and new is not None:
            # Of a text that is not the recorded one.
            self._hashes[old] = new
            wanted = {**wanted, "payload": {**wanted["payload"], "hash": new}}
        self._learn(wanted, now)
        if not same_answer(without(wanted, self.apart_from), without(now, self.apart_from)):
            self.differences.append(Difference(conn=conn, recorded=wanted, now=now))

    def _untaken(self, peer: _Peer, id: Any) -> int | None:
        for index, frame in enumerate(peer.client.frames):
            if frame["type"] == "res" and frame["id"] == id and index not in peer.taken:
                return index
        return None

    def _wait(self, holds: Any) -> None:
        end = self.gateway.reactor.seconds() + PATIENCE
        while not holds() and self.gateway.reactor.seconds() < end:
            self.gateway.advance(STEP)

    def _compare_runs(self, conn: str, peer: _Peer) -> None:
        for run_id in dict.fromkeys(frame["payload"]["runId"] for frame in peer.recorded):
            override = self.runs.get(run_id, {})
            recorded = events_of(peer.recorded, run_id)
            wanted = override.get("events", [*map(summary, recorded), *override.get("more", ())])
            self._wait_for(peer, run_id, len(wanted))
            now = self._run(peer, run_id)
            told = list(map(summary, now))
            if wanted != told:
                self.differences.append(Difference(conn=f"{conn} {run_id}", recorded=wanted, now=told))
                continue
            if "events" in override:
                continue
            for one, other in zip(recorded, now, strict=False):
                payload = {**one["payload"], "runId": other["payload"]["runId"]}
                if not same(plain(payload), plain(other["payload"])):
                    self.differences.append(Difference(conn=f"{conn} {run_id}", recorded=one, now=other))


def _message_id(frame: Any) -> Any:
    payload = None if frame is None else frame.get("payload")
    return payload.get("messageId") if isinstance(payload, Mapping) else None


def _hash(frame: Any) -> Any:
    payload = None if frame is None else frame.get("payload")
    return payload.get("hash") if isinstance(payload, Mapping) else None


def _is_hello(frame: Mapping[str, Any]) -> bool:
    payload = frame.get("payload")
    return isinstance(payload, Mapping) and payload.get("type") == "hello-ok"


def _is_cut(name: str, value: Any) -> bool:
    # Diagnostics may be left out (methods.md 7.1); what a tool says of its process differs each time.
    return name == "systemPromptReport" or (name == "details" and isinstance(value, Mapping) and "status" in value)
