"""
Tests for :mod:`openclaw.config.loader`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.issues import ConfigInvalid
from openclaw.config.loader import EMPTY_HASH, Snapshot, evaluate, load

FILE = Path("/etc/openclaw.json")
HOME = Path("/home/u")


def read(text: str, **environ: str) -> Snapshot:
    """
    A text as the content of the file.
    """
    return evaluate(text, FILE, environ, HOME)


#: Input, path and message as recorded from the reference.
RECORDED = [
    ('{ "gateway": { "port": 1', "", "JSON5 parse failed: SyntaxError: JSON5: invalid end of input at 1:25"),
    ("", "", "JSON5 parse failed: SyntaxError: JSON5: invalid end of input at 1:1"),
    ("{ not json", "", "JSON5 parse failed: SyntaxError: JSON5: invalid character 'j' at 1:7"),
    ('{gateway: {port: "x"}}', "gateway.port", "Invalid input: expected number, received string"),
    ("{gateway: {port: -1}}", "gateway.port", "Too small: expected number to be >0"),
    ("{gateway: {port: 1.5}}", "gateway.port", "Invalid input: expected int, received number"),
    ('{gateway: {bind: "moon"}}', "gateway.bind", "Invalid input"),
    ("[]", "", "Invalid input: expected object, received array"),
    ("null", "", "Invalid input: expected object, received null"),
    ('"x"', "", "Invalid input: expected object, received string"),
    (
        '{gateway: {auth: {token: "${NOPE_TOKEN}"}}}',
        "",
        'Missing env var "NOPE_TOKEN" referenced at config path: gateway.auth.token',
    ),
    (
        '{gateway: {token: "t"}}',
        "gateway.token",
        "gateway.token is ignored; use gateway.auth.token instead (auto-migrated on load).",
    ),
    (
        '{tools: {allow: ["a"], alsoAllow: ["b"]}}',
        "tools",
        (
            "tools cannot set both allow and alsoAllow in the same scope (merge alsoAllow into allow, or remove allow"
            " and use profile + alsoAllow)"
        ),
    ),
]


class IssueTests(SynchronousTestCase):
    """
    What is said of a file that cannot be used.
    """

    def test_recorded_messages(self) -> None:
        """
        Path and message are those that clients know.
        """
        for text, path, message in RECORDED:
            snapshot = read(text)
            self.assertFalse(snapshot.valid, text)
            self.assertEqual([issue.payload() for issue in snapshot.issues], [{"path": path, "message": message}])
            self.assertIsNone(snapshot.model)

    def test_location(self) -> None:
        """
        An issue names file, line and column, and what was expected.
        """
        [issue] = read('{\n  // the port\n  gateway: { "port": true },\n}').issues
        self.assertEqual(str(issue.location), "/etc/openclaw.json:3:22")
        self.assertEqual(
            issue.line(),
            "/etc/openclaw.json:3:22: gateway.port: Invalid input: expected number, received boolean",
        )
        [issue] = read("{gateway: {port: 0}}").issues
        self.assertIn("(expected a whole number above 0 to 65535)", issue.line())

    def test_every_issue_at_once(self) -> None:
        """
        All wrong values are told together.
        """
        snapshot = read('{gateway: {port: "x", bind: 5}, agents: {list: [{id: "a"}, {}]}}')
        self.assertEqual(
            [issue.path for issue in snapshot.issues], ["agents.list.1.id", "gateway.port", "gateway.bind"]
        )

    def test_require(self) -> None:
        """
        Asking for the model of a bad file raises the reasons.
        """
        error = self.assertRaises(ConfigInvalid, read("[]").require)
        self.assertIn("Invalid config at /etc/openclaw.json.", str(error))

    def test_duplicates_and_numbers(self) -> None:
        """
        A key that stands twice, and numbers that are none, are errors with a place.
        """
        [issue] = read("{a: 1,\n a: 2}").issues
        self.assertIn("duplicate key 'a' at 2:2", issue.message)
        [issue] = read("{a: NaN}").issues
        self.assertIn("invalid number 'NaN' at 1:5", issue.message)

    def test_deep_nesting(self) -> None:
        """
        A hostile depth is an issue, not a crash.
        """
        self.assertFalse(read("[" * 100000).valid)


class UnknownKeyTests(SynchronousTestCase):
    """
    Keys that nothing reads.
    """

    def test_warning(self) -> None:
        """
        The file loads, with a warning that says where and suggests what was meant.
        """
        snapshot = read("{gateway: {portt: 1}}")
        self.assertTrue(snapshot.valid)
        [warning] = snapshot.warnings
        self.assertEqual(warning.path, "gateway")
        self.assertEqual(warning.message, 'Unrecognized key: "portt" (did you mean "port"?)')
        self.assertEqual(str(warning.location), "/etc/openclaw.json:1:12")

    def test_several(self) -> None:
        """
        The unknown keys of one object are told in one message.
        """
        self.assertEqual(read("{qa: 1, qb: 2}").unknown[0].message, 'Unrecognized keys: "qa", "qb"')

    def test_unknown_channel(self) -> None:
        """
        A channel that we do not know is told by its id.
        """
        [warning] = read("{channels: {foo: {}}}").warnings
        self.assertEqual((warning.path, warning.message), ("channels.foo", "unknown channel id: foo"))

    def test_free_keys(self) -> None:
        """
        Variables, provider names, tls extras and the keys of other channels are nobody's business.
        """
        text = """{
          env: {MY_KEY: "a", vars: {OTHER: "b"}},
          gateway: {tls: {whatever: 1}},
          channels: {discord: {token: "x", anything: {goes: 1}}},
          broadcast: {"123@g.us": []},
          models: {providers: {my: {baseUrl: "http://x", models: []}}},
        }"""
        snapshot = read(text)
        self.assertEqual((snapshot.issues, snapshot.warnings), ((), ()))


class WarningTests(SynchronousTestCase):
    """
    What a reader should know of a file that loads.
    """

    def test_newer_writer(self) -> None:
        """
        A file that a newer release has written is told; that of an older one, or of none, is not.
        """
        [warning] = read('{meta: {lastTouchedVersion: "9999.1.2-3"}}').warnings
        self.assertIn("Config was last written by a newer OpenClaw (9999.1.2-3); current version is ", warning.message)
        for version in ("2026.1.30", "junk"):
            self.assertEqual(read(f'{{meta: {{lastTouchedVersion: "{version}"}}}}').warnings, ())

    def test_main_key(self) -> None:
        """
        Another name for the main session is told and not followed.
        """
        snapshot = read('{session: {mainKey: "other"}}')
        [warning] = snapshot.warnings
        self.assertEqual(warning.message, 'session.mainKey is ignored; main session is always "main".')
        self.assertEqual(snapshot.config["session"]["mainKey"], "main")


class EffectiveTests(SynchronousTestCase):
    """
    What the file means.
    """

    def test_empty(self) -> None:
        """
        An empty object has the defaults that clients show.
        """
        self.assertEqual(
            read("{}").config,
            {
                "commands": {"native": "auto", "nativeSkills": "auto"},
                "agents": {"defaults": {"maxConcurrent": 4, "subagents": {"maxConcurrent": 8}}},
                "messages": {"ackReactionScope": "group-mentions"},
            },
        )

    def test_variables(self) -> None:
        """
        The env block fills in, but never overrides, and references see it; escaped and odd ones stay.
        """
        text = """{
          env: {A: "file", vars: {A: "later", B: "b"}},
          ui: {assistant: {name: "${A}-${B}", avatar: "$${NOPE}-${lower}-$X"}},
        }"""
        snapshot = read(text, B="process")
        self.assertEqual(snapshot.config["ui"]["assistant"], {"name": "file-process", "avatar": "${NOPE}-${lower}-$X"})
        self.assertEqual(snapshot.environment, {"A": "file", "B": "process"})

    def test_missing_in_array(self) -> None:
        """
        The place of a missing variable in an array is told with brackets.
        """
        [issue] = read('{gateway: {trustedProxies: ["a", "${NOPE}"]}}').issues
        self.assertIn("config path: gateway.trustedProxies[1]", issue.message)

    def test_paths(self) -> None:
        """
        A tilde is expanded where the key names a path, and only there.
        """
        text = '{logging: {file: "~/l"}, tools: {exec: {pathPrepend: ["~", "~x"]}}, messages: {ackReaction: "~/"}}'
        config = read(text).config
        self.assertEqual(config["logging"]["file"], "/home/u/l")
        self.assertEqual(config["tools"]["exec"]["pathPrepend"], ["/home/u", "~x"])
        self.assertEqual(config["messages"]["ackReaction"], "~/")

    def test_model_entries(self) -> None:
        """
        An entry of a provider's models is completed.
        """
        text = '{models: {providers: {p: {baseUrl: "u", models: [{id: "i", name: "n", contextWindow: 100}]}}}}'
        self.assertEqual(
            read(text).config["models"]["providers"]["p"]["models"][0],
            {
                "id": "i",
                "name": "n",
                "contextWindow": 100,
                "reasoning": False,
                "input": ["text"],
                "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
                "maxTokens": 100,
            },
        )


class FileTests(SynchronousTestCase):
    """
    Reading from the disk.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()
        self.file = self.home / "openclaw.json"

    def test_missing(self) -> None:
        """
        No file is a valid, empty configuration.
        """
        snapshot = load({}, self.home)
        self.assertEqual(snapshot.path, self.home / ".openclaw/openclaw.json")
        self.assertEqual((snapshot.exists, snapshot.raw, snapshot.parsed), (False, None, {}))
        self.assertEqual((snapshot.valid, snapshot.hash), (True, EMPTY_HASH))

    def test_unreadable(self) -> None:
        """
        A file that cannot be read, or is no text, is an issue.
        """
        self.file.mkdir()
        [issue] = load({}, self.home, path=self.file).issues
        self.assertIn("read failed: ", issue.message)
        other = self.home / "other.json"
        other.write_bytes(b"\xff")
        self.assertFalse(load({}, self.home, path=other).valid)

    def test_include(self) -> None:
        """
        Files are joined left to right, arrays one after the other, siblings over them.
        """
        (self.home / "g1.json5").write_text('{ mode: "local", trustedProxies: ["a"] }')
        (self.home / "g2.json5").write_text('{ mode: "remote", trustedProxies: ["b"] }')
        self.file.write_text('{ gateway: { $include: ["./g1.json5", "./g2.json5"], port: 7 } }')
        snapshot = load({}, self.home, path=self.file)
        self.assertEqual(snapshot.config["gateway"], {"port": 7, "mode": "remote", "trustedProxies": ["a", "b"]})
        self.assertIn("$include", snapshot.parsed["gateway"])
        (self.home / "g2.json5").write_text('{ bind: "moon" }')
        [issue] = load({}, self.home, path=self.file).issues
        self.assertEqual(issue.path, "gateway.bind")
        self.assertEqual(str(issue.location), f"{self.file}:1:14")

    def test_include_errors(self) -> None:
        """
        Whatever goes wrong with an include is told at the root.
        """
        (self.home / "bad.json5").write_text("{")
        (self.home / "list.json5").write_text("[]")
        (self.home / "loop.json5").write_text('{$include: "./loop.json5"}')
        (self.home / "deep.json5").write_text("{}")
        loop = self.home / "loop.json5"
        cases = {
            '{$include: "./no"}': f"Failed to read include file: ./no (resolved: {self.home}/no)",
            '{$include: "bad.json5"}': f"Failed to parse include file: bad.json5 (resolved: {self.home}/bad.json5)",
            '{$include: "loop.json5"}': f"Circular include detected: {self.file} -> {loop} -> {loop}",
            "{$include: 5}": "Invalid $include value: expected string or array of strings, got number",
            "{$include: [5]}": "Invalid $include array item: expected string, got number",
            '{$include: "list.json5", a: 1}': "Sibling keys require included content to be an object",
        }
        for text, message in cases.items():
            self.file.write_text(text)
            self.assertEqual([issue.message for issue in load({}, self.home, path=self.file).issues], [message])

    def test_include_depth(self) -> None:
        """
        A chain of more than ten files is refused.
        """
        for number in range(12):
            (self.home / f"{number}.json5").write_text(f'{{$include: "{number + 1}.json5"}}')
        self.file.write_text('{$include: "0.json5"}')
        [issue] = load({}, self.home, path=self.file).issues
        self.assertIn("Maximum include depth (10) exceeded at: ", issue.message)
