"""
The functions that a client can do by itself, and whether the model has to use one (``http.md`` 6.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from openclaw.web.openai.errors import InvalidRequest

#: What models take as the name of a function.
MOST_NAME = 64

#: The most functions of one request.
MOST_TOOLS = 128

NO_TOOLS = "Error: tool_choice=required but no tools were provided"
NO_NAME = "Error: tool_choice.function.name is required"
MUST_CALL = "You must call one of the available tools before responding."


@frozen(kw_only=True)
class ClientTools:
    """
    :ivar specs: ``name``, ``description`` and ``parameters`` of each.
    :ivar sentence: what the model is told about using them.
    """

    specs: Sequence[Mapping[str, Any]] = field(factory=list)
    sentence: str | None = None


def read_tools(tools: Any, choice: Any) -> ClientTools:
    """
    :param tools: in the nested form of chat completions or in the flat form of responses.
    :raise InvalidRequest: they are of another shape, or one is demanded that is not there.
    """
    specs = _specs(tools)
    if isinstance(choice, dict):
        return _one(specs, _chosen_name(choice))
    if choice == "none":
        return ClientTools()
    if choice == "required":
        if not specs:
            raise InvalidRequest(NO_TOOLS)
        return ClientTools(specs=specs, sentence=MUST_CALL)
    return ClientTools(specs=specs)


def _specs(tools: Any) -> list[dict[str, Any]]:
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise InvalidRequest("tools: Invalid input: expected array")
    if len(tools) > MOST_TOOLS:
        raise InvalidRequest(f"tools: at most {MOST_TOOLS} are taken")
    return [_spec(index, tool) for index, tool in enumerate(tools)]


def _spec(index: int, tool: Any) -> dict[str, Any]:
    where = f"tools.{index}"
    if not isinstance(tool, dict) or tool.get("type", "function") != "function":
        raise InvalidRequest(f'{where}.type: Invalid input: expected "function"')
    function = tool.get("function")
    if function is None:
        function, where = tool, where
    elif isinstance(function, dict):
        where = f"{where}.function"
    else:
        raise InvalidRequest(f"{where}.function: Invalid input: expected object")
    name, description, parameters = (function.get(key) for key in ("name", "description", "parameters"))
    if name == "":
        raise InvalidRequest(f"{where}.name: Tool name cannot be empty")
    if not isinstance(name, str) or len(name) > MOST_NAME:
        raise InvalidRequest(f"{where}.name: Invalid input: expected string of 1 to {MOST_NAME} characters")
    if description is not None and not isinstance(description, str):
        raise InvalidRequest(f"{where}.description: Invalid input: expected string")
    if parameters is not None and not isinstance(parameters, dict):
        raise InvalidRequest(f"{where}.parameters: Invalid input: expected object")
    return {
        "name": name,
        "description": description or "",
        "parameters": parameters or {"type": "object", "properties": {}},
    }


def _chosen_name(choice: Mapping[str, Any]) -> str:
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else choice.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InvalidRequest(NO_NAME)
    return name.strip()


def _one(specs: Sequence[Mapping[str, Any]], name: str) -> ClientTools:
    kept = [spec for spec in specs if spec["name"] == name]
    if not kept:
        raise InvalidRequest(f"Error: tool_choice requested unknown tool: {name}")
    return ClientTools(specs=kept, sentence=f"You must call the tool {name} before responding.")
