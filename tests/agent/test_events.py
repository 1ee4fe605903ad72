"""
What clients hear of one run, and how often.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.events import LEAST_PACE, MOST_PACE, RunEvents, pace, trimmed_result

Told = list[tuple[str, dict[str, Any]]]


def voice(clock: Clock, told: Told, *, released: bool = True, **options: Any) -> RunEvents:
    """
    The events of a run; unless asked otherwise the store has said that output may be seen.
    """

    def publish(event: str, payload: Mapping[str, Any], *, drop_if_slow: bool = False) -> None:
        told.append((event, dict(payload)))

    events = RunEvents(run_id="r", shown_key="main", publish=publish, clock=clock, on_output=lambda: None, **options)
    if released:
        events.release()
    return events


def assistant(told: Told) -> list[str]:
    return [payload["data"]["text"] for event, payload in told if event == "agent" and "text" in payload["data"]]


class EventsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.told: Told = []
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))


class PaceTests(EventsCase):
    def test_first_at_once(self) -> None:
        """
        The first words are told at once; those that follow closely are told together.
        """
        events = voice(self.clock, self.told)
        for word in ("a", "b", "c"):
            events.text(word)
        self.assertEqual(assistant(self.told), ["a"])
        self.clock.advance(LEAST_PACE)
        self.assertEqual(assistant(self.told), ["a", "abc"])
        self.assertEqual([p["data"]["delta"] for e, p in self.told if e == "agent"], ["a", "bc"])
        self.clock.advance(LEAST_PACE)

    def test_as_recorded(self) -> None:
        """
        Words that come 50 ms apart have an event each.
        """
        events = voice(self.clock, self.told)
        for word in ("a", "b", "c"):
            events.text(word)
            self.clock.advance(0.05)
        self.assertEqual(assistant(self.told), ["a", "ab", "abc"])

    def test_pace(self) -> None:
        """
        The longer the text, the rarer it is repeated, within limits.
        """
        self.assertEqual(pace(0), LEAST_PACE)
        self.assertTrue(LEAST_PACE < pace(5_000) < MOST_PACE)
        self.assertEqual(pace(1_000_000), MOST_PACE)

    def test_bytes(self) -> None:
        """
        A fast model's long answer is not repeated with every token: 2,000 tokens in 3 seconds are told in less than
        300 KB, where each token with the whole text would be 10 MB.
        """
        events = voice(self.clock, self.told)
        for _ in range(2_000):
            events.text("token")
            self.clock.advance(0.0015)
        events.ended(1, "")
        self.assertEqual(assistant(self.told)[-1], "token" * 2_000)
        self.assertLess(sum(len(text) for text in assistant(self.told)), 300_000)

    def test_ends_wait_for_nothing(self) -> None:
        """
        What has not been told is told before the end, a tool and the next message, in this order.
        """
        events = voice(self.clock, self.told, show_tools=True)
        events.text("a")
        events.text("b")
        events.tool("start", "exec", "c1", {"args": {}})
        events.new_message()
        events.text("c")
        events.text("d")
        events.ended(5, "cd")
        kinds = [payload["data"].get("text") or payload["data"]["phase"] for e, payload in self.told if e == "agent"]
        self.assertEqual(kinds, ["a", "ab", "start", "c", "cd", "end"])
        self.assertEqual([p["seq"] for e, p in self.told if e == "agent"], [1, 2, 3, 4, 5, 6])

    def test_abort(self) -> None:
        """
        After an abort nothing of the text follows.
        """
        events = voice(self.clock, self.told)
        events.text("a")
        events.text("b")
        events.aborted(1, 2, "rpc")
        events.text("c")
        self.clock.advance(1)
        self.assertEqual(assistant(self.told), ["a"])
        self.assertEqual(self.told[-1][1]["data"]["phase"], "end")

    def test_so_far(self) -> None:
        """
        The text so far has what has not been told yet.
        """
        events = voice(self.clock, self.told)
        events.text("a")
        events.text("b")
        self.assertEqual(events.so_far, "ab")
        events.close()

    def test_held_back(self) -> None:
        """
        Reasoning that is not shown is not looked at again with each of its words either.
        """
        events = voice(self.clock, self.told)
        events.text("<think>")
        for _ in range(10):
            events.text("hm ")
        events.text("</think>Yes")
        self.assertEqual(self.told, [])
        self.clock.advance(LEAST_PACE)
        self.assertEqual(assistant(self.told), ["Yes"])
        events.close()

    def test_empty_delta(self) -> None:
        """
        An empty delta, with which many models begin, does not hold the first word up.
        """
        events = voice(self.clock, self.told)
        events.text("")
        events.text("Hi")
        self.assertEqual(assistant(self.told), ["Hi"])
        events.close()


class ReleaseTests(EventsCase):
    def test_waits_for_the_store(self) -> None:
        """
        Nothing is told before the store knows; then all of it, in order.
        """
        events = voice(self.clock, self.told, released=False)
        events.text("a")
        self.clock.advance(LEAST_PACE)
        events.text("b")
        self.clock.advance(LEAST_PACE)
        self.assertEqual(self.told, [])
        events.release()
        self.assertEqual(assistant(self.told), ["a", "ab"])
        self.clock.advance(1)

    def test_end_before_the_store(self) -> None:
        """
        A run that ends while the store is asked says nothing after its end.
        """
        events = voice(self.clock, self.told, released=False)
        events.text("a")
        events.failed(1, 2, "Error: no")
        events.release()
        self.assertEqual(assistant(self.told), [])
        self.assertEqual(self.told[-1][1]["state"], "error")


class ChatTests(EventsCase):
    def test_throttle(self) -> None:
        """
        Chat deltas come at most every 150 ms however fast the text grows.
        """
        events = voice(self.clock, self.told)
        for _ in range(100):
            events.text("x")
            self.clock.advance(0.01)
        events.ended(1, "x")
        deltas = [p for e, p in self.told if e == "chat" and p["state"] == "delta"]
        self.assertTrue(6 <= len(deltas) <= 7, len(deltas))

    def test_retry(self) -> None:
        """
        When a message is asked for again, only what goes beyond what was told is told.
        """
        events = voice(self.clock, self.told)
        events.text("Hel")
        events.retry()
        for part in ("He", "llo"):
            events.text(part)
            self.clock.advance(0.2)
        self.assertEqual(assistant(self.told), ["Hel", "Hello"])
        events.close()

    def test_withheld_tools(self) -> None:
        """
        Numbers of tool events that are not shown are used up.
        """
        events = voice(self.clock, self.told)
        events.tool("start", "exec", "c1", {})
        events.text("a")
        self.assertEqual([p["seq"] for e, p in self.told if e == "agent"], [2])
        events.close()


class TrimTests(SynchronousTestCase):
    def test_long_text_and_pictures(self) -> None:
        """
        Long texts are cut, pictures lose their bytes.
        """
        blocks = [{"type": "text", "text": "x" * 9_000}, {"type": "image", "data": "AAAA", "mimeType": "image/png"}]
        text, picture = trimmed_result(blocks, {"a": 1})["content"]
        self.assertEqual(text["text"], "x" * 8_000 + "\n…(truncated)…")
        self.assertEqual(picture, {"type": "image", "mimeType": "image/png", "bytes": 4, "omitted": True})


class GrowthTests(SynchronousTestCase):
    @settings(max_examples=50, derandomize=True, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["a", "b ", "\n", "<", "<think>", "</think>", "[["]), st.floats(0, 0.2))))
    def test_deltas_add_up(self, steps: list[tuple[str, float]]) -> None:
        """
        However words and pauses fall, the deltas put together are the text, and numbers rise by one.
        """
        clock, told = Clock(), []  # type: ignore[var-annotated]
        events = voice(clock, told)
        for word, seconds in steps:
            events.text(word)
            clock.advance(seconds)
        events.ended(1, events.so_far)
        agent = [payload for event, payload in told if event == "agent"]
        joined = "".join(payload["data"].get("delta", "") for payload in agent)
        shown = assistant(told)
        self.assertEqual(joined, shown[-1] if shown else "")
        self.assertEqual([payload["seq"] for payload in agent], list(range(1, len(agent) + 1)))
        self.assertEqual(clock.getDelayedCalls(), [])
