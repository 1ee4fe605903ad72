"""
Texts that were cut within a character: a server that counts in UTF-16 sends the halves of an emoji in two events.
"""

from __future__ import annotations

from attrs import define, evolve

from openclaw.agent.providers.base import Emit, ModelEvent, TextDelta, ThinkingDelta, ToolCall, Usage
from openclaw.protocol.frames import whole


@define
class WholeTexts:
    """
    Passes model events on. Half of a surrogate pair at the end of a text waits for the other one; without it, each half
    becomes U+FFFD.
    """

    _emit: Emit
    _held: TextDelta | ThinkingDelta | None = None

    def __call__(self, event: ModelEvent) -> None:
        if isinstance(event, TextDelta | ThinkingDelta):
            self._text(event)
            return
        if not isinstance(event, Usage):
            # Some servers tell the usage with each piece of a text.
            self._release()
        if isinstance(event, ToolCall):
            event = evolve(event, id=whole(str(event.id)), name=whole(str(event.name)))
        self._emit(event)

    def _text(self, event: TextDelta | ThinkingDelta) -> None:
        if type(self._held) is not type(event):
            self._release()
        elif self._held is not None:
            event, self._held = evolve(event, text=self._held.text + event.text), None
        if "\ud800" <= event.text[-1:] <= "\udbff":
            event, self._held = evolve(event, text=event.text[:-1]), evolve(event, text=event.text[-1])
            if not event.text:
                return
        if not event.text.isascii():
            event = evolve(event, text=whole(event.text))
        self._emit(event)

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._emit(evolve(held, text=whole(held.text)))
