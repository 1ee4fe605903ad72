"""
``openclaw gateway``: options, guards, and questions to one that runs.
"""

from __future__ import annotations

import os

from openclaw.cli.exits import CommandFailed
from openclaw.cli.gateway import OPTIONS, parse
from openclaw.cli.gateway_run import MISSING
from openclaw.cli.ports import free_port
from openclaw.config.start import StartOptions, read_options
from openclaw.store.lock import ProcessLock
from tests.cli.harness import CommandCase, GatewayCase, Outcome

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
        here = {"dev", "reset", "force", "compact"}
        handed_on = set(StartOptions.__annotations__)
        self.assertEqual(OPTIONS["run"] - here - set(MISSING), handed_on)


class GuardTests(CommandCase):
    """
    Starts that are refused, in the order of ``cli.md`` 4.2.
    """

    def refusal(self, *arguments: str) -> tuple[int, str]:
        """
        Exit code and first line.
        """
        outcome = self.openclaw("gateway", *arguments)
        return outcome.code, outcome.err.splitlines()[0]

    def test_values(self) -> None:
        """
        Values that an option cannot have are usage errors, whatever the configuration.
        """
        cases = {
            ("--reset",): "Use --reset with --dev.",
            ("--ws-log", "x"): 'Invalid --ws-log (use "auto", "full", "compact")',
            ("--port", "x"): "Invalid port",
            ("--port", "0"): "Invalid port",
            ("--auth", "x"): 'Invalid --auth (use "token" or "password")',
            ("--tailscale", "x"): 'Invalid --tailscale (use "off", "serve", or "funnel")',
            ("--allow-unconfigured", "--bind", "x"): (
                'Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")'
            ),
        }
        for arguments, text in cases.items():
            self.assertEqual(self.refusal(*arguments), (2, text))

    def test_not_here(self) -> None:
        """
        What this version does not do is refused by name, and nothing begins.
        """
        text = "this version does not run `tailscale serve` by itself, so there is nothing to undo"
        told = self.refusal("--tailscale-reset-on-exit")
        self.assertEqual(told, (2, f"error: --tailscale-reset-on-exit is not here yet: {text}"))
        for option in (["--raw-stream"], ["--raw-stream-path", "x"]):
            code, text = self.refusal("--dev", *option)
            self.assertEqual((code, text.partition(": this")[0]), (2, f"error: {option[0]} is not here yet"))
        self.assertEqual(list(self.home.iterdir()), [])

    def test_tls(self) -> None:
        """
        A gateway that was told to encrypt does not serve in plain text.
        """
        self.configure({"gateway": {"mode": "local", "auth": {"token": "a" * 16 + "b"}, "tls": {"enabled": True}}})
        outcome = self.openclaw("gateway")
        text = (
            "Gateway failed to start: Error: gateway.tls.enabled is true, and this version has no TLS of its own yet.\n"
            "It would serve in plain text. Let an SSH tunnel, `tailscale serve` or a reverse proxy encrypt, and type:"
            " openclaw config unset gateway.tls.enabled\n"
        )
        self.assertEqual((outcome.code, outcome.out, outcome.err), (78, "", text))

    def test_hooks(self) -> None:
        """
        Hooks without a token would be open to everybody.
        """
        self.configure({"gateway": {"mode": "local", "auth": {"token": "a" * 16 + "b"}}, "hooks": {"enabled": True}})
        text = "Gateway failed to start: Error: hooks.enabled requires hooks.token"
        self.assertEqual(self.refusal(), (78, text))

    def test_not_set_up(self) -> None:
        """
        A machine that nobody made a gateway does not become one by accident.
        """
        text = "Missing config. Run `openclaw setup` or set gateway.mode=local (or pass --allow-unconfigured)."
        self.assertEqual(self.refusal(), (78, text))
        # How to set it up comes before a way of listening that there is not.
        self.assertEqual(self.refusal("--bind", "x"), (78, text))
        self.configure({})
        text = "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured."
        self.assertEqual(self.refusal(), (78, text))

    def test_no_secret(self) -> None:
        """
        Without a secret there is no start, and the kind of secret is told before the address.
        """
        self.configure({"gateway": {"mode": "local"}})
        text = "Gateway auth is set to token, but no token is configured."
        self.assertEqual(self.refusal("--bind", "lan"), (78, text))
        text = "Gateway auth is set to password, but no password is configured."
        self.assertEqual(self.refusal("--auth", "password"), (78, text))

    def test_invalid_file(self) -> None:
        """
        A configuration that is wrong is told of with key, place and what was expected.
        """
        self.configure('{ gateway: { port: "x" } }')
        outcome = self.openclaw("gateway")
        self.assertEqual(outcome.code, 78)
        lines = outcome.err.splitlines()
        self.assertEqual(lines[:2], ["Config invalid", "File: ~/.openclaw/openclaw.json"])
        self.assertIn("  - gateway.port: Invalid input: expected number, received string", lines)
        self.assertIn("~/.openclaw/openclaw.json:1:20", outcome.err)
        self.assertEqual(lines[-1], "Run: openclaw doctor --fix")


