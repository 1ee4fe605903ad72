"""
Tests of ``openclaw.nodes.subscriptions``.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.nodes.subscriptions import MOST_SESSIONS, Subscriptions

CONNECTIONS, SESSIONS = ("a", "b", "c"), ("s", "t")


class SubscriptionsTests(SynchronousTestCase):
    """
    Who follows what.
    """

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(("follow", "leave", "end")), st.sampled_from(CONNECTIONS), st.sampled_from(SESSIONS)
            )
        )
    )
    def test_as_a_set(self, steps: list[tuple[str, str, str]]) -> None:
        """
        It is a set of pairs, whatever is done to it.
        """
        subscriptions, pairs = Subscriptions(), set()
        for step, connection, session in steps:
            if step == "follow":
                subscriptions.follow(connection, session)
                pairs.add((connection, session))
            elif step == "leave":
                subscriptions.leave(connection, session)
                pairs.discard((connection, session))
            else:
                subscriptions.end(connection)
                pairs = {pair for pair in pairs if pair[0] != connection}
        for session in SESSIONS:
            wanted = {connection for connection, one in pairs if one == session}
            self.assertEqual(set(subscriptions.followers(session)), wanted)
        self.assertEqual(set(subscriptions.connections()), {connection for connection, _ in pairs})

    def test_most(self) -> None:
        """
        One that follows too many sessions loses the oldest, and nobody else does.
        """
        subscriptions = Subscriptions()
        subscriptions.follow("b", "s0")
        for number in range(MOST_SESSIONS):
            subscriptions.follow("a", f"s{number}")
        subscriptions.follow("a", "s1")
        self.assertEqual(subscriptions.followers("s0"), ("b", "a"))
        subscriptions.follow("a", "one more")
        self.assertEqual(subscriptions.followers("s0"), ("b",))
        self.assertEqual(subscriptions.followers("one more"), ("a",))
        subscriptions.end("a")
        self.assertEqual(subscriptions.connections(), ("b",))
