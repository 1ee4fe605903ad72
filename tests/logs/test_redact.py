"""
Secrets do not get through.
"""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.logs.redact import BadPattern, Redactor, compile_pattern, mask

LONG = "q7Jd02kLmzP4xVbN8sRt"


class ValueTests(SynchronousTestCase):
    """
    What is known to be a secret.
    """

    def test_replaced_whole(self) -> None:
        """
        A registered secret leaves nothing behind, however often it stands in the text.
        """
        redact = Redactor()
        redact.add(LONG)
        self.assertEqual(redact(f"<{LONG}> and {LONG}{LONG}"), "<***> and ******")

    def test_other_spellings(self) -> None:
        """
        The secret is also found as JSON and as a URL write it.
        """
        redact = Redactor()
        redact.add('pa"ss word/+')
        self.assertEqual(redact(r'{"x":"pa\"ss word/+"} ?x=pa%22ss%20word%2F%2B'), '{"x":"***"} ?x=***')

    def test_longest_first(self) -> None:
        """
        A secret that contains another is replaced as one.
        """
        redact = Redactor()
        redact.add("abcdefgh")
        redact.add("abcdefghijkl")
        self.assertEqual(redact("abcdefghijkl"), "***")

    def test_short_ones_stand_alone(self) -> None:
        """
        A short secret is replaced as a word, and words that contain it stay.
        """
        redact = Redactor()
        redact.add("cat")
        self.assertEqual(redact("cat catalogue (cat)"), "*** catalogue (***)")

    def test_empty_is_unset(self) -> None:
        """
        Neither an empty secret nor none changes anything.
        """
        redact = Redactor()
        redact.add("")
        redact.add(None)
        self.assertEqual(redact("text"), "text")

    def test_values_without_shapes(self) -> None:
        """
        Values are replaced when looking for shapes is switched off.
        """
        redact = Redactor(shapes=False)
        redact.add(LONG)
        self.assertEqual(redact(f"{LONG} password=visible"), "*** password=visible")

    def test_not_shown_itself(self) -> None:
        """
        The redactor's own text tells no secret.
        """
        redact = Redactor()
        redact.add(LONG)
        self.assertNotIn(LONG, repr(redact))

    @given(st.text(min_size=1, max_size=20), st.text(max_size=20), st.text(max_size=20))
    @settings(max_examples=50, derandomize=True, deadline=None)
    def test_never_survives(self, secret: str, before: str, after: str) -> None:
        """
        A registered secret that stands alone is gone, whatever surrounds it.
        """
        redact = Redactor(shapes=False)
        redact.add(secret)
        if secret not in "***" and secret not in before + " " and secret not in after + " ":
            self.assertNotIn(f" {secret} ", redact(f"{before} {secret} {after}").replace("***", ""))


class ShapeTests(SynchronousTestCase):
    """
    What looks like a secret.
    """

    def assert_hidden(self, text: str, secret: str) -> None:
        redacted = Redactor()(text)
        self.assertNotIn(secret, redacted)
        self.assertEqual(Redactor()(redacted), redacted, "redacting twice changes nothing more")

    def test_shapes(self) -> None:
        """
        Every built-in shape is masked.
        """
        for text in (
            f"OPENAI_API_KEY={LONG}",
            f"export GATEWAY_TOKEN='{LONG}'",
            f"password: {LONG}",
            f"http://host/?token={LONG}&x=1",
            f"http://host/#token={LONG}",
            f'{{"apiKey":"{LONG}"}}',
            f'{{"accessToken": "{LONG}", "n": 1}}',
            f'{{\\"token\\":\\"{LONG}\\"}}',
            f"{{'password': '{LONG}'}}",
            f"openclaw --token {LONG} run",
            f"openclaw --password={LONG}",
            f"Authorization: Bearer {LONG}",
            f"authorization: basic {LONG}==",
            f"sent Bearer {LONG}",
            f"sk-{LONG}",
            f"ghp_{LONG}{LONG}",
            f"github_pat_{LONG}",
            f"xoxb-{LONG}",
            f"xapp-{LONG}",
            f"gsk_{LONG}",
            f"AIza{LONG}",
            f"pplx-{LONG}",
            f"npm_{LONG}",
            f"1234567:{LONG}{LONG}",
        ):
            self.assert_hidden(text, LONG)

    def test_private_key(self) -> None:
        """
        Of a private key its first and last line stay.
        """
        key = f"-----BEGIN EC PRIVATE KEY-----\n{LONG}\n{LONG}\n-----END EC PRIVATE KEY-----"
        expected = "-----BEGIN EC PRIVATE KEY-----\n…redacted…\n-----END EC PRIVATE KEY-----"
        self.assertEqual(Redactor()(f"a {key} b"), f"a {expected} b")

    def test_masks(self) -> None:
        """
        Short secrets vanish; of longer ones six characters and four are shown.
        """
        self.assertEqual(mask("a" * 17), "***")
        self.assertEqual(mask("abcdef-0123456789-wxyz"), "abcdef…wxyz")

    def test_what_operators_need(self) -> None:
        """
        Session keys, reasons and counts are no secrets.
        """
        for text in (
            "sessionKey=agent:main:main mainKey=main publicKey=abc idempotencyKey=k-1",
            "unauthorized conn=1 reason=token_mismatch auth=token client=cli",
            "maxTokens=4096 Unknown key: gateway.prot",
            "[ws] ⇄ res ✓ health 1ms id=r1",
        ):
            self.assertEqual(Redactor()(text), text)

    def test_patterns_are_added(self) -> None:
        """
        Patterns of the configuration mask besides the built-in ones, in both spellings.
        """
        redact = Redactor()
        redact.use_patterns(["case-(\\d+)", "/PIN-(?<pin>[0-9]+)/"])
        self.assertEqual(redact("CASE-12 PIN-34 pin-56 token=x1"), "CASE-*** PIN-*** pin-56 token=***")

    def test_bad_pattern(self) -> None:
        """
        What is no expression is refused by name, and changes nothing.
        """
        redact = Redactor()
        error = self.assertRaises(BadPattern, redact.use_patterns, ["x", "("])
        self.assertIn("'('", str(error))
        self.assertEqual(redact("x"), "x")
        self.assertEqual(compile_pattern("/a/").flags & 2, 0)

    def test_hostile_text_is_quick(self) -> None:
        """
        No built-in pattern takes long over text that is made to keep it searching.
        """
        redact = Redactor()
        for text in ("-----BEGIN PRIVATE KEY-----", "\\", "token", "key ", "A", "--token ", "'token' ", "1", "Bearer "):
            started = time.process_time()
            redact((text * 40_000)[:40_000])
            self.assertLess(time.process_time() - started, 0.5, text)
