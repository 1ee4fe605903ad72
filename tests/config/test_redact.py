"""
Tests for :mod:`openclaw.config.redact`.
"""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.loader import Snapshot, evaluate
from openclaw.config.redact import REDACTED, RedactedValueLost, redact, restore, restore_text, secret_values
from openclaw.config.tokens import decode

TEXT = """{
  // token: "hush-in-comment"
  gateway: {auth: {token: "hush-gateway", password: '${PASSWORD}'}}, // was hush-gateway before
  env: {SOME_KEY: "hush-env", vars: {OTHER: 'hush-vars'}},
  models: {providers: {
    x: {baseUrl: "http://x", apiKey: "hush-provider", headers: {A: "hush-header"}, models: [
      {id: "m", name: "M", headers: {B: "hush-model"}, maxTokens: 5},
    ]},
  }},
  channels: {
    telegram: {botToken: "hush-telegram", tokenFile: "/run/token"},
    discord: {token: "hush-discord", accounts: {a: {clientSecret: "hush-client"}}},
  },
  plugins: {entries: {p: {config: {apiKey: "hush-plugin", maxTokens: 5}}}},
  hooks: {token: "hush-hooks"},
  talk: {apiKey: "hush-talk"},
  oddToken: "hush-unknown",
}"""


def read(text: str) -> Snapshot:
    """
    A text as the content of the file.
    """
    return evaluate(text, Path("/c.json"), {"PASSWORD": "hush-password"}, Path("/h"))


class RedactTests(SynchronousTestCase):
    """
    What clients see.
    """

    def test_nothing_is_told(self) -> None:
        """
        No part of the payload holds a secret, neither of the file, nor of its comments, nor of the environment.
        """
        snapshot = read(TEXT)
        self.assertTrue(snapshot.valid, snapshot.issues)
        payload = redact(snapshot)
        self.assertNotIn("hush", json.dumps(payload))
        self.assertEqual(payload["hash"], snapshot.hash)
        self.assertEqual(payload["parsed"]["gateway"]["auth"]["password"], "${PASSWORD}")
        self.assertEqual(payload["config"]["gateway"]["auth"]["password"], REDACTED)
        self.assertEqual(payload["config"]["channels"]["telegram"]["tokenFile"], "/run/token")
        self.assertEqual(decode(payload["raw"]), payload["parsed"])

    def test_keep(self) -> None:
        """
        A path that the client may read stays.
        """
        payload = redact(read(TEXT), keep={"talk.apiKey"})
        self.assertEqual(payload["config"]["talk"]["apiKey"], "hush-talk")
        self.assertIn("hush-talk", payload["raw"])

    def test_broken_text(self) -> None:
        """
        Of a text that cannot be read nothing is shown.
        """
        payload = redact(read('{token: "hush'))
        self.assertEqual((payload["raw"], payload["parsed"], payload["valid"]), (None, {}, False))

    def test_invalid_text(self) -> None:
        """
        A text that is invalid for another reason is shown without its secrets.
        """
        payload = redact(read('{gateway: {port: "x", auth: {token: "hush"}}}'))
        self.assertIn('port: "x"', payload["raw"])
        self.assertNotIn("hush", json.dumps(payload))

    def test_round_trip(self) -> None:
        """
        What comes back as it was shown is what the file said, references and comments included.
        """
        snapshot = read(TEXT)
        payload = redact(snapshot)
        self.assertEqual(restore(payload["parsed"], snapshot.parsed), snapshot.parsed)
        restored = restore_text(payload["raw"], payload["parsed"], snapshot)
        self.assertEqual(restored, TEXT)

    def test_form(self) -> None:
        """
        From the effective form come back the references of the file.
        """
        snapshot = read(TEXT)
        restored = restore(redact(snapshot)["config"], snapshot.parsed, snapshot.config)
        self.assertEqual(restored["gateway"]["auth"], {"token": "hush-gateway", "password": "${PASSWORD}"})

    def test_moved_and_changed(self) -> None:
        """
        A client's own value wins, and an element that moved is found by its id.
        """
        old = {"list": [{"id": "a", "apiKey": "1"}, {"id": "b", "apiKey": "2"}], "token": "3"}
        new = {"list": [{"id": "b", "apiKey": REDACTED}], "token": "new"}
        self.assertEqual(restore(new, old), {"list": [{"id": "b", "apiKey": "2"}], "token": "new"})

    def test_lost(self) -> None:
        """
        A redacted value where there was none is refused, and never written.
        """
        error = self.assertRaises(RedactedValueLost, restore, {"a": {"token": REDACTED}}, {})
        self.assertIn("a.token", str(error))

    def test_values(self) -> None:
        """
        The values are found for whoever has to hide them elsewhere.
        """
        found = {value for _, value in secret_values(read(TEXT).config)}
        self.assertIn("hush-password", found)
        self.assertNotIn("/run/token", found)
