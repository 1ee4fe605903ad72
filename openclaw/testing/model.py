"""
A twin of a model: it plays what a test tells it, on the test's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from openclaw.agent.providers.base import Emit, ModelEvent, ModelRequest, Stop, TextDelta, Usage

#: An event, a pause in seconds, or how the request fails.
Step = ModelEvent | float | Exception


def said(*texts: str) -> list[Step]:
    """
    A script: a whole answer in some pieces.
    """
    return [*(TextDelta(text) for text in texts), Usage(input=10, output=len(texts)), Stop("stop")]


@define
class PlayedModel:
    """
    Answers each request with a script.

    :ivar script: the answer to a request.
    :ivar requests: what was asked, in order.
    :ivar cancelled: how many answers were broken off by whoever asked.
    """

    clock: IReactorTime
    script: Callable[[ModelRequest], Sequence[Step]]
    requests: list[ModelRequest] = field(factory=list)
    cancelled: int = 0

    def stream(self, request: ModelRequest, emit: Emit) -> Deferred[None]:
        """
        Play the script. See ``openclaw.agent.providers.base.Model``.
        """
        self.requests.append(request)
        return Deferred.fromCoroutine(self._play(self.script(request), emit))

    async def _play(self, script: Sequence[Step], emit: Emit) -> None:
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, int | float):
                    await deferLater(self.clock, step)
                else:
                    emit(step)
        except CancelledError:
            self.cancelled += 1
            raise


def scripted(clock: IReactorTime, scripts: Sequence[Sequence[Step]]) -> PlayedModel:
    """
    A model that plays one script for each request; the last one repeats.
    """
    model = PlayedModel(clock, lambda _: scripts[min(len(model.requests), len(scripts)) - 1])
    return model
