"""
The shells of this machine read command lines as ``openclaw.approvals.shell`` does.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.shell import parse

#: Two commands that show their words: each on a line of its own, and a line behind the last.
SHOW = """
a() {{ for word; do printf '%s\\n' "$word"; done >> shown; printf '<end>\\n' >> shown; }}
b() {{ a "$@"; }}
{}
"""

LINES = r"""
    a
    a x y
    a   x	y
    a;b
    a ; b ;
    a&&b
    a x && b y && a z
    a || b
    'a' x
    "a" x
    \a x
    a'' x
    ''a x
    a ''
    a "" '' ""
    a 'x y' "z  w"
    a x'y'"z"\w
    a 'it'\''s'
    a "it's" 'say "x"'
    a "a\\b" 'a\\b' a\\b
    a "a\b" 'a\b' a\b
    a "\"" "\`" "\$" "\\"
    a "\'" "\n" "\t" "\x"
    a \' \" \\ \$ \` \; \& \| \( \) \< \> \# \~ \* \? \[ \{ \}
    a '$x' '$(b)' '`b`' '${x}' '$((1))'
    a '>' '<' '|' ';' '&' '(b)' '{b,a}' '*' '~' '#'
    a ">" "<" "|" ";" "&" "(b)" "{b,a}" "*" "~" "#"
    a x#y 'x'#y \#x
    a x=y x='y z' =
    a ! !x x!
    a -n -- --x=y
    a x~ x~y "~" '~/x' \~
    a @ % + , . / : - _
    a if then fi do done
    a 1 2 3
    a x]y
    a \ x
    a x\ y\ z
    a 'x'	'y'
    a x;b y;a z;
    a x\;b
    a grüße 你好
"""


class ShellTests(SynchronousTestCase):
    """
    Lines that are read at all.
    """

    def shown(self, shell: str, line: str) -> list[list[str]]:
        log = self.root / "shown"
        log.unlink(missing_ok=True)
        subprocess.run([shell, "-c", SHOW.format(line)], cwd=self.root, check=True, stdin=subprocess.DEVNULL)
        return [part.splitlines() for part in log.read_text().split("<end>\n")[:-1]]

    def setUp(self) -> None:
        self.root = Path(self.mktemp()).absolute()
        self.root.mkdir()

    def test_as_shells_read(self) -> None:
        """
        Each shell gives the programs the words that were read here.
        """
        shells = [path for name in ("sh", "bash", "zsh", "ksh") if (path := shutil.which(name)) is not None]
        self.assertTrue(shells)
        for line in filter(None, map(str.strip, LINES.splitlines())):
            words = [segment.argv[1:] for segment in parse(line)]
            for shell in shells:
                ran = words[:1] if "||" in line.split() else words
                self.assertEqual(self.shown(shell, line), [[*argv] for argv in ran], (shell, line))
