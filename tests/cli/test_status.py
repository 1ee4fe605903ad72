"""
``openclaw status``, ``health``, ``gateway status`` and ``gateway probe``.
"""

from __future__ import annotations

import json
import re
import socket
from datetime import datetime
from functools import partial

from openclaw.cli import gateway_status
from openclaw.cli.gateway_probe import network
from openclaw.config.binding import binding_of
from openclaw.discovery import browse
from tests.cli.harness import NOW, CommandCase, GatewayCase

HEALTH = {
    "ok": True,
    "durationMs": 2,
    "channels": {},
    "defaultAgentId": "main",
    "agents": [
        {
            "agentId": "main",
            "isDefault": True,
            "heartbeat": {"every": "30m"},
            "sessions": {"path": "/db", "count": 2, "recent": []},
        }
    ],
    "sessions": {"path": "/db", "count": 2, "recent": [{"key": "agent:main:main", "age": 180_000}]},
}
SUMMARY = {
    "heartbeat": {"defaultAgentId": "main", "agents": [{"agentId": "main", "enabled": True, "every": "30m"}]},
    "channelSummary": [],
    "queuedSystemEvents": ["note"],
    "sessions": {
        "paths": ["/db"],
        "count": 2,
        "defaults": {"model": "echo", "contextTokens": 1000},
        "recent": [{"key": "agent:main:main", "kind": "direct", "age": 1000, "totalTokens": 100, "flags": ["x"]}],
    },
}
PRESENCE = [{"mode": "ui", "host": "x"}, {"mode": "gateway", "host": "vm", "ip": "192.0.2.2", "version": "1"}]
PRESENCE[1]["platform"] = "linux 6"


class ReachableCase(GatewayCase):
    """
    With a gateway that answers everything.
    """

    def setUp(self) -> None:
        super().setUp()
        # No supervisor is asked: there is none on this path. Nor does anybody listen to the network.
        self.environ["PATH"] = ""
        self.patch(browse, "browse", lambda limit: [])
        self.gateway.methods |= {
            "health": HEALTH,
            "status": SUMMARY,
            "system-presence": PRESENCE,
            "config.get": {
                "path": "/c",
                "exists": True,
                "valid": True,
                "config": {"gateway": {"auth": {"token": "_"}}},
            },
        }


class HealthTests(ReachableCase):
    """
    ``openclaw health``.
    """

    def test_json(self) -> None:
        """
        The payload is that of the method, unchanged.
        """
        self.assertEqual(self.openclaw("health", "--json").json, HEALTH)

    def test_text(self) -> None:
        """
        People read of agents, heartbeats and the newest conversations.
        """
        self.assertEqual(
            self.openclaw("health").out,
            "Agents: main (default)\nHeartbeat interval: 30m (main)\n"
            "Session store (main): /db (2 entries)\n- agent:main:main (3m ago)\n",
        )

    def test_probe(self) -> None:
        """
        ``--verbose`` asks the channels anew, and says where.
        """
        block = f"Gateway target: {self.url}\nSource: local loopback\nConfig: {self.home}/.openclaw/openclaw.json\n"
        self.assertTrue(self.openclaw("health", "--verbose").out.startswith(f"{block}Bind: loopback\nAgents: "))
        self.assertEqual(self.gateway.requests[0]["params"], {"probe": True})

    def test_invalid_config(self) -> None:
        """
        Health is told also where the configuration is invalid, with the problem beside it.
        """
        self.configure({"gateway": {"port": self.gateway.port, "auth": {"token": "shared"}, "bind": "x"}})
        outcome = self.openclaw("health", "--json")
        self.assertEqual((outcome.code, outcome.json), (0, HEALTH))
        self.assertIn("  - gateway.bind: Invalid input", outcome.err)


