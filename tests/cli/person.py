"""
A person who answers the questions of a wizard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field


@define
class Answers:
    """
    Answers in order.

    :ivar left: the answers to come.
    :ivar asked: the questions so far; of a choice also its labels.
    """

    left: list[Any]
    asked: list[Any] = field(factory=list)

    async def note(self, message: str, title: str) -> None:
        """
        Is read.
        """

    async def confirm(self, message: str, *, initial: bool) -> bool:
        self.asked.append(message)
        return bool(self.left.pop(0))

    async def select(self, message: str, options: Sequence[Mapping[str, Any]], *, initial: Any = None) -> Any:
        self.asked.append((message, [option["label"] for option in options]))
        value = self.left.pop(0)
        assert value in [option["value"] for option in options]
        return value

    async def text(
        self,
        message: str,
        *,
        initial: str = "",
        placeholder: str | None = None,
        sensitive: bool = False,
        wrong: Callable[[str], str | None] = lambda text: None,
    ) -> str:
        self.asked.append(message)
        return str(self.left.pop(0))
