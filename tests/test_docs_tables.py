"""
Tables, lists and numbers of the documents are those of the program.
"""

from __future__ import annotations

import json
import re
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.__main__ import PARTS
from openclaw.agent.commands.table import COMMANDS as SLASH_COMMANDS
from openclaw.agent.providers.known import KNOWN_PROVIDERS
from openclaw.cli import exits
from openclaw.cli.main import COMMANDS
from openclaw.client.identity import Identity
from openclaw.config.auth import LEAST_SECRET_LENGTH
from openclaw.config.paths import DEFAULT_PORT, DEV_PORT, derived_ports
from openclaw.devices.identity import Claim, raw_public_key, signature_holds
from openclaw.gateway.clients import MOST_PENDING
from openclaw.gateway.connection import HANDSHAKE_MESSAGE_BYTES
from openclaw.gateway.tick import TICK_INTERVAL
from openclaw.logs.file import MOST_FILE_BYTES, MOST_TOTAL_BYTES
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.connect import ConnectParams
from openclaw.protocol.features import EVENTS
from openclaw.protocol.frames import RequestFrame
from openclaw.protocol.validate import violations
from tests.gateway.test_scrape import every_family
from tests.tables import ROOT, attributes_read, blocks, event_rows, is_read, method_rows, model_keys, rows, text

#: Read, but nothing uses what they set yet: no run is a cron job's or a subagent's.
IDLE = frozenset({"cron.maxConcurrentRuns"})


class ConfigurationTests(SynchronousTestCase):
    """
    ``docs/configuration.md`` and the model.
    """

    groups = ("Gateway", "Logs", "Sessions", "Agents", "Models", "Tools", "Others")

    def effective(self) -> list[list[str]]:
        document = text("docs/configuration.md")
        return [row for group in self.groups for row in rows(document, group)]

    def waiting(self) -> list[str]:
        table = rows(text("docs/configuration.md"), "Keys without an effect yet")
        return [name.strip("`") for row in table for name in row[0].split(", ")]

    def test_keys(self) -> None:
        """
        Every key of the model stands in exactly one of the two tables, and no other key does.
        """
        told, waiting = [row[0].strip("`") for row in self.effective()], self.waiting()
        self.assertEqual(sorted(set(told)), sorted(told))
        both, missing, unused = [], [], set(waiting)
        for key in model_keys():
            matching = [name for name in waiting if key.name == name or _covers(name, key.name)]
            unused -= set(matching)
            if matching and key.name in told:
                both.append(key.name)
            if not matching and key.name not in told:
                missing.append(key.name)
        self.assertEqual((both, missing, sorted(unused)), ([], [], []))
        self.assertEqual(set(told) - {key.name for key in model_keys()}, set())

    def test_what_waits_is_not_read(self) -> None:
        """
        A key that the program reads is not told to have no effect.
        """
        chains, waiting = attributes_read(), self.waiting()
        wrong = [
            key.name
            for key in model_keys()
            if any(key.name == name or _covers(name, key.name) for name in waiting) and is_read(key, chains)
        ]
        self.assertEqual(set(wrong) - IDLE, set(), "move these to the table of keys that have an effect")

    def test_values_and_defaults(self) -> None:
        """
        What a key may be, and what it is when the file does not say, stand in the table as in the program.
        """
        keys = {key.name: key for key in model_keys()}
        wrong = []
        for name, value, default, effect in self.effective():
            key = keys[name.strip("`")]
            if (value, default) != (key.value, key.default) or not effect:
                wrong.append(f"| {name} | {key.value} | {key.default} |")
        self.assertEqual(wrong, [])


def _covers(pattern: str, name: str) -> bool:
    return pattern.endswith(".*") and name.startswith(pattern[:-1])


