"""
The configuration is changed by many at once, while the gateway runs.
"""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from openclaw.cli.context import Context
from openclaw.cli.dispatch import run
from openclaw.cli.main import Globals
from openclaw.config.editor import set_value
from openclaw.config.tokens import decode
from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess, eventually
from tests.process.peer import Peer

#: Connections, and what each of them changes.
PEERS, EACH = 8, 3
#: Changes through the gateway by the command line, and past it.
COMMANDS, PAST = 16, 60


class WriterTests(ProcessCase):
    """
    Several connections, the command line through the gateway, and the command line past it.
    """

    def test_a_hundred_writers(self) -> None:
        """
        Every change that was acknowledged is in the file; a comment of its owner, too.
        """
        gateway = self.start_gateway()
        path = gateway.state / "openclaw.json"
        path.write_text(f"// mine\n{path.read_text()}")
        peers = [self.join(gateway) for _ in range(PEERS)]
        elsewhere = {**gateway.environ(), "OPENCLAW_GATEWAY_PORT": "1"}
        # The command line's own key is made once.
        first = by_command(gateway, gateway.environ(), "first")
        with ThreadPoolExecutor(100) as pool:
            # In parts, whole, and by command.
            work = [pool.submit(by_peer, peer, number) for number, peer in enumerate(peers)]
            work += [pool.submit(by_command, gateway, gateway.environ(), f"c{n}") for n in range(COMMANDS)]
            work += [pool.submit(by_command, gateway, elsewhere, f"p{n}") for n in range(PAST)]
            done = [name for one in work for name in one.result(100)]
        done += first
        self.assertEqual(len(set(done)), PEERS * EACH + COMMANDS + PAST + 1)
        text = path.read_text()
        parsed: Any = decode(text)
        self.assertEqual(parsed["talk"]["voiceAliases"], dict.fromkeys(done, "x"))
        self.assertTrue(text.startswith("// mine\n"))
        # The gateway itself: after one more change, it runs with all of them.
        peer = peers[0]
        changed(peer, lambda text: set_value(text, ("talk", "voiceAliases", "last"), "x"))
        shown = peer.ask("config.get")["config"]["talk"]["voiceAliases"]
        self.assertEqual(shown, dict.fromkeys([*done, "last"], "x"))
        for backup in gateway.state.glob("openclaw.json.bak*"):
            self.assertIsInstance(decode(backup.read_text()), dict)

    def test_command_and_gateway(self) -> None:
        """
        The gateway follows a command at once where it can, and the command says whether it does; a change is undone.
        """
        gateway = self.start_gateway(reload={"mode": "hot"})
        peer = self.join(gateway)
        before = (gateway.state / "openclaw.json").read_text()
        said = gateway.openclaw("config", "set", "agents.list", "[{id: 'ops', name: 'Ops', default: true}]")
        self.assertEqual(said.stdout, "Updated agents.list. The running gateway follows it.\n", said.stderr)
        self.assertEqual(peer.ask("agents.list")["defaultId"], "ops")
        said = gateway.openclaw("config", "set", "gateway.tailscale.resetOnExit", "true")
        self.assertEqual(said.stdout, "Updated gateway.tailscale.resetOnExit. Restart the gateway to apply.\n")
        said = gateway.openclaw("config", "undo", "2")
        self.assertIn("The running gateway follows it.", said.stdout, said.stderr)
        self.assertEqual((gateway.state / "openclaw.json").read_text(), before)
        self.assertEqual(peer.ask("agents.list")["defaultId"], "main")


class EditorTests(ProcessCase):
    def test_torn(self) -> None:
        """
        Whoever writes the file in parts, or puts another in its place, never ends the gateway, nor a connection; in
        the end it runs with the last text.
        """
        gateway = self.start_gateway()
        peer, path, random = self.join(gateway), gateway.state / "openclaw.json", Random(7)
        whole = json.loads(path.read_text())
        for number in range(100):
            text = json.dumps({**whole, "agents": {"list": [{"id": f"a{number}", "name": f"n{number}"}]}})
            if random.random() < 0.3:
                other = path.with_suffix(".new")
                other.write_text(text)
                other.replace(path)
            else:
                path.write_text(text[: random.randrange(len(text))])
                time.sleep(random.choice([0, 0.01, 0.05, 0.9 if number % 10 == 0 else 0.1]))
                path.write_text(text)
            if number % 10 == 0:
                (agent,) = peer.ask("agents.list")["agents"]
                self.assertEqual(agent.get("name", "n" + agent["id"][1:])[1:], agent["id"][1:])
        eventually(lambda: peer.ask("agents.list")["defaultId"] == "a99", "the last text is not followed")
        self.assertNotIn("configProblem", peer.ask("health", {"probe": True}))
        self.assertIsNone(gateway.process.poll())
        self.assertNotIn("restarting", gateway.output)
        self.assertNotIn("Traceback", gateway.output)


def changed(peer: Peer, edit: Any) -> None:
    """
    Change the whole text, until nobody else was faster.
    """
    while True:
        snapshot = peer.ask("config.get")
        frame = peer.answer(peer.send("config.set", {"raw": edit(snapshot["raw"]), "baseHash": snapshot["hash"]}))
        if frame["ok"]:
            return
        assert frame["error"]["message"].startswith("config changed since last load"), frame


def by_peer(peer: Peer, number: int) -> list[str]:
    names = [f"k{number}-{index}" for index in range(EACH)]
    for index, name in enumerate(names):
        if index % 2:
            changed(peer, lambda text, name=name: set_value(text, ("talk", "voiceAliases", name), "x"))
            continue
        raw = json.dumps({"talk": {"voiceAliases": {name: "x"}}})
        while True:
            base = peer.ask("config.get")["hash"]
            frame = peer.answer(peer.send("config.patch", {"raw": raw, "baseHash": base}))
            if frame["ok"]:
                break
            assert frame["error"]["message"].startswith("config changed since last load"), frame
    return names


def by_command(gateway: GatewayProcess, environ: dict[str, str], name: str) -> list[str]:
    out, err = io.StringIO(), io.StringIO()
    context = Context(environ=environ, home=gateway.home, directory=gateway.home, out=out, err=err, now=time.time)
    code = run(context, Globals(("config", "set", f"talk.voiceAliases.{name}", "x")))
    assert code == 0, err.getvalue()
    return [name]