class StatusTests(ReachableCase):
    """
    ``openclaw status``.
    """

    def test_json(self) -> None:
        """
        The keys are those of the reference, with the gateway's own summary among them.
        """
        report = self.openclaw("status", "--json").json
        self.assertEqual(
            list(report),
            [
                *("heartbeat", "channelSummary", "queuedSystemEvents", "sessions", "os", "update", "updateChannel"),
                *("updateChannelSource", "memory", "memoryPlugin", "gateway", "gatewayService", "nodeService"),
                *("agents", "securityAudit"),
            ],
        )
        self.assertEqual({name: report[name] for name in SUMMARY}, SUMMARY)
        self.assertEqual(report["gateway"]["self"]["host"], "vm")
        self.assertTrue(report["gateway"]["reachable"])
        self.assertEqual(report["agents"]["totalSessions"], 2)
        self.assertEqual(self.gateway.connects[0]["client"]["mode"], "probe")
        self.assertEqual(self.openclaw("status", "--json", "--deep").json["health"], HEALTH)

    def test_text(self) -> None:
        """
        People read tables.
        """
        out = self.openclaw("status").out
        # Where a long cell wraps depends on how long the gateway took to answer.
        unwrapped = re.sub(r"[\s│]", "", out)
        for part in (
            f"{self.url} (local loopback)",
            "auth token",
            "vm (192.0.2.2) app 1 linux 6",
            "System event: note",
        ):
            self.assertIn(part.replace(" ", ""), unwrapped)
        self.assertIn("│ agent:main:main │ direct │ 1s  │ echo  │ 0.1k/1k (10%) x │", out)

    def test_all(self) -> None:
        """
        ``--all`` adds the agents and what could be in the way, without a secret.
        """
        out = self.openclaw("status", "--all").out
        self.assertTrue(out.startswith("OpenClaw status --all\n"))
        self.assertIn("│ main  │ done      │ 2        │ -      │ /db   │", out)
        below = out.partition("Diagnosis (read-only)\n")[2].splitlines()
        self.assertEqual(below[0], f"Gateway target: {self.url}")
        self.assertIn("✓ Config: ~/.openclaw/openclaw.json", below)
        self.assertIn("✓ Gateway: ok", below)
        self.assertIn(f"✓ Port {self.gateway.port} is already in use.", below)
        self.assertNotIn("shared", out)
        self.assertNotIn("use a different port", out)
        self.assertTrue(below[-4].startswith("! Log: ~/.openclaw/logs/openclaw-"), below)

    def test_all_log(self) -> None:
        """
        What the gateway has told last stands at the end, and that a restart has left a note.
        """
        record = {"0": '{"subsystem":"gateway"}', "1": "listening\x1b[2J", "time": "2026-11-28T00:00:00.000Z"}
        record["_meta"] = {"logLevelName": "INFO", "name": '{"subsystem":"gateway"}'}  # type: ignore[assignment]
        path = self.home / "gateway.log"
        path.write_text("no JSON\n" + (json.dumps(record) + "\n") * 12)
        gateway = {"mode": "local", "port": self.gateway.port, "auth": {"token": "shared"}}
        self.configure({"gateway": gateway, "logging": {"file": str(path)}})
        (self.home / ".openclaw" / "restart-sentinel.json").write_text("{}")
        out = self.openclaw("status", "--all").out
        self.assertEqual(out.count("  2026-11-28T00:00:00.000Z info [gateway] listening [2J\n"), 10)
        self.assertIn("✓ Log: ~/gateway.log\n", out)
        self.assertIn("! A note of a restart waits", out)

    def test_usage(self) -> None:
        """
        What this version cannot tell is said to be so.
        """
        self.assertIn("--usage: this version does not", self.openclaw("status", "--usage", "--json").err)
        self.assertEqual(self.openclaw("status", "--json").err, "")

    def test_next_step(self) -> None:
        """
        A gateway that refuses us is not started once more.
        """
        self.assertIn("Next steps:\n  openclaw logs --follow\n", self.openclaw("status").out)
        self.assertIn("Next steps:\n  openclaw gateway status\n", self.openclaw("status", "--token", "wrong").out)

    def test_findings(self) -> None:
        """
        What would let somebody in is told with its cure.
        """
        path = self.configure({"gateway": {"port": self.gateway.port, "bind": "lan", "auth": {"token": "shared"}}})
        path.chmod(0o644)
        path.parent.chmod(0o700)
        report = self.openclaw("status", "--json").json["securityAudit"]
        found = {finding["checkId"]: finding for finding in report["findings"]}
        self.assertEqual(set(found), {"fs.config.perms_world_readable", "gateway.token_weak"})
        self.assertEqual(found["fs.config.perms_world_readable"]["remediation"], f"chmod 600 {path}")
        self.assertEqual(report["summary"], {"critical": 2, "warn": 0, "info": 0})


