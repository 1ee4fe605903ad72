"""
Whose browser is meant (``methods.md`` 23).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from openclaw.config.model_gateway import NodesBrowserConfig
from openclaw.errors import OpenClawError
from openclaw.nodes.policy import BROWSER
from openclaw.nodes.registry import ConnectedNode

#: Fewer characters of an id may be the beginning of anything.
LEAST_PREFIX = 6


class NoBrowserNode(OpenClawError):
    """
    No node's browser can be used, and the configuration wants one.
    """


def browser_node(nodes: Sequence[ConnectedNode], config: NodesBrowserConfig) -> ConnectedNode | None:
    """
    The node whose browser is used.

    :return: ``None`` where none is wanted, or none has to be.
    :raise NoBrowserNode: the named one is not there, or is not the only one of that name.
    """
    if config.mode == "off":
        return None
    able = [node for node in nodes if "browser" in node.caps or BROWSER in node.commands]
    wanted = (config.node or "").strip()
    if not wanted:
        return able[0] if config.mode == "auto" and len(able) == 1 else None
    if not able:
        raise NoBrowserNode("Error: No connected browser-capable nodes.")
    found = [node for node in able if _is_meant(node, wanted)]
    if not found:
        raise NoBrowserNode(f"Error: Configured browser node not connected: {wanted}")
    if len(found) > 1:
        raise NoBrowserNode(f"Error: ambiguous node: {wanted} (matches: {', '.join(node.node_id for node in found)})")
    return found[0]


def _is_meant(node: ConnectedNode, wanted: str) -> bool:
    name = str(node.client.get("displayName") or "")
    if wanted in (node.node_id, node.remote_ip) or (name and _plain(name) == _plain(wanted)):
        return True
    return len(wanted) >= LEAST_PREFIX and node.node_id.startswith(wanted)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
