"""
Commands run in this process, with a home of their own and a gateway in a thread.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from openclaw.cli.context import Context
from openclaw.cli.dispatch import run
from openclaw.cli.main import Globals
from tests.client.gateway import FakeGateway

NOW = 1_795_415_357.216


@frozen(kw_only=True)
class Outcome:
    """
    What a command left behind.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """
        The one document on stdout.
        """
        return json.loads(self.out)


class CommandCase(SynchronousTestCase):
    """
    Runs commands.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()
        self.environ = {"HOME": str(self.home)}

    def openclaw(self, *arguments: str) -> Outcome:
        """
        Run one command.
        """
        out, err = io.StringIO(), io.StringIO()
        context = Context(environ=self.environ, home=self.home, directory=self.home, out=out, err=err, now=lambda: NOW)
        code = run(context, Globals(arguments))
        return Outcome(code=code, out=out.getvalue(), err=err.getvalue())

    def configure(self, config: object) -> Path:
        """
        Write the configuration file.
        """
        path = self.home / ".openclaw" / "openclaw.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        return path


class GatewayCase(CommandCase):
    """
    With a gateway that the configuration leads to.
    """

    def setUp(self) -> None:
        super().setUp()
        self.gateway = FakeGateway()
        self.url = self.gateway.start()
        self.addCleanup(self.gateway.stop)
        self.configure({"gateway": {"mode": "local", "port": self.gateway.port, "auth": {"token": "shared"}}})
