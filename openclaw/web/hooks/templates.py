"""
Templates of mappings: ``{{payload.a.b[0]}}`` and the like (``http.md`` 10.4). Nothing is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from attrs import frozen

_EXPRESSION = re.compile(r"\{\{([^{}]*)\}\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@frozen(kw_only=True)
class Call:
    """
    One request to a hook, as templates and transforms see it.

    :ivar payload: an object, or a list.
    :ivar headers: by lower-case name.
    :ivar url: path and query, as the client wrote them, without a token.
    :ivar path: behind the path of the hooks.
    :ivar now: the moment, in ISO 8601.
    """

    payload: Any
    headers: Mapping[str, str]
    query: Mapping[str, str]
    url: str
    path: str
    now: str


def render(template: str, call: Call) -> str:
    """
    The template with everything filled in; empty for what is missing.
    """
    return _EXPRESSION.sub(lambda found: _said(_value(found[1].strip(), call)), template)


def _value(expression: str, call: Call) -> Any:
    if expression == "path":
        return call.path
    if expression == "now":
        return call.now
    place, dot, rest = expression.partition(".")
    if dot and place == "headers":
        return call.headers.get(rest.lower())
    if dot and place == "query":
        return call.query.get(rest)
    return _found(call.payload, rest if dot and place == "payload" else expression)


def _found(value: Any, path: str) -> Any:
    for name, index in _STEP.findall(path):
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif not index and isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
