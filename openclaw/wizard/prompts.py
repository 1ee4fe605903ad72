"""
What a flow of questions asks, whoever shows them: a client over the wire, or a terminal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from openclaw.errors import OpenClawError

Flow = Callable[["Prompter"], Awaitable[None]]


class WizardError(OpenClawError):
    """
    A wizard cannot do what it was asked.
    """


class Declined(WizardError):
    """
    The person does not want to go on; the flow raises it.
    """


class BadAnswer(WizardError):
    """
    An answer that the step does not take; it ends the wizard.
    """


class Prompter(Protocol):
    """
    Asks a person.
    """

    async def note(self, message: str, title: str) -> None:
        """
        Tell something.
        """

    async def confirm(self, message: str, *, initial: bool) -> bool:
        """
        Yes or no.
        """

    async def select(self, message: str, options: Sequence[Mapping[str, Any]], *, initial: Any = None) -> Any:
        """
        :param options: ``value``, ``label`` and perhaps ``hint`` of each.
        :return: the value of one of them.
        :raise BadAnswer: the answer is none of them.
        """

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
        :param wrong: says what is wrong with a text.
        :raise BadAnswer: something is.
        """
