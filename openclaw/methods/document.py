"""
What this program speaks, as a document.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from openclaw import __version__
from openclaw.methods.families import METHODS
from openclaw.protocol.asyncapi import document
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.features import PUBLISHED


def protocol_document() -> dict[str, Any]:
    """
    The methods that work and the events that are published, as AsyncAPI.
    """
    events = {name: event for name, event in EVENT_TABLE.items() if name in PUBLISHED}
    return document(__version__, METHODS, events)


@cache
def protocol_text() -> bytes:
    """
    The document as JSON. Making it takes longer than the reactor may be kept waiting.
    """
    return orjson.dumps(protocol_document())
