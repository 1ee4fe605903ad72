"""
Setting up by hand, on a terminal: from the first question to the agent's answer.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from openclaw.cli.first_steps import HELLO
from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess
from tests.process.model import Status
from tests.process.terminal import DOWN, ENTER, INTERRUPT, UP, Terminal


class OnboardTests(ProcessCase):
    """
    No service is installed here: this machine is somebody's.
    """

    def setUp(self) -> None:
        self.model = self.start_model()
        self.gateway = self.make_gateway(self.model)
        self.gateway.state.mkdir(mode=0o700)

    @property
    def config(self) -> Any:
        return json.loads((self.gateway.state / "openclaw.json").read_text())

    def configure(self) -> None:
        """
        A configuration with a model is there.
        """
        (self.gateway.state / "openclaw.json").write_text(json.dumps(self.gateway.config))

    def openclaw(self, *arguments: str) -> Terminal:
        command = [sys.executable, "-m", "openclaw.cli.main", *arguments]
        terminal = Terminal.run(command, self.gateway.environ(), self.gateway.home)
        self.addCleanup(terminal.close)
        return terminal

    def begin(self) -> Terminal:
        """
        Up to where the configuration is written.
        """
        self.configure()
        terminal = self.openclaw("onboard")
        terminal.answer("inherently risky. Continue?", "y")
        terminal.answer("Onboarding mode", ENTER)
        terminal.answer("Config handling", ENTER)
        terminal.answer("as a service of this machine?", "n")
        return terminal

    def test_to_an_answer(self) -> None:
        """
        With what is there, and no service: the agent answers all the same, and nothing is left running.
        """
        terminal = self.begin()
        terminal.wait_for("Gateway OK")
        terminal.wait_for("Paired: the command line of this machine")
        terminal.answer("Pair an app or another machine now?", "n")
        terminal.wait_for("re: Hello!")
        self.assertEqual(terminal.ended(), 0, terminal.shown)
        self.assertNotIn(self.gateway.config["gateway"]["auth"]["token"], terminal.shown)  # type: ignore[index]
        self.assertRaises(OSError, self.gateway.get, "/healthz")
        self.assertEqual(self.config["wizard"]["lastRunCommand"], "onboard")

    def test_no_answer(self) -> None:
        """
        An agent that does not answer is no success.
        """
        self.model.on(HELLO, Status(code=401, message="no such key"))
        terminal = self.begin()
        terminal.answer("Pair an app or another machine now?", "n")
        terminal.wait_for("The agent did not answer")
        self.assertEqual(terminal.ended(), 1, terminal.shown)

    def test_from_nothing(self) -> None:
        """
        All questions, with a wrong value among the answers that is asked for again; without a model nobody is asked.
        """
        terminal = self.openclaw("onboard")
        terminal.answer("inherently risky. Continue?", "y")
        terminal.answer("Onboarding mode", DOWN + ENTER)
        terminal.answer("Workspace directory", ENTER)
        terminal.answer("Gateway port", "0" + ENTER)
        terminal.answer("Invalid port", "\b" * 7 + str(self.gateway.port) + ENTER)
        terminal.answer("Tailscale exposure", ENTER)
        terminal.answer("Gateway bind", ENTER)
        terminal.answer("Gateway auth", ENTER)
        terminal.answer("Model provider", ENTER)
        terminal.answer("as a service of this machine?", "n")
        terminal.answer("Pair an app or another machine now?", "y")
        terminal.answer("Which one may come in?", DOWN + ENTER)
        terminal.wait_for("No model was chosen: openclaw configure --section model")
        self.assertEqual(terminal.ended(), 0, terminal.shown)
        gateway = self.config["gateway"]
        self.assertEqual((gateway["mode"], gateway["port"], gateway["bind"]), ("local", self.gateway.port, "loopback"))
        self.assertEqual(len(gateway["auth"]["token"]), 64)

    def test_own_server(self) -> None:
        """
        From nothing to the answer of a model on a server of one's own.
        """
        provider = self.model.configuration()["models"]["providers"]["mock"]
        terminal = self.openclaw("onboard", "--gateway-port", str(self.gateway.port), "--no-install-daemon")
        terminal.answer("inherently risky. Continue?", "y")
        terminal.answer("Onboarding mode", ENTER)
        terminal.answer("Model provider", UP + ENTER)
        terminal.answer("Address of the server", provider["baseUrl"] + ENTER)
        terminal.answer("API key", ENTER)
        terminal.answer("? Model", "mock-1" + ENTER)
        terminal.answer("Pair an app or another machine now?", "n")
        terminal.wait_for("re: Hello!")
        self.assertEqual(terminal.ended(), 0, terminal.shown)
        self.assertEqual(self.config["agents"]["defaults"]["model"]["primary"], "local/mock-1")
        self.assertEqual(self.config["gateway"]["port"], self.gateway.port)

    def test_encrypted(self) -> None:
        """
        The certificate that the gateway makes at its first start is the one that is asked for.
        """
        self.gateway.config["gateway"]["tls"] = {"enabled": True}  # type: ignore[index]
        terminal = self.begin()
        terminal.answer("Pair an app or another machine now?", "n")
        terminal.wait_for("re: Hello!")
        self.assertEqual(terminal.ended(), 0, terminal.shown)

    def test_interrupted(self) -> None:
        """
        Ctrl-C before the end of the questions changes nothing.
        """
        terminal = self.openclaw("onboard")
        terminal.answer("inherently risky. Continue?", "y")
        terminal.answer("Onboarding mode", INTERRUPT)
        self.assertEqual(terminal.ended(), 130, terminal.shown)
        self.assertFalse((self.gateway.state / "openclaw.json").exists())

    def test_hung_up(self) -> None:
        """
        A terminal that is closed in the middle leaves no gateway behind.
        """
        terminal = self.begin()
        terminal.wait_for("Pair an app or another machine now?")
        self.assertEqual(self.gateway.get("/healthz").status, 200)
        terminal.process.send_signal(signal.SIGHUP)
        self.assertEqual(terminal.ended(), 128 + signal.SIGHUP)
        self.assertRaises(OSError, self.gateway.get, "/healthz")

    def test_configure(self) -> None:
        """
        One section after the other, until there is enough.
        """
        self.configure()
        terminal = self.openclaw("config")
        terminal.answer("What is to be changed?", DOWN * 2 + ENTER)
        terminal.answer("Web search", DOWN + ENTER)
        terminal.answer("API key of the search", "pplx-a-key-of-a-test" + ENTER)
        terminal.answer("fetch web pages?", "n")
        terminal.answer("What is to be changed?", DOWN * 6 + ENTER)
        terminal.answer("Package manager", DOWN + ENTER)
        terminal.answer("What is to be changed?", DOWN * 8 + ENTER)
        self.assertEqual(terminal.ended(), 0, terminal.shown)
        self.assertNotIn("pplx", terminal.shown)
        search = {"enabled": True, "provider": "perplexity", "perplexity": {"apiKey": "pplx-a-key-of-a-test"}}
        self.assertEqual(self.config["tools"]["web"], {"search": search, "fetch": {"enabled": False}})
        self.assertEqual(self.config["skills"]["install"]["nodeManager"], "pnpm")

    def test_options(self) -> None:
        """
        By options, against a gateway that runs: the last thing told is what the agent said.
        """
        self.configure()
        running = GatewayProcess(self.gateway.home, self.gateway.config, port=self.gateway.port).start()
        self.addCleanup(running.kill)
        done = running.openclaw("onboard", "--non-interactive", "--accept-risk")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Gateway OK\nAgent: re: Hello!", done.stdout)
        done = running.openclaw("onboard", "--non-interactive", "--accept-risk", "--json")
        self.assertTrue(json.loads(done.stdout)["answered"])
