"""
The house keeps its shape: who may import whom, and what no module does.

The table is that of the house style, with the packages that the design adds. ``openclaw`` itself (the version) is
open to all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

import openclaw

PACKAGE = Path(openclaw.__file__).resolve().parent

ZERO = frozenset({"errors", "protocol"})
ONE = frozenset({"clock", "config", "logs", "client", "files", "egress", "processes"})
TWO = frozenset(
    {
        "pairing",
        "nodes",
        "devices",
        "sessions",
        "channels",
        "cron",
        "skills",
        "plugins",
        "approvals",
        "wizard",
        "canvas",
        "store",
        "outbox",
        "usage",
        "voice",
        "discovery",
        "documents",
        "tls",
        "tailscale",
    }
)
THREE = frozenset({"agent"})
FOUR = frozenset({"methods", "web", "metrics", "tools"})

#: The seam between those who keep records and the store: typing.Protocols only, and the store's twins behind them.
SEAM = "store.interfaces"

#: Package to what it may import besides itself; an entry with a dot allows that one module only.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "errors": frozenset(),
    "protocol": frozenset({"errors"}),
    "clock": frozenset(),
    "config": frozenset({"errors"}),
    "logs": frozenset({"errors", "config"}),
    "client": frozenset({"errors", "protocol"}),
    "files": frozenset({"errors"}),
    "processes": frozenset({"errors"}),
    "egress": frozenset({"errors", "config"}),
    **{name: ZERO | ONE | {SEAM} for name in TWO},
    "nodes": ZERO | ONE | {SEAM, "pairing"},
    "devices": ZERO | ONE | {SEAM, "pairing"},
    "agent": ZERO | ONE | {SEAM, "sessions"},
    **dict.fromkeys(FOUR, ZERO | ONE | TWO | THREE),
    "gateway": ZERO | ONE | TWO | THREE | FOUR,
    "daemon": ZERO | ONE,
    "doctor": ZERO | ONE | TWO,
    "node_host": ZERO | ONE | {"approvals"},
    "cli": frozenset(
        {
            "client",
            "config",
            "daemon",
            "discovery",
            "doctor",
            "node_host",
            "approvals",
            "errors",
            "protocol",
            "gateway.tap",
            "gateway.run",
            "agent.providers",
            "agent.workspace",
            "methods.document",
            "methods.families",
            "sessions.keys",
            "web.openapi",
            "wizard.prompts",
            "wizard.sections",
            "wizard.setup",
        }
    ),
    "testing": ZERO | ONE | TWO | THREE | FOUR | {"gateway"},
}

#: What these never import; the command line's client starts without Twisted.
WITHOUT_TWISTED = ("errors", "protocol", "client.sync")


@frozen(kw_only=True)
class Import:
    """
    One import of ours by ours.

    :ivar at_start: it runs when the module is imported, so it can close a circle.
    """

    module: str
    target: str
    line: int
    at_start: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules() -> dict[str, Path]:
    """
    Every module, named without the leading ``openclaw.``.
    """
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name:
            found[name] = path
    return found


def names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """
    What an import statement names, ``from a import b`` as ``a.b``.
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    else:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def statements(tree: ast.AST, at_start: bool = True) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """
    Import statements, and whether each runs when the module is imported.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, at_start
            continue
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        yield from statements(node, at_start and not later and not typing_only)


def ours(known: Mapping[str, Path]) -> Iterator[Import]:
    """
    Every import of one of our modules by another.
    """
    for module, path in known.items():
        for node, at_start in statements(ast.parse(path.read_text(encoding="utf-8"))):
            for name in names(node):
                head, _, rest = name.partition(".")
                if head != "openclaw" or not rest:
                    continue
                target = rest if rest in known else rest.rpartition(".")[0]
                if target:
                    yield Import(module=module, target=target, line=node.lineno, at_start=at_start)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


class ImportTests(SynchronousTestCase):
    """
    Imports point down.
    """

    def test_every_package_has_its_row(self) -> None:
        """
        A new package is entered in the table before it is used.
        """
        tops = {name.partition(".")[0] for name in modules()}
        self.assertEqual(tops - set(MAY_IMPORT), set())

    def test_direction(self) -> None:
        """
        Each package imports only what its row allows.
        """
        wrong = []
        for one in ours(modules()):
            package = one.module.partition(".")[0]
            if within(one.target, package):
                continue
            if not any(within(one.target, allowed) for allowed in MAY_IMPORT.get(package, ())):
                wrong.append(str(one))
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_no_circles(self) -> None:
        """
        No module needs itself to be imported.
        """
        needs: dict[str, set[str]] = {name: set() for name in modules()}
        for one in ours(modules()):
            if one.at_start and one.target != one.module:
                needs[one.module].add(one.target)
        done: set[str] = set()

        def visit(module: str, path: tuple[str, ...]) -> None:
            if module in path:
                self.fail(" -> ".join((*path[path.index(module) :], module)))
            if module not in done:
                for target in sorted(needs.get(module, ())):
                    visit(target, (*path, module))
                done.add(module)

        for name in needs:
            visit(name, ())

    def test_without_twisted(self) -> None:
        """
        What the command line and the generators use knows nothing of Twisted.
        """
        wrong = []
        for module, path in modules().items():
            if any(within(module, package) for package in WITHOUT_TWISTED):
                for node, _ in statements(ast.parse(path.read_text(encoding="utf-8"))):
                    wrong += [f"{module}:{node.lineno}" for name in names(node) if name.startswith("twisted")]
        self.assertEqual(wrong, [])


class GlobalsTests(SynchronousTestCase):
    """
    Time and the reactor come from outside.
    """

    def test_no_reactor_at_import(self) -> None:
        """
        Importing a module installs no reactor.
        """
        wrong = []
        for module, path in modules().items():
            for node, at_start in statements(ast.parse(path.read_text(encoding="utf-8"))):
                if at_start and "twisted.internet.reactor" in names(node):
                    wrong.append(f"{module}:{node.lineno}")
        self.assertEqual(wrong, [])

    def test_no_clock_of_ones_own(self) -> None:
        """
        Nothing but the command line asks the system for the time of day.
        """
        asks = ("time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today")
        wrong = []
        for module, path in modules().items():
            if within(module, "cli"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("datetime.") in asks:
                    wrong.append(f"{module}:{node.lineno} calls {ast.unparse(node.func)}")
        self.assertEqual(wrong, [])
