"""
What is answered while there are no channels, and what is counted of models.
"""

from __future__ import annotations

from openclaw.protocol.channels import ChannelsStatusResult
from openclaw.protocol.validate import violations
from tests.methods.support import MOCK_CONFIG, NOW_MS, MethodCase


class ChannelTests(MethodCase):
    def test_none(self) -> None:
        """
        A list of none is a whole answer.
        """
        answer = self.ask("channels.status", {"probe": True, "timeoutMs": 1})
        self.assertIsNone(violations(ChannelsStatusResult, answer))
        self.assertEqual((answer["channelOrder"], answer["channels"]), ([], {}))

    def test_refused(self) -> None:
        """
        Whoever needs a channel is told that there is none.
        """
        to = {"to": "+15550001111", "idempotencyKey": "k"}
        poll = {**to, "question": "q?", "options": ["a", "b"]}
        for method, params, message in (
            ("channels.logout", {"channel": "signal"}, "invalid channels.logout channel"),
            ("web.login.start", {}, "web login provider is not available"),
            ("web.login.wait", {"timeoutMs": 1}, "web login provider is not available"),
            ("send", {**to, "message": "x"}, "unsupported channel: whatsapp"),
            ("send", {**to, "message": "x", "channel": "bogus"}, "unsupported channel: bogus"),
            ("poll", {**poll, "channel": "signal"}, "unsupported poll channel: signal"),
        ):
            self.assertEqual(self.refused(method, params), message)


class UsageTests(MethodCase):
    def test_status(self) -> None:
        self.assertEqual(self.ask("usage.status"), {"updatedAt": NOW_MS, "providers": []})

    def test_cost(self) -> None:
        """
        Days may be a number or a text; what is neither is a month.
        """
        usage = {"input": 120, "output": 12, "totalTokens": 132}
        answer = {"role": "assistant", "content": [], "provider": "mock", "model": "mock-1", "usage": usage}
        self.session("agent:main:a", answer, answer)
        self.session("agent:main:old", answer, at_ms=NOW_MS - 40 * 86_400_000)
        for given, days, entries in (
            ("7", 7, 2),
            (7.9, 7, 2),
            (0, 1, 2),
            ("x", 30, 2),
            (None, 30, 2),
            (1e9, 3660, 3),
            (True, 30, 2),
        ):
            told = self.ask("usage.cost", {"days": given})
            self.assertEqual((told["days"], told["totals"]["missingCostEntries"]), (days, entries), given)

    def test_kept(self) -> None:
        """
        An answer holds for half a minute, and not beyond a change of the prices.
        """
        answer = {"role": "assistant", "provider": "mock", "model": "mock-1", "usage": {"input": 1_000_000}}
        self.session("agent:main:a", answer)
        first = self.ask("usage.cost")
        self.session("agent:main:b", answer)
        self.clock.advance(29)
        self.assertEqual(self.ask("usage.cost"), first)
        self.clock.advance(1)
        self.assertEqual(self.ask("usage.cost")["totals"]["missingCostEntries"], 2)
        mock = MOCK_CONFIG["models"]["providers"]["mock"]
        priced = {**mock["models"][0], "cost": {"input": 3, "output": 0, "cacheRead": 0, "cacheWrite": 0}}
        self.configure({**MOCK_CONFIG, "models": {"providers": {"mock": {**mock, "models": [priced]}}}})
        totals = self.ask("usage.cost")["totals"]
        self.assertEqual((totals["totalCost"], totals["missingCostEntries"]), (6.0, 0))
