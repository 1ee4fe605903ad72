"""
What ``openclaw gateway`` says when it has started.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import build
from openclaw.gateway.announce import announcement, model_line


class ModelLineTests(SynchronousTestCase):
    """
    The model that the console names is the one that will answer.
    """

    def line(self, effective: dict[str, Any], **environ: str) -> str:
        return model_line(build(effective), environ)

    def test_nothing(self) -> None:
        """
        Without model and key it is the built-in one, and said so.
        """
        self.assertEqual(self.line({}), "builtin/echo (none configured)")

    def test_found_by_its_key(self) -> None:
        """
        A provider's key in the environment is enough.
        """
        self.assertEqual(self.line({}, OPENAI_API_KEY="key-of-a-test"), "openai/gpt-5.2")

    def test_configured(self) -> None:
        """
        The configured one goes before that, the default agent's own before all.
        """
        agents: dict[str, Any] = {"defaults": {"model": {"primary": "local/mine"}}}
        self.assertEqual(self.line({"agents": agents}, OPENAI_API_KEY="key-of-a-test"), "local/mine")
        agents["list"] = [{"id": "work", "model": "local/work"}]
        self.assertEqual(self.line({"agents": agents}), "local/work")

    def test_unreadable(self) -> None:
        """
        A reference that cannot be read does not keep the gateway from starting.
        """
        self.assertIn("/", self.line({"agents": {"defaults": {"model": {"primary": "/"}}}}))


class AnnouncementTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """
        Every address is told in the words that scripts wait for, then where the log is and how to go on.
        """
        addresses: list[IPv4Address | IPv6Address] = [
            IPv4Address("TCP", "100.101.102.103", 5),
            IPv4Address("TCP", "127.0.0.1", 5),
        ]
        addresses.append(IPv6Address("TCP", "::1", 5))
        lines = list(announcement(build({}), {"OPENCLAW_PROFILE": "dev"}, addresses, Path("/var/log/x")))
        self.assertEqual(
            lines,
            [
                "agent model: builtin/echo (none configured)",
                f"listening on ws://100.101.102.103:5 (PID {os.getpid()})",
                "listening on ws://127.0.0.1:5",
                "listening on ws://[::1]:5",
                "log file: /var/log/x",
                "dashboard: http://127.0.0.1:5/ (openclaw --dev dashboard prints the address with the token)",
                "talk to it: openclaw --dev agent --message hi",
            ],
        )
        self.assertEqual(len(list(announcement(build({}), {}, addresses[:1], None))), 4)
        with_tls = list(announcement(build({}), {}, addresses[1:2], None, "ab12"))
        self.assertEqual(
            with_tls[1:4],
            [
                f"listening on wss://127.0.0.1:5 (PID {os.getpid()})",
                "certificate fingerprint (SHA-256, for gateway.remote.tlsFingerprint): ab12",
                "dashboard: https://127.0.0.1:5/ (openclaw dashboard prints the address with the token)",
            ],
        )
