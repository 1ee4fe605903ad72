"""
One answer of a model, put together and asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.events import RunEvents
from openclaw.agent.interruption import Interruption
from openclaw.agent.providers.base import ModelEvent, ModelRequest, Stop, TextDelta, ThinkingDelta, ToolCall, Usage
from openclaw.agent.providers.errors import ProviderError, ProviderRefused, StreamBroken
from openclaw.agent.retry import RetryPolicy
from openclaw.agent.turn import Asking, Collector, Turn
from openclaw.testing.model import PlayedModel, Step


def events(clock: Clock) -> RunEvents:
    return RunEvents(
        run_id="r", shown_key=None, publish=lambda *_, **__: None, clock=clock, on_output=lambda: None, chat=False
    )


def collected(*told: ModelEvent) -> Turn:
    clock = Clock()
    voice = events(clock)
    collector = Collector(voice)
    for event in told:
        collector.take(event)
    voice.close()
    return collector.whole()


class CollectorTests(SynchronousTestCase):
    def test_blocks(self) -> None:
        """
        What comes in pieces becomes blocks in the order in which they began.
        """
        turn = collected(
            ThinkingDelta("hm", ""),
            ThinkingDelta("m", ""),
            ThinkingDelta("", "signed"),
            TextDelta("Let "),
            TextDelta("me."),
            ToolCall("c1", "launch", {"what": "kite"}),
            TextDelta(" Now."),
            Usage(input=1),
            Usage(input=3, output=2),
            Stop("toolUse"),
        )
        self.assertEqual(
            turn.content,
            [
                {"type": "thinking", "thinking": "hmm", "thinkingSignature": "signed"},
                {"type": "text", "text": "Let me."},
                {"type": "toolCall", "id": "c1", "name": "launch", "arguments": {"what": "kite"}},
                {"type": "text", "text": " Now."},
            ],
        )
        self.assertEqual((turn.text, turn.stop, turn.usage), ("Let me. Now.", "toolUse", Usage(input=3, output=2)))

    def test_nothing(self) -> None:
        """
        Pieces without text make no blocks.
        """
        self.assertEqual(collected(TextDelta(""), ThinkingDelta(""), Stop("stop")).content, [])

    def test_no_stop(self) -> None:
        """
        An answer that does not say that it is complete is not taken for one.
        """
        self.assertRaises(StreamBroken, collected, TextDelta("Hel"))


class IdTests(SynchronousTestCase):
    def test_own_ids(self) -> None:
        """
        Calls whose ids are taken, or missing, get others, in the blocks as in the calls; the rest stays as it is.
        """
        calls = [ToolCall(id, "launch") for id in ("a", "b", "b", "", "")]  # noqa: A001 - what it is
        turn = collected(TextDelta("x"), *calls, Stop("toolUse")).with_own_ids({"a", "a_2", "call_1"})
        ids = ["a_3", "b", "b_2", "call_2", "call_3"]
        self.assertEqual([call.id for call in turn.calls], ids)
        self.assertEqual([block["id"] for block in turn.content[1:]], ids)
        self.assertEqual(turn.content[0], {"type": "text", "text": "x"})


class AskingTests(SynchronousTestCase):
    """
    A model that plays one script after the other.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.interruption = Interruption()
        self.failures: list[ProviderError] = []
        self.voice = events(self.clock)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(self.voice.close)

    def ask(self, *scripts: Sequence[Step]) -> Deferred[Turn]:
        left = list(scripts)
        self.model = PlayedModel(self.clock, lambda _: left.pop(0))

        async def failed(error: ProviderError) -> None:
            self.failures.append(error)

        asking = Asking(
            model=self.model,
            events=self.voice,
            clock=self.clock,
            retries=RetryPolicy(),
            until=self.interruption.until,
            failed=failed,
        )
        return Deferred.fromCoroutine(asking.ask(ModelRequest(system="", messages=[])))

    def test_request_again(self) -> None:
        """
        A request that got no answer is sent again, without a word of it in the transcript.
        """
        busy = ProviderRefused("busy", status=503)
        turn = self.ask([busy], [busy], [TextDelta("Hello"), Stop("stop")])
        self.clock.pump([0.5, 0.5])
        self.assertEqual(self.successResultOf(turn).text, "Hello")
        self.assertEqual((len(self.model.requests), self.failures), (3, []))

    def test_turn_again(self) -> None:
        """
        An answer that broke off is asked for anew, from its beginning; the failed try is written down.
        """
        turn = self.ask([TextDelta("Hel"), StreamBroken("cut")], [TextDelta("Hello"), Stop("stop")])
        self.clock.advance(1.9)
        self.assertEqual(len(self.model.requests), 1)
        self.clock.advance(0.1)
        self.assertEqual(self.successResultOf(turn).text, "Hello")
        self.assertEqual([str(error) for error in self.failures], ["cut"])

    def test_no_use(self) -> None:
        """
        What will not become better is not tried again.
        """
        failure = self.failureResultOf(self.ask([ProviderRefused("no", status=400)]), ProviderRefused)
        self.assertEqual((failure.value.status, len(self.failures)), (400, 1))

    def test_interrupted_between(self) -> None:
        """
        The end of the run also ends the wait for the next try.
        """
        turn = self.ask([StreamBroken("cut")])
        self.interruption.interrupt("stop")
        self.failureResultOf(turn)
        self.assertEqual(len(self.model.requests), 1)