class ResetTests(CommandCase):
    """
    ``--dev --reset``.
    """

    def setUp(self) -> None:
        super().setUp()
        self.environ["OPENCLAW_PROFILE"] = "dev"
        self.environ["OPENCLAW_STATE_DIR"] = str(self.home / ".openclaw-dev")
        self.state = self.home / ".openclaw-dev"
        self.trash = self.home / ".local" / "share" / "Trash"
        self.workspace = self.home / ".openclaw" / "workspace-dev"
        for name in ("openclaw.json", "openclaw.sqlite3", "agents/main/sessions/sessions.json", "identity/device.json"):
            (self.state / name).parent.mkdir(parents=True, exist_ok=True)
            (self.state / name).write_text("old")
        self.workspace.mkdir(parents=True)
        (self.workspace / "SOUL.md").write_text("old")

    def gateway(self, *arguments: str) -> Outcome:
        """
        A gateway that ends before it begins: it has no password.
        """
        return self.openclaw("gateway", "--auth", "password", *arguments)

    def test_moved(self) -> None:
        """
        What the gateway kept is in the trash, with where it was, and a new configuration and workspace are made; what
        clients keep stays.
        """
        outcome = self.gateway("--reset")
        self.assertIn("Moved to the trash: ~/.openclaw-dev/openclaw.json (now ~/.local/share/Trash/files/", outcome.out)
        self.assertIn("Dev config ready: ~/.openclaw-dev/openclaw.json\n", outcome.out)
        names = {path.name for path in (self.trash / "files").iterdir()}
        self.assertEqual(names, {"openclaw.json", "openclaw.sqlite3", "sessions", "workspace-dev"})
        self.assertEqual((self.trash / "files" / "workspace-dev" / "SOUL.md").read_text(), "old")
        told = (self.trash / "info" / "openclaw.sqlite3.trashinfo").read_text()
        self.assertTrue(told.startswith(f"[Trash Info]\nPath={self.state}/openclaw.sqlite3\nDeletionDate=20"), told)
        self.assertEqual((self.state / "identity" / "device.json").read_text(), "old")
        self.assertNotEqual((self.workspace / "SOUL.md").read_text(), "old")

    def test_again(self) -> None:
        """
        What is in the trash already stays there, under its own name.
        """
        self.gateway("--reset")
        self.gateway("--reset")
        files = self.trash / "files"
        self.assertEqual((files / "openclaw.json").read_text(), "old")
        self.assertIn("gateway", (files / "openclaw.2.json").read_text())

    def test_running(self) -> None:
        """
        Nothing is taken from a gateway that runs.
        """
        lock = ProcessLock(state_dir=self.state, config_path=self.state / "openclaw.json", now_ms=lambda: 0)
        lock.acquire()
        self.addCleanup(lock.release)
        outcome = self.gateway("--reset")
        self.assertEqual((outcome.code, outcome.err), (75, f"Error: gateway already running (pid {os.getpid()})\n"))
        self.assertEqual((self.state / "openclaw.json").read_text(), "old")
        self.assertFalse(self.trash.exists())

    def test_default_profile(self) -> None:
        """
        ``gateway --dev`` in the default profile has a workspace of its own, so that nobody's is moved.
        """
        del self.environ["OPENCLAW_PROFILE"]
        own = self.home / ".openclaw" / "workspace"
        own.mkdir()
        self.gateway("--dev", "--reset")
        self.assertTrue(own.exists())
        self.assertTrue((self.trash / "files" / "workspace-dev").exists())


class ForceTests(CommandCase):
    """
    ``--force``.
    """

    def free(self, *found: dict[int, str]) -> tuple[list[str], list[tuple[int, int]]]:
        """
        The lines and the signals, where ``found`` listens one look after the other.
        """
        looks, signals = iter(found), list[tuple[int, int]]()
        lines = free_port(
            28830,
            listeners=lambda port: next(looks),
            kill=lambda pid, number: signals.append((pid, number)),
            pause=lambda seconds: None,
        )
        return list(lines), signals

    def test_nobody(self) -> None:
        """
        A free port is said to be one.
        """
        self.assertEqual(self.free({}), (["force: no listeners on port 28830"], []))

    def test_stubborn(self) -> None:
        """
        Who does not leave when asked is made to.
        """
        one = {15452: "python3"}
        lines, signals = self.free(*[one] * 9, {})
        self.assertEqual(signals, [(15452, 15), (15452, 9)])
        self.assertEqual(
            lines,
            [
                "force: killed pid 15452 (python3) on port 28830",
                "force: escalated to SIGKILL while freeing port 28830",
                "force: waited 800ms for port 28830 to free",
            ],
        )

    def test_immortal(self) -> None:
        """
        What stays after all is named.
        """
        error = self.assertRaises(CommandFailed, self.free, *[{1: "", 2: ""}] * 30)
        self.assertEqual(str(error), "Force: Error: port 28830 still has listeners after --force: 1, 2")


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
