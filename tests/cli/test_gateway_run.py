"""
``openclaw gateway``: what keeps it from starting, ``--reset`` and ``--force``.
"""

from __future__ import annotations

import os

from openclaw.cli.exits import CommandFailed
from openclaw.cli.ports import Listener, free_port, is_gateway
from openclaw.store.lock import ProcessLock
from tests.cli.harness import CommandCase, Outcome


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
        for option in (["--raw-stream"], ["--raw-stream-path", "x"]):
            code, text = self.refusal("--dev", *option)
            self.assertEqual((code, text.partition(": this")[0]), (2, f"error: {option[0]} is not here yet"))
        self.assertEqual(list(self.home.iterdir()), [])

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

    def free(
        self, *found: dict[int, str], others: bool = True, own: int | None = None
    ) -> tuple[list[str], list[tuple[int, int]]]:
        """
        The lines and the signals, where ``found`` listens one look after the other.
        """
        looks, signals = iter(found), list[tuple[int, int]]()
        lines = free_port(
            28830,
            others=others,
            own=own,
            listeners=lambda port: [
                Listener(pid=pid, command=line.partition(" ")[0], command_line=line)
                for pid, line in next(looks).items()
            ],
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

    def test_stranger(self) -> None:
        """
        What is no gateway is not ended, nor is anything beside it, unless that is asked for twice.
        """
        gateway, stranger = "openclaw-gateway", "python3 -m http.server 28830"
        error = self.assertRaises(CommandFailed, self.free, {7: gateway, 8: stranger}, others=False)
        self.assertIn("port 28830 is held by pid 8 (python3 -m http.server 28830), which is no OpenClaw", str(error))
        self.assertIn("--force twice", str(error))
        self.assertEqual(self.free({7: gateway}, {}, others=False)[1], [(7, 15)])
        self.assertEqual(self.free({7: gateway, 8: stranger}, {})[1], [(7, 15), (8, 15)])

    def test_anothers(self) -> None:
        """
        Nor is the gateway of another profile, which is known by its lock; ours is known by its lock whatever runs it.
        """
        line = "/usr/bin/python3 -m openclaw.cli.main gateway"
        for own in (None, 8):
            error = self.assertRaises(CommandFailed, self.free, {7: line}, others=False, own=own)
            self.assertIn("an OpenClaw gateway with another state directory", str(error))
        self.assertEqual(self.free({7: line}, {}, others=False, own=7)[1], [(7, 15)])
        self.assertEqual(self.free({7: "debugger of mine"}, {}, others=False, own=7)[1], [(7, 15)])

    def test_are_gateways(self) -> None:
        """
        What is taken for a gateway, and what is not.
        """
        for line in (
            "openclaw-gateway",
            "/usr/bin/python3 -m openclaw.cli.main gateway --port 1",
            "/usr/bin/python3 -P -m openclaw.cli.main --profile a gateway run",
            "/usr/bin/python3 /usr/local/bin/openclaw gateway",
            "/usr/bin/python3 -W ignore -X utf8 -m openclaw.cli.main gateway",
            "node --require ./x.js /opt/openclaw/openclaw.mjs gateway",
            "/usr/local/bin/openclaw --dev gateway",
            "/venv/bin/python /venv/bin/twistd -n openclaw-gateway --port 1",
            "node /opt/openclaw/openclaw.mjs gateway",
        ):
            self.assertTrue(is_gateway(line), line)
        for line in (
            "",
            "nginx: master process",
            "ssh -L 18789:127.0.0.1:18789 gateway",
            "python3 -m http.server --directory /srv/openclaw gateway",
            "/usr/local/bin/openclaw agent --message hi",
            "vim openclaw-gateway",
            "cat /home/openclaw/gateway",
        ):
            self.assertFalse(is_gateway(line), line)
