"""
What the tests of the process share.

They block: the reactor of trial is not needed where both sides run elsewhere, and what blocks is easy to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import TestCase

from tests.process.gateway import GatewayProcess, configuration
from tests.process.model import Api, MockModel
from tests.process.peer import Peer


class ProcessCase(TestCase):
    """
    Starts gateways and models, and ends all of them.
    """

    #: Trial's own limit for one test, in seconds.
    timeout = 120

    def start_model(self, api: Api = "openai-completions") -> MockModel:
        model = MockModel(api).start()
        self.addCleanup(model.stop)
        return model

    def make_gateway(self, model: MockModel | None = None, **options: Any) -> GatewayProcess:
        """
        A gateway that does not run yet.

        :param options: further members of ``gateway`` in its configuration.
        """
        home = Path(self.mktemp()).absolute()
        home.mkdir(parents=True)
        gateway = GatewayProcess(home, configuration(model.configuration() if model else None, **options))
        self.addCleanup(gateway.kill)
        return gateway

    def start_gateway(self, model: MockModel | None = None, **options: Any) -> GatewayProcess:
        return self.make_gateway(model, **options).start()

    def join(self, gateway: GatewayProcess, **told: Any) -> Peer:
        """
        A connected client.

        :param told: as ``connect_params`` takes it.
        """
        peer = Peer.join(gateway.url, tls=gateway.tls() if gateway.encrypted else None, **told)
        self.addCleanup(peer.close)
        return peer

    def assert_ended(self, payload: Mapping[str, Any], state: str) -> None:
        self.assertEqual(payload["state"], state, payload)
