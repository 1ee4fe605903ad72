"""
Which node somebody means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from openclaw.cli.exits import CommandFailed
from openclaw.cli.tables import plain

#: So many characters of an id name its node.
LEAST_PREFIX = 6


def matching(query: str, nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """
    The ids of the nodes that are meant by an id, an address, a name, or the beginning of an id.

    :param nodes: as ``node.list`` tells them.
    """
    wanted, name = query.strip(), normalized(query)
    for node in nodes:
        if node["nodeId"] == wanted:
            return [wanted]
    return [
        str(node["nodeId"])
        for node in nodes
        if wanted == node.get("remoteIp")
        or (name and name == normalized(str(node.get("displayName") or "")))
        or (len(wanted) >= LEAST_PREFIX and str(node["nodeId"]).startswith(wanted))
    ]


def chosen(query: str, nodes: Sequence[Mapping[str, Any]]) -> str:
    """
    The id of the one node that is meant.

    :raise CommandFailed: there is none, or more than one.
    """
    found = matching(query, nodes)
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandFailed(f"ambiguous node: {query} (matches: {_told(found, nodes)})")
    known = _told([node["nodeId"] for node in nodes], nodes)
    raise CommandFailed(f"unknown node: {query}{f' (known: {known})' if known else ''}")


def normalized(name: str) -> str:
    """
    A name as it is compared: small letters and digits, everything else is a dash.
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def shown(node: Mapping[str, Any]) -> str:
    """
    A node as people are told of it.
    """
    return plain(str(node.get("displayName") or node.get("remoteIp") or node["nodeId"]))


def _told(ids: Sequence[str], nodes: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(shown(node) for node in nodes if node["nodeId"] in ids)
