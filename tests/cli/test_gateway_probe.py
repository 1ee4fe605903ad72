"""
Tests of ``openclaw gateway probe`` and ``discover``: what the network tells of, and what is behind an SSH tunnel, with
an ``ssh`` that only carries to where the test says.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SkipTest

from openclaw.cli import ssh_tunnel
from openclaw.cli.exits import UsageError
from openclaw.cli.gateway_probe import auto_target
from openclaw.cli.ssh_tunnel import SshTarget, command
from openclaw.discovery import browse
from openclaw.discovery.beacon import Beacon, DiscoveryUnavailable
from tests.cli.harness import CommandCase, GatewayCase

TEXTS = {"displayName": "Studio", "lanHost": "studio.local", "sshPort": "2222", "gatewayTls": "1"}
BEACON = Beacon.heard("Studio (OpenClaw)", "192.0.2.7", 18789, TEXTS)

#: Listens where the real one would, and copies to the port behind; it notes its arguments, and that it was ended.
SSH = """\
#!{python}
import os, signal, socket, sys, threading
def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\\n")
note(" ".join(sys.argv[1:]))
if os.environ.get("SSH_FAILS"):
    sys.exit("Permission denied (publickey).")
def end(number, frame):
    note("ended")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
_, local, _, remote = sys.argv[sys.argv.index("-L") + 1].split(":")
server = socket.create_server(("127.0.0.1", int(local)))
def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.close()
while True:
    near = server.accept()[0]
    far = socket.create_connection(("127.0.0.1", int(remote)))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""


class DiscoverTests(CommandCase):
    """
    ``gateway discover``.
    """

    def heard(self, *beacons: Beacon) -> list[float]:
        seconds: list[float] = []

        def listen(limit: float) -> Sequence[Beacon]:
            seconds.append(limit)
            return list(beacons)

        self.patch(browse, "browse", listen)
        return seconds

    def test_found(self) -> None:
        """
        For people and for scripts.
        """
        seconds = self.heard(BEACON)
        told = self.openclaw("gateway", "discover").out
        self.assertEqual(
            told,
            "Gateway Discovery\n"
            "Found 1 gateway(s) · domains: local.\n"
            "- Studio local.\n"
            "  lan: studio.local\n"
            "  host: 192.0.2.7\n"
            "  ws: wss://192.0.2.7:18789\n"
            "  tls: enabled · sha256 unknown\n"
            "  ssh: 192.0.2.7:2222\n",
        )
        report = self.openclaw("gateway", "discover", "--json", "--timeout", "300").json
        self.assertEqual((report["timeoutMs"], report["domains"], report["count"]), (300, ["local."], 1))
        self.assertEqual(report["beacons"][0]["wsUrl"], "wss://192.0.2.7:18789")
        self.assertEqual(seconds, [2.0, 0.3])

    def test_not_installed(self) -> None:
        """
        Without the extra: what installs it, and the exit code of a missing dependency.
        """

        def missing(limit: float) -> Any:
            raise DiscoveryUnavailable

        self.patch(browse, "browse", missing)
        outcome = self.openclaw("gateway", "discover")
        self.assertEqual(outcome.code, 69)
        self.assertIn("pip install 'openclaw[discovery]'", outcome.err)
        told = self.openclaw("gateway", "probe", "--json").json
        self.assertEqual(told["discovery"], {"timeoutMs": 0, "count": 0, "beacons": []})
        self.assertIn("Not looked for: zeroconf is not installed", self.openclaw("gateway", "probe").out)

    def test_probe(self) -> None:
        """
        What is heard stands beside what is tried, and is not tried itself.
        """
        self.heard(BEACON)
        told = self.openclaw("gateway", "probe", "--json").json
        self.assertEqual((told["discovery"]["count"], told["discovery"]["timeoutMs"]), (1, 1200))
        self.assertEqual([target["kind"] for target in told["targets"]], ["localLoopback"])
        self.assertIn("- Studio wss://192.0.2.7:18789\n", self.openclaw("gateway", "probe").out)


class TargetTests(CommandCase):
    """
    Where to log in.
    """

    def test_forms(self) -> None:
        """
        With and without a user and a port.
        """
        for text, host, user, port in (
            ("host", "host", None, None),
            ("me@host.example:2222", "host.example", "me", 2222),
            ("me@[2001:db8::1]:22", "2001:db8::1", "me", 22),
        ):
            found = SshTarget.of(text)
            self.assertEqual((found.host, found.user, found.port), (host, user, port))
            self.assertEqual(str(found), text)

    def test_no_options(self) -> None:
        """
        Nothing that ``ssh`` could take for an option, or a shell for a command.
        """
        for text in (
            "-oProxyCommand=x",
            "me@-oProxyCommand=x",
            "-l@host",
            "a b",
            "a;b",
            "host:0",
            "host:99999",
            "",
            "a\nb",
            "@h",
        ):
            self.assertRaises(UsageError, SshTarget.of, text)
        words = command(SshTarget(host="h", user="u", port=2222), 1, 2, "/key", 2.0)
        self.assertEqual(words[-2:], ["--", "u@h"])
        self.assertIn("BatchMode=yes", words)
        self.assertNotIn("StrictHostKeyChecking=yes", words, "who names a machine may say so in the settings of ssh")

    def test_auto(self) -> None:
        """
        The first machine that can be named; a hostile one cannot.
        """
        hostile = Beacon.heard("x", "-oProxyCommand", 1, {})
        self.assertEqual(str(auto_target([hostile, BEACON], {"USER": "me"})), "me@192.0.2.7:2222")
        self.assertIsNone(auto_target([hostile], {}))
        found = auto_target([BEACON], {})
        assert found is not None
        self.assertIn("StrictHostKeyChecking=yes", command(found, 1, 2, None, 2.0), "nobody has named that machine")


