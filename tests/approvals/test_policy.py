"""
Tests of ``openclaw.approvals.policy`` and of what it asks: which commands run unasked.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals import policy
from openclaw.approvals.file import approvals_path, read_approvals
from openclaw.approvals.policy import (
    Rules,
    Surroundings,
    Use,
    more_asking,
    rules_for,
    rules_of,
    stricter,
    undecided,
    weigh,
)
from openclaw.approvals.shell import NotAnalysable, parse
from tests.approvals.commands import CARRIED, TABLE, UNCERTAIN, WRAPPED

EVERYTHING = {"version": 1, "agents": {"*": {"allowlist": [{"id": "e1", "pattern": "/usr/bin/**"}]}}}
AROUND = Surroundings(cwd=Path("/w"), home=Path("/home/me"), search=["/usr/bin"], ignore_case=False)
NOBODY = "/usr/bin/nosuchprogram"


def found(word: str, cwd: Path, search: Sequence[str]) -> str | None:
    """
    A machine on which every program of the tables is in ``/usr/bin``, apart from one.
    """
    if word.startswith("/"):
        return word
    path = f"{cwd}/{word.removeprefix('./')}" if "/" in word else f"/usr/bin/{word}"
    return None if path == NOBODY or word in ("LS", "x" * 20_000) else path


class PolicyCase(SynchronousTestCase):
    """
    Decides on a machine of its own.
    """

    def setUp(self) -> None:
        self.patch(policy, "resolve", found)

    def rules(self, content: Any = None, **configured: str) -> Rules:
        return rules_for(EVERYTHING if content is None else content, "main", **{"security": "allowlist", **configured})

    def kind(self, command: str, content: Any = None, **configured: str) -> str:
        return weigh(command, self.rules(content, **configured), AROUND).kind


class TableTests(PolicyCase):
    """
    The tables of command lines.
    """

    def test_segments(self) -> None:
        """
        Each line is read as the shell reads it, or not at all.
        """
        for line, segments, _ in TABLE:
            try:
                now: Any = [segment.argv for segment in parse(line)]
            except NotAnalysable as error:
                self.assertTrue(str(error).isprintable() and str(error).endswith("."))
                now = None
            self.assertEqual(now, segments, repr(line))

    def test_decisions(self) -> None:
        """
        Each line runs or is asked for; where nobody may be asked, it does not run.
        """
        self.assertGreater(len(TABLE), 300)
        for line, _, decision in TABLE:
            self.assertEqual(self.kind(line), decision, repr(line))
            self.assertEqual(self.kind(line, ask="off"), {"run": "run", "ask": "deny"}[decision], repr(line))
            self.assertEqual(self.kind(line, ask="always"), "ask", repr(line))
            self.assertEqual(self.kind(line, security="full"), "run", repr(line))
            self.assertEqual(self.kind(line, security="deny", ask="always"), "deny", repr(line))

    def test_ghsa_9r3v_37xh_2cf6(self) -> None:
        """
        However a line hides what it runs, it does not run unasked, and leave for it is not kept (lesson F2).
        """
        # A backslash at the end would make the space behind it a word.
        for line, _, _ in [row for row in [*UNCERTAIN[2:], *WRAPPED, *CARRIED] if not row[0].endswith("\\")]:
            for hidden in (line, f"ls; {line}", f"ls && {line}", f"{line} ; cat", f"  {line}"):
                verdict = weigh(hidden, self.rules(), AROUND)
                self.assertEqual((verdict.kind, verdict.remembered), ("ask", []), repr(hidden))

    def test_cve_2026_28363(self) -> None:
        """
        Options that run something do so also shortened, and are seen as such.
        """
        for name in ("compress-program", "compress-prog", "compress-p", "compr", "co"):
            for line in (f"sort --{name}=id x", f"sort --{name} id x", f"sort -u --{name}=id"):
                self.assertEqual(self.kind(line), "ask", line)
                self.assertEqual(self.kind(line, {}), "ask", line)

    def test_ghsa_f8r2_vg7x_gh8m(self) -> None:
        """
        A pattern names what it says: no other directory, no other case, no wrapper.
        """

        def kind(pattern: str, command: str) -> str:
            return self.kind(command, {"agents": {"main": {"allowlist": [{"pattern": pattern}]}}})

        for pattern, command, decision in (
            ("/usr/bin/ls", "ls", "run"),
            ("/usr/bin/ls", "/usr/bin/lsx", "ask"),
            ("/usr/bin/ls", "/tmp/usr/bin/ls", "ask"),
            ("/usr/bin/ls", "/USR/bin/ls", "ask"),
            ("/usr/bin/l?", "ls", "run"),
            ("/usr?bin/ls", "ls", "ask"),
            ("/usr/*/ls", "ls", "run"),
            ("/*/ls", "ls", "ask"),
            ("/**/ls", "ls", "run"),
            ("/usr/bin*", "ls", "ask"),
            ("/usr/bin/*", "/usr/bin/x/ls", "ask"),
            ("ls", "ls", "ask"),
            ("*", "ls", "ask"),
            ("**", "ls", "ask"),
            ("/usr/bin/[l]s", "ls", "ask"),
            ("/usr/bin/.s", "ls", "ask"),
            ("~/bin/*", "/home/me/bin/x", "run"),
            ("~/bin/*", "/home/you/bin/x", "ask"),
            ("/usr/bin/env", "env ls", "ask"),
            ("/usr/bin/bash", "bash -c ls", "ask"),
            ("/bin/zsh", "/bin/zsh -lc ls", "ask"),
            ("/usr/bin/python3", "python3 x.py", "ask"),
            ("/usr/bin/*", "sudo ls", "ask"),
        ):
            self.assertEqual(kind(pattern, command), decision, (pattern, command))


class RulesTests(PolicyCase):
    """
    Which rules hold.
    """

    def test_levels(self) -> None:
        """
        An agent's own rules come before those of all, these before the defaults; of two sides the stricter counts.
        """
        content: dict[str, Any] = {
            "defaults": {"security": "full", "ask": "off", "askFallback": "full"},
            "agents": {"*": {"security": "allowlist", "autoAllowSkills": True}, "main": {"ask": "always"}},
        }
        rules = rules_for(content, "main", security="full", ask="off")
        told = (rules.security, rules.ask, rules.ask_fallback, rules.auto_allow_skills)
        self.assertEqual(told, ("allowlist", "always", "full", True))
        rules = rules_for(content, "other", security="deny", ask="on-miss")
        self.assertEqual((rules.security, rules.ask), ("deny", "on-miss"))

    def test_nothing_said(self) -> None:
        """
        Nothing is allowed where nobody has said anything; what only one side says counts.
        """
        odd: list[dict[str, Any]] = [{}, {"agents": []}, {"defaults": "x", "agents": {"main": "y"}}]
        for content in odd:
            rules = rules_for(content, "main")
            self.assertEqual((rules.security, rules.ask, rules.ask_fallback), ("deny", "on-miss", "deny"))
        self.assertEqual(rules_for({}, "main", security="allowlist", ask="off").security, "allowlist")

    def test_not_understood(self) -> None:
        """
        A file that cannot be understood may have said that nothing runs, so nothing does, whatever is configured.
        """
        path = approvals_path(Path(self.mktemp()))
        for text, security in ((None, "full"), ("{", "deny"), ('{"version": 2}', "deny"), ('{"version": 1}', "full")):
            if text is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            rules = rules_of(read_approvals(path), "main", security="full", ask="off")
            self.assertEqual(rules.security, security, text)

    def test_unknown_words(self) -> None:
        """
        A level that nobody knows is the strictest.
        """
        self.assertEqual((stricter("ful", "full"), more_asking("never", "off")), ("deny", "always"))
        rules = rules_for({"defaults": {"security": 5, "askFallback": "yes"}}, "main", security="full")
        self.assertEqual((rules.security, rules.ask_fallback), ("deny", "deny"))

    def test_both_lists(self) -> None:
        """
        The list of all agents counts for each, the one of an agent for it alone.
        """
        content = {
            "agents": {
                "*": {"allowlist": [{"pattern": "/usr/bin/ls"}, "junk", {"pattern": 5}]},
                "default": {"allowlist": [{"pattern": "/usr/bin/date"}]},
                "other": {"allowlist": [{"pattern": "/usr/bin/id"}]},
            }
        }
        self.assertEqual([self.kind(command, content) for command in ("ls", "date", "id")], ["run", "run", "ask"])

    def test_nobody_decided(self) -> None:
        """
        Without a decision what the rules say for that case.
        """
        for fallback, expected in (("deny", [False, False]), ("allowlist", [True, False]), ("full", [True, True])):
            content = {**EVERYTHING, "defaults": {"askFallback": fallback}}
            rules = self.rules(content, ask="always")
            verdicts = [weigh(command, rules, AROUND) for command in ("ls", "bash -c ls")]
            self.assertEqual([undecided(verdict, rules) for verdict in verdicts], expected, fallback)

    def test_texts(self) -> None:
        """
        The model is told why it may not in the known words.
        """
        self.assertEqual(
            weigh("ls", self.rules(security="deny"), AROUND).reason, "exec denied: host=gateway security=deny"
        )
        self.assertEqual(weigh("ls", self.rules({}, ask="off"), AROUND).reason, "exec denied: allowlist miss")


class SkillTests(PolicyCase):
    """
    Programs that skills need.
    """

    def test_allowed(self) -> None:
        """
        They run where the rules say so, by their name from the path alone, and never a wrapper.
        """
        around = Surroundings(
            cwd=Path("/usr/bin/w"), home=Path("/"), search=[], skill_bins={"ffmpeg", "python3", "./ffmpeg"}
        )
        for auto, command, decision in (
            (True, "ffmpeg -i x", "run"),
            (False, "ffmpeg -i x", "ask"),
            (True, "/tmp/ffmpeg -i x", "ask"),
            (True, "./ffmpeg -i x", "ask"),
            (True, "python3 x", "ask"),
        ):
            content = {"defaults": {"autoAllowSkills": auto}}
            self.assertEqual(weigh(command, self.rules(content), around).kind, decision, command)


class RememberTests(PolicyCase):
    """
    What "always" adds.
    """

    def use(self, content: dict[str, Any], command: str) -> dict[str, Any]:
        verdict = weigh(command, self.rules(content), AROUND)
        use = Use(
            agent_id="main",
            command=command,
            now_ms=7,
            used=verdict.used,
            remembered=verdict.remembered,
            make_id=lambda: "new",
        )
        return use(content)

    def test_whole_chain(self) -> None:
        """
        Every program of the line that was missed is added, and the same line asks no more.
        """
        content = self.use({"agents": {}, "more": 1}, "uname -s && whoami | whoami")
        entries = [
            {"id": "new", "pattern": path, "lastUsedAt": 7, "lastUsedCommand": "uname -s && whoami | whoami"}
            for path in ("/usr/bin/uname", "/usr/bin/whoami")
        ]
        self.assertEqual(content, {"agents": {"main": {"allowlist": entries}}, "more": 1})
        self.assertEqual(self.kind("uname -s && whoami", content), "run")

    def test_used(self) -> None:
        """
        Entries that let something run say when, and keep what else they have, in whichever list they stand.
        """
        entry = {"id": "e", "pattern": "/usr/bin/ls", "note": "mine"}
        content: dict[str, Any] = {"agents": {"*": {"allowlist": [entry]}, "main": {"x": 1}}}
        after = self.use(content, "ls -l")
        told = {"lastUsedAt": 7, "lastUsedCommand": "ls -l", "lastResolvedPath": "/usr/bin/ls"}
        self.assertEqual(after["agents"], {"*": {"allowlist": [{**entry, **told}]}, "main": {"x": 1}})

    def test_never(self) -> None:
        """
        One program among them that cannot be kept, and nothing is.
        """
        self.patch(policy, "resolve", lambda word, cwd, search: word)
        for command in (
            "/usr/bin/uname && /bin/bash -c x",
            "/usr/bin/uname | /usr/bin/xargs rm",
            "/usr/bin/uname > x",
            "/odd/na\\*me",
            "/odd/na\\?me",
            "/w/made-here",
        ):
            self.assertEqual(weigh(command, self.rules({}), AROUND).remembered, [], command)
        self.assertEqual(weigh("/odd/name", self.rules({}), AROUND).remembered, ["/odd/name"])

    def test_secrets(self) -> None:
        """
        What is kept of a command has no secrets, and an end.
        """
        content = self.use({}, "curl -H 'Authorization: Bearer sk-abcdefghijklmnopqrstuvwxyz' " + "x" * 2000)
        (entry,) = content["agents"]["main"]["allowlist"]
        self.assertNotIn("ghijklmnopqrst", entry["lastUsedCommand"])
        self.assertEqual(len(entry["lastUsedCommand"]), 500)


HIDDEN = ["$(id)", "`id`", "$HOME", "<(id)", ">x", "(id)"]
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)


def is_text(line: str, place: int) -> bool:
    """
    Whether the shell takes the character at a place as it is.
    """
    quote, escaped = "", False
    for at, char in enumerate(line):
        if at == place:
            return escaped or quote == "'" or (quote == '"' and char in "<>()")
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif char in "'\"" and quote in ("", char):
            quote = "" if quote else char
    raise AssertionError


class ParserTests(PolicyCase):
    """
    Any text.
    """

    @given(st.lists(WORDS, min_size=1))
    def test_round_trip(self, words: list[str]) -> None:
        """
        What is quoted for the shell is read as what it was.
        """
        (segment,) = parse(shlex.join(["ls", *words]))
        self.assertEqual(segment.argv, ["ls", *words])
        # In zsh a word that begins with "=" is another one.
        self.assertEqual(segment.expands, any(shlex.quote(word).startswith("=") for word in words))

    @given(st.text())
    def test_as_shlex(self, line: str) -> None:
        """
        Whatever is read at all has the words that another reader of shell lines finds.
        """
        try:
            segments = parse(line)
        except NotAnalysable:
            return
        other = shlex.shlex(line, posix=True, punctuation_chars=";|&")
        other.whitespace_split, other.commenters = True, ""
        mine = [word for segment in segments for word in segment.argv]
        theirs = [token for token in other if token not in (";", "|", "||", "&&")]
        self.assertEqual(mine, theirs)

    @given(st.text("ls '\"\\;&|x"), st.sampled_from(HIDDEN), st.text("l '\"\\;&|x"))
    def test_substitution(self, before: str, hidden: str, after: str) -> None:
        """
        Nothing with a substitution or a redirection runs unasked: where one is read it is only text within quotes.
        """
        line = before + hidden + after
        try:
            parse(line)
        except NotAnalysable:
            self.assertEqual(self.kind(line), "ask")
        else:
            self.assertTrue(is_text(line, len(before)), line)