class AloneTests(CommandCase):
    """
    Without a gateway.
    """

    def setUp(self) -> None:
        super().setUp()
        self.environ["PATH"] = ""
        self.patch(browse, "browse", lambda limit: [])
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self.environ["OPENCLAW_GATEWAY_PORT"] = str(self.port)

    def test_status(self) -> None:
        """
        Status works, and says that nobody answers.
        """
        outcome = self.openclaw("status", "--json")
        self.assertEqual(outcome.code, 0)
        gateway = outcome.json["gateway"]
        self.assertEqual((gateway["reachable"], gateway["self"]), (False, None))
        self.assertEqual(gateway["error"], f"connect failed: connect ECONNREFUSED 127.0.0.1:{self.port}")
        self.assertIsNone(outcome.json["sessions"])
        told = self.openclaw("status", "--all").out
        self.assertIn("unreachable", told)
        self.assertTrue(told.endswith("Next steps:\n  openclaw gateway\n"))
        self.assertIn(f"✓ Port {self.port} is free.", told)

    def test_remote_without_address(self) -> None:
        """
        Status says so where others fail.
        """
        self.configure({"gateway": {"mode": "remote"}})
        self.assertTrue(self.openclaw("status", "--json").json["gateway"]["misconfigured"])
        outcome = self.openclaw("health")
        self.assertEqual(outcome.code, 78)
        self.assertTrue(outcome.err.startswith("gateway remote mode misconfigured: gateway.remote.url missing\n"))
        # This one is about the gateway of this machine, whichever commands talk to.
        outcome = self.openclaw("gateway", "status", "--json")
        self.assertEqual((outcome.code, outcome.json["rpc"]["url"]), (0, f"ws://127.0.0.1:{self.port}"))

    def test_health(self) -> None:
        """
        Health fails with the target, as users of the reference know it.
        """
        outcome = self.openclaw("health", "--json")
        self.assertEqual((outcome.code, outcome.out), (1, ""))
        self.assertEqual(
            outcome.err.splitlines(),
            [
                "Error: gateway closed (1006 abnormal closure (no close frame)): no close reason",
                f"Gateway target: ws://127.0.0.1:{self.port}",
                "Source: local loopback",
                f"Config: {self.home}/.openclaw/openclaw.json",
                "Bind: loopback",
                f"Cause: connect ECONNREFUSED 127.0.0.1:{self.port}",
                "Fix: start it with: openclaw gateway",
            ],
        )

    def test_probe(self) -> None:
        """
        A probe that finds nobody fails, in the recorded shape.
        """
        outcome = self.openclaw("gateway", "probe", "--json")
        self.assertEqual(outcome.code, 1)
        url = f"ws://127.0.0.1:{self.port}"
        (target,) = outcome.json["targets"]
        self.assertEqual((outcome.json["ok"], outcome.json["primaryTargetId"]), (False, None))
        self.assertEqual(
            target,
            {
                "id": "localLoopback",
                "kind": "localLoopback",
                "url": url,
                "active": True,
                "tunnel": None,
                "connect": {
                    "ok": False,
                    "latencyMs": None,
                    "error": f"connect failed: connect ECONNREFUSED 127.0.0.1:{self.port}",
                    "close": {"code": 1006, "reason": ""},
                },
                **dict.fromkeys(("self", "config", "health", "summary", "presence")),
            },
        )

    def test_gateway_status(self) -> None:
        """
        The gateway's status is told in the recorded shape, and is no failure.
        """
        outcome = self.openclaw("gateway", "status", "--json")
        self.assertEqual(outcome.code, 0)
        report = outcome.json
        self.assertEqual(
            report["gateway"],
            {
                "bindMode": "loopback",
                "bindHost": "127.0.0.1",
                "port": self.port,
                "portSource": "env/config",
                "probeUrl": f"ws://127.0.0.1:{self.port}",
                "probeNote": "Loopback-only gateway; only local clients can connect.",
            },
        )
        self.assertEqual(report["port"], {"port": self.port, "status": "free", "listeners": [], "hints": []})
        self.assertFalse(report["rpc"]["ok"])
        self.assertIn("gateway closed (1006", report["rpc"]["error"])
        self.assertNotIn("rpc", self.openclaw("gateway", "status", "--json", "--no-probe").json)
        self.assertIn("RPC probe: failed", self.openclaw("gateway", "status").err)

    def test_addresses(self) -> None:
        """
        The address is the one that the gateway listens on; without a tailnet that is loopback, and it says why.
        """
        none = "gateway.bind is tailnet, but this machine has no Tailscale address. Listening on loopback only."
        cases: list[tuple[str, tuple[str, ...], str, str | None]] = [
            ("lan", (), "0.0.0.0", None),
            ("auto", (), "127.0.0.1", None),
            ("tailnet", ("100.101.102.103",), "100.101.102.103", None),
            ("tailnet", (), "127.0.0.1", none),
            ("custom", (), "192.0.2.7", None),
        ]
        for mode, tailnet, host, note in cases:
            self.patch(gateway_status, "binding_of", partial(binding_of, tailnet=partial(tuple[str, ...], tailnet)))
            self.configure({"gateway": {"bind": mode, "customBindHost": "192.0.2.7"}})
            told = self.openclaw("gateway", "status", "--json", "--no-probe").json["gateway"]
            self.assertEqual((told["bindMode"], told["bindHost"], told.get("probeNote")), (mode, host, note))

    def test_derived_ports(self) -> None:
        """
        The family of the port is shown, and who is in its way.
        """
        self.environ["OPENCLAW_GATEWAY_PORT"] = "18789"
        self.configure({"canvasHost": {"port": 18789}})
        family = self.openclaw("gateway", "status", "--json", "--no-probe").json["derivedPorts"]
        self.assertEqual((family["browserControl"], family["canvas"]), (18791, 18789))
        self.assertEqual(family["cdp"], {"first": 18800, "last": 18899})
        self.assertIn("Port 18789 is wanted by both gateway and canvas host.", family["conflicts"])


