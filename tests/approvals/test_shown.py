"""
Tests of ``openclaw.approvals.shown``.
"""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.shown import escaped

#: What makes a prompt show another command than the one that runs.
MISLEADING = {
    "zero width space": "rm\u200b -rf /",
    "zero width joiner": "r\u200dm x",
    "byte order mark": "\ufeffls",
    "soft hyphen": "l\u00ads",
    "right to left override": "echo \u202esl\u202c",
    "isolate": "echo \u2066x\u2069",
    "arabic letter mark": "echo \u061c1",
    "line separator": "ls\u2028rm -rf /",
    "next line": "ls\u0085rm",
    "carriage return": "rm -rf /\rls      ",
    "backspace": "rm\x08\x08ls",
    "escape": "\x1b[2Kls",
    "newline": "ls\n\n\n\nrm -rf /",
    "no-break space": "rm\u00a0x",
    "ideographic space": "rm\u3000x",
    "hangul filler": "ls \u3164x",
    "half width filler": "ls \uffa0x",
    "braille blank": "ls \u2800x",
    "grapheme joiner": "l\u034fs",
    "variation selector": "l\ufe0fs",
    "tag": "ls \U000e0041",
    "full width": "\uff52\uff4d -rf /",
    "mathematical": "\U0001d42bm x",
    "cyrillic in a word": "\u0441url http://example.org",
    "lone surrogate": "ls \ud800",
}


class ShownTests(SynchronousTestCase):
    """
    What people read before they decide.
    """

    def test_ghsa_pcqg_f7rg_xfvv(self) -> None:
        """
        Nothing that misleads the eye is shown as it is.
        """
        for name, text in MISLEADING.items():
            shown = escaped(text)
            self.assertIn("\\u{", shown, name)
            self.assertTrue(shown.isascii() and shown.isprintable(), (name, shown))

    def test_as_it_is(self) -> None:
        """
        What can be read is not touched, in any alphabet.
        """
        for text in (
            "git commit -m 'fix: \\n in $HOME' && echo \"x\"",
            "echo gr\u00fc\u00dfe caf\u00e9 na\u00efve",
            "echo \u043f\u0440\u0438\u0432\u0435\u0442 \u4f60\u597d \u0645\u0631\u062d\u0628\u0627 \u3053\u3093",
            "touch '\u2764 notes.txt'",
        ):
            self.assertEqual(escaped(text), text)

    @given(st.text())
    def test_always_visible(self, text: str) -> None:
        """
        Whatever is asked, what is shown can be seen, and twice is as once.
        """
        shown = escaped(text)
        self.assertTrue(shown.isprintable())
        self.assertFalse([char for char in shown if unicodedata.category(char) in ("Cf", "Cc", "Zl", "Zp", "Cs")])
        self.assertEqual(escaped(shown), shown)
