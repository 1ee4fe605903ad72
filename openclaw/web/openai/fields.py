"""
The members of a request for a response that have a type; the others are not looked at (``http.md`` 6.1, 7.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaw.web.openai.errors import InvalidRequest

_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}
ABSENT = object()


def check_fields(body: Any) -> dict[str, Any]:
    """
    :return: the body.
    :raise InvalidRequest: the path and what is wrong, for the first member that is.
    """
    if not isinstance(body, dict):
        raise InvalidRequest(f": Invalid input: expected object, received {type_name(body)}")
    model = body.get("model", ABSENT)
    if not isinstance(model, str):
        raise InvalidRequest(f"model: Invalid input: expected string, received {type_name(model)}")
    for name, check in _CHECKS.items():
        value = body.get(name)
        # What says nothing is nothing, except that a stream is asked for or is not.
        if value is not None or (name == "stream" and name in body):
            check(name, value)
    return body


def type_name(value: Any) -> str:
    """
    The type of a value as errors have it.
    """
    if value is ABSENT:
        return "undefined"
    return "null" if value is None else _TYPES.get(type(value), "object")


def _of(*kinds: type) -> Callable[[str, Any], None]:
    expected = _TYPES[kinds[0]]

    def check(path: str, value: Any) -> None:
        if type(value) not in kinds:
            raise InvalidRequest(f"{path}: Invalid input: expected {expected}, received {type_name(value)}")

    return check


_string, _boolean, _number, _object = _of(str), _of(bool), _of(int, float), _of(dict)


def _positive(path: str, value: Any) -> None:
    _number(path, value)
    if isinstance(value, float) and not value.is_integer():
        raise InvalidRequest(f"{path}: Invalid input: expected int, received number")
    if value <= 0:
        raise InvalidRequest(f"{path}: Too small: expected number to be >0")


def _one_of(options: Sequence[str]) -> Callable[[str, Any], None]:
    told = "|".join(f'"{option}"' for option in options)

    def check(path: str, value: Any) -> None:
        if value not in options:
            raise InvalidRequest(f"{path}: Invalid option: expected one of {told}")

    return check


_REASONING = {
    "effort": _one_of(("low", "medium", "high")),
    "summary": _one_of(("auto", "concise", "detailed")),
}


def _reasoning(path: str, value: Any) -> None:
    _object(path, value)
    for name, check in _REASONING.items():
        if value.get(name) is not None:
            check(f"{path}.{name}", value[name])


def _metadata(path: str, value: Any) -> None:
    _object(path, value)
    for name, member in value.items():
        _string(f"{path}.{name}", member)


def _tool_choice(path: str, value: Any) -> None:
    if value not in ("auto", "none", "required") and not _names_function(value):
        raise InvalidRequest(f"{path}: Invalid input")


def _names_function(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "function"


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "instructions": _string,
    "stream": _boolean,
    "max_output_tokens": _positive,
    "max_tool_calls": _positive,
    "user": _string,
    "temperature": _number,
    "top_p": _number,
    "metadata": _metadata,
    "store": _boolean,
    "previous_response_id": _string,
    "reasoning": _reasoning,
    "truncation": _one_of(("auto", "disabled")),
    "tool_choice": _tool_choice,
}
