"""
What is known of nodes, connected or not (``methods.md`` 10.1), and what is remembered of them for then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from openclaw.nodes.registry import ConnectedNode
from openclaw.store.interfaces import Unit

#: Members that are told of a node, in this order, beside its id and whether it is paired and connected.
TOLD: Final = (
    "displayName",
    "platform",
    "version",
    "coreVersion",
    "uiVersion",
    "deviceFamily",
    "modelIdentifier",
    "remoteIp",
    "caps",
    "commands",
    "pathEnv",
    "permissions",
    "connectedAtMs",
)

#: What is remembered of a node's last connection.
REMEMBERED: Final[Sequence[str]] = ("platform", "version", "deviceFamily", "modelIdentifier", "caps", "commands")

_LISTS: Final = ("caps", "commands")


def remember(unit: Unit, node: ConnectedNode) -> bool:
    """
    Keep what a paired node said of itself.

    :return: whether it is paired at all: of others nothing is kept.
    """
    legacy = unit.nodes.get(node.node_id)
    if legacy is not None:
        unit.nodes.put(node.node_id, {**legacy, "lastConnectedAtMs": node.connected_at_ms})
    if legacy is None and not _is_node(unit.devices.get(node.node_id)):
        return False
    members = node.members()
    kept = {name: members[name] for name in REMEMBERED if name in members}
    old = unit.node_facts.get(node.node_id) or {}
    unit.node_facts.put(node.node_id, {**{name: old[name] for name in ("name",) if name in old}, **kept})
    return True


def rename(unit: Unit, node_id: str, name: str) -> bool:
    """
    Give a paired node a name, which wins over the one that it has for itself.

    :return: whether there is such a node.
    """
    legacy = unit.nodes.get(node_id)
    if legacy is not None:
        unit.nodes.put(node_id, {**legacy, "displayName": name})
    elif not _is_node(unit.devices.get(node_id)):
        return False
    unit.node_facts.put(node_id, {**(unit.node_facts.get(node_id) or {}), "name": name})
    return True


def rows(unit: Unit, connected: Iterable[ConnectedNode]) -> list[dict[str, Any]]:
    """
    All nodes: first those that are connected, then by name.
    """
    live = {node.node_id: node for node in connected}
    paired = {node_id: record for node_id, record in unit.devices.all() if _is_node(record)}
    legacy = dict(unit.nodes.all())
    found = [
        _row(name, unit.node_facts.get(name), paired.get(name), legacy.get(name), live.get(name))
        for name in {**live, **paired, **legacy}
    ]
    return sorted(found, key=_order)


def row(unit: Unit, node_id: str, node: ConnectedNode | None) -> dict[str, Any] | None:
    """
    One node; ``None`` if nobody knows it.
    """
    device, legacy = unit.devices.get(node_id), unit.nodes.get(node_id)
    paired = device if _is_node(device) else None
    if node is None and paired is None and legacy is None:
        return None
    return _row(node_id, unit.node_facts.get(node_id), paired, legacy, node)


def _row(
    id: str,
    facts: Mapping[str, Any] | None,
    device: Mapping[str, Any] | None,
    legacy: Mapping[str, Any] | None,
    node: ConnectedNode | None,
) -> dict[str, Any]:
    facts = facts or {}
    known: dict[str, Any] = {**_sound(legacy or {}), **_of_device(device or {}), **facts}
    if node is not None:
        # A list that it leaves out is empty now, whatever it was.
        known = {**known, **dict.fromkeys(_LISTS, ()), **node.members()}
    if "name" in facts:
        known["displayName"] = facts["name"]
    for name in _LISTS:
        known[name] = tidy(known.get(name) or ())
    members = {name: known[name] for name in TOLD if known.get(name) is not None}
    return {
        "nodeId": id,
        **members,
        "paired": device is not None or legacy is not None,
        "connected": node is not None,
    }


def _sound(record: Mapping[str, Any]) -> dict[str, Any]:
    """
    What a record that other programs may have written says of a node, as far as it makes sense.
    """
    texts = {name: record.get(name) for name in TOLD if name not in _LISTS}
    lists = {name: record.get(name) for name in _LISTS}
    return {
        **{name: value for name, value in texts.items() if isinstance(value, str) and value},
        **{name: value for name, value in lists.items() if isinstance(value, list)},
    }


def _of_device(device: Mapping[str, Any]) -> dict[str, Any]:
    return {name: device[name] for name in ("displayName", "platform", "remoteIp") if name in device}


def tidy(names: Iterable[Any]) -> list[str]:
    """
    Trimmed, without repeats, sorted.
    """
    return sorted({name.strip() for name in names if isinstance(name, str)} - {""})


def _is_node(device: Mapping[str, Any] | None) -> bool:
    return device is not None and "node" in device.get("roles", ())


def _order(row: Mapping[str, Any]) -> tuple[bool, str, str]:
    return (not row["connected"], str(row.get("displayName", row["nodeId"])).lower(), row["nodeId"])
