"""
``openclaw config``.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.cli.harness import CommandCase

TEXT = """\
{
  // The port of the house.
  gateway: { port: 18789, mode: "local" },
}
"""


class ConfigTests(CommandCase):
    """
    Reading and changing the file.
    """

    def test_get(self) -> None:
        """
        Scalars are bare, objects and ``--json`` are JSON.
        """
        self.configure(TEXT)
        self.assertEqual(self.openclaw("config", "get", "gateway.port").out, "18789\n")
        self.assertEqual(self.openclaw("config", "get", "gateway.mode").out, "local\n")
        self.assertEqual(self.openclaw("config", "get", "gateway.mode", "--json").out, '"local"\n')
        self.assertEqual(self.openclaw("config", "--json", "get", "gateway").json, {"port": 18789, "mode": "local"})

    def test_get_default(self) -> None:
        """
        What is read is the effective configuration.
        """
        self.assertEqual(self.openclaw("config", "get", "messages.ackReactionScope").out, "group-mentions\n")

    def test_get_nothing(self) -> None:
        """
        A path that leads nowhere is a failure.
        """
        outcome = self.openclaw("config", "get", "gateway.nope")
        self.assertEqual((outcome.code, outcome.out, outcome.err), (1, "", "Config path not found: gateway.nope\n"))

    def test_set(self) -> None:
        """
        Only the value changes; comments and everything else stay.
        """
        path = self.configure(TEXT)
        outcome = self.openclaw("config", "set", "gateway.port", "19000")
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        self.assertEqual(outcome.out, "Updated gateway.port. Restart the gateway to apply.\n")
        self.assertEqual(path.read_text(), TEXT.replace("18789", "19000"))

    def test_set_text(self) -> None:
        """
        What is no JSON5 is a text, unless ``--json`` is given.
        """
        self.configure(TEXT)
        self.openclaw("config", "set", "gateway.bind", "lan")
        self.assertEqual(self.openclaw("config", "get", "gateway.bind").out, "lan\n")
        outcome = self.openclaw("config", "set", "gateway.bind", "lan", "--json")
        self.assertEqual(outcome.code, 1)
        self.assertTrue(outcome.err.startswith("Error: Failed to parse JSON5 value: SyntaxError: "), outcome.err)

    def test_set_invalid(self) -> None:
        """
        A value that the key cannot have changes nothing and says what was wrong.
        """
        path = self.configure(TEXT)
        outcome = self.openclaw("config", "set", "gateway.port", "abc")
        self.assertEqual(outcome.code, 78)
        self.assertEqual(
            outcome.err,
            "Error: Config validation failed: gateway.port: Invalid input: expected number, received string\n",
        )
        self.assertEqual(path.read_text(), TEXT)
        cases = {
            ("gateway.bind", "moon"): 'Expected gateway.bind: one of "auto", "lan", "loopback", "custom", "tailnet"\n',
            ("gateway.portt", "1"): 'Did you mean "port"?\n',
        }
        for words, hint in cases.items():
            outcome = self.openclaw("config", "set", *words)
            self.assertEqual((outcome.code, path.read_text()), (78, TEXT))
            self.assertTrue(outcome.err.endswith(hint), outcome.err)

    def test_set_no_json(self) -> None:
        """
        With ``--json`` what is no JSON5 is told once, with its place.
        """
        self.configure(TEXT)
        outcome = self.openclaw("config", "set", "gateway.port", "{x", "--json")
        told = "Error: Failed to parse JSON5 value: SyntaxError: JSON5: invalid end of input at 1:3\n"
        self.assertEqual((outcome.code, outcome.err), (1, told))

    def test_others_write(self) -> None:
        """
        Of several that change the file at once, each changes its own key, and none undoes another's.
        """
        path = self.configure("{talk: {voiceAliases: {}}} // mine\n")
        with ThreadPoolExecutor(8) as pool:
            names = [f"k{number}" for number in range(16)]
            ended = list(pool.map(lambda name: self.openclaw("config", "set", f"talk.voiceAliases.{name}", "x"), names))
        self.assertEqual({outcome.code for outcome in ended}, {0}, [outcome.err for outcome in ended])
        self.assertEqual(json.loads(self.openclaw("config", "get", "talk.voiceAliases").out), dict.fromkeys(names, "x"))
        self.assertIn("// mine", path.read_text())

    def test_unset(self) -> None:
        """
        A key can be removed once.
        """
        self.configure(TEXT)
        self.assertEqual(
            self.openclaw("config", "unset", "gateway.port").out,
            "Removed gateway.port. Restart the gateway to apply.\n",
        )
        self.assertEqual(self.openclaw("config", "unset", "gateway.port", "--json").code, 2)
        outcome = self.openclaw("config", "unset", "gateway.port")
        self.assertEqual((outcome.code, outcome.err), (1, "Config path not found: gateway.port\n"))

    def test_file(self) -> None:
        """
        The file is named, also when there is none.
        """
        self.assertEqual(self.openclaw("config", "file").out, f"{self.home}/.openclaw/openclaw.json\n")

    def test_broken_file(self) -> None:
        """
        A file that cannot be read is told of with its place, and is not written to.
        """
        path = self.configure("{ gateway: { port: } }")
        for arguments in (("get", "gateway"), ("set", "gateway.port", "1"), ("unset", "gateway.port")):
            outcome = self.openclaw("config", *arguments)
            self.assertEqual(outcome.code, 78)
            self.assertIn("Config invalid at ~/.openclaw/openclaw.json.", outcome.err)
            self.assertIn("openclaw.json:1:20", outcome.err)
        self.assertEqual(path.read_text(), "{ gateway: { port: } }")

    def test_words(self) -> None:
        """
        Missing and surplus words are usage errors.
        """
        self.assertEqual(self.openclaw("config", "set", "a").err, "error: missing required argument 'value'\n")
        self.assertEqual(self.openclaw("config", "nope").code, 2)
        self.assertEqual(self.openclaw("config").code, 2)
