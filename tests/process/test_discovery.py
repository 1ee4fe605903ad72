"""
A gateway that is announced in the network, and found there.
"""

from __future__ import annotations

import json

from tests.process.case import ProcessCase
from tests.process.gateway import GatewayProcess, configuration, eventually


class Announced(GatewayProcess):
    """
    Which the gateways of other tests are not.
    """

    def environ(self) -> dict[str, str]:
        told = {**super().environ(), "OPENCLAW_MDNS_HOSTNAME": f"openclaw-test-{self.port}"}
        del told["OPENCLAW_DISABLE_BONJOUR"]
        return told


class DiscoveryTests(ProcessCase):
    def test_found(self) -> None:
        """
        As long as it runs.
        """
        made = self.make_gateway()
        gateway = Announced(made.home, configuration(), port=made.port)
        self.addCleanup(gateway.kill)
        gateway.start()
        eventually(lambda: "nnounced" in gateway.output, "neither announced nor told why not")
        if "Not announced" in gateway.output:
            self.skipTest(gateway.output[gateway.output.index("Not announced") :].splitlines()[0])

        def find(milliseconds: int) -> list[str]:
            done = gateway.openclaw("gateway", "discover", "--json", "--timeout", str(milliseconds))
            self.assertEqual(done.returncode, 0, done.stderr)
            return [beacon["displayName"] for beacon in json.loads(done.stdout)["beacons"]]

        eventually(lambda: f"openclaw-test-{gateway.port}" in find(1500), "it was not found")
        self.assertEqual(gateway.stop(), 0)
        self.assertNotIn(f"openclaw-test-{gateway.port}", find(500))
