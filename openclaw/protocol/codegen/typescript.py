"""
TypeScript: an interface for each definition.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Final

from openclaw.protocol.calls import Call
from openclaw.protocol.codegen.outline import NOTICE, chosen_members, doc, named_types, params_of, spelled
from openclaw.protocol.codes import PROTOCOL_VERSION, ErrorCode
from openclaw.protocol.events import EVENT_TABLE
from openclaw.protocol.features import EVENT_ORDER, METHOD_ORDER, UNLISTED_METHODS
from openclaw.protocol.members import Member, alternatives, exclusive, extra_member, is_definition, members, unannotated


class TypeScript:
    """
    How TypeScript writes types.
    """

    anything = "unknown"
    primitives: Final[Mapping[Any, str]] = {
        str: "string",
        int: "number",
        float: "number",
        bool: "boolean",
        NoneType: "null",
    }

    def array(self, item: str) -> str:
        return f"Array<{item}>"

    def mapping(self, value: str) -> str:
        return f"Record<string, {value}>"

    def constants(self, values: Sequence[Any]) -> str:
        return " | ".join(json.dumps(value) for value in values)

    def union(self, choices: Sequence[str]) -> str:
        return " | ".join(choices)


_SPELLER: Final = TypeScript()


def generate(calls: Mapping[str, Call]) -> str:
    """
    One module without imports.
    """
    parts = [
        f"// {NOTICE}",
        f"export const PROTOCOL_VERSION = {PROTOCOL_VERSION};",
        f"export type ErrorCode = {_SPELLER.constants([str(code) for code in ErrorCode])};",
        _names("EventName", EVENT_ORDER),
        _names("MethodName", (*METHOD_ORDER, *UNLISTED_METHODS)),
        *(_declaration(name, kind) for name, kind in named_types(calls).items()),
        _methods(calls),
        _events(),
    ]
    return "\n\n".join(parts) + "\n"


def _methods(calls: Mapping[str, Call]) -> str:
    """
    An interface with a key for each method, for clients whose ``call`` is typed by the method's name.
    """
    lines = ["/** What each method takes and answers; `accepted` is the first of two answers. */"]
    lines.append("export interface Methods {")
    for name, row in calls.items():
        params = params_of(row)
        told = {
            "params": "Record<string, never>" if params is None else spelled(params, _SPELLER),
            "accepted": None if row.first is None else spelled(row.first, _SPELLER),
            "result": spelled(row.result, _SPELLER),
            "failure": None if row.failure is None else spelled(row.failure, _SPELLER),
        }
        members = "; ".join(f"{member}: {kind}" for member, kind in told.items() if kind is not None)
        lines += [f"  /** {row.summary} */", f"  {json.dumps(name)}: {{ {members} }};"]
    return "\n".join([*lines, "}"])


def _events() -> str:
    """
    An interface with a key for each event.
    """
    lines = [f"  {json.dumps(name)}: {spelled(event.payload, _SPELLER)};" for name, event in EVENT_TABLE.items()]
    return "\n".join(["/** What each event carries. */", "export interface Events {", *lines, "}"])


def _names(name: str, values: Sequence[str]) -> str:
    return f"export type {name} =\n" + "\n".join(f"  | {json.dumps(value)}" for value in values) + ";"


def _declaration(name: str, kind: Any) -> str:
    if not is_definition(kind):
        return f"export type {name} = {_union_members(kind)};"
    comment = _comment(doc(kind).text, "")
    names = exclusive(kind)
    if names:
        choices = " | ".join("{\n" + "\n".join(_alternative(kind, names, chosen)) + "\n}" for chosen in names)
        return f"{comment}export type {name} = {choices};"
    lines = [line for member in members(kind) for line in _member_lines(kind, member, required=member.required)]
    if extra_member(kind) is not None:
        lines.append("  [key: string]: unknown;")
    if not lines:
        return f"{comment}export type {name} = Record<string, never>;"
    return f"{comment}export interface {name} {{\n" + "\n".join(lines) + "\n}"


def _union_members(kind: Any) -> str:
    return _SPELLER.union([spelled(choice, _SPELLER) for choice in alternatives(unannotated(kind)[0])])


def _alternative(cls: Any, names: Sequence[str], chosen: str) -> Iterator[str]:
    for member in chosen_members(cls, names, chosen):
        yield from _member_lines(cls, member, required=member.required or member.name == chosen)
    for member in members(cls):
        if member.name in names and member.name != chosen:
            yield f"  {member.wire}?: never;"


def _member_lines(cls: Any, member: Member, *, required: bool) -> Iterator[str]:
    told = doc(cls).members.get(member.name)
    if told is not None:
        yield _comment([told], "  ").rstrip("\n")
    yield f"  {member.wire}{'' if required else '?'}: {spelled(member.type, _SPELLER)};"


def _comment(paragraphs: Sequence[str], indent: str) -> str:
    if len(paragraphs) == 1:
        return f"{indent}/** {paragraphs[0]} */\n"
    lines = f"\n{indent} *\n".join(f"{indent} * {paragraph}" for paragraph in paragraphs)
    return f"{indent}/**\n{lines}\n{indent} */\n"
