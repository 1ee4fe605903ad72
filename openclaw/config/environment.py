"""
Variables: the ``env`` block of the file, and ``${NAME}`` in its texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from openclaw.config.issues import ConfigError
from openclaw.config.schema import KeyPath

_REFERENCE = re.compile(r"(\$?)\$\{([A-Z_][A-Z0-9_]*)\}")
_WHOLE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")


class MissingVariable(ConfigError):
    """
    The file refers to a variable that is unset or empty.

    :param path: where in the file.
    """

    def __init__(self, name: str, path: KeyPath) -> None:
        self.name = name
        self.path = path
        super().__init__(name, path)

    def __str__(self) -> str:
        shown = ""
        for part in self.path:
            shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
        return f'Missing env var "{self.name}" referenced at config path: {shown}'


def is_reference(value: object) -> bool:
    """
    Whether a value is nothing but one ``${NAME}``, and so tells no secret.
    """
    return isinstance(value, str) and _WHOLE.fullmatch(value) is not None


def with_env_block(environ: Mapping[str, str], config: object) -> dict[str, str]:
    """
    The environment together with what the file's ``env`` block sets: names that are unset or blank.
    """
    merged = dict(environ)
    block = config.get("env") if isinstance(config, dict) else None
    if not isinstance(block, dict):
        return merged
    nested = block.get("vars")
    direct = {name: value for name, value in block.items() if name not in ("vars", "shellEnv")}
    for names in (direct, nested if isinstance(nested, dict) else {}):
        for name, value in names.items():
            if isinstance(value, str) and value.strip() and not merged.get(name, "").strip():
                merged[name] = value
    return merged


def substitute(value: Any, environ: Mapping[str, str], path: KeyPath = ()) -> Any:
    """
    Replace every ``${NAME}`` in texts below ``value``; ``$${NAME}`` is a plain ``${NAME}``.

    :raise MissingVariable: at the first one that is unset or empty.
    """
    if isinstance(value, dict):
        return {key: substitute(member, environ, (*path, key)) for key, member in value.items()}
    if isinstance(value, list):
        return [substitute(member, environ, (*path, index)) for index, member in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value

    def replace(found: re.Match[str]) -> str:
        escaped, name = found.groups()
        if escaped:
            return f"${{{name}}}"
        if not environ.get(name):
            raise MissingVariable(name, path)
        return environ[name]

    return _REFERENCE.sub(replace, value)


def references(value: Any) -> set[str]:
    """
    The names of all variables that texts below ``value`` refer to.
    """
    if isinstance(value, dict):
        return set().union(*map(references, value.values()))
    if isinstance(value, list):
        return set().union(*map(references, value))
    found = _REFERENCE.findall(value) if isinstance(value, str) else ()
    return {name for escaped, name in found if not escaped}
