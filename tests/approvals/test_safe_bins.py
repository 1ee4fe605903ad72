"""
Tests of ``openclaw.approvals.safe_bins``.
"""

from __future__ import annotations

import shlex

from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.safe_bins import DEFAULT, is_safe

HARMLESS = r"""
    jq .
    jq -r .name
    jq -rc '.items[] | .id'
    jq --raw-output .
    jq --indent 2 .
    grep foo
    grep -i foo
    grep -ivn foo
    grep -e foo
    grep -efoo
    grep -A 3 foo
    grep -A3 foo
    grep -m1 -e foo -e bar
    grep --max-count=3 foo
    grep --regexp=foo
    grep --regexp foo
    cut -d, -f1
    cut -d , -f 1
    cut --delimiter=, --fields=1
    sort
    sort -nr
    sort -k2 -t,
    sort --key=2 --reverse
    uniq
    uniq -c
    uniq -f 1
    head
    head -5
    head -n 5
    head -n5
    head --lines=5
    tail -n +5
    tail -c 10
    tr a-z A-Z
    tr -d x
    tr -cd '[:alnum:]'
    wc
    wc -l
    wc -lwc
"""

HARMFUL = r"""
    jq . file
    jq . /etc/passwd
    jq -f file
    jq --from-file x
    jq --rawfile a /etc/passwd .
    jq --slurpfile a x .
    jq -L /tmp .
    jq env
    jq '.x, env.HOME'
    jq $ENV
    jq '$ENV.SECRET'
    jq 'import "a" as a; .'
    jq 'include "a"; .'
    jq input_filename
    jq --arg a b . file
    grep foo file
    grep foo .
    grep -r foo
    grep -R foo
    grep -f file
    grep -ffile
    grep -if file
    grep --file=x
    grep --fil=x
    grep -e foo file
    grep -efoo file
    grep --regexp=foo file
    grep --include=x foo
    grep --recursive foo
    grep -d recurse foo
    grep -- foo file
    grep -e
    grep -A
    cut -f1 file
    cut -f1 -- file
    cut -d
    sort file
    sort -o out
    sort -oout
    sort -nro out
    sort --output=out
    sort --outp=out
    sort --compress-program=id
    sort --compress-prog=id
    sort --compress-prog id
    sort --comp=id
    sort -T /tmp
    sort --files0-from=x
    sort --random-source=x
    sort --rev
    sort --reverse=x
    sort --parallel=4
    uniq in out
    uniq out
    uniq - out
    head file
    head -n 5 file
    head -n
    head /etc/shadow
    tail -f
    tail -F x
    tail --follow
    tail --pid=1
    tail file
    tr a b file
    wc file
    wc --files0-from=x
    wc -l file
    wc -
    ls
    cat
    sed p
"""


class SafeBinTests(SynchronousTestCase):
    """
    What works on its input alone.
    """

    def safe(self, line: str, directory: str = "/usr/bin") -> bool:
        argv = shlex.split(line)
        return is_safe(argv, f"{directory}/{argv[0]}", DEFAULT)

    def test_harmless(self) -> None:
        """
        Options that only say how the input is read are harmless.
        """
        for line in filter(None, map(str.strip, HARMLESS.splitlines())):
            self.assertTrue(self.safe(line), line)

    def test_cve_2026_28363(self) -> None:
        """
        What reads or writes files, runs something or is not known, shortened or not, is none of it.
        """
        for line in filter(None, map(str.strip, HARMFUL.splitlines())):
            self.assertFalse(self.safe(line), line)

    def test_only_the_systems(self) -> None:
        """
        A program that only has the name is another one.
        """
        for directory in ("/tmp", "/w", "/home/me/bin", "/usr/bin/x"):
            self.assertFalse(self.safe("wc -l", directory))
        self.assertFalse(is_safe(["./wc", "-l"], "/usr/bin/wc", DEFAULT))

    def test_configured(self) -> None:
        """
        Of a program that is not known only the bare name is harmless; one that the list leaves out is not.
        """
        self.assertTrue(is_safe(["date"], "/bin/date", ["date"]))
        self.assertFalse(is_safe(["date", "-f", "x"], "/bin/date", ["date"]))
        self.assertFalse(is_safe(["wc"], "/bin/wc", ["date"]))