class ProbeTests(ReachableCase):
    """
    ``gateway probe`` and ``gateway status`` with a gateway.
    """

    def test_reached(self) -> None:
        """
        A gateway that answers is described, without its secrets.
        """
        outcome = self.openclaw("gateway", "probe", "--json")
        (target,) = outcome.json["targets"]
        self.assertEqual((outcome.code, outcome.json["primaryTargetId"]), (0, "localLoopback"))
        self.assertEqual(target["self"], {"host": "vm", "ip": "192.0.2.2", "version": "1", "platform": "linux 6"})
        self.assertEqual(target["config"]["gateway"]["authTokenConfigured"], True)
        self.assertEqual((target["health"], target["summary"], target["presence"]), (HEALTH, SUMMARY, PRESENCE))

    def test_network(self) -> None:
        """
        The addresses of this machine's gateway are told, whichever was asked for.
        """
        told = self.openclaw("gateway", "probe", "--json", "--url", self.url).json["network"]
        self.assertEqual(told["localLoopbackUrl"], self.url)
        self.assertEqual(
            network("wss://127.0.0.1:5", lambda: ("fd7a:115c:a1e0::7", "100.101.102.103")),
            {
                "localLoopbackUrl": "wss://127.0.0.1:5",
                "localTailnetUrl": "wss://100.101.102.103:5",
                "tailnetIPv4": "100.101.102.103",
            },
        )

    def test_text(self) -> None:
        """
        People read whether it answers.
        """
        out = self.openclaw("gateway", "probe").out
        self.assertIn("Reachable: yes\nProbe budget: 3000ms\n", out)
        self.assertIn("RPC: ok\n  Gateway: vm (192.0.2.2) · linux 6 · app 1\n", out)

    def test_refused(self) -> None:
        """
        A gateway that answers only some questions is reached, and not well.
        """
        del self.gateway.methods["config.get"]
        self.assertIn("RPC: failed - unknown method: config.get", self.openclaw("gateway", "probe").out)

    def test_gateway_status(self) -> None:
        """
        A gateway that runs is no conflict with itself.
        """
        report = self.openclaw("gateway", "status", "--json").json
        self.assertEqual(report["rpc"], {"ok": True, "url": self.url})
        self.assertEqual(report["port"]["status"], "busy")
        told = self.openclaw("gateway", "status")
        self.assertIn("RPC probe: ok\n", told.out)
        day = f"{datetime.fromtimestamp(NOW).astimezone():%Y-%m-%d}"
        self.assertIn(f"File logs: ~/.openclaw/logs/openclaw-{day}.log\n", told.out)
        # A port that is taken is no problem where nobody asked by whom.
        self.assertNotIn("already in use", self.openclaw("gateway", "status", "--no-probe").err)
