"""
Shapes that configuration values must have, and the words for those that do not.

A shape is told once, in :mod:`openclaw.config.keys`; checking, suggestions and secret marks come from it. Shapes are
never compared or shown, and the classes are cheaper to make without that, which every command pays for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from attrs import evolve, field, frozen

from openclaw.config.issues import Issue

KeyPath = tuple[str | int, ...]

_MISSING = object()


@frozen(kw_only=True)
class Unknown:
    """
    Keys of one object that nothing reads.
    """

    path: KeyPath
    keys: tuple[str, ...]
    known: frozenset[str]

    @property
    def message(self) -> str:
        """
        The reference's words for it.
        """
        if self.path == ("channels",):
            return f"unknown channel id: {self.keys[0]}"
        noun = "key" if len(self.keys) == 1 else "keys"
        return f"Unrecognized {noun}: " + ", ".join(f'"{key}"' for key in self.keys)

    def issue(self) -> Issue:
        """
        The refusal of a write that brings these keys.
        """
        path = (*self.path, self.keys[0]) if self.path == ("channels",) else self.path
        return Issue.at(path, self.message, self.hint())

    def only(self, keys: Iterable[str]) -> Unknown:
        """
        The same group with fewer keys.
        """
        return evolve(self, keys=tuple(keys))

    def hint(self) -> str | None:
        """
        What the writer may have meant.
        """
        close = [match for key in self.keys if (match := suggest(key, self.known))]
        return " or ".join(f'"{match}"' for match in close) or None


def suggest(key: str, known: frozenset[str]) -> str | None:
    """
    The known key that looks most like this one.
    """
    import difflib  # seldom needed

    folded = {name.lower(): name for name in sorted(known)}
    found = difflib.get_close_matches(key.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


@frozen
class Report:
    """
    What one check found.
    """

    issues: list[Issue] = field(factory=list)
    unknown: list[Unknown] = field(factory=list)

    def add(self, path: KeyPath, message: str, expected: str | None = None) -> None:
        """
        Note a value that cannot be used.
        """
        self.issues.append(Issue.at(path, message, expected))


def type_name(value: object) -> str:
    """
    What JavaScript calls this kind of value.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "undefined" if value is _MISSING else "array" if isinstance(value, list) else "object"


def _mismatch(report: Report, path: KeyPath, wanted: str, value: object) -> None:
    report.add(path, f"Invalid input: expected {wanted}, received {type_name(value)}", wanted)


@frozen(kw_only=True, eq=False, repr=False)
class Shape:
    """
    The base: anything may stand here.

    :param secret: the value is never shown.
    :param required: an object without this key is wrong.
    """

    secret: bool = False
    required: bool = False

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        """
        Note all that is wrong with ``value``.
        """

    def child(self, key: str | int) -> Shape | None:
        """
        The shape of a member, where this is a container.
        """
        return None


@frozen(kw_only=True, eq=False, repr=False)
class Text(Shape):
    """
    A string.
    """

    least: int = 0
    most: int | None = None
    pattern: str | None = None
    meaning: str | None = None

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        if not isinstance(value, str):
            return _mismatch(report, path, "string", value)
        if len(value) < self.least:
            report.add(path, f"Too small: expected string to have >={self.least} characters", self.meaning)
        elif self.most is not None and len(value) > self.most:
            report.add(path, f"Too big: expected string to have <={self.most} characters", self.meaning)
        elif self.pattern is not None and not re.fullmatch(self.pattern, value):
            report.add(path, f"Invalid string: must match pattern /^{self.pattern}$/", self.meaning)
        return None


@frozen(kw_only=True, eq=False, repr=False)
class Number(Shape):
    """
    A number, whole unless ``whole`` is false.
    """

    whole: bool = True
    above: int | None = None
    least: float | None = None
    most: float | None = None

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _mismatch(report, path, "number", value)
        if self.whole and value != int(value):
            report.add(path, "Invalid input: expected int, received number", self.expected)
        if self.above is not None and value <= self.above:
            report.add(path, f"Too small: expected number to be >{self.above}", self.expected)
        if self.least is not None and value < self.least:
            report.add(path, f"Too small: expected number to be >={self.least:g}", self.expected)
        if self.most is not None and value > self.most:
            report.add(path, f"Too big: expected number to be <={self.most:g}", self.expected)
        return None

    @property
    def expected(self) -> str:
        """
        The range in words.
        """
        parts = ["a whole number" if self.whole else "a number"]
        if self.above is not None:
            parts.append(f"above {self.above}")
        if self.least is not None:
            parts.append(f"from {self.least:g}")
        if self.most is not None:
            parts.append(f"to {self.most:g}")
        return " ".join(parts)


