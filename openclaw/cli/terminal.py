"""
Questions of a wizard on a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar, cast

from attrs import frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.wizard.prompts import BadAnswer, Declined, Prompter

T = TypeVar("T")


def confirm(context: Context, question: str) -> bool:
    """
    Ask with nothing but a line, which works where much is broken. No answer is yes, the end of the input is no.
    """
    context.out.write(f"{question} [Y/n] ")
    context.out.flush()
    answer = sys.stdin.readline()
    return answer != "" and answer.strip().lower() in ("", "y", "yes")


def has_terminal(context: Context) -> bool:
    """
    Whether somebody can be asked.
    """
    return sys.stdin is not None and sys.stdin.isatty() and context.out.isatty()


def answered(steps: Awaitable[T]) -> T:
    """
    Take questions to their end. They wait for nothing but the terminal, so that nothing else needs to run meanwhile.

    :raise CommandFailed: the person did not want to go on, or answered what cannot be.
    """
    assert isinstance(steps, Coroutine)
    try:
        steps.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    except (Declined, BadAnswer) as error:
        raise CommandFailed(f"Nothing was changed: {error}") from error
    raise RuntimeError("a question on a terminal does not wait")


@frozen(kw_only=True)
class TerminalPrompter:
    """
    Asks with questionary. The end of the input and Ctrl-C end the command, as they do everywhere.
    """

    context: Context

    async def note(self, message: str, title: str) -> None:
        """
        A title and what is under it.
        """
        self.context.line()
        self.context.line(self.context.paint(title, "bold", "accent"))
        for line in message.splitlines():
            self.context.line(f"  {line}")

    async def confirm(self, message: str, *, initial: bool) -> bool:
        """
        Yes or no; Enter is ``initial``.
        """
        import questionary

        return bool(self._answer(questionary.confirm(message, default=initial)))

    async def select(self, message: str, options: Sequence[Mapping[str, Any]], *, initial: Any = None) -> Any:
        """
        One of a list, by the arrows.
        """
        import questionary

        choices = [
            questionary.Choice(
                f"{option['label']} ({option['hint']})" if option.get("hint") else option["label"],
                value=option["value"],
            )
            for option in options
        ]
        first = initial if any(option["value"] == initial for option in options) else None
        return self._answer(questionary.select(message, choices=choices, default=first))

    async def text(
        self,
        message: str,
        *,
        initial: str = "",
        placeholder: str | None = None,
        sensitive: bool = False,
        wrong: Callable[[str], str | None] = lambda text: None,
    ) -> str:
        """
        A line, which is not shown when it is a secret. It is asked for until nothing is wrong with it.
        """
        import questionary

        def check(text: str) -> bool | str:
            return wrong(text.strip()) or True

        kind = questionary.password if sensitive else questionary.text
        shown = f"{message} ({placeholder})" if placeholder else message
        return str(self._answer(kind(shown, default=initial, validate=check))).strip()

    def _answer(self, question: Any) -> Any:
        self.context.out.flush()
        try:
            return question.unsafe_ask()
        except EOFError as error:
            raise KeyboardInterrupt from error


def prompter(context: Context) -> Prompter:
    """
    Asks whoever typed the command.
    """
    return TerminalPrompter(context=context)
