"""
Tests of ``openclaw.cli.configure``: one section after the other, with somebody who answers.
"""

from __future__ import annotations

import io
import json
from typing import Any

from openclaw.cli.configure import SECTIONS, configure
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from tests.cli.harness import NOW
from tests.cli.person import Answers
from tests.cli.test_service import UNIT, ServiceCase


class ConfigureTests(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        token = "0123456789abcdef0123456789abcdef"
        config = f'{{\n  // mine\n  gateway: {{mode: "local", auth: {{token: "{token}"}}}},\n}}\n'
        self.path = self.configure(config)
        self.out = io.StringIO()

    def answer(self, *answers: Any, sections: tuple[str, ...] = ()) -> Answers:
        out = self.out
        context = Context(
            environ=self.environ,
            home=self.home,
            directory=self.home,
            out=out,
            err=out,
            now=lambda: NOW,
        )
        person = Answers(list(answers))
        configure(context, sections, person, lambda seconds: None)
        self.assertEqual(person.left, [])
        return person

    def value(self, path: str) -> Any:
        return json.loads(self.openclaw("config", "get", path, "--json").out)

    def test_gateway(self) -> None:
        """
        What is there stays: comments, and the token.
        """
        self.answer("19000", "off", "lan", "token", sections=("gateway",))
        self.assertEqual((self.value("gateway.port"), self.value("gateway.bind")), (19000, "lan"))
        self.assertEqual(self.value("gateway.auth.token"), "0123456789abcdef0123456789abcdef")
        self.assertIn("// mine", self.path.read_text())

    def test_several(self) -> None:
        """
        Without a section the person goes from one to the next.
        """
        person = self.answer("workspace", "~/files", "skills", "bun", "channels", "done")
        self.assertEqual(len(person.asked[0][1]), len(SECTIONS) + 1)
        self.assertEqual(self.value("agents.defaults.workspace"), str(self.home / "files"))
        self.assertEqual(self.value("skills.install.nodeManager"), "bun")
        self.assertIn("openclaw config set channels.<name>", self.out.getvalue())

    def test_search(self) -> None:
        """
        An empty key keeps the one that is there.
        """
        self.answer("brave", "a-key-of-brave", True, sections=("web",))
        self.answer("brave", "", False, sections=("web",))
        self.assertEqual(self.value("tools.web.search.apiKey"), "a-key-of-brave")
        self.answer("off", True, sections=("web",))
        self.assertFalse(self.value("tools.web.search.enabled"))

    def test_daemon(self) -> None:
        """
        The service is installed with what is configured.
        """
        self.answer(True, sections=("daemon",))
        self.assertIn("--port 18789", self.unit(UNIT))
        before = self.stubs.calls()
        self.answer(False, sections=("daemon",))
        self.assertEqual(self.stubs.calls(), before)

    def test_health(self) -> None:
        """
        Nobody can be asked how he is who is not there.
        """
        failed = self.assertRaises(CommandFailed, self.answer, sections=("health",))
        self.assertIn("Start it: openclaw gateway", str(failed))
