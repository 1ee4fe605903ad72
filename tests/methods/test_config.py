"""
Tests of ``openclaw.methods.config``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from openclaw.config.loader import evaluate, text_hash
from openclaw.config.model import Config
from openclaw.config.redact import REDACTED, redact_value
from openclaw.gateway.configuration import Configuration
from openclaw.protocol.types import ABSENT
from tests.harness.compare import same
from tests.methods.support import CAPTURES, NOW_MS, MethodCase, Reply, caller

FIXTURES = CAPTURES.parent / "config"
TOKEN = "0123456789abcdef0123456789abcdef"

TEXT = """\
{
  // The house.
  gateway: { mode: "local", auth: { token: "0123456789abcdef0123456789abcdef" } },
  models: { providers: { mine: { baseUrl: "http://${HOST}/v1", apiKey: "${KEY}", models: [] } } }, // mine
  agents: {
    list: [
      { id: "main", name: "One" }, // first
      { id: "ops", name: "Two" }, // second
      { id: "lab", name: "Three" }, // third
    ],
  },
  ui: { seamColor: "#00FF00" },
}
"""
ENVIRON = {"HOST": "models.test", "KEY": "sk-from-the-environment-0001"}


class ConfigCase(MethodCase):
    """
    With a file.
    """

    text = TEXT

    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()
        self.restarts: list[tuple[str, float]] = []
        self.path = self.directory / "openclaw.json"
        self.begin(self.text)

    def begin(self, text: str, environ: Mapping[str, str] = ENVIRON) -> None:
        """
        Run with a file.
        """
        self.path.write_text(text)
        config = evaluate(text, self.path, environ, self.directory).require()
        self.configuration: Configuration = evolve(self.writer(config, self.directory), environ=environ)
        self.context = evolve(
            self.context,
            configuration=self.configuration,
            config=self.configuration.running,
            snapshot=self.configuration.read,
            state_dir=self.directory,
            restart=self.restart,
        )

    def restart(self, reason: str, delay: float) -> float:
        self.restarts.append((reason, delay))
        return delay

    @property
    def file(self) -> str:
        return self.path.read_text()

    @property
    def config(self) -> Config:
        return self.configuration.running()

    def change(self, method: str, raw: str | Mapping[str, Any], **params: Any) -> Any:
        """
        The answer to a change of what the file is now.
        """
        text = raw if isinstance(raw, str) else json.dumps(raw)
        return self.ask(method, {"raw": text, "baseHash": text_hash(self.file), **params})

    def no_change(self, method: str, raw: str, base_hash: str | None = None) -> Reply:
        """
        The answer to a change that is refused.
        """
        before = self.file
        (reply,) = self.asked(method, {"raw": raw, "baseHash": base_hash or text_hash(before)})
        self.assertFalse(reply.ok, reply.payload)
        self.assertEqual(self.file, before)
        return reply


class SetTests(ConfigCase):
    """
    ``config.set`` and ``config.apply``.
    """

    def test_raw(self) -> None:
        """
        A text that a person wrote becomes the file as it is, with the secrets that were not shown.
        """
        shown = self.ask("config.get")["raw"]
        self.assertNotIn(TOKEN, shown)
        answer = self.change("config.set", shown.replace('"#00FF00"', '"#0000FF" /* blue */'))
        self.assertEqual(self.file, TEXT.replace('"#00FF00"', '"#0000FF" /* blue */'))
        self.assertEqual(answer["config"]["ui"], {"seamColor": "#0000FF"})
        self.assertEqual(answer["config"]["gateway"]["auth"]["token"], REDACTED)
        self.assertEqual((answer["hash"], answer["path"]), (text_hash(self.file), str(self.path)))
        self.assertEqual(self.config.ui.seam_color, "#0000FF")

    def test_unchanged(self) -> None:
        """
        What a client was shown and sends back changes no byte: the text, and both values as a form writes them.
        """
        shown = self.ask("config.get")
        for raw in (shown["raw"], json.dumps(shown["parsed"], indent=2), json.dumps(shown["config"], indent=2)):
            self.change("config.set", raw)
            self.assertEqual(self.file, TEXT)
        self.assertEqual(len(list(self.directory.glob("*.bak*"))), 0)

    def test_form(self) -> None:
        """
        A form sends the effective configuration: only what differs is changed, references and comments stay, and
        neither defaults nor values of variables are written.
        """
        form = self.ask("config.get")["config"]
        self.assertEqual(form["models"]["providers"]["mine"]["baseUrl"], "http://models.test/v1")
        form["ui"]["seamColor"] = "#0000FF"
        form["agents"]["list"][1]["name"] = "Deux"
        del form["agents"]["list"][2]
        form["models"]["providers"]["mine"]["api"] = "openai-completions"
        self.change("config.set", json.dumps(form, indent=2))
        wanted = (
            TEXT.replace("#00FF00", "#0000FF")
            .replace('"Two"', '"Deux"')
            .replace("models: [] }", 'models: [], api: "openai-completions" }')
            .replace('      { id: "lab", name: "Three" }, // third\n', "      // third\n")
        )
        self.assertEqual(self.file, wanted)
        self.assertNotIn("sk-from", self.file)

    def test_form_removes(self) -> None:
        """
        What a form leaves out goes; a default that it changes is written.
        """
        form = self.ask("config.get")["config"]
        del form["ui"]
        form["agents"]["defaults"]["maxConcurrent"] = 2
        self.change("config.set", json.dumps(form, indent=2))
        self.assertEqual(self.config.agents.defaults.max_concurrent, 2)
        self.assertNotIn("seamColor", self.file)
        self.assertNotIn("ackReactionScope", self.file)
        self.assertIn("${KEY}", self.file)

    def test_include(self) -> None:
        """
        A form does not write into the file what an ``$include`` brings, and cannot change it.
        """
        (self.directory / "ui.json5").write_text('{seamColor: "#00FF00", assistant: {name: "Ann"}}')
        text = TEXT.replace('ui: { seamColor: "#00FF00" }', 'ui: { $include: "./ui.json5" }')
        self.begin(text)
        form = self.ask("config.get")["config"]
        form["agents"]["list"][0]["name"] = "Uno"
        self.change("config.set", json.dumps(form, indent=2))
        self.assertEqual(self.file, text.replace("One", "Uno"))
        form["ui"]["assistant"]["name"] = "Bob"
        self.change("config.set", json.dumps(form, indent=2))
        self.assertIn('$include: "./ui.json5"', self.file)
        self.assertEqual(self.config.ui.assistant.name, "Bob")
        del form["ui"]["seamColor"]
        reply = self.no_change("config.set", json.dumps(form, indent=2))
        self.assertEqual(reply.message, "ui.seamColor comes from an $include; change it in the included file")

    def test_apply(self) -> None:
        """
        ``config.apply`` of what only a restart can follow leaves a note and asks for one, no later than a minute.
        """
        text = self.ask("config.get")["raw"].replace("{", "{ canvasHost: {port: 4711},", 1)
        answer = self.change("config.apply", text, note=" done ", restartDelayMs=90_000)
        restart = answer["restart"]
        self.assertEqual((restart["ok"], restart["mode"], restart["delayMs"]), (True, "emit", 60_000))
        self.assertEqual(self.restarts, [("config.apply", 60.0)])
        payload = answer["sentinel"]["payload"]
        self.assertEqual(
            payload,
            {
                "kind": "config-apply",
                "status": "ok",
                "ts": NOW_MS,
                "message": "done",
                "doctorHint": "Run: openclaw doctor --non-interactive",
                "stats": {"mode": "config.apply", "root": str(self.path)},
            },
        )
        kept = json.loads(Path(answer["sentinel"]["path"]).read_text())
        self.assertEqual(kept, {"version": 1, "payload": payload})

    def test_harmless(self) -> None:
        """
        What counts at once restarts nothing, and the session is told at once.
        """
        answer = self.change("config.patch", "{ui: {assistant: {name: 'Bo'}}}", note="renamed", sessionKey="main")
        self.assertEqual((answer["restart"]["ok"], answer["restart"]["mode"]), (False, "none"))
        self.assertEqual((self.restarts, answer["sentinel"]["path"]), ([], None))
        (note,) = self.agents.notes("agent:main:main")
        self.assertIn('"message": "renamed"', note)

    def test_no_file(self) -> None:
        """
        Where there is no file, none has to have been read.
        """
        self.path.unlink()
        self.ask("config.set", {"raw": "{ui: {seamColor: '#00FF00'}}"})
        self.assertEqual(self.file, "{ui: {seamColor: '#00FF00'}}")
        self.path.unlink()
        self.ask("config.patch", {"raw": "{ui: {seamColor: '#00FF00'}}"})
        self.assertEqual(json.loads(self.file), {"ui": {"seamColor": "#00FF00"}})

    def test_repair(self) -> None:
        """
        A file that is not valid can be replaced, and not patched; one that cannot be read is left alone.
        """
        self.path.write_text("{gateway: {port: 'x'}}")
        self.assertEqual(self.no_change("config.patch", "{}").message, "invalid config; fix before patching")
        self.change("config.set", "{gateway: {port: 18789}}")
        self.assertEqual(self.file, "{gateway: {port: 18789}}")
        self.path.write_bytes(b"{\xff}")
        self.assertEqual(
            self.refused("config.set", {"raw": "{}", "baseHash": "x"}),
            "config base hash unavailable; re-run config.get and retry",
        )

    def test_lost_secret(self) -> None:
        """
        A redacted value at a place that never had one is not written.
        """
        reply = self.no_change("config.set", "{hooks: {token: '__OPENCLAW_REDACTED__'}}")
        self.assertIn("hooks.token is __OPENCLAW_REDACTED__", reply.message)

    def test_native_client(self) -> None:
        """
        A phone, which is shown its key for speech, can send it back.
        """
        self.begin(TEXT.replace("  ui:", '  talk: { apiKey: "el-0123456789abcdef" },\n  ui:'))
        phone = caller("operator.admin", client_id="openclaw-ios", device_id="d1")
        shown = self.ask("config.get", by=phone)
        self.assertEqual(shown["config"]["talk"]["apiKey"], "el-0123456789abcdef")
        before = self.file
        params = {"raw": json.dumps(shown["config"], indent=2), "baseHash": shown["hash"]}
        answer = self.ask("config.set", params, by=phone)
        self.assertEqual((self.file, answer["config"]["talk"]["apiKey"]), (before, "el-0123456789abcdef"))
        self.assertNotIn("el-0123", json.dumps(self.ask("config.set", params | {"raw": shown["raw"]})))


class PatchTests(ConfigCase):
    """
    ``config.patch``.
    """

    def test_one_of_many(self) -> None:
        """
        One element of an array is changed by its id, another removed, a third added; all else keeps its bytes.
        """
        patch = """{agents: {list: [{id: "ops", name: "Deux"}, {id: "lab", $delete: true}, {id: "new"}]}}"""
        self.change("config.patch", patch)
        self.assertEqual([agent["id"] for agent in self.config.effective["agents"]["list"]], ["main", "ops", "new"])
        before, after = TEXT.splitlines(), self.file.splitlines()
        self.assertEqual(after[:6], before[:6])
        self.assertEqual(after[6], before[6].replace("Two", "Deux"))

    def test_secret_stays(self) -> None:
        """
        A redacted value in a patch stands for what is there; references are not resolved.
        """
        self.change(
            "config.patch",
            {"models": {"providers": {"mine": {"apiKey": REDACTED, "auth": "token"}}}, "ui": None},
        )
        self.assertIn('apiKey: "${KEY}"', self.file)
        self.assertNotIn("ui:", self.file)

    def test_included(self) -> None:
        """
        What an ``$include`` brings can be overruled, and not removed.
        """
        (self.directory / "ui.json5").write_text('{seamColor: "#00FF00"}')
        self.begin('{ui: {$include: "./ui.json5"}}')
        self.change("config.patch", "{ui: {seamColor: '#0000FF'}}")
        self.assertEqual(self.file, """{ui: {$include: "./ui.json5", seamColor: "#0000FF"}}""")
        self.change("config.patch", {"ui": {"assistant": {"name": "Ann"}}})
        reply = self.no_change("config.patch", "{ui: {seamColor: null}}")
        self.assertEqual(reply.message, "ui.seamColor comes from an $include; change it in the included file")

    def test_old_keys(self) -> None:
        """
        Keys of earlier versions go where they belong now.
        """
        self.change("config.patch", {"routing": {"queue": {"mode": "collect"}}})
        self.assertEqual(self.configuration.read().parsed["messages"], {"queue": {"mode": "collect"}})
        self.assertNotIn("routing", self.file)

    def test_refused(self) -> None:
        """
        What cannot be written changes nothing, and says why.
        """
        cases = {
            "{agents: {list: [{id: 'main'}, {name: 'x'}]}}": "config.patch agents.list: either all members have",
            "{agents: {list: [{$delete: true}]}}": 'config.patch agents.list.0: "$delete"',
            "{gateway: {auth: {token: 'change-me'}}}": "invalid config",
            "{gateway: {portt: 1}}": "invalid config",
            "[]": "config.patch raw must be an object",
            "{": "SyntaxError: JSON5: ",
        }
        for raw, message in cases.items():
            self.assertIn(message, self.no_change("config.patch", raw).message)

    def test_note(self) -> None:
        """
        The session that is to be told is in the note; a failing disk is told by a path of ``null``.
        """
        answer = self.change("config.patch", "{}", sessionKey=" agent:main:main ")
        self.assertEqual(answer["sentinel"]["payload"]["sessionKey"], "agent:main:main")
        self.assertIsNone(answer["sentinel"]["payload"]["message"])
        self.context = evolve(self.context, state_dir=self.path)
        self.assertIsNone(self.change("config.patch", "{}")["sentinel"]["path"])


class RunningTests(ConfigCase):
    """
    What the gateway runs with.
    """

    def test_live(self) -> None:
        """
        What can be followed is; the rest is told and keeps its running value, until the file agrees with it again.
        """
        patch = {"gateway": {"port": 19000, "trustedProxies": ["10.0.0.1"]}, "session": {"scope": "global"}}
        answer = self.change("config.patch", patch)
        self.assertEqual(answer["restartNeeded"], ["gateway.port"])
        self.assertEqual(self.config.session.scope, "global")
        self.assertEqual(self.config.gateway.trusted_proxies, ("10.0.0.1",))
        self.assertIsNone(self.config.gateway.port)
        self.assertEqual(self.change("config.patch", "{ui: null}")["restartNeeded"], ["gateway.port"])
        self.assertEqual(self.change("config.patch", "{gateway: {port: null}}")["restartNeeded"], [])

    def test_same(self) -> None:
        """
        Where nothing has changed, what follows from the configuration is not made anew.
        """
        before = self.config
        self.change("config.patch", "{}")
        self.change("config.set", TEXT + "// a remark\n")
        self.assertIs(self.config, before)

    def test_variables(self) -> None:
        """
        A variable that the file itself sets is looked up in the new file, not in what the old one has set.
        """
        text = '{env: {PROXY: "10.0.0.1"}, gateway: {trustedProxies: ["${PROXY}"]}}'
        self.begin(text)
        self.assertEqual(self.config.gateway.trusted_proxies, ("10.0.0.1",))
        answer = self.change("config.set", text.replace("10.0.0.1", "10.0.0.2"))
        self.assertEqual(self.config.gateway.trusted_proxies, ("10.0.0.2",))
        self.assertEqual(answer["restartNeeded"], ["env.PROXY"])
        reply = self.no_change("config.set", '{gateway: {trustedProxies: ["${PROXY}"]}}')
        assert reply.error is not None
        self.assertIn("Missing env var", json.dumps(reply.error.details))


class RecordedTests(ConfigCase):
    """
    The captures ``rpc-config-*``, with the file and the hash of here.
    """

    def frames(self, name: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """
        Requests with their answers.
        """
        lines = [json.loads(line) for line in (CAPTURES / f"{name}.jsonl").read_text().splitlines()]
        sent = {line["frame"]["id"]: line["frame"] for line in lines if line["dir"] == "send" and conn(line) == "op"}
        answers = {
            line["frame"]["id"]: line["frame"]
            for line in lines
            if line["dir"] == "recv" and line["frame"]["type"] == "res" and conn(line) == "op"
        }
        return [(frame, answers[name]) for name, frame in sent.items()]

    def recorded(self, name: str) -> Mapping[str, Any]:
        """
        The file of a capture, and what it meant.
        """
        found: Mapping[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
        self.begin(found["raw"], {})
        return found

    def test_errors(self) -> None:
        """
        Every refusal has the recorded words.
        """
        recorded = self.recorded("rpc-config-errors")
        for request, answer in self.frames("rpc-config-errors"):
            params = dict(request["params"])
            if params.get("baseHash", "bad") != "bad":
                params["baseHash"] = text_hash(self.file)
            (reply,) = self.asked(request["method"], params)
            if request["method"] == "config.get" and answer["ok"]:
                self.assertEqual(reply.payload["config"], redact_value(recorded["config"]))
                self.assertEqual(set(reply.payload), set(answer["payload"]))
                continue
            if request["method"] == "config.schema":
                self.assertEqual(set(reply.payload), set(answer["payload"]))
                continue
            assert reply.error is not None
            told = {"code": reply.error.code, "message": reply.error.message}
            if reply.error.details is not None and reply.error.details is not ABSENT:
                told["details"] = reply.error.details
            self.assertEqual(told, answer["error"], request["id"])
        self.assertEqual(self.file, recorded["raw"])

    def test_set(self) -> None:
        """
        The file means afterwards what the reference's meant.
        """
        recorded = self.recorded("rpc-config-set")
        (_, (request, answer)) = self.frames("rpc-config-set")
        raw = {**recorded["parsed"], "ui": json.loads(request["params"]["raw"])["ui"]}
        now = self.change("config.set", json.dumps(raw))
        self.assertEqual(now["config"]["ui"], answer["payload"]["config"]["ui"])
        self.assertEqual(set(now["config"]), set(answer["payload"]["config"]) | {"messages"})
        self.assertTrue(set(answer["payload"]) < set(now))

    def test_patch(self) -> None:
        """
        As recorded, apart from stamps, and from the restart, which it does not need.
        """
        self.recorded("rpc-config-patch")
        (_, (request, answer)) = self.frames("rpc-config-patch")
        params = request["params"] | {"baseHash": text_hash(self.file)}
        now, then = self.ask("config.patch", params), answer["payload"]
        self.assertEqual(now["restart"], then["restart"] | {"ok": False, "mode": "none", "pid": now["restart"]["pid"]})
        payload = then["sentinel"]["payload"]
        self.assertTrue(same(payload, now["sentinel"]["payload"]), now["sentinel"]["payload"])
        self.assertEqual(list(now["sentinel"]["payload"]), list(payload))
        self.assertEqual(now["config"]["messages"], then["config"]["messages"])
        self.assertEqual(now["config"]["ui"], then["config"]["ui"])
        self.assertEqual(set(now["config"]) | {"meta"}, set(then["config"]))


def conn(line: Mapping[str, Any]) -> str:
    found: str = line.get("conn", "op")
    return found
