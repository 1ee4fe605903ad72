"""
``openclaw config``.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.cli.harness import CommandCase, GatewayCase
from tests.client.gateway import Peer

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

    def test_plan(self) -> None:
        """
        What a change would do, of one value or of a whole file; it is not made.
        """
        path = self.configure(TEXT)
        outcome = self.openclaw("config", "plan", "gateway.port", "19000")
        self.assertEqual(outcome.out, "gateway.port  needs a restart\nThe running gateway restarts by itself.\n")
        outcome = self.openclaw("config", "plan", "cron.enabled", "false")
        told = "cron  at once (restart-cron)\nThe running gateway follows it; nothing restarts.\n"
        self.assertEqual((outcome.code, outcome.out), (0, told), outcome.err)
        self.assertEqual(self.openclaw("config", "plan", "gateway.port", "18789").out, "Nothing changes.\n")
        other = path.parent / "other.json5"
        other.write_text(TEXT.replace("18789", "19000, reload: {mode: 'hot'}"))
        told = self.openclaw("config", "plan", str(other), "--json").json
        self.assertEqual((told["mode"], told["outcome"]), ("hot", "ignored"))
        self.assertIn({"path": "gateway.port", "effect": "restart"}, told["changes"])
        outcome = self.openclaw("config", "plan", str(other))
        self.assertIn("takes no notice of it (gateway.reload.mode=hot)", outcome.out)
        self.assertEqual(path.read_text(), TEXT)

    def test_no_plan(self) -> None:
        """
        Of what cannot be used, or read, there is none.
        """
        path = self.configure(TEXT)
        outcome = self.openclaw("config", "plan", "gateway.port", "x")
        self.assertEqual((outcome.code, outcome.out), (78, ""))
        self.assertIn("gateway.port: Invalid input: expected number, received string", outcome.err)
        outcome = self.openclaw("config", "plan", str(path.parent / "none"))
        self.assertEqual((outcome.code, outcome.out), (1, ""))
        self.assertIn('Unrecognized key: "x"', self.openclaw("config", "plan", "gateway.x", "1").err)

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
        outcome = self.openclaw("config")
        self.assertEqual(outcome.code, 1)
        self.assertIn("no terminal to ask on", outcome.err)


class BackupTests(CommandCase):
    """
    Earlier texts.
    """

    def test_undo(self) -> None:
        """
        The text before the last change comes back to the byte; once more, and the change is there again.
        """
        path = self.configure(TEXT)
        self.openclaw("config", "set", "gateway.port", "19000")
        changed = path.read_text()
        outcome = self.openclaw("config", "undo")
        self.assertEqual((outcome.code, path.read_text()), (0, TEXT), outcome.err)
        self.assertEqual(
            outcome.out,
            "Brought back backup 1; what was there is backup 1 now. Restart the gateway to apply.\n",
        )
        self.openclaw("config", "undo")
        self.assertEqual(path.read_text(), changed)

    def test_numbers(self) -> None:
        """
        Backups are listed with their numbers, and each can be brought back, also where the file is broken now.
        """
        path = self.configure(TEXT)
        self.assertEqual(self.openclaw("config", "backups").out, "No backups.\n")
        for port in ("1", "2", "3"):
            self.openclaw("config", "set", "gateway.port", port)
        listed = self.openclaw("config", "backups", "--json").json
        self.assertEqual([one["number"] for one in listed], [1, 2, 3])
        self.assertEqual(len(self.openclaw("config", "backups").out.splitlines()), 3)
        path.write_text("{")
        self.assertEqual(self.openclaw("config", "undo", "3").code, 0)
        self.assertEqual(path.read_text(), TEXT)
        for number, code, told in (("5", 0, ""), ("6", 2, "number must be"), ("x", 2, "number must be")):
            outcome = self.openclaw("config", "undo", number)
            self.assertEqual(outcome.code, code or 1, outcome.out)
            self.assertIn(told or "There is no backup 5 of", outcome.err)

    def test_old_text_is_wrong(self) -> None:
        """
        A backup that cannot be used does not come back; one with keys that nothing reads does.
        """
        path = self.configure('{gateway: {port: "x"}}')
        path.replace(path.with_name("openclaw.json.bak"))
        self.configure(TEXT)
        outcome = self.openclaw("config", "undo")
        self.assertEqual((outcome.code, path.read_text()), (78, TEXT))
        path.with_name("openclaw.json.bak").write_text("{odd: 1}")
        self.assertEqual(self.openclaw("config", "undo").code, 0)
        self.assertEqual(path.read_text(), "{odd: 1}")


class RunningTests(GatewayCase):
    """
    With a gateway that runs with the same file.
    """

    def setUp(self) -> None:
        super().setUp()
        self.path = self.home / ".openclaw" / "openclaw.json"
        self.lock(pid=os.getpid(), configPath=str(self.path))
        self.gateway.methods["config.set"] = {"ok": True, "restartNeeded": ["gateway.tls.enabled"]}

    def lock(self, **told: object) -> None:
        """
        What a gateway writes into its lock.
        """
        (self.home / ".openclaw" / "gateway.lock").write_text(json.dumps(told))

    def set(self, path: str = "gateway.maxPayload", value: str = "1000") -> tuple[str, str]:
        """
        What the command says, and what it changed by itself.
        """
        before = self.path.read_text()
        outcome = self.openclaw("config", "set", path, value)
        now = self.path.read_text()
        return outcome.out + outcome.err, "" if now == before else now

    def test_through_the_gateway(self) -> None:
        """
        The gateway writes: it gets the whole new text, and the hash of what the command has read.
        """
        said, written = self.set()
        self.assertEqual((said, written), ("Updated gateway.maxPayload. The running gateway follows it.\n", ""))
        ((request),) = self.gateway.requests
        snapshot = json.loads(self.path.read_text())
        snapshot["gateway"]["maxPayload"] = 1000
        self.assertEqual(json.loads(request["params"]["raw"]), snapshot)
        self.assertEqual(len(request["params"]["baseHash"]), 64)
        said, _ = self.set("gateway.tls", "{enabled: false}")
        self.assertEqual(said, "Updated gateway.tls. The running gateway restarts to follow it.\n")
        self.configure('{gateway: {reload: {mode: "hot"}}}')
        said, _ = self.set("gateway.tls", "{enabled: false}")
        self.assertEqual(said, "Updated gateway.tls. Restart the gateway to apply.\n")

    def test_wrong_values_are_not_sent(self) -> None:
        """
        What cannot be used is refused here, with what was expected.
        """
        said, _ = self.set("gateway.portt", "1")
        self.assertIn('Did you mean "port"?', said)
        self.assertEqual(self.gateway.requests, [])

    def test_others_were_faster(self) -> None:
        """
        A change that came too late is made again from what is there now.
        """
        told = "config changed since last load; re-run config.get and retry"

        def first(peer: Peer, request: dict[str, Any]) -> None:
            if len(self.gateway.requests) == 1:
                peer.refuse(request, "INVALID_REQUEST", told)
            else:
                peer.answer(request, {"ok": True, "restartNeeded": []})

        self.gateway.methods["config.set"] = first
        self.assertEqual(self.set()[0], "Updated gateway.maxPayload. The running gateway follows it.\n")
        self.assertEqual(len(self.gateway.requests), 2)

    def test_refused(self) -> None:
        """
        What the gateway cannot use, because its variables are others, is not written past it.
        """

        def refuse(peer: Peer, request: dict[str, Any]) -> None:
            error = {"code": "INVALID_REQUEST", "message": "invalid config"}
            error |= {"details": {"issues": [{"path": "", "message": "Missing env var"}]}}  # type: ignore[dict-item]
            peer.send({"type": "res", "id": request["id"], "ok": False, "error": error})

        self.gateway.methods["config.set"] = refuse
        said, written = self.set()
        self.assertEqual((said, written), ("Error: Config validation failed: <root>: Missing env var\n", ""))

    def test_past_the_gateway(self) -> None:
        """
        Where no gateway can be reached, or it is that of another file, the command writes by itself, and says that the
        gateway has to be restarted.
        """
        del self.gateway.methods["config.set"]
        cases: list[dict[str, object]] = [
            {"pid": os.getpid(), "configPath": str(self.path)},
            {"pid": os.getpid(), "configPath": "/another"},
            {"pid": 2**22 + 1, "configPath": str(self.path)},
            {"pid": "x", "configPath": str(self.path)},
            {},
        ]
        for number, told in enumerate(cases):
            self.lock(**told)
            said, written = self.set(value=str(1000 + number))
            self.assertEqual(said, "Updated gateway.maxPayload. Restart the gateway to apply.\n", told)
            self.assertEqual(json.loads(written)["gateway"]["maxPayload"], 1000 + number)
        self.assertEqual(len(self.gateway.requests), 1)
