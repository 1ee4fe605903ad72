"""
Who is here (``protocol.md`` 20).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from openclaw.clock import Seconds, millis

#: An entry that nobody refreshed for this long is dropped, in milliseconds, unless its client is connected.
LIFETIME_MS = 300_000
MOST_ENTRIES = 200

#: More seconds than that are no time since an input.
MOST_SECONDS = 10**12

LINE = re.compile(
    r"Node: (?P<host>[^·(]+?)(?: \((?P<ip>[^)]+)\))?"
    r"(?: · app (?P<version>[^·]+?))?(?: · last input (?P<lastInputSeconds>\d{1,12})s ago)?"
    r"(?: · mode (?P<mode>[^·]+?))?(?: · reason (?P<reason>[^·]+?))?\s*$"
)
STRINGS = (
    "host",
    "ip",
    "version",
    "platform",
    "deviceFamily",
    "modelIdentifier",
    "mode",
    "reason",
    "deviceId",
    "instanceId",
)
LISTS = ("roles", "scopes", "tags")
TOLD = ("host", "ip", "version", "mode", "reason")


def parse_line(text: str) -> dict[str, Any]:
    """
    The members that a presence line of the well-known form carries; nothing for any other text.
    """
    match = LINE.match(text)
    if match is None:
        return {}
    found: dict[str, Any] = {name: value.strip() for name, value in match.groupdict().items() if value is not None}
    if "lastInputSeconds" in found:
        found["lastInputSeconds"] = int(found["lastInputSeconds"])
    return found


@define(kw_only=True, eq=False, repr=False)
class Presence:
    """
    The presence entries by key, and the counter that tells clients of changes.

    It outlives the service tree: one for the process.

    :ivar own: makes the gateway's own entry, without ``ts``.
    :ivar publish: called with the full list after each change.
    """

    clock: Seconds
    own: Callable[[], Mapping[str, Any]]
    publish: Callable[[Mapping[str, Any]], None] = field(default=lambda payload: None)
    version: int = field(default=1, init=False)
    _entries: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    _connected: dict[str, int] = field(factory=dict, init=False)
    _last_told: str | None = field(default=None, init=False)

    def listing(self) -> list[dict[str, Any]]:
        """
        All entries, newest first, the gateway's own always among them.
        """
        now = millis(self.clock)
        for key, entry in list(self._entries.items()):
            if key in self._connected:
                continue
            if now - entry["ts"] > LIFETIME_MS:
                del self._entries[key]
        own = {**self.own(), "ts": now}
        others = sorted(self._entries.values(), key=lambda entry: -entry["ts"])[: MOST_ENTRIES - 1]
        return [own, *(dict(entry) for entry in others)]

    def connected(self, key: str, members: Mapping[str, Any]) -> None:
        """
        A tracked client is in: its entry is merged and everybody is told.
        """
        key = key.strip().lower()
        self._connected[key] = self._connected.get(key, 0) + 1
        self._merge(key, {**members, "reason": "connect"})
        entry = self._entries[key]
        entry.setdefault("text", f"Node: {entry.get('host', 'unknown')} · mode {entry.get('mode', 'unknown')}")
        self.version += 1

    def announce(self) -> None:
        """
        Tell everybody the list as it is.
        """
        self.publish({"presence": self.listing()})

    def disconnected(self, key: str) -> None:
        """
        A tracked client left. No entry is made for one that is not there any more.
        """
        key = key.strip().lower()
        left = self._connected.pop(key, 0) - 1
        entry = self._entries.get(key)
        if left > 0:
            # Its client has another connection, and is here as long as that one.
            self._connected[key] = left
        elif entry is not None:
            entry["reason"] = "disconnect"
            entry["ts"] = millis(self.clock)
        self.version += 1
        self.announce()

    def system_event(self, params: Mapping[str, Any]) -> str | None:
        """
        Merge what a ``system-event`` tells, and tell everybody.

        :return: the note for the main session, if the event makes one.
        """
        text = str(params["text"]).strip()
        parsed = parse_line(text)
        given = _clean(params)
        members = {**parsed, **given, "text": text}
        key = given.get("deviceId") or given.get("instanceId") or parsed.get("host") or parsed.get("ip") or text[:64]
        key = str(key).strip().lower()
        before = dict(self._entries.get(key, {}))
        self._merge(key, members)
        note = self._note(key, text, before)
        self.version += 1
        self.announce()
        return note

    def _merge(self, key: str, members: Mapping[str, Any]) -> None:
        entry = self._entries.setdefault(key, {})
        for name, value in members.items():
            if name in ("roles", "scopes"):
                value = _union(entry.get(name, ()), value)
            if value or name not in LISTS:
                entry[name] = value
        entry["ts"] = millis(self.clock)
        while len(self._entries) > MOST_ENTRIES:
            del self._entries[min(self._entries, key=lambda name: self._entries[name]["ts"])]

    def _note(self, key: str, text: str, before: Mapping[str, Any]) -> str | None:
        if not text.startswith("Node:"):
            return text
        entry = self._entries[key]
        changed = {name for name in TOLD if entry.get(name) != before.get(name)}
        reason = str(entry.get("reason", "")).lower()
        if reason == "heartbeat" or reason.startswith("periodic"):
            changed.discard("reason")
        if not changed:
            return None
        parts = []
        if changed & {"host", "ip"} or self._last_told != key:
            ip = f" ({entry['ip']})" if "ip" in entry else ""
            parts.append(f"Node: {entry.get('host', 'unknown')}{ip}")
        if "version" in changed:
            parts.append(f"app {entry['version']}")
        if "mode" in changed:
            parts.append(f"mode {entry['mode']}")
        if "reason" in changed:
            parts.append(f"reason {entry['reason']}")
        self._last_told = key
        return " · ".join(parts)


def _union(*lists: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(text for items in lists for item in items if (text := item.strip())))


def _clean(params: Mapping[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name in STRINGS:
        value = params.get(name)
        if isinstance(value, str) and value.strip():
            members[name] = value
    seconds = params.get("lastInputSeconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= MOST_SECONDS:
        # Clients take whole numbers only, and leave out a list that holds another.
        members["lastInputSeconds"] = int(seconds)
    for name in LISTS:
        value = params.get(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            members[name] = [item for item in value if item.strip()]
    return members
