"""
The configuration without its secrets, and secrets put back into what a client made of it.

A value is secret when the key table marks it, or, where the table knows no keys, when its key looks like it. A
reference such as ``${NAME}`` tells no secret and stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from openclaw.config.editor import get_span, set_value
from openclaw.config.environment import is_reference
from openclaw.config.issues import ConfigError
from openclaw.config.keys import ROOT
from openclaw.config.loader import Snapshot
from openclaw.config.schema import KeyPath, Shape
from openclaw.config.tokens import Json5Error, comments, decode, parse

REDACTED = "__OPENCLAW_REDACTED__"

_SENSITIVE = re.compile(
    r"(?:token|password|passwd|secret|api_?key|private_?key|authorization|credentials?|cookie)s?$", re.IGNORECASE
)
_IN_COMMENT = re.compile(
    r"""((?:token|password|passwd|secret|api_?key|private_?key|authorization)["']?\s*[:=]\s*)"""
    r"""("[^"\n]*"|'[^'\n]*'|[^\s"',}]+)""",
    re.IGNORECASE,
)
#: Shorter values are not looked for by themselves: they may be parts of words.
_LEAST = 8


class RedactedValueLost(ConfigError):
    """
    A text still has a redacted value for which nothing is known to put back.
    """

    def __init__(self, path: KeyPath) -> None:
        self.path = path
        super().__init__(path)

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} is {REDACTED}, and there is no value to put back"


def redact(snapshot: Snapshot, *, keep: Collection[str] = ()) -> dict[str, Any]:
    """
    The payload of ``config.get``.

    :param keep: dotted paths that this client may read, such as ``talk.apiKey``.
    """
    return {
        "path": str(snapshot.path),
        "exists": snapshot.exists,
        "raw": _redact_raw(snapshot, keep),
        "parsed": redact_value(snapshot.parsed, keep=keep),
        "valid": snapshot.valid,
        "config": redact_value(snapshot.config, keep=keep),
        "hash": snapshot.hash,
        "issues": [issue.payload() for issue in snapshot.issues],
        "warnings": [issue.payload() for issue in snapshot.warnings],
        "legacyIssues": [issue.payload() for issue in snapshot.legacy_issues],
    }


def redact_value(value: Any, *, keep: Collection[str] = ()) -> Any:
    """
    A copy of a whole configuration without its secrets.
    """
    return _redact(value, ROOT, (), keep)


def _redact(value: Any, shape: Shape | None, path: KeyPath, keep: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _redact(member, _below(shape, key), (*path, key), keep) for key, member in value.items()}
    if isinstance(value, list):
        return [_redact(member, _below(shape, index), (*path, index), keep) for index, member in enumerate(value)]
    return REDACTED if _is_secret(value, shape, path, keep) else value


def _below(shape: Shape | None, key: str | int) -> Shape | None:
    return None if shape is None else shape.child(key)


def _is_secret(value: Any, shape: Shape | None, path: KeyPath, keep: Collection[str]) -> bool:
    if not isinstance(value, str) or not value.strip() or is_reference(value):
        return False
    if ".".join(map(str, path)) in keep:
        return False
    if shape is not None and type(shape) is not Shape:
        return shape.secret
    named = next((part for part in reversed(path) if isinstance(part, str)), "")
    return _SENSITIVE.search(named) is not None


def secret_values(value: Any) -> Iterator[tuple[KeyPath, str]]:
    """
    Every secret of a configuration with its path; for redaction elsewhere, such as in logs.
    """
    yield from _secrets(value, ROOT, (), ())


def _secrets(value: Any, shape: Shape | None, path: KeyPath, keep: Collection[str]) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _secrets(member, _below(shape, key), (*path, key), keep)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _secrets(member, _below(shape, index), (*path, index), keep)
    elif _is_secret(value, shape, path, keep):
        yield path, value


def _redact_raw(snapshot: Snapshot, keep: Collection[str]) -> str | None:
    """
    The text without its secrets, also those in comments; ``None`` when it cannot be read well enough to tell.
    """
    if snapshot.raw is None:
        return None
    try:
        parse(snapshot.raw)
    except Json5Error:
        return None
    return redact_text(snapshot.raw, snapshot.parsed, keep)