@frozen(kw_only=True, eq=False, repr=False)
class Flag(Shape):
    """
    ``true`` or ``false``.
    """

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        if not isinstance(value, bool):
            _mismatch(report, path, "boolean", value)


@frozen(eq=False, repr=False)
class Choice(Shape):
    """
    One of a few values.
    """

    values: tuple[str | bool | int, ...] = ()

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        # 1 == True in Python, not in the file.
        if not any(type(value) is type(known) and value == known for known in self.values):
            wanted = ", ".join(str(known).lower() if isinstance(known, bool) else f'"{known}"' for known in self.values)
            report.add(path, "Invalid input", f"one of {wanted}")


@frozen(eq=False, repr=False)
class Each(Shape):
    """
    An array whose members share a shape.
    """

    item: Shape = field(factory=Shape)

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        if not isinstance(value, list):
            return _mismatch(report, path, "array", value)
        for index, member in enumerate(value):
            self.item.check(member, (*path, index), report)
        return None

    def child(self, key: str | int) -> Shape | None:
        return self.item if isinstance(key, int) else None


@frozen(eq=False, repr=False)
class Record(Shape):
    """
    An object with free keys whose values share a shape.

    :param keys: a pattern that the keys have to match.
    """

    item: Shape = field(factory=Shape)
    keys: str | None = field(default=None, kw_only=True)

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        if not isinstance(value, dict):
            return _mismatch(report, path, "record", value)
        for key, member in value.items():
            if self.keys is not None and not re.fullmatch(self.keys, key):
                report.add((*path, key), "Invalid key in record", f"a name like /^{self.keys}$/")
            self.item.check(member, (*path, key), report)
        return None

    def child(self, key: str | int) -> Shape | None:
        return self.item if isinstance(key, str) else None


@frozen(eq=False, repr=False)
class Obj(Shape):
    """
    An object with known keys.

    :param rest: the shape of all other keys; without one they are unknown.
    :param unknown: ``ignore`` lets unknown keys pass without a word.
    """

    members: Mapping[str, Shape] = field(factory=dict)
    rest: Shape | None = field(default=None, kw_only=True)
    unknown: Literal["warn", "ignore"] = field(default="warn", kw_only=True)

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        if not isinstance(value, dict):
            return _mismatch(report, path, "object", value)
        for key, shape in self.members.items():
            if key in value:
                shape.check(value[key], (*path, key), report)
            elif shape.required:
                wanted = {Text: "string", Each: "array", Number: "number"}.get(type(shape), "object")
                _mismatch(report, (*path, key), wanted, _MISSING)
        self._check_rest(value, path, report)
        return None

    def _check_rest(self, value: dict[str, object], path: KeyPath, report: Report) -> None:
        others = [key for key in value if key not in self.members]
        if self.rest is not None:
            for key in others:
                self.rest.check(value[key], (*path, key), report)
        elif others and self.unknown == "warn":
            groups = [(key,) for key in others] if path == ("channels",) else [tuple(others)]
            known = frozenset(self.members)
            report.unknown.extend(Unknown(path=path, keys=keys, known=known) for keys in groups)

    def child(self, key: str | int) -> Shape | None:
        return self.members.get(key, self.rest) if isinstance(key, str) else None


@frozen(eq=False, repr=False)
class AnyOf(Shape):
    """
    A value of one of several shapes.
    """

    shapes: Sequence[Shape] = ()

    def check(self, value: object, path: KeyPath, report: Report) -> None:
        tries: list[Report] = []
        for shape in self.shapes:
            tried = Report()
            shape.check(value, path, tried)
            if not tried.issues:
                report.unknown.extend(tried.unknown)
                return
            tries.append(tried)
        # Blame the inside of an object only where an object was meant.
        inside = [tried for tried in tries if any(issue.keys != path for issue in tried.issues)]
        if len(inside) == 1:
            report.issues.extend(inside[0].issues)
        else:
            report.add(path, "Invalid input", " or ".join(_kind(shape) for shape in self.shapes))

    def child(self, key: str | int) -> Shape | None:
        return next((found for shape in self.shapes if (found := shape.child(key)) is not None), None)


def _kind(shape: Shape) -> str:
    if isinstance(shape, Choice):
        return ", ".join(str(value).lower() for value in shape.values)
    names: Mapping[type, str] = {Text: "a string", Number: "a number", Flag: "true or false", Each: "an array"}
    return names.get(type(shape), "an object")
