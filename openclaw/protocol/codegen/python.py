"""
Python for clients that have nothing of ours: a ``TypedDict`` for each definition, with the names of the wire.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Final

from openclaw.protocol.calls import Call
from openclaw.protocol.codegen.outline import NOTICE, chosen_members, doc, named_types, spelled
from openclaw.protocol.codes import PROTOCOL_VERSION, ErrorCode
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.features import EVENT_ORDER, METHOD_ORDER, UNLISTED_METHODS
from openclaw.protocol.members import Member, alternatives, exclusive, is_definition, members, unannotated
from openclaw.protocol.types import wire_name


class Python:
    """
    How Python writes types.
    """

    anything = "Any"
    primitives: Final[Mapping[Any, str]] = {str: "str", int: "int", float: "float", bool: "bool", NoneType: "None"}

    def array(self, item: str) -> str:
        return f"list[{item}]"

    def mapping(self, value: str) -> str:
        return f"dict[str, {value}]"

    def constants(self, values: Sequence[Any]) -> str:
        return f"Literal[{', '.join(_constant(value) for value in values)}]"

    def union(self, choices: Sequence[str]) -> str:
        return " | ".join(choices)


_SPELLER: Final = Python()


def generate(calls: Mapping[str, Call]) -> str:
    """
    One module that needs the standard library of Python 3.11 only.
    """
    head = [
        f'"""\n{NOTICE}\n"""\n',
        "from typing import Any, Final, Literal, NotRequired, TypedDict\n",
        f"PROTOCOL_VERSION: Final = {PROTOCOL_VERSION}\n",
        f"ErrorCode = {_SPELLER.constants([str(code) for code in ErrorCode])}\n",
        _names("EventName", EVENT_ORDER),
        _names("MethodName", (*METHOD_ORDER, *UNLISTED_METHODS)),
    ]
    types = [_declaration(name, kind) for name, kind in named_types(calls).items()]
    results = {name: row.result if row.first is None else row.first | row.result for name, row in calls.items()}
    events = {name: event.payload for name, event in EVENT_TABLE.items()}
    maps = [
        _map("Results", "What each method answers; the first of two answers too.", results),
        _map("Events", "What each event carries.", events),
    ]
    return "\n".join(head) + "\n\n" + "\n\n".join([*types, *maps])


def _map(name: str, told: str, kinds: Mapping[str, Any]) -> str:
    lines = [f"    {_constant(key)}: {spelled(kind, _SPELLER)},\n" for key, kind in kinds.items()]
    return f'# {told}\n{name} = TypedDict("{name}", {{\n{"".join(lines)}}})\n'


def _constant(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _names(name: str, values: Sequence[str]) -> str:
    return f"{name} = Literal[\n" + "".join(f"    {_constant(value)},\n" for value in values) + "]\n"


def _declaration(name: str, kind: Any) -> str:
    if not is_definition(kind):
        choices = [spelled(choice, _SPELLER) for choice in alternatives(unannotated(kind)[0])]
        return f"{name} = {_SPELLER.union(choices)}\n"
    names = exclusive(kind)
    if not names:
        return _class(name, kind, members(kind), "")
    variants = {f"{name}By{wire_name(f'x_{chosen}')[1:]}": chosen for chosen in names}
    classes = [
        _class(variant, kind, chosen_members(kind, names, chosen), chosen) for variant, chosen in variants.items()
    ]
    return "\n\n".join([*classes, f"{name} = {' | '.join(variants)}\n"])


def _class(name: str, cls: Any, listed: Sequence[Member], chosen: str) -> str:
    text = "\n\n".join(f"    {paragraph}" for paragraph in doc(cls).text)
    lines = [line for member in listed for line in _member_lines(cls, member, chosen)]
    body = "\n" + "\n".join(lines) + "\n" if lines else ""
    return f'class {name}(TypedDict):\n    """\n{text}\n    """\n{body}'


def _member_lines(cls: Any, member: Member, chosen: str) -> Iterator[str]:
    told = doc(cls).members.get(member.name)
    if told is not None:
        yield f"    # {told}"
    kind = spelled(member.type, _SPELLER)
    required = member.required or member.name == chosen
    yield f"    {member.wire}: {kind if required else f'NotRequired[{kind}]'}"
