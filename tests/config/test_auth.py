"""
Tests for :mod:`openclaw.config.auth`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.auth import (
    AuthNotConfigured,
    BindRefused,
    ResolvedAuth,
    StartRefused,
    TailscaleRefused,
    WeakSecret,
    check_start,
    resolve_auth,
    weakness,
)
from openclaw.config.loader import evaluate
from openclaw.config.model import Config

STRONG = "0123456789abcdef0123456789abcdeg"


def model(text: str) -> Config:
    """
    The model of a text.
    """
    return evaluate(text, Path("/c.json"), {}, Path("/h")).require()


class ResolveTests(SynchronousTestCase):
    """
    Which credentials hold.
    """

    def test_token_precedence(self) -> None:
        """
        Command line, file, environment, old environment; an empty one counts as unset.
        """
        config = model('{gateway: {auth: {token: "file"}}}')
        environ = {"OPENCLAW_GATEWAY_TOKEN": "env", "CLAWDBOT_GATEWAY_TOKEN": "old"}
        self.assertEqual(resolve_auth(config, environ, token="cli").token, "cli")
        self.assertEqual(resolve_auth(config, environ, token=" ").token, "file")
        self.assertEqual(resolve_auth(Config(), environ).token, "env")
        self.assertEqual(resolve_auth(Config(), {**environ, "OPENCLAW_GATEWAY_TOKEN": " "}).token, "old")

    def test_mode(self) -> None:
        """
        The mode is told, or follows from what is known.
        """
        self.assertEqual(resolve_auth(Config(), {}).mode, "token")
        self.assertEqual(resolve_auth(Config(), {}, password="p").mode, "password")
        self.assertEqual(resolve_auth(model('{gateway: {auth: {mode: "token"}}}'), {}, password="p").mode, "token")
        self.assertEqual(resolve_auth(Config(), {}, mode="token", password="p").mode, "token")

    def test_tailscale(self) -> None:
        """
        Tailscale identity is allowed by default only when serving without a password.
        """
        serving = model('{gateway: {tailscale: {mode: "serve"}}}')
        self.assertTrue(resolve_auth(serving, {}).allow_tailscale)
        self.assertFalse(resolve_auth(serving, {}, password="p").allow_tailscale)
        self.assertFalse(resolve_auth(serving, {}, tailscale_mode="off").allow_tailscale)
        told = model('{gateway: {tailscale: {mode: "serve"}, auth: {allowTailscale: false}}}')
        self.assertFalse(resolve_auth(told, {}).allow_tailscale)

    def test_secrets_are_not_shown(self) -> None:
        """
        The text of what was resolved holds no secret.
        """
        self.assertNotIn("hush", repr(ResolvedAuth(mode="token", token="hush", password="hush")))


class StartTests(SynchronousTestCase):
    """
    Starts that are refused.
    """

    def refused(self, kind: type[StartRefused], text: str, auth: ResolvedAuth, **options: str) -> StartRefused:
        """
        The refusal of a start.
        """
        refusal: StartRefused = self.assertRaises(kind, check_start, model(text), auth, **options)
        return refusal

    def test_no_token(self) -> None:
        """
        Without a token the start is refused in the known words, also beyond loopback.
        """
        refusal = self.refused(AuthNotConfigured, "{}", ResolvedAuth(mode="token"), bind="lan")
        self.assertEqual(
            str(refusal),
            "Gateway auth is set to token, but no token is configured.\n"
            "Set gateway.auth.token (or OPENCLAW_GATEWAY_TOKEN), or pass --token.",
        )

    def test_no_password(self) -> None:
        """
        The same for a password, and Tailscale does not help.
        """
        refusal = self.refused(AuthNotConfigured, "{}", ResolvedAuth(mode="password", allow_tailscale=True))
        self.assertEqual(
            str(refusal),
            "Gateway auth is set to password, but no password is configured.\n"
            "Set gateway.auth.password (or OPENCLAW_GATEWAY_PASSWORD), or pass --password.",
        )

    def test_hint(self) -> None:
        """
        Someone who set the remote token is told that it is another one.
        """
        refusal = self.refused(AuthNotConfigured, '{gateway: {remote: {token: "x"}}}', ResolvedAuth(mode="token"))
        self.assertEqual(
            refusal.lines[-1],
            '"gateway.remote.token" is for remote CLI calls; it does not enable local gateway auth.',
        )

    def test_bind_without_secret(self) -> None:
        """
        Tailscale identity alone does not open other addresses.
        """
        refusal = self.refused(
            BindRefused, '{gateway: {bind: "lan"}}', ResolvedAuth(mode="token", allow_tailscale=True)
        )
        self.assertEqual(refusal.lines[0], "Refusing to bind gateway to lan without auth.")
        self.assertEqual(check_start(Config(), ResolvedAuth(mode="token", allow_tailscale=True)), ())

    def test_tailscale(self) -> None:
        """
        A funnel wants a password, and both ways of publishing want loopback.
        """
        auth = ResolvedAuth(mode="token", token=STRONG)
        refusal = self.refused(TailscaleRefused, "{}", auth, tailscale_mode="funnel")
        self.assertIn("tailscale funnel requires gateway auth mode=password", str(refusal))
        refusal = self.refused(TailscaleRefused, "{}", auth, tailscale_mode="serve", bind="lan")
        self.assertIn("requires gateway bind=loopback (127.0.0.1)", str(refusal))

    def test_weak(self) -> None:
        """
        A weak secret is a warning on loopback and refused beyond, without being told.
        """
        auth = ResolvedAuth(mode="token", token="short-one")
        [warning] = check_start(Config(), auth)
        self.assertIn("gateway.auth.token is weak: it has fewer than 16 characters.", warning)
        refusal = self.refused(WeakSecret, "{}", auth, bind="lan")
        self.assertNotIn("short-one", str(refusal))
        self.assertEqual(check_start(Config(), ResolvedAuth(mode="token", token=STRONG), bind="lan"), ())

    def test_placeholders(self) -> None:
        """
        Long placeholders are weak, real secrets are not.
        """
        for weak in ("changeme", "your-token-goes-here-please", "<put your token here>", "x" * 40, "secret-token-123"):
            self.assertIsNotNone(weakness(weak), weak)
        for strong in (STRONG, "correct horse battery staple", "aB3$kk09ZZqq1122"):
            self.assertIsNone(weakness(strong), strong)
