"""
``openclaw gateway``: options, guards, and questions to one that runs.
"""

from __future__ import annotations

import contextlib
import io
import os

from openclaw.cli.gateway import OPTIONS, parse
from openclaw.cli.gateway_run import MISSING
from openclaw.config.start import StartOptions, read_options
from tests.cli.harness import CommandCase, GatewayCase

MISMATCH = "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)"


class OptionsTests(CommandCase):
    """
    Where options may stand.
    """

    def test_every_position(self) -> None:
        """
        An option counts before the subcommand, behind it and without one.
        """
        for arguments in (["run", "--port", "5"], ["--port", "5", "run"], ["--port", "5"], ["--port=5"]):
            name, options = parse(arguments)
            self.assertEqual((name, options.port), ("run", "5"), arguments)
        for arguments in (["call", "health", "--token", "t"], ["--token", "t", "call", "health"]):
            name, options = parse(arguments)
            self.assertEqual((name, options.token, options.words), ("call", "t", ["health"]))

    def test_value_like_a_subcommand(self) -> None:
        """
        A value is not taken for the subcommand.
        """
        name, options = parse(["--token", "call", "call", "call"])
        self.assertEqual((name, options.token, options.words), ("call", "call", ["call"]))

    def test_timeouts(self) -> None:
        """
        Each subcommand has its own patience.
        """
        self.assertEqual(parse(["health"])[1].timeout, 10_000)
        self.assertEqual(parse(["probe"])[1].timeout, 3_000)
        self.assertEqual(parse(["probe", "--timeout", "9"])[1].timeout, 9)

    def test_help(self) -> None:
        """
        The help of a subcommand is about its own options, and no help names what is refused.
        """
        printed = {}
        for words in ("", "call", "run"):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(self.openclaw("gateway", *words.split(), "--help").code, 0)
            printed[words] = out.getvalue()
        for words, names in {"": "--params --force", "call": "--params --url", "run": "--force --token"}.items():
            for name in names.split():
                self.assertIn(f"  {name} ", printed[words])
        self.assertNotIn("--force", printed["call"])
        self.assertNotIn("--raw-stream", "".join(printed.values()))

    def test_misplaced(self) -> None:
        """
        Words and options that a subcommand does not have are refused.
        """
        cases = {
            ("bogus",): "error: too many arguments for 'gateway'. Expected 0 arguments but got 1.\n",
            ("health", "--force"): "error: unknown option '--force'\n",
            ("call",): "error: missing required argument 'method'\n",
            ("health", "x"): "error: too many arguments for 'gateway health'. Expected 0 arguments but got 1.\n",
        }
        for arguments, text in cases.items():
            outcome = self.openclaw("gateway", *arguments)
            self.assertEqual((outcome.code, outcome.err), (2, text))

    def test_what_the_gateway_is_told(self) -> None:
        """
        The options reach the gateway by their names.
        """
        told = read_options(vars(parse(["--verbose", "--bind", "lan", "--token", "t", "--tailscale", "off"])[1]))
        self.assertEqual(told, StartOptions(bind="lan", token="t", verbose=True, tailscale="off"))

    def test_each_option_has_an_effect(self) -> None:
        """
        Every option of the gateway is handed on to it, dealt with here, or refused: none is taken and forgotten.
        """
        here = {"dev", "reset", "force", "compact", "watch"}
        handed_on = set(StartOptions.__annotations__)
        self.assertEqual(OPTIONS["run"] - here - set(MISSING), handed_on)


class CallTests(GatewayCase):
    """
    ``gateway call`` and ``gateway health``.
    """

    def test_call(self) -> None:
        """
        The payload follows a heading, or stands alone.
        """
        self.gateway.methods["cron.list"] = {"jobs": []}
        self.assertEqual(
            self.openclaw("gateway", "call", "cron.list", "--params", '{"a": 1}').out,
            'Gateway call: cron.list\n{\n  "jobs": []\n}\n',
        )
        self.assertEqual(self.gateway.requests[0]["params"], {"a": 1})
        self.assertEqual(self.openclaw("gateway", "call", "cron.list", "--json").json, {"jobs": []})

    def test_failures(self) -> None:
        """
        The gateway's message is what the user reads.
        """
        outcome = self.openclaw("gateway", "call", "nosuch")
        self.assertEqual((outcome.code, outcome.err), (1, "Gateway call failed: Error: unknown method: nosuch\n"))
        outcome = self.openclaw("gateway", "call", "health", "--params", "{")
        self.assertTrue(outcome.err.startswith("Gateway call failed: SyntaxError: "))

    def test_wrong_token(self) -> None:
        """
        A refusal is told with the target.
        """
        outcome = self.openclaw("gateway", "call", "health", "--token", "wrong")
        self.assertEqual(outcome.code, 1)
        self.assertEqual(
            outcome.err.splitlines(),
            [
                f"Error: gateway closed (1008): {MISMATCH}",
                f"Gateway target: {self.url}",
                "Source: local loopback",
                f"Config: {self.home}/.openclaw/openclaw.json",
                "Bind: loopback",
            ],
        )

    def test_login_shell(self) -> None:
        """
        Where the configuration asks for it, the token comes from the login shell; a shell that fails is told of.
        """
        self.gateway.accepted = {"from-shell"}
        self.gateway.methods["health"] = {"ok": True}
        shell = self.home / "shell"
        shell.write_text("#!/bin/sh\nOPENCLAW_GATEWAY_TOKEN=from-shell env -0\n")
        shell.chmod(0o700)
        self.environ.update(SHELL=str(shell), PATH=os.environ["PATH"])
        config = {"mode": "local", "port": self.gateway.port}
        self.configure({"gateway": config})
        self.assertEqual(self.openclaw("gateway", "call", "health").code, 1)
        self.configure({"gateway": config, "env": {"shellEnv": {"enabled": True}}})
        self.assertEqual(self.openclaw("gateway", "call", "health").code, 0)
        del self.environ["OPENCLAW_GATEWAY_TOKEN"]
        self.environ["SHELL"] = "/nonexistent/sh"
        self.assertIn("Warning: The login shell /nonexistent/sh", self.openclaw("gateway", "call", "health").err)

    def test_environment_wins(self) -> None:
        """
        A client prefers the environment's token to that of the file.
        """
        self.environ["OPENCLAW_GATEWAY_TOKEN"] = "stale"
        self.assertEqual(self.openclaw("gateway", "health").code, 1)

    def test_other_url(self) -> None:
        """
        The configuration's secret does not follow the user to another machine's gateway.
        """
        self.gateway.methods["health"] = {"ok": True}
        self.configure({"gateway": {"mode": "local", "auth": {"token": "shared"}}})
        self.assertEqual(self.openclaw("gateway", "health", "--url", self.url).code, 0)
        elsewhere = self.url.replace("127.0.0.1", "127.1")
        self.assertEqual(self.openclaw("gateway", "health", "--url", elsewhere).code, 1)
        self.assertNotIn("auth", self.gateway.connects[-1])

    def test_health(self) -> None:
        """
        Health for people is one line for the whole and one for each channel.
        """
        self.gateway.methods["health"] = {
            "durationMs": 3,
            "channels": {"telegram": {"configured": True}, "whatsapp": {"linked": True, "authAgeMs": 720_000}},
            "channelOrder": ["whatsapp", "telegram"],
            "channelLabels": {"whatsapp": "WhatsApp", "telegram": "Telegram"},
        }
        self.assertEqual(
            self.openclaw("gateway", "health").out,
            "Gateway Health\nOK (3ms)\nWhatsApp: linked (auth age 12m)\nTelegram: configured\n",
        )
