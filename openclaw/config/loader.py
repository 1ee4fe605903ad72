"""
From the file to a snapshot: what it says, what that means, and what is wrong with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from openclaw import __version__
from openclaw.config import include
from openclaw.config.defaults import expand_paths, with_defaults
from openclaw.config.environment import MissingVariable, references, substitute, with_env_block
from openclaw.config.issues import ConfigInvalid, Issue, Location
from openclaw.config.legacy import find_legacy
from openclaw.config.paths import config_path
from openclaw.config.schema import KeyPath, Unknown
from openclaw.config.tokens import Json5Error, Member, Node, Object, decode, parse, position
from openclaw.config.validate import validate

if TYPE_CHECKING:
    from openclaw.config.model import Config

EMPTY_HASH = hashlib.sha256(b"").hexdigest()


@frozen(kw_only=True)
class Snapshot:
    """
    One reading of the configuration file.

    :param raw: the text; ``None`` when there is no file.
    :param parsed: the text's own value, before includes and variables; ``{}`` when it has none.
    :param config: the effective configuration when valid, else as far as it was read.
    :param environment: the environment with what the file's ``env`` block adds.
    :param unknown: keys that nothing reads; also told in ``warnings``.
    """

    path: Path
    exists: bool
    raw: str | None = field(repr=False)
    parsed: Any = field(repr=False)
    valid: bool
    config: dict[str, Any] = field(repr=False)
    hash: str
    issues: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    legacy_issues: tuple[Issue, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    environment: Mapping[str, str] = field(factory=dict, repr=False)

    @cached_property
    def model(self) -> Config | None:
        """
        The effective configuration as attributes; ``None`` exactly when it is not valid.

        Built on first use, since short commands get by without.
        """
        if not self.valid:
            return None
        from openclaw.config.model import build

        return build(self.config)

    def require(self) -> Config:
        """
        The model.

        :raise ConfigInvalid: there is none.
        """
        if self.model is None:
            raise ConfigInvalid(self.path, self.issues)
        return self.model


def text_hash(text: str | None) -> str:
    """
    What names one state of the file: SHA-256 of its bytes, in hex.
    """
    return EMPTY_HASH if text is None else hashlib.sha256(text.encode()).hexdigest()


def load(
    environ: Mapping[str, str],
    home: Path,
    *,
    path: Path | None = None,
    read: Callable[[Path], str] = include.read_file,
) -> Snapshot:
    """
    Read the configuration. Whatever is wrong with it is in the snapshot; nothing is raised.

    :param path: the file, where it is not the one that ``environ`` leads to.
    :param read: reads what it includes.
    """
    file = config_path(environ, home) if path is None else path
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        return missing(file, environ, home)
    except (OSError, UnicodeDecodeError) as error:
        issue = Issue(path="", message=f"read failed: {error}")
        return Snapshot(
            path=file,
            exists=True,
            raw=None,
            parsed={},
            valid=False,
            config={},
            hash=EMPTY_HASH,
            issues=(issue,),
            environment=environ,
        )
    return evaluate(text, file, environ, home, read)


def missing(file: Path, environ: Mapping[str, str], home: Path) -> Snapshot:
    """
    What holds where there is no file.
    """
    return evolve(evaluate("{}", file, environ, home), exists=False, raw=None, parsed={}, hash=EMPTY_HASH)


def evaluate(
    text: str,
    file: Path,
    environ: Mapping[str, str],
    home: Path,
    read: Callable[[Path], str] = include.read_file,
) -> Snapshot:
    """
    What a text would mean as the content of ``file``.
    """
    blank = Snapshot(
        path=file,
        exists=True,
        raw=text,
        parsed={},
        valid=False,
        config={},
        hash=text_hash(text),
        environment=environ,
    )
    try:
        tree = parse(text)
        parsed = decode(text)
    except Json5Error as error:
        location = Location(file=file, line=error.line, column=error.column)
        issue = Issue(path="", message=f"JSON5 parse failed: {error}", location=location)
        return evolve(blank, issues=(issue,))
    return _interpret(evolve(blank, parsed=parsed), _Source(text, tree, file), home, read)


def _interpret(snapshot: Snapshot, source: _Source, home: Path, read: Callable[[Path], str]) -> Snapshot:
    """
    From the parsed text to the model.
    """
    try:
        whole = include.resolve(snapshot.parsed, snapshot.path, read)
        environment = with_env_block(snapshot.environment, whole)
        value = substitute(whole, environment)
    except include.IncludeError as error:
        return evolve(snapshot, issues=(source.locate(Issue(path="", message=str(error))),))
    except MissingVariable as error:
        issue = Issue(path="", message=str(error), location=source.location(error.path))
        return evolve(snapshot, issues=(issue,))
    legacy = source.locate_all(find_legacy(value))
    report = validate(value, skip=[issue.keys for issue in legacy])
    issues = (*legacy, *source.locate_all(report.issues))
    checked = evolve(
        snapshot,
        config=value if isinstance(value, dict) else {},
        issues=issues,
        warnings=source.warnings(report.unknown, value),
        legacy_issues=legacy,
        unknown=tuple(report.unknown),
        environment=environment,
    )
    if issues:
        return checked
    return evolve(checked, config=expand_paths(with_defaults(value, environment, home), home), valid=True)


@frozen
class _Source:
    """
    The main file's text, to find places in.
    """

    text: str
    tree: Node
    file: Path

    def location(self, path: KeyPath, *, key: str | None = None) -> Location:
        """
        Where the value at ``path`` begins, or the nearest thing around it.

        :param key: a member of that value, whose name is meant rather than its value.
        """
        node = self.tree
        for part in path:
            child = _child(node, part)
            if child is None:
                return self._at(_directive(node))
            node = child.value if isinstance(child, Member) else child
        if key is not None:
            child = _child(node, key)
            return self._at(child.key_start if isinstance(child, Member) else _directive(node))
        return self._at(node.start)

    def _at(self, offset: int) -> Location:
        line, column = position(self.text, offset)
        return Location(file=self.file, line=line, column=column)

    def locate(self, issue: Issue) -> Issue:
        """
        The issue with its place.
        """
        return evolve(issue, location=self.location(issue.keys))

    def locate_all(self, issues: Sequence[Issue]) -> tuple[Issue, ...]:
        """
        The issues with their places.
        """
        return tuple(self.locate(issue) for issue in issues)

    def warnings(self, unknown: Sequence[Unknown], value: Any) -> tuple[Issue, ...]:
        """
        What a reader should know of a file that can be used nevertheless.
        """
        found = [
            evolve(
                group.issue(),
                message=group.message + (f" (did you mean {hint}?)" if (hint := group.hint()) else ""),
                expected=None,
                location=self.location(group.path, key=group.keys[0]),
            )
            for group in unknown
        ]
        session = value.get("session") if isinstance(value, dict) else None
        if isinstance(session, dict) and session.get("mainKey", "main") != "main":
            message = 'session.mainKey is ignored; main session is always "main".'
            found.append(self.locate(Issue.at(("session", "mainKey"), message)))
        meta = value.get("meta") if isinstance(value, dict) else None
        writer = meta.get("lastTouchedVersion") if isinstance(meta, dict) else None
        if isinstance(writer, str) and _version(writer) > _version(__version__):
            message = f"Config was last written by a newer OpenClaw ({writer}); current version is {__version__}."
            found.append(self.locate(Issue.at(("meta", "lastTouchedVersion"), message)))
        return tuple(found)


def _version(text: str) -> tuple[int, ...]:
    """
    A version in an order; what is none comes before all.
    """
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(?:-(\d+))?", text.strip())
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _child(node: Node, part: str | int) -> Node | Member | None:
    if isinstance(node, Object):
        return node.find(str(part))
    items = getattr(node, "items", ())
    return items[part] if isinstance(part, int) and part < len(items) else None


def _directive(node: Node) -> int:
    """
    Blame the ``$include`` of an object that does not hold the key itself.
    """
    member = node.find(include.KEY) if isinstance(node, Object) else None
    return member.key_start if member is not None else node.start


__all__ = ["EMPTY_HASH", "Snapshot", "evaluate", "load", "text_hash"]


def referenced(snapshot: Snapshot) -> set[str]:
    """
    The names of the variables that a configuration refers to, in what it includes, too.
    """
    try:
        return references(include.resolve(snapshot.parsed, snapshot.path))
    except include.IncludeError:
        return references(snapshot.parsed)
