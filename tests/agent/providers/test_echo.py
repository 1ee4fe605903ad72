"""
The embedded model.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import ModelEvent, ModelRequest, Stop, TextDelta
from openclaw.agent.providers.echo import EchoModel
from tests.agent.providers.serving import joined


class EchoTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.events: list[ModelEvent] = []
        model = EchoModel(clock=self.clock, environ={"OPENCLAW_PROFILE": "dev"})
        message = {"role": "user", "content": [{"type": "text", "text": "hello\nthere\n[message_id: 7]"}]}
        self.done = model.stream(ModelRequest(system="", messages=[message]), self.events.append)

    def test_answer(self) -> None:
        """
        It says what it is, how to have a real model, and what was written; word by word.
        """
        self.assertEqual(len(self.events), 1)
        while self.clock.getDelayedCalls():
            self.clock.advance(0.1)
        self.successResultOf(self.done)
        text = joined(self.events)
        self.assertTrue(text.startswith("You wrote:\n\n> hello\n> there\n\nThis is OpenClaw's built-in echo model."))
        self.assertIn("ANTHROPIC_API_KEY", text)
        self.assertIn("`openclaw --dev config set ", text)
        self.assertGreater(sum(isinstance(event, TextDelta) for event in self.events), 20)
        self.assertEqual(self.events[-1], Stop("stop"))

    def test_cancel(self) -> None:
        """
        Stopped, it is still.
        """
        self.done.cancel()
        self.failureResultOf(self.done)
        self.assertEqual(self.clock.getDelayedCalls(), [])