class FactsTests(SynchronousTestCase):
    """
    Lists and numbers that stand in the documents and in the program.
    """

    def test_exit_codes(self) -> None:
        """
        The table of exit codes has those of the command line.
        """
        told = {int(row[0]) for row in rows(text("docs/configuration.md"), "Exit codes")}
        known = {exits.FAILED, exits.USAGE, exits.UNAVAILABLE, exits.TRY_AGAIN, exits.CONFIGURATION}
        self.assertEqual(told, {0, *known})

    def test_refusals(self) -> None:
        """
        The words by which a reader finds a refusal in the tables are those of the program.
        """
        source = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "openclaw").rglob("*.py")))
        tables = [
            *((row[1], row[0]) for row in rows(text("docs/configuration.md"), "When it refuses to start")),
            *((row[1], row[0]) for row in rows(text("docs/protocol.md"), "What can go wrong")),
            *((row[1], row[0]) for row in rows(text("docs/protocol.md"), "Close codes")),
        ]
        wrong, seen = [], 0
        for told, row in tables:
            for phrase in re.findall(r"`([^`]+)`", told):
                seen += 1
                if phrase.rstrip(". ").removeprefix("device ") not in source and phrase not in set(ErrorCode):
                    wrong.append(f"{row}: {phrase}")
        self.assertGreater(seen, 30)
        self.assertEqual(wrong, [])

    def test_commands(self) -> None:
        """
        Every command of the program stands in the table of commands, and no other.
        """
        told = {
            name for row in rows(text("docs/commands.md"), "Commands") for name in re.findall(r"`([a-z-]+)", row[0])
        }
        self.assertEqual(told, set(COMMANDS))

    def test_slash_commands(self) -> None:
        """
        Every slash command stands in the table.
        """
        table = rows(text("docs/getting-started.md"), "In the conversation")
        told = {name for row in table for name in re.findall(r"`/(\w+)", row[0])}
        self.assertEqual(told, {command.names[0] for command in SLASH_COMMANDS})

    def test_keys_of_providers(self) -> None:
        """
        The variables that may hold a provider's key are named in the order in which they are looked for.
        """
        told = re.search(
            r"Keys that are looked for, in this order: (.*?)\.\n", text("docs/getting-started.md"), re.DOTALL
        )
        assert told is not None
        known = [key for provider in KNOWN_PROVIDERS.values() for key in provider.keys]
        self.assertEqual(
            re.findall(r"`(\w+)`", told[1]), [key for key in known if key != "Z_AI_API_KEY"], "other spellings aside"
        )

    def test_packages(self) -> None:
        """
        The architecture names every package and module at the top.
        """
        told = {
            name for row in rows(text("docs/architecture.md"), "Packages") for name in re.findall(r"`(\w+)`", row[1])
        }
        found = {path.stem for path in (ROOT / "openclaw").glob("[a-z]*") if path.suffix in ("", ".py")}
        self.assertEqual(found - {"py"} - told, set())

    def test_measurements(self) -> None:
        """
        The performance document names the parts of the benchmarks, and has the place for their figures.
        """
        told = {row[0].strip("`") for row in rows(text("docs/performance.md"), "Performance")}
        self.assertEqual(told, set(PARTS))
        self.assertEqual(text("docs/performance.md").count("## Figures"), 1)

    def test_metrics(self) -> None:
        """
        The table of metrics has those of a gateway, with their labels.
        """
        table = rows(text("docs/metrics.md"), "What there is")
        told = {row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1])) for row in table}
        known = {
            f"{family.name}_total" if family.kind == "counter" else family.name: tuple(family.labels)
            for family in every_family()
        }
        self.assertEqual(told, known)

    def test_ports(self) -> None:
        """
        The table of ports has the ports that follow from the two bases.
        """
        table = [row[1:] for row in rows(text("docs/configuration.md"), "Ports")]
        for column, base in enumerate((DEFAULT_PORT, DEV_PORT)):
            ports = derived_ports(base)
            expected = [
                str(ports.gateway),
                str(ports.browser_control),
                str(ports.canvas),
                f"{ports.cdp_first} to {ports.cdp_last}",
            ]
            self.assertEqual([row[column] for row in table], expected)

    def test_limits(self) -> None:
        """
        Numbers that somebody may change stand where they are told.
        """
        for name, told, number in (
            ("docs/operations.md", r"(\d+) MiB at most", MOST_FILE_BYTES // 2**20),
            ("docs/operations.md", r"all of them together to (\d+) MiB", MOST_TOTAL_BYTES // 2**20),
            ("docs/protocol.md", r"only one before hello-ok; (\d+) KiB", HANDSHAKE_MESSAGE_BYTES // 1024),
            ("docs/protocol.md", r"\| (\d+) sockets wait without a hello", MOST_PENDING),
            ("docs/protocol.md", r"sends `tick` every (\d+) s", TICK_INTERVAL.total_seconds()),
            ("docs/security.md", r"at most (\d+) KiB", HANDSHAKE_MESSAGE_BYTES // 1024),
            ("docs/security.md", r"At most (\d+) connections", MOST_PENDING),
            ("docs/security.md", r"shorter than (\d+) characters", LEAST_SECRET_LENGTH),
            ("docs/configuration.md", r"at least (\d+) characters", LEAST_SECRET_LENGTH),
        ):
            found = re.search(told, text(name))
            assert found is not None, told
            self.assertEqual(float(found[1]), number, told)


class ProtocolTests(SynchronousTestCase):
    """
    ``docs/protocol.md`` and the method table.
    """

    def test_methods(self) -> None:
        """
        The table names every method with its scope, parameters and marks.
        """
        table = rows(text("docs/protocol.md"), "Methods")
        self.assertEqual([row[:4] for row in table], method_rows())
        self.assertEqual([row[0] for row in table if not row[4]], [])

    def test_events(self) -> None:
        """
        The table names the events that are advertised.
        """
        table = rows(text("docs/protocol.md"), "Events")
        self.assertEqual([row[0] for row in table], event_rows())
        self.assertEqual([row[0].strip("`") for row in table if row[3] != "not sent yet"], list(EVENTS))

    def test_frames(self) -> None:
        """
        The frames in the document are ones, and every ``connect`` fits its definition.
        """
        connects = 0
        for block in blocks(ROOT / "docs" / "protocol.md", "json"):
            for frame in _values(block):
                if frame["type"] == "req":
                    self.assertIsNone(violations(RequestFrame, frame))
                if frame.get("method") == "connect":
                    connects += 1
                    self.assertIsNone(violations(ConnectParams, frame["params"]))
        self.assertEqual(connects, 2)

    def test_worked_example(self) -> None:
        """
        The signed example is what its key signs, in the words of the document.
        """
        (example,) = blocks(ROOT / "docs" / "protocol.md", "text")
        told = dict(line.split(None, 1) for line in example.splitlines())
        frame = _values(blocks(ROOT / "docs" / "protocol.md", "json")[-1])[0]
        params = frame["params"]
        device = params["device"]
        claim = Claim(
            device_id=device["id"],
            client_id=params["client"]["id"],
            client_mode=params["client"]["mode"],
            role=params["role"],
            scopes=params["scopes"],
            signed_at_ms=device["signedAt"],
            token=params["auth"]["token"],
            nonce=device["nonce"],
        )
        self.assertEqual(told["payload"], claim.payload().decode())
        signed = Identity(b"\x01" * 32).claim(
            client_id=claim.client_id,
            mode=claim.client_mode,
            role=claim.role,
            scopes=claim.scopes,
            signed_at_ms=claim.signed_at_ms,
            token=claim.token,
            nonce=claim.nonce,
        )
        self.assertEqual(device, signed)
        self.assertEqual(
            {name: told[name] for name in ("publicKey", "id", "signature")},
            {name: device[name] for name in ("publicKey", "id", "signature")},
        )
        self.assertTrue(signature_holds(raw_public_key(told["publicKey"]), told["signature"], claim))


def _values(block: str) -> list[Any]:
    """
    The JSON values of a block, one after the other.
    """
    found, left, decoder = [], block.strip(), json.JSONDecoder()
    while left:
        value, end = decoder.raw_decode(left)
        found.append(value)
        left = left[end:].strip()
    return found
