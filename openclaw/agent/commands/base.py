"""
What a command is, sees and does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from openclaw.config.model import Config


@frozen(kw_only=True)
class CommandContext:
    """
    What a command may look at. Commands run inside a store transaction: they act on nothing.

    :ivar members: members of the session's entry.
    :ivar updated_at_ms: the session's last activity before this message; ``None`` for a new session.
    :ivar queued: runs that wait in the session.
    """

    session_key: str
    agent_id: str
    members: Mapping[str, Any]
    config: Config
    environ: Mapping[str, str]
    now_ms: int
    updated_at_ms: int | None = None
    queued: int = 0


@frozen(kw_only=True)
class CommandResult:
    """
    What comes of a command.

    :ivar answer: the reply; ``None`` when the model is to answer.
    :ivar prompt: what the model is to read.
    :ivar changes: members of the session's entry to set; ``None`` removes one.
    :ivar resets: the session starts afresh.
    :ivar stops: the runs of the session end.
    :ivar restarts: the gateway restarts when the answer has gone out.
    """

    answer: str | None = None
    prompt: str | None = None
    changes: Mapping[str, Any] = field(factory=dict)
    resets: bool = False
    stops: bool = False
    restarts: bool = False


@frozen(kw_only=True)
class Command:
    """
    A command by its names.

    :ivar names: without the slash; the first is the one that is shown.
    :ivar inline: also answered in the middle of another message, and taken out of it.
    :ivar takes_arguments: whether words may follow; with words after it, one that takes none is no command.
    """

    names: tuple[str, ...]
    description: str
    group: str
    run: Callable[[CommandContext, str], CommandResult]
    inline: bool = False
    takes_arguments: bool = True


def answer(text: str, **changes: Any) -> CommandResult:
    """
    A reply, perhaps with changes of the session.
    """
    return CommandResult(answer=text, changes=changes)
