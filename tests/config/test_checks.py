"""
Tests for :mod:`openclaw.config.checks`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.loader import evaluate


def issues(text: str) -> list[tuple[str, str]]:
    """
    Path and message of each issue.
    """
    snapshot = evaluate(text, Path("/c.json"), {}, Path("/h"))
    return [(issue.path, issue.message) for issue in snapshot.issues]


class CheckTests(SynchronousTestCase):
    """
    Rules between keys, in the words of the reference.
    """

    def test_heartbeat(self) -> None:
        """
        The interval is a duration, the target a channel.
        """
        text = '{agents: {defaults: {heartbeat: {every: "often", target: "zzz"}}}}'
        self.assertEqual(
            issues(text),
            [
                ("agents.defaults.heartbeat.every", "invalid duration (use ms, s, m, h)"),
                ("agents.defaults.heartbeat.target", "unknown heartbeat target: zzz"),
            ],
        )
        for every in ("30m", "0m", "5", "1.5h", "500ms"):
            self.assertEqual(
                issues(f'{{agents: {{defaults: {{heartbeat: {{every: "{every}", target: "last"}}}}}}}}'), []
            )

    def test_open_policy(self) -> None:
        """
        Who lets everybody write has to say so twice.
        """
        [(path, message)] = issues('{channels: {telegram: {dmPolicy: "open", allowFrom: [5]}}}')
        self.assertEqual(path, "channels.telegram.allowFrom")
        self.assertEqual(
            message,
            'channels.telegram.dmPolicy="open" requires channels.telegram.allowFrom to include "*"',
        )
        self.assertEqual(issues('{channels: {telegram: {dmPolicy: "open", allowFrom: ["*"]}}}'), [])

    def test_agent_directories(self) -> None:
        """
        Two agents never share a directory.
        """
        text = '{agents: {list: [{id: "a", agentDir: "/x"}, {id: "b", agentDir: "/x/"}]}}'
        [(path, message)] = issues(text)
        self.assertEqual(path, "agents.list")
        self.assertTrue(message.startswith("Duplicate agentDir detected (multi-agent config)."))

    def test_avatars(self) -> None:
        """
        An avatar is an address, or a file of the workspace.
        """
        outside = "identity.avatar must stay within the agent workspace."
        wrong = "identity.avatar must be a workspace-relative path, http(s) URL, or data URI."
        cases = {
            "a.png": None,
            "x/../a.png": None,
            "https://x/a.png": None,
            "data:image/png;base64,AA": None,
            "../a.png": outside,
            "x/../../a.png": outside,
            "/a.png": wrong,
            "~/a.png": wrong,
            "ftp://x": wrong,
        }
        for avatar, message in cases.items():
            text = f'{{agents: {{list: [{{id: "a", identity: {{avatar: "{avatar}"}}}}]}}}}'
            expected = [] if message is None else [("agents.list.0.identity.avatar", message)]
            self.assertEqual(issues(text), expected)

    def test_broadcast(self) -> None:
        """
        A broadcast reaches agents that exist.
        """
        text = '{agents: {list: [{id: "a"}]}, broadcast: {strategy: "parallel", peer: ["a", "x"]}}'
        self.assertEqual(issues(text), [("broadcast.peer.1", 'Unknown agent id "x" (not in agents.list).')])
