"""
Swift: a ``Codable`` structure for each definition.

Constants become enumerations inside the structure that has them (``ConnectClient.ModeValue``). A key that is missing
is ``nil``; where ``null`` means something else, the property is a ``Nullable``. Decoding ignores keys it does not know.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Final

from openclaw.protocol.calls import Call
from openclaw.protocol.codegen.outline import NOTICE, constant_name, doc, name_of, named_types, params_of, spelled
from openclaw.protocol.codes import PROTOCOL_VERSION, ErrorCode
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.members import Member, alternatives, is_definition, literals, members, unannotated

#: Words that must be quoted to be names.
KEYWORDS: Final = frozenset(
    {"as", "case", "default", "enum", "extension", "false", "for", "func", "in", "init", "internal", "is", "nil"}
    | {"operator", "private", "protocol", "public", "self", "static", "switch", "true", "var", "where", "while"}
)

PRELUDE: Final = """\
/// Any JSON value.
public enum JSONValue: Codable, Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

/// A value, or a `null` that means something.
public enum Nullable<Value: Codable & Sendable>: Codable, Sendable {
    case null
    case value(Value)

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .null : .value(try container.decode(Value.self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .value(let value): try container.encode(value)
        }
    }
}"""


class Swift:
    """
    How Swift writes types; constants are written by the structure that has them.
    """

    anything = "JSONValue"
    primitives: Final[Mapping[Any, str]] = {str: "String", int: "Int", float: "Double", bool: "Bool"}

    def array(self, item: str) -> str:
        return f"[{item}]"

    def mapping(self, value: str) -> str:
        return f"[String: {value}]"

    def constants(self, values: Sequence[Any]) -> str:
        # Beside a free string, a constant is one of the strings.
        return "String" if isinstance(values[0], str) else "Int"

    def union(self, choices: Sequence[str]) -> str:
        # A value that is one of several has no type of its own.
        return choices[0] if len(choices) == 1 else self.anything


_SPELLER: Final = Swift()


def generate(calls: Mapping[str, Call]) -> str:
    """
    One file that needs Foundation only.
    """
    parts = [
        f"// {NOTICE}",
        "import Foundation",
        f"public let gatewayProtocolVersion = {PROTOCOL_VERSION}",
        "\n".join(_enumeration("ErrorCode", [str(code) for code in ErrorCode], "")),
        PRELUDE,
        *("\n".join(_declaration(name, kind)) for name, kind in named_types(calls).items()),
        "\n".join(_calls(calls)),
        "\n".join(_events()),
    ]
    return "\n\n".join(parts) + "\n"


def _calls(calls: Mapping[str, Call]) -> Iterator[str]:
    """
    A constant for each method that knows the types of what it takes and answers.
    """
    yield "/// A method by its name, with the types of what it takes and answers."
    yield "public struct GatewayCall<Params: Codable & Sendable, Answer: Codable & Sendable>: Sendable {"
    yield "    public let method: String"
    yield "}"
    yield ""
    yield "/// Every method. Of two answers it is the last."
    yield "public enum GatewayCalls {"
    for name, row in calls.items():
        params = params_of(row)
        types = f"{'JSONValue' if params is None else _plain(params)}, {_plain(row.result)}"
        yield from _comment([row.summary], "    ")
        yield f'    public static let {_quoted(constant_name(name))} = GatewayCall<{types}>(method: "{name}")'
    yield "}"


def _events() -> Iterator[str]:
    yield "/// An event by its name, with the type of what it carries."
    yield "public struct GatewayEvent<Payload: Codable & Sendable>: Sendable {"
    yield "    public let name: String"
    yield "}"
    yield ""
    yield "/// Every event."
    yield "public enum GatewayEvents {"
    for name, event in EVENT_TABLE.items():
        payload = _plain(event.payload)
        yield f'    public static let {_quoted(constant_name(name))} = GatewayEvent<{payload}>(name: "{name}")'
    yield "}"


def _plain(kind: Any) -> str:
    """
    A type outside of a structure: ``nil`` stands for ``null``.
    """
    choices = [choice for choice in alternatives(unannotated(kind)[0]) if choice is not NoneType]
    spelling = _SPELLER.anything if len(choices) != 1 else spelled(choices[0], _SPELLER)
    return f"{spelling}?" if NoneType in alternatives(unannotated(kind)[0]) else spelling


def _declaration(name: str, kind: Any) -> Iterator[str]:
    bare, _ = unannotated(kind)
    return _structure(name, kind) if is_definition(bare) else _union(name, alternatives(bare))


def _structure(name: str, cls: Any) -> Iterator[str]:
    told = doc(cls)
    yield from _comment(told.text, "")
    yield f"public struct {name}: Codable, Sendable {{"
    for member in members(cls):
        constants = _constants(member.type)
        if constants:
            yield from _enumeration(_enumeration_name(member), constants, "    ")
            yield ""
    for member in members(cls):
        if member.name in told.members:
            yield from _comment([told.members[member.name]], "    ")
        yield f"    public let {_quoted(member.wire)}: {_property_type(member)}"
    if members(cls):
        yield ""
    yield from _initializer(cls)
    yield "}"


def _initializer(cls: Any) -> Iterator[str]:
    parameters = [
        f"{_quoted(member.wire)}: {_property_type(member)}{'' if member.required else ' = nil'}"
        for member in members(cls)
    ]
    if not parameters:
        yield "    public init() {}"
        return
    yield "    public init("
    yield ",\n".join(f"        {parameter}" for parameter in parameters)
    yield "    ) {"
    for member in members(cls):
        yield f"        self.{member.wire} = {_quoted(member.wire)}"
    yield "    }"


def _union(name: str, choices: Sequence[Any]) -> Iterator[str]:
    """
    An enumeration with one case for each alternative, told apart by the constant of the key that all have.
    """
    key = next(member.wire for member in members(choices[0]) if literals(member.type))
    cases = {_constant(choice, key): name_of(choice) for choice in choices}
    yield f"public enum {name}: Codable, Sendable {{"
    for constant, inner in cases.items():
        yield f"    case {_quoted(constant)}({inner})"
    yield ""
    yield f"    private enum CodingKeys: String, CodingKey {{ case {_quoted(key)} }}"
    yield ""
    yield "    public init(from decoder: Decoder) throws {"
    yield "        let container = try decoder.container(keyedBy: CodingKeys.self)"
    yield f"        switch try container.decode(String.self, forKey: .{_quoted(key)}) {{"
    for constant, inner in cases.items():
        yield f'        case "{constant}": self = .{_quoted(constant)}(try {inner}(from: decoder))'
    yield "        case let other:"
    yield "            throw DecodingError.dataCorruptedError("
    yield f'                forKey: .{_quoted(key)}, in: container, debugDescription: "unknown: \\(other)")'
    yield "        }"
    yield "    }"
    yield ""
    yield "    public func encode(to encoder: Encoder) throws {"
    yield "        switch self {"
    for constant in cases:
        yield f"        case .{_quoted(constant)}(let value): try value.encode(to: encoder)"
    yield "        }"
    yield "    }"
    yield "}"


def _constant(cls: Any, key: str) -> str:
    (constant,) = next(literals(member.type) for member in members(cls) if member.wire == key)
    return str(constant)


def _enumeration(name: str, values: Sequence[Any], indent: str) -> Iterator[str]:
    raw = "String" if isinstance(values[0], str) else "Int"
    yield f"{indent}public enum {name}: {raw}, Codable, Sendable, CaseIterable {{"
    for value in values:
        case = _case_name(value)
        written = f'"{value}"' if isinstance(value, str) else str(value)
        yield f"{indent}    case {_quoted(case)}" + ("" if case == value else f" = {written}")
    yield f"{indent}}}"


def _case_name(value: Any) -> str:
    if not isinstance(value, str):
        return f"value{value}"
    if value.isupper():
        value = value.lower()
    head, *tail = str(value).replace("_", "-").split("-")
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


def _enumeration_name(member: Member) -> str:
    return f"{member.wire[:1].upper()}{member.wire[1:]}Value"


def _constants(kind: Any) -> list[Any]:
    """
    The constants that are all that a type allows, ``null`` aside.
    """
    choices = [choice for choice in alternatives(unannotated(kind)[0]) if choice is not NoneType]
    constants = [constant for choice in choices for constant in literals(choice)]
    return constants if all(literals(choice) for choice in choices) else []


def _property_type(member: Member) -> str:
    choices = alternatives(unannotated(member.type)[0])
    nullable = NoneType in choices
    if _constants(member.type):
        spelling = _enumeration_name(member)
    elif nullable:
        spelling = spelled(next(choice for choice in choices if choice is not NoneType), _SPELLER)
    else:
        spelling = spelled(member.type, _SPELLER)
    if nullable:
        spelling = f"Nullable<{spelling}>"
    return spelling if member.required else f"{spelling}?"


def _quoted(name: str) -> str:
    return f"`{name}`" if name in KEYWORDS else name


def _comment(paragraphs: Sequence[str], indent: str) -> Iterator[str]:
    for index, paragraph in enumerate(paragraphs):
        if index:
            yield f"{indent}///"
        yield f"{indent}/// {paragraph}"