def redact_text(text: str, parsed: Any, keep: Collection[str] = ()) -> str:
    """
    A text without its secrets, also those in comments.

    :param parsed: its value.
    """
    found = list(_secrets(parsed, ROOT, (), keep))
    values = {value for _, value in found if len(value) >= _LEAST}
    splices = [(start, end, _redact_comment(text[start:end], values)) for start, end in comments(text)]
    for path, _ in found:
        span = get_span(text, path)
        assert span is not None
        quote = text[span[0]]
        splices.append((*span, f"{quote}{REDACTED}{quote}"))
    for start, end, added in sorted(splices, reverse=True):
        text = text[:start] + added + text[end:]
    return text


def _redact_comment(comment: str, values: set[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        comment = comment.replace(value, REDACTED)
    return _IN_COMMENT.sub(rf"\1{REDACTED}", comment)


def restore(new: Any, old: Any, fallback: Any = None) -> Any:
    """
    Put the secrets of ``old`` back into a value that a client made from its redacted form.

    :param old: what the file said, with its references.
    :param fallback: the effective configuration, for what the file took from elsewhere.
    :raise RedactedValueLost: neither has a value there.
    """
    return _restore(new, old, fallback, ())


def _restore(new: Any, old: Any, fallback: Any, path: KeyPath) -> Any:
    if isinstance(new, dict):
        return {
            key: _restore(member, _member(old, key), _member(fallback, key), (*path, key))
            for key, member in new.items()
        }
    if isinstance(new, list):
        return [
            _restore(member, _twin(old, index, member), _twin(fallback, index, member), (*path, index))
            for index, member in enumerate(new)
        ]
    if new != REDACTED:
        return new
    known = next((value for value in (old, fallback) if isinstance(value, str) and value != REDACTED), None)
    if known is None:
        raise RedactedValueLost(path)
    return known


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _twin(old: Any, index: int, member: Any) -> Any:
    """
    The element that ``member`` was: the one of the same id, else the one in the same place.
    """
    if not isinstance(old, list):
        return None
    name = member.get("id") if isinstance(member, dict) else None
    if name is not None:
        return next((item for item in old if isinstance(item, dict) and item.get("id") == name), None)
    return old[index] if index < len(old) else None


def restore_text(new_text: str, new: Any, snapshot: Snapshot) -> str:
    """
    The same for a whole text, whose comments and order stay.

    :param new: the value of ``new_text``.
    :raise RedactedValueLost: as :func:`restore`.
    """
    whole = restore(new, snapshot.parsed, snapshot.config)
    for path in _marked(new, ()):
        value = _at(whole, path)
        token = _token(snapshot, path, value)
        span = get_span(new_text, path)
        if token is None or span is None:
            new_text = set_value(new_text, path, value)
        else:
            new_text = new_text[: span[0]] + token + new_text[span[1] :]
    return _restore_comments(new_text, snapshot)


def _token(snapshot: Snapshot, path: KeyPath, value: Any) -> str | None:
    """
    How the file writes a value that stands at the same place there, with its own quotes and escapes.
    """
    try:
        span = None if snapshot.raw is None else get_span(snapshot.raw, path)
    except ConfigError:
        return None  # The file cannot be read, or has something else on the way.
    if span is None or snapshot.raw is None:
        return None
    token = snapshot.raw[span[0] : span[1]]
    return token if decode(token) == value else None


def _marked(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _marked(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _marked(member, (*path, index))
    elif value == REDACTED:
        yield path


def _at(value: Any, path: KeyPath) -> Any:
    for part in path:
        value = value[part]
    return value


def _restore_comments(text: str, snapshot: Snapshot) -> str:
    """
    Comments that came back as they were shown become what they were.
    """
    if snapshot.raw is None:
        return text
    raw = snapshot.raw
    values = {value for _, value in secret_values(snapshot.parsed) if len(value) >= _LEAST}
    known = {_redact_comment(raw[start:end], values): raw[start:end] for start, end in comments(raw)}
    for start, end in reversed(list(comments(text))):
        text = text[:start] + known.get(text[start:end], text[start:end]) + text[end:]
    return text
