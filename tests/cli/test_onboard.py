"""
Tests of ``openclaw.cli.onboard``.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from openclaw.cli import onboard, probe, service
from openclaw.cli.exits import CommandFailed
from openclaw.cli.service import Installed
from tests.cli.harness import CommandCase, Outcome
from tests.cli.person import Answers


class OnboardTests(CommandCase):
    def onboard(self, *options: str) -> Outcome:
        return self.openclaw("onboard", "--non-interactive", "--accept-risk", *options)

    @property
    def path(self) -> Path:
        return self.home / ".openclaw" / "openclaw.json"

    @property
    def config(self) -> Any:
        return json.loads(self.path.read_text())

    def test_risk(self) -> None:
        """
        Nothing is done before the risk is acknowledged, nor where questions would have to be asked.
        """
        outcome = self.openclaw("onboard", "--non-interactive")
        self.assertEqual((outcome.code, outcome.err), (1, onboard.RISK + "\n"))
        self.assertEqual(self.openclaw("onboard").code, 1)
        self.assertFalse(self.path.exists())

    def test_local(self) -> None:
        """
        A configuration with a secret that the gateway starts with, and the workspace; again, it keeps its secret.
        """
        outcome = self.onboard("--gateway-port", "28836")
        self.assertEqual((outcome.code, outcome.err), (0, ""))
        lines = outcome.out.splitlines()
        self.assertEqual(lines[0], "Updated ~/.openclaw/openclaw.json")
        self.assertIn("Workspace OK: ~/.openclaw/workspace", lines)
        self.assertIn("Start it: openclaw gateway", lines)
        gateway = self.config["gateway"]
        token = gateway["auth"].pop("token")
        self.assertRegex(token, r"^[0-9a-f]{48}$")
        self.assertNotIn(token, outcome.out)
        self.assertEqual(
            gateway,
            {
                "mode": "local",
                "port": 28836,
                "bind": "loopback",
                "auth": {"mode": "token"},
                "tailscale": {"mode": "off", "resetOnExit": False},
            },
        )
        self.assertEqual(self.config["wizard"]["lastRunCommand"], "onboard")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertTrue((self.home / ".openclaw" / "workspace" / "SOUL.md").exists())
        self.assertEqual(self.openclaw("config", "get", "gateway.mode").out, "local\n")
        self.assertEqual(self.onboard().code, 0)
        self.assertEqual(self.config["gateway"]["auth"]["token"], token)
        self.assertEqual(self.config["gateway"]["port"], 28836)

    def test_json(self) -> None:
        """
        Only the document.
        """
        told = self.onboard(
            "--json",
            "--gateway-bind",
            "lan",
            "--gateway-auth",
            "password",
            "--gateway-password",
            "a very long password",
        ).json
        self.assertEqual(
            told["gateway"], {"port": 18789, "bind": "lan", "authMode": "password", "tailscaleMode": "off"}
        )
        self.assertEqual((told["mode"], told["authChoice"], told["installDaemon"]), ("local", "skip", False))

    def test_model(self) -> None:
        """
        A key is kept where the gateway reads it, and the provider's first model is the default.
        """
        self.assertEqual(self.onboard("--openai-api-key", "sk-of-this-test").code, 0)
        self.assertEqual(self.config["env"]["vars"], {"OPENAI_API_KEY": "sk-of-this-test"})
        status = self.openclaw("models", "status", "--json").json
        self.assertTrue(json.dumps(status).count("openai/"), status)
        outcome = self.onboard("--auth-choice", "apiKey")
        self.assertEqual(outcome.err, "Missing --anthropic-api-key (or ANTHROPIC_API_KEY in env).\n")
        outcome = self.onboard("--auth-choice", "minimax-api")
        self.assertIn('--auth-choice "minimax-api" is not here', outcome.err)

    def test_tailscale(self) -> None:
        """
        Funnel needs a password; with Tailscale the gateway listens on loopback.
        """
        outcome = self.onboard("--tailscale", "funnel", "--gateway-bind", "lan")
        self.assertEqual(outcome.err, "Missing --gateway-password for password auth.\n")
        self.onboard("--tailscale", "funnel", "--gateway-bind", "lan", "--gateway-password", "a very long password")
        gateway = self.config["gateway"]
        self.assertEqual((gateway["bind"], gateway["auth"]["mode"]), ("loopback", "password"))

    def test_remote(self) -> None:
        """
        For a machine whose gateway is elsewhere.
        """
        self.assertEqual(self.onboard("--mode", "remote").err, "Missing --remote-url for remote mode.\n")
        outcome = self.onboard("--mode", "remote", "--remote-url", "foo")
        self.assertEqual(outcome.err, "Invalid --remote-url: URL must start with ws:// or wss://\n")
        options = ("--remote-url", "wss://a.test", "--remote-token", "t" * 20, "--json")
        told = self.onboard("--mode", "remote", *options).json
        self.assertEqual(told, {"mode": "remote", "remoteUrl": "wss://a.test", "auth": "token"})
        self.assertEqual(self.config["gateway"]["remote"], {"url": "wss://a.test", "token": "t" * 20})

    def test_refused(self) -> None:
        """
        A value that cannot be is named, and nothing is written.
        """
        for options, told in {
            ("--mode", "x"): 'Invalid --mode "x" (use local|remote).',
            ("--gateway-port", "0"): "Invalid --gateway-port",
            ("--gateway-port", "x"): "Invalid --gateway-port",
            ("--gateway-auth", "x"): "Invalid --gateway-auth (use token|password).",
            ("--gateway-bind", "x"): "Invalid --gateway-bind (use loopback|lan|tailnet|auto|custom).",
            ("--daemon-runtime", "x"): "Invalid --daemon-runtime (use node or bun)",
            ("--tailscale", "x"): "Invalid --tailscale (use off|serve|funnel).",
        }.items():
            outcome = self.onboard(*options)
            self.assertEqual((outcome.code, outcome.err), (1, f"{told}\n"))
        self.assertFalse(self.path.exists())
        self.configure("{gateway: ")
        self.assertIn("re-run onboarding", self.onboard().err)

    def test_daemon(self) -> None:
        """
        The service is installed, and the gateway is waited for; one that never answers is told.
        """
        asked: list[dict[str, Any]] = []

        def install(context: Any, **given: Any) -> Installed:
            asked.append(given)
            return Installed(already=False, lines=("Installed systemd service: x",), warnings=("lingering is off",))

        looks: list[int] = []
        found = [probe.Probe(target=None, error="refused"), probe.Probe(target=None, latency_ms=1)]  # type: ignore[arg-type]
        self.patch(service, "install", install)
        self.patch(probe, "probe", lambda *_, **__: found[min(len(looks), len(found) - 1)])
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            looks.append(1)

        self.patch(onboard.run, "__defaults__", (pause,))
        outcome = self.onboard("--install-daemon")
        self.assertEqual(asked, [{"port": 18789, "force": True}])
        self.assertIn("Gateway OK\n", outcome.out)
        self.assertIn("lingering is off", outcome.err)
        self.assertEqual(pauses, [0.5])
        found[:] = found[:1]
        outcome = self.onboard("--install-daemon")
        self.assertEqual((outcome.code, outcome.err.splitlines()[-1]), (1, "The gateway does not answer: refused"))
        self.assertEqual(len(pauses), 31)

    def test_questions(self) -> None:
        """
        What is asked for on a terminal is not taken from an option that nobody sees; without one, nothing is asked.
        """
        outcome = self.openclaw("onboard")
        self.assertIn("no terminal to ask on", outcome.err)
        self.patch(onboard, "has_terminal", lambda context: True)
        for option in ("--gateway-bind=lan", "--openai-api-key=x", "--json"):
            outcome = self.openclaw("onboard", option)
            name = option.partition("=")[0]
            told = f"error: {name} needs --non-interactive: the questions ask for that\n"
            self.assertEqual((outcome.code, outcome.err), (2, told))
        self.assertEqual(self.openclaw("onboard", "--gateway-port", "x").err, "Invalid --gateway-port\n")

    def test_reset(self) -> None:
        """
        What was there goes to the trash, and the secret is a new one.
        """
        self.onboard("--gateway-port", "28836")
        before = self.config["gateway"]["auth"]["token"]
        outcome = self.onboard("--reset")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("Removed ~/.openclaw/openclaw.json\n", outcome.out)
        self.assertNotEqual(self.config["gateway"]["auth"]["token"], before)
        self.assertEqual(self.config["gateway"]["port"], 18789)
        self.assertEqual(self.onboard("--reset", "--json").json["mode"], "local")
        trash = self.home / ".local" / "share" / "Trash" / "files"
        self.assertIn(before, (trash / "openclaw.json").read_text(), "nothing is deleted")

    def test_reset_last(self) -> None:
        """
        Nothing goes before everything else that was told has proved to be possible.
        """
        self.onboard("--gateway-port", "28836")
        before = self.path.read_bytes()
        for wrong in (
            ("--gateway-bind", "x"),
            ("--gateway-auth", "password"),
            ("--auth-choice", "nonsense"),
            ("--mode", "remote"),
            ("--node-manager", "x"),
            ("--gateway-token", "short"),
            ("--gateway-token", "${NOT_SET}0123456789abcdef"),
            ("--mode", "remote", "--remote-url", "wss://h", "--remote-token", "${NOT_SET}"),
            ("--workspace", str(self.path)),
        ):
            self.assertIn(self.onboard("--reset", *wrong).code, (1, 78), wrong)
            self.assertEqual(self.path.read_bytes(), before)

    def test_reset_asked(self) -> None:
        """
        By questions it goes when all were answered, and only for who says yes to that.
        """
        self.onboard("--gateway-port", "28836")
        before = self.path.read_bytes()
        self.patch(onboard, "has_terminal", lambda context: True)
        for answers, told in (
            ([False], "Nothing was changed: risk not accepted\n"),
            ([True, "quickstart", "skip", False], "Nothing was changed: what is there stays\n"),
        ):
            self.patch(onboard, "prompter", lambda context, answers=answers: Answers(answers))
            self.assertEqual(self.openclaw("onboard", "--reset").err, told)
            self.assertEqual((answers, self.path.read_bytes()), ([], before))
        self.patch(onboard, "prompter", lambda context: Answers([True, "quickstart", "skip", True]))
        outcome = self.openclaw("onboard", "--reset", "--no-install-daemon", "--skip-health")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("Removed ~/.openclaw/openclaw.json\n", outcome.out)
        self.assertNotIn("port", self.config["gateway"])

    def test_variables_stay(self) -> None:
        """
        What stands in the file as a variable, or in one that it includes, is not written out.
        """
        self.environ["SECRET"] = "a secret of this test"
        for auth in ({"token": "${SECRET}"}, {"mode": "password", "password": "${SECRET}"}):
            self.configure({"gateway": {"auth": auth}, "agents": {"defaults": {"workspace": "~/${SECRET}"}}})
            mode = auth.get("mode", "token")
            self.assertEqual(self.onboard("--gateway-auth", mode, "--gateway-bind", "lan").code, 0)
            self.assertEqual(self.config["gateway"]["auth"], {"mode": "token", **auth})
            self.assertNotIn(self.environ["SECRET"], self.path.read_text())

    def test_secret_of_the_environment(self) -> None:
        """
        One that only this shell has is none that the gateway would find; one of the state directory, or of the
        configuration, is, and is not written again.
        """
        self.environ["OPENCLAW_GATEWAY_PASSWORD"] = "a password of this test"
        outcome = self.onboard("--gateway-auth", "password")
        self.assertEqual(outcome.err, "Missing --gateway-password for password auth.\n")
        self.path.parent.mkdir(exist_ok=True)
        (self.path.parent / ".env").write_text("OPENCLAW_GATEWAY_TOKEN=a-token-of-this-test\n")
        self.configure({})
        self.assertEqual(self.onboard().code, 0)
        self.assertEqual(self.config["gateway"]["auth"], {"mode": "token"})
        (self.path.parent / ".env").unlink()
        self.configure({"env": {"vars": {"OPENCLAW_GATEWAY_PASSWORD": "a password of this test"}}})
        self.assertEqual(self.onboard("--gateway-auth", "password").code, 0)
        self.assertEqual(self.config["gateway"]["auth"], {"mode": "password"})

    def test_reset_secrets(self) -> None:
        """
        What goes to the trash is nothing to count on.
        """
        self.onboard()
        told = "OPENCLAW_GATEWAY_TOKEN=a-token-of-this-test\nOPENAI_API_KEY=sk-of-this-test\n"
        (self.path.parent / ".env").write_text(told)
        self.environ |= {"OPENCLAW_GATEWAY_TOKEN": "a-token-of-this-test", "OPENAI_API_KEY": "sk-of-this-test"}
        outcome = self.onboard("--reset", "--auth-choice", "openai-api-key")
        self.assertEqual(outcome.err, "Missing --openai-api-key (or OPENAI_API_KEY in env).\n")
        self.assertTrue(self.path.exists())
        self.assertEqual(self.onboard("--reset").code, 0)
        self.assertEqual(len(self.config["gateway"]["auth"]["token"]), 48)

    def test_weak_secret(self) -> None:
        """
        The gateway would not start with it.
        """
        outcome = self.onboard("--gateway-bind", "lan", "--gateway-token", "short")
        self.assertEqual(outcome.code, 1)
        self.assertIn("it has fewer than 16 characters. Give another with --gateway-token.", outcome.err)
        self.assertFalse(self.path.exists())

    def test_keys(self) -> None:
        """
        Each key that is given is kept; the first provider's model is the default, or that of the choice.
        """
        keys = ("--openai-api-key", "sk-of-this-test", "--openrouter-api-key", "or-of-this-test")
        self.assertEqual(self.onboard(*keys, "--auth-choice", "openrouter-api-key").code, 0)
        wanted = {"OPENAI_API_KEY": "sk-of-this-test", "OPENROUTER_API_KEY": "or-of-this-test"}
        self.assertEqual(self.config["env"]["vars"], wanted)
        self.assertEqual(self.config["agents"]["defaults"]["model"]["primary"], "openrouter/openrouter/auto")

    def test_empty_workspace(self) -> None:
        """
        None is not the directory where the command was typed.
        """
        told = self.onboard("--workspace", "", "--node-manager", "pnpm", "--json").json
        self.assertEqual(told["workspace"], str(self.home / ".openclaw" / "workspace"))
        self.assertEqual(self.config["skills"]["install"]["nodeManager"], "pnpm")

    def test_setup(self) -> None:
        """
        ``setup`` with an option of the wizard is the same.
        """
        self.assertEqual(self.openclaw("setup", "--non-interactive").err, onboard.RISK + "\n")
        self.assertEqual(self.openclaw("setup", "--non-interactive", "--accept-risk").code, 0)
        self.assertEqual(self.config["gateway"]["mode"], "local")
        self.assertIn("no terminal to ask on", self.openclaw("setup", "--wizard").err)

    def test_answer(self) -> None:
        """
        Where a model is configured, the agent has to answer; ``--skip-health`` leaves that out.
        """
        self.patch(onboard, "gateway_runs", lambda context, snapshot: True)
        self.patch(onboard, "await_gateway", lambda context, pause: None)
        answers: list[list[str]] = [["I am here."]]

        def answer(context: Any) -> list[str]:
            if not answers:
                raise CommandFailed("The agent did not answer: no such key")
            return answers.pop()

        self.patch(onboard, "first_answer", answer)
        self.assertNotIn("Agent", self.onboard().out)
        self.assertIn("Agent: I am here.\n", self.onboard("--openai-api-key", "sk-of-this-test").out)
        outcome = self.onboard()
        self.assertEqual((outcome.code, outcome.err), (1, "The agent did not answer: no such key\n"))
        self.assertEqual(self.onboard("--skip-health").code, 0)
