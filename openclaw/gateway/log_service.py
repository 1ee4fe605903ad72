"""
When logging starts, and who owns it.

Under ``openclaw gateway`` our observers are all there is: the console and the daily file. Under ``twistd`` its own
observers write ``--logfile`` or the console; ours write only the daily file, beside them and behind the same redaction.
Logging belongs to the process: a restart in place takes over the observers and gives them the new configuration.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from attrs import define
from twisted.application.service import Service
from twisted.logger import globalLogBeginner

from openclaw.config.auth import ResolvedAuth
from openclaw.config.model import Config
from openclaw.gateway.life import Life
from openclaw.logs.observe import Logging, start_logging


@define(kw_only=True, eq=False, repr=False)
class LogService(Service):
    """
    Starts logging with the tree, and stops it after the reactor.

    :ivar under_twistd: somebody else has begun Twisted's logging and owns the console.
    """

    life: Life
    reactor: Any
    config: Config
    auth: ResolvedAuth
    state_dir: Path
    environ: dict[str, str]
    verbose: bool
    under_twistd: bool

    def startService(self) -> None:
        super().startService()
        if self.life.logging is None:
            self.life.logging = self._start()
            self.reactor.addSystemEventTrigger("after", "shutdown", self.life.logging.stop)
        else:
            self.life.logging.apply(self.config.logging)
        self._hide(self.life.logging)

    def _start(self) -> Logging:
        return start_logging(
            self.config.logging,
            self.state_dir,
            clock=self.reactor,
            stdout=None if self.under_twistd else sys.stdout,
            stderr=None if self.under_twistd else sys.stderr,
            environ=self.environ,
            verbose=self.verbose,
            beginner=None if self.under_twistd else globalLogBeginner,
        )

    def _hide(self, logging: Logging) -> None:
        logging.hide(self.config.effective)
        for secret in (self.auth.token, self.auth.password):
            if secret is not None:
                logging.redactor.add(secret)
