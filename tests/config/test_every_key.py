"""
A file with every key that version 2026.1.30 documents. The list is not made from our rules: it judges them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.keys import ROOT
from openclaw.config.loader import evaluate
from openclaw.config.model import build
from openclaw.config.schema import Choice, KeyPath, Report, Shape

LIST = Path(__file__).parent.parent / "fixtures" / "config" / "keys-2026.1.30.txt"

#: Values to try for a key; the first that its own rule lets pass.
CANDIDATES = ("x", True, 1, 0.5, 1000, 20000, 100000, "30m", "09:00", "#FF4500", "FF4500", "http://127.0.0.1:9222")

#: Where keys together allow less than each alone.
SPECIAL: dict[str, Any] = {"target": "last", "every": "30m", "avatar": "a.png", "agentId": "main", "id": "main"}


def expand(text: str) -> Iterator[str]:
    """
    A line of the list without its braces, which may not be nested.
    """
    found = re.search(r"\{([^{}]*)\}", text)
    if found is None:
        yield text
        return
    for choice in found[1].split(","):
        yield from expand(text[: found.start()] + choice + text[found.end() :])


def path_of(text: str) -> KeyPath:
    """
    ``a[].b`` as the keys that lead to it.
    """
    parts: list[str | int] = []
    for part in text.split("."):
        parts.append(part.removesuffix("[]"))
        if part.endswith("[]"):
            parts.append(0)
    return tuple(parts)


def shape_of(path: KeyPath) -> Shape | None:
    """
    The rule for a key.
    """
    shape: Shape | None = ROOT
    for part in path:
        # Where anything may stand, anything may stand below it.
        shape = shape if type(shape) is Shape or shape is None else shape.child(part)
    return shape


def sample(path: KeyPath, shape: Shape) -> Any:
    """
    A value that this key may have.
    """
    if path[-1] in SPECIAL:
        return SPECIAL[str(path[-1])]
    if path[0] == "broadcast" and path[-1] == 0:
        return "main"
    for value in (*(shape.values if isinstance(shape, Choice) else ()), *CANDIDATES):
        report = Report()
        shape.check(value, path, report)
        if not report.issues:
            return value
    raise AssertionError(f"nothing fits {path}")


def put(document: dict[str, Any], path: KeyPath, value: Any) -> None:
    """
    Set a value, with all that is missing on the way.
    """
    place: Any = document
    for part, following in pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(part, int):
            if not place:
                place.append(empty)
            place = place[0]
        else:
            place = place.setdefault(part, empty)
    if isinstance(path[-1], int):
        place[:] = [value]
    else:
        place[path[-1]] = value


class EveryKeyTests(SynchronousTestCase):
    """
    Against the list.
    """

    def setUp(self) -> None:
        self.paths = [path_of(key) for line in LIST.read_text().splitlines() for key in expand(line)]

    def test_known(self) -> None:
        """
        There is a rule for every key of the list.
        """
        self.assertGreater(len(self.paths), 900)
        self.assertEqual([".".join(map(str, path)) for path in self.paths if shape_of(path) is None], [])

    def test_loads(self) -> None:
        """
        A file with all of them is valid, has nothing unknown in it, and becomes a model.
        """
        document: dict[str, Any] = {}
        for path in self.paths:
            shape = shape_of(path)
            assert shape is not None
            put(document, path, sample(path, shape))
        snapshot = evaluate(json.dumps(document), Path("/etc/openclaw.json"), {}, Path("/nonexistent"))
        self.assertEqual([issue.line() for issue in snapshot.issues], [])
        self.assertEqual([issue.path for issue in snapshot.warnings if "Unrecognized" in issue.message], [])
        self.assertTrue(snapshot.valid)
        self.assertEqual(build(snapshot.config).agents.list[0].id, "main")