class TunnelTests(GatewayCase):
    """
    ``gateway probe --ssh``: the gateway of this test is behind the tunnel, on the port of the one that is configured.
    """

    def setUp(self) -> None:
        super().setUp()
        programs = self.home / "programs"
        programs.mkdir()
        (programs / "ssh").write_text(SSH.replace("{python}", sys.executable))
        (programs / "ssh").chmod(0o755)
        self.notes = self.home / "notes"
        self.environ |= {"PATH": f"{programs}:{os.environ['PATH']}", "NOTES": str(self.notes)}
        self.patch(browse, "browse", lambda limit: [BEACON])

    def test_through(self) -> None:
        """
        It is asked through the tunnel with the token that is meant for it, and the tunnel ends with the command.
        """
        told = self.openclaw("gateway", "probe", "--json", "--ssh", "me@host:2222", "--token", "shared").json
        target = told["targets"][0]
        self.assertEqual(
            (target["kind"], target["connect"]["ok"], told["primaryTargetId"]), ("sshTunnel", True, "sshTunnel")
        )
        tunnel = target["tunnel"]
        self.assertEqual(
            (tunnel["kind"], tunnel["target"], tunnel["remotePort"]), ("ssh", "me@host:2222", self.gateway.port)
        )
        self.assertEqual(target["url"], f"ws://127.0.0.1:{tunnel['localPort']}")
        first, last = self.notes.read_text().splitlines()
        self.assertTrue(first.endswith("-p 2222 -- me@host"), first)
        self.assertEqual(last, "ended")
        self.assertNotIn("shared", first)

    def test_own_secret(self) -> None:
        """
        The secret of this machine's gateway is not sent there; one that is configured for a remote gateway is.
        """
        told = self.openclaw("gateway", "probe", "--json", "--ssh", "host").json
        self.assertFalse(told["targets"][0]["connect"]["ok"])
        remote = {"token": "shared", "sshTarget": "configured"}
        self.configure(
            {"gateway": {"mode": "local", "port": self.gateway.port, "auth": {"token": "x" * 20}, "remote": remote}}
        )
        told = self.openclaw("gateway", "probe", "--json").json
        self.assertEqual((told["targets"][0]["kind"], told["targets"][0]["connect"]["ok"]), ("sshTunnel", True))
        self.assertIn("-- configured", self.notes.read_text())

    def test_failed(self) -> None:
        """
        A tunnel that does not stand is a warning; the others are asked all the same.
        """
        self.environ["SSH_FAILS"] = "1"
        told = self.openclaw("gateway", "probe", "--json", "--ssh-auto").json
        (warning,) = told["warnings"]
        self.assertEqual(warning["code"], "ssh_tunnel_failed")
        self.assertIn("Permission denied (publickey).", warning["message"])
        self.assertEqual([target["kind"] for target in told["targets"]], ["localLoopback"])
        self.assertTrue(told["ok"])

    def test_port_taken(self) -> None:
        """
        Who listens where the tunnel is to begin, and is not it, is not talked to.
        """
        if not os.path.exists("/proc/net/tcp"):
            raise SkipTest("there is no /proc/net/tcp")
        stranger = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(stranger.close)
        self.patch(ssh_tunnel, "_free_port", lambda: stranger.getsockname()[1])
        told = self.openclaw("gateway", "probe", "--json", "--ssh", "host", "--token", "shared").json
        self.assertEqual([target["kind"] for target in told["targets"]], ["localLoopback"])
        self.assertEqual(told["warnings"][0]["code"], "ssh_tunnel_failed")
        self.assertIn("in use", told["warnings"][0]["message"])

    def test_ended(self) -> None:
        """
        Nor is one whose ssh has just ended, whose descriptors nobody can look at any more.
        """
        if not os.path.exists("/proc/net/tcp"):
            raise SkipTest("there is no /proc/net/tcp")
        stranger = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(stranger.close)
        port, ended = stranger.getsockname()[1], subprocess.Popen(["true"])
        self.assertTrue(ssh_tunnel._stands(port, os.getpid()))
        ended.wait()
        self.assertFalse(ssh_tunnel._stands(port, ended.pid))

    def test_missing(self) -> None:
        """
        Without the program, and with a target that is none.
        """
        self.environ["PATH"] = str(self.home)
        told = self.openclaw("gateway", "probe", "--json", "--ssh", "host").json
        self.assertIn("ssh is not installed", told["warnings"][0]["message"])
        self.assertEqual(self.openclaw("gateway", "probe", "--ssh", "-x y").code, 2)
