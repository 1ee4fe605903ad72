"""
Tests for ``openclaw.protocol.codegen.swift``.
"""

import re
from importlib import import_module
from importlib.util import find_spec

from twisted.trial.unittest import SynchronousTestCase

from openclaw.methods.families import METHODS
from openclaw.protocol.codegen import generate
from openclaw.protocol.codegen.outline import UNIONS, named_types
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.members import is_definition, members

PAIRS = {")": "(", "]": "[", "}": "{"}


def bare(text: str) -> str:
    """
    Swift without comments, and with empty texts.
    """
    return re.sub(r'//.*|"(\\.|[^"\\])*"', "", text)


class StructureTests(SynchronousTestCase):
    text = generate("swift", METHODS)

    def body(self, name: str) -> str:
        """
        What stands inside one declaration.
        """
        found = re.search(rf"(?ms)^public (?:struct|enum) {name}: Codable, Sendable \{{\n(.*?)^\}}$", self.text)
        assert found is not None, name
        return found[1]

    def test_balanced(self) -> None:
        """
        Every bracket is closed by its own kind.
        """
        stack: list[str] = []
        for sign in re.findall(r"[()\[\]{}]", bare(self.text)):
            if sign in PAIRS:
                self.assertEqual(stack.pop(), PAIRS[sign])
            else:
                stack.append(sign)
        self.assertEqual(stack, [])

    def test_properties(self) -> None:
        """
        Every definition is a structure whose properties are the keys of the wire, so that it needs no coding keys; a
        key that may be missing is an optional.
        """
        for name, kind in named_types(METHODS).items():
            if not is_definition(kind):
                continue
            body = self.body(name)
            declared = dict(re.findall(r"(?m)^    public let `?(\w+)`?: (.*)$", body))
            self.assertEqual(list(declared), [member.wire for member in members(kind)], name)
            for member in members(kind):
                self.assertEqual(declared[member.wire].endswith("?"), not member.required, (name, member.wire))
            self.assertNotIn("CodingKeys", body)

    def test_unions(self) -> None:
        """
        Unions are enumerations that read the key which tells their cases apart.
        """
        for name, key in {**dict.fromkeys(UNIONS, "kind"), "GatewayFrame": "type"}.items():
            self.assertIn(f"private enum CodingKeys: String, CodingKey {{ case {key} }}", self.body(name))

    def test_calls(self) -> None:
        """
        Every method and every event is a constant of a name of its own, with types that are declared.
        """
        found = re.findall(
            r'(?m)^    public static let `?(\w+)`? = Gateway(?:Call|Event)<(.*)>\(\w+: "(.*)"\)$', self.text
        )
        self.assertEqual([name for _, _, name in found], [*METHODS, *EVENT_TABLE])
        names = [name for name, _, _ in found]
        self.assertEqual(len(set(names[: len(METHODS)])), len(METHODS))
        declared = set(re.findall(r"(?:struct|enum) (\w+)", bare(self.text)))
        self.assertLessEqual({word for _, types, _ in found for word in re.findall(r"\w+", types)}, declared)

    def test_types_exist(self) -> None:
        """
        Every type that is used is declared, or Swift's own.
        """
        declared = set(re.findall(r"(?:struct|enum) (\w+)", bare(self.text)))
        used = set(re.findall(r"(?m)^    public let .*?: (.*)$", bare(self.text)))
        words = {word for kind in used for word in re.findall(r"\w+", kind)}
        self.assertEqual(words - declared, {"String", "Int", "Bool", "Double"})

    def test_parses(self) -> None:
        """
        A parser of Swift finds no error.
        """
        parsing, grammar = import_module("tree_sitter"), import_module("tree_sitter_swift")
        tree = parsing.Parser(parsing.Language(grammar.language())).parse(self.text.encode())
        self.assertFalse(tree.root_node.has_error)

    if find_spec("tree_sitter_swift") is None or find_spec("tree_sitter") is None:
        test_parses.skip = "tree-sitter-swift is not installed"  # type: ignore[attr-defined]
