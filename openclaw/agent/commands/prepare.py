"""
From the text of a message to what is to be done with it: an answer, a prompt, changes of the session.

White space in the text is kept: only what was recognised is taken out, with the blanks around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from openclaw.agent.commands import table
from openclaw.agent.commands.base import Command, CommandContext, CommandResult
from openclaw.agent.commands.options import MODEL_COMMAND, THINK_COMMAND, VERBOSE_COMMAND
from openclaw.agent.commands.session import new
from openclaw.agent.providers.catalog import UnknownModel, aliases, find_ref, is_allowed
from openclaw.agent.record import Prepared
from openclaw.agent.types import Inbound
from openclaw.sessions.levels import thinking_level, verbose_level

_DIRECTIVES = (THINK_COMMAND, VERBOSE_COMMAND, MODEL_COMMAND)


@frozen(kw_only=True)
class Reading:
    """
    What was made of a text.

    :ivar changes: members of the session's entry to set; ``None`` removes one.
    """

    prepared: Prepared
    changes: Mapping[str, Any]


def read(inbound: Inbound, context: CommandContext) -> Reading:
    """
    Read a message. Without commands the text is for the model as it is.
    """
    thinking = thinking_level(inbound.thinking) if inbound.thinking else None
    if not inbound.commands:
        return Reading(prepared=Prepared(prompt=inbound.message, thinking=thinking), changes={})
    return read_text(inbound.message, context, thinking=thinking, pictures=bool(inbound.images))


def read_text(text: str, context: CommandContext, *, thinking: str | None = None, pictures: bool = False) -> Reading:
    """
    Read a text whose commands are obeyed.

    :param thinking: level for this message only, when the text names none.
    :param pictures: whether there is more to the message than its text.
    """
    reset = _reset(text, context)
    if reset is not None:
        return _of_result(reset, thinking)
    acknowledged = None if pictures else _only_directives(text, context)
    if acknowledged is not None:
        return _of_result(acknowledged, thinking)
    command = table.find(text)
    if command is not None and command[0] not in _DIRECTIVES:
        return _of_result(command[0].run(context, command[1]), thinking)
    rest, lead = _inline(text, context)
    if lead and not pictures:
        if not rest.strip():
            return _of_result(CommandResult(answer="\n\n".join(lead)), thinking)
        acknowledged = _only_directives(rest, context)
        if acknowledged is not None:
            parts = "\n\n".join([*lead, acknowledged.answer or ""])
            return _of_result(evolve(acknowledged, answer=parts), thinking)
    return Reading(prepared=_message(rest, lead, thinking, context), changes={})


def _inline(text: str, context: CommandContext) -> tuple[str, list[str]]:
    """
    A text without the commands that are answered in its middle, and their answers.
    """
    answers: list[str] = []
    while (found := table.inline(text)) is not None:
        command, start, end = found
        answers.append(command.run(context, "").answer or "")
        text = _without(text, start, end)
    return text, answers


def _of_result(result: CommandResult, thinking: str | None) -> Reading:
    prepared = Prepared(
        prompt=result.prompt,
        answer=result.answer,
        thinking=thinking,
        resets=result.resets,
        stops=result.stops,
        restarts=result.restarts,
    )
    return Reading(prepared=prepared, changes=result.changes)


def _reset(text: str, context: CommandContext) -> CommandResult | None:
    """
    A message that is one of the words that start a session, or begins with one.
    """
    stripped = text.strip()
    lowered = stripped.lower()
    for trigger in context.config.session.reset_triggers:
        word = trigger.strip().lower()
        if word and (lowered == word or (lowered.startswith(word) and stripped[len(word)].isspace())):
            return new(context, stripped[len(word) :].strip())
    return None


# -- directives -------------------------------------------------------------------------------------------------------


def _only_directives(text: str, context: CommandContext) -> CommandResult | None:
    """
    A message of nothing but directives is kept in the session and acknowledged.
    """
    rest = text.strip()
    answers: list[str] = []
    changes: dict[str, Any] = {}
    while rest:
        found = _leading(rest, context)
        if found is None:
            return None
        command, argument, rest = found
        # A later directive sees what an earlier one has changed.
        seen = evolve(context, members={**context.members, **changes})
        result = command.run(seen, argument)
        answers.append(result.answer or "")
        changes |= result.changes
    return CommandResult(answer=" ".join(answers), changes=changes) if answers else None


def _leading(text: str, context: CommandContext) -> tuple[Command, str, str] | None:
    """
    The directive that a text begins with, its argument, and the rest.
    """
    found = re.match(r"/([\w.-]+)(?:@\w+)?(?:[ \t]*:[ \t]*|\s+|\Z)(\S*)\s*", text)
    if found is None:
        return None
    name, argument = found[1].lower(), found[2]
    command = next((command for command in _DIRECTIVES if name in command.names), None)
    if command is None:
        if name not in aliases(context.config):
            return None
        return MODEL_COMMAND, name, text[len(found[1]) + 1 :].strip()
    if argument.startswith("/"):
        return command, "", text[found.start(2) :]
    return command, argument, text[found.end() :]


def _message(text: str, lead: Sequence[str], thinking: str | None, context: CommandContext) -> Prepared:
    """
    Text with directives in it: they count for this message only.
    """
    text, level = _take(text, THINK_COMMAND.names, thinking_level)
    text, verbosity = _take(text, VERBOSE_COMMAND.names, verbose_level)
    text, model = _take(text, MODEL_COMMAND.names, lambda word: _allowed_model(word, context))
    if model is None:
        for alias in aliases(context.config):
            found = re.search(rf"(?<!\S)/{re.escape(alias)}(?!\S)", text, re.IGNORECASE)
            if found is not None:
                model = _allowed_model(alias, context)
                text = _without(text, found.start(), found.end())
                break
    return Prepared(prompt=text, thinking=level or thinking, verbose=verbosity, model=model, lead=tuple(lead))


def _take(text: str, names: tuple[str, ...], read_value: Any) -> tuple[str, str | None]:
    """
    Take one directive out of a text, if its value is one.
    """
    shape = rf"(?<!\S)/(?:{'|'.join(names)})(?:[ \t]*:[ \t]*|[ \t]+)(\S+)"
    for found in re.finditer(shape, text, re.IGNORECASE):
        value = read_value(found[1])
        if value is not None:
            return _without(text, found.start(), found.end()), value
    return text, None


def _without(text: str, start: int, end: int) -> str:
    before, after = text[:start], text[end:]
    at_start = not before or before.endswith("\n")
    at_end = not after or after.lstrip(" \t").startswith("\n") or not after.strip(" \t")
    if at_start:
        return before + after.lstrip(" \t")
    if at_end:
        return before.rstrip(" \t") + after.lstrip(" \t")
    return before.rstrip(" \t") + " " + after.lstrip(" \t")


def _allowed_model(word: str, context: CommandContext) -> str | None:
    config = context.config
    if "/" not in word and word.lower() not in aliases(config):
        return None
    try:
        ref = find_ref(config, word, context.environ)
    except UnknownModel:
        return None
    return str(ref) if is_allowed(config, ref, context.environ) else None
