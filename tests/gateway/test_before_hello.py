"""
Sockets that have not said hello, and clients with wrong secrets, against the gateway in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from openclaw.clock import millis
from openclaw.gateway import clients
from openclaw.gateway.clients import MOST_PENDING
from openclaw.gateway.limits import OURSELVES, TOO_MANY
from openclaw.testing.client import GatewayClient, TestDevice
from openclaw.testing.gateway import TOKEN
from tests.gateway.test_gateway import GatewayTestCase

LOCAL_PAGE = {"Host": "127.0.0.1:18789", "Origin": "http://127.0.0.1:18789"}
#: An untrusted proxy's mark: not local, counted by its own address.
REMOTE = {"Host": "127.0.0.1:18789", "X-Forwarded-For": "203.0.113.7"}


def ask_in(client: GatewayClient, *, token: str | None = None, device: TestDevice | None = None) -> None:
    """
    Send ``connect`` without waiting for its answer.
    """
    params: dict[str, Any] = {
        "minProtocol": 3,
        "maxProtocol": 3,
        "client": {"id": "gateway-client", "version": "1", "platform": "linux", "mode": "backend"},
        **({} if token is None else {"auth": {"token": token}}),
    }
    if device is not None:
        params["device"] = device.sign(params, client.nonce, millis(client.clock))
    client.ask("connect", params)


class GuessTests(GatewayTestCase):
    """
    What wrong secrets come to.
    """

    def answer(self, headers: Mapping[str, str] | None = None, **arguments: Any) -> Any:
        """
        Connect; the answer and the seconds that it took.
        """
        client = self.gateway.client(headers=headers)
        started = self.gateway.reactor.seconds()
        ask_in(client, **arguments)
        self.gateway.advance_until(lambda: client.answers("r1"), most=5)
        return client.answers("r1")[0], self.gateway.reactor.seconds() - started

    def test_ten_different_lock_the_address(self) -> None:
        """
        The eleventh different secret is refused with other words, a second later; the right one passes at once.
        """
        for number in range(10):
            refused, _ = self.answer(REMOTE, token=f"wrong-{number}")
            self.assertIn("gateway token mismatch", refused["error"]["message"])
        refused, seconds = self.answer(REMOTE, token="wrong-again")
        self.assertEqual(refused["error"]["message"], TOO_MANY)
        self.assertEqual(refused["error"]["code"], "INVALID_REQUEST")
        self.assertTrue(refused["error"]["retryable"])
        self.assertIn(refused["error"]["retryAfterMs"], range(297_000, 300_001))
        self.assertGreaterEqual(seconds, 1.0)
        passed, seconds = self.answer(REMOTE, token=TOKEN)
        self.assertTrue(passed["ok"], passed)
        self.assertEqual(seconds, 0.0)

    def test_a_page_locks_pages_but_no_program(self) -> None:
        """
        A web page that guesses on this machine is locked; the programs of this machine are told what is wrong.
        """
        for number in range(11):
            page, _ = self.answer(LOCAL_PAGE, token=f"wrong-{number}")
        self.assertEqual(page["error"]["message"], TOO_MANY)
        program, _ = self.answer(token="stale")
        self.assertIn("gateway token mismatch", program["error"]["message"])

    def test_programs_here_are_slowed(self) -> None:
        """
        A program on this machine that guesses is never locked, but waits longer and longer.
        """
        for number in range(30):
            refused, seconds = self.answer(token=f"wrong-{number}")
        self.assertIn("gateway token mismatch", refused["error"]["message"])
        self.assertGreater(seconds, 0.0)

    def test_missing_secrets_and_waiting_devices_do_not_count(self) -> None:
        """
        A device that waits for its approval, and one that forgot the secret, may come back as often as they like.
        """
        for seed in range(1, 15):
            waits, _ = self.answer(REMOTE, token=TOKEN, device=TestDevice(seed=seed))
            self.assertEqual(waits["error"]["message"], "pairing required")
            missing, _ = self.answer(REMOTE, device=TestDevice(seed=seed))
            self.assertIn("gateway token missing", missing["error"]["message"])
        wrong, _ = self.answer(REMOTE, token="stale")
        self.assertIn("gateway token mismatch", wrong["error"]["message"])


class RoomTests(GatewayTestCase):
    """
    How many sockets may wait before hello.
    """

    def test_the_oldest_silent_one_leaves(self) -> None:
        """
        Whoever has spoken stays, also when it is the oldest; the newest always gets in.
        """
        speaking = self.slowed_client()
        silent = [self.gateway.client() for _ in range(MOST_PENDING - 1)]
        newest = self.gateway.client()
        self.assertEqual((speaking.closed, silent[0].closed, silent[1].closed), (None, (1012, ""), None))
        self.assertTrue(newest.connect(token=TOKEN)["ok"])
        self.gateway.advance(2)
        self.assertIn("token mismatch", speaking.answers("r1")[0]["error"]["message"])

    def test_the_cap_holds_when_all_have_spoken(self) -> None:
        """
        Where no socket is silent the oldest leaves, so that guessers keep nobody out either.
        """
        speaking = [self.slowed_client() for _ in range(3)]
        self.patch(clients, "MOST_PENDING", 3)
        newest = self.gateway.client()
        self.assertEqual([client.closed for client in speaking], [(1012, ""), None, None])
        self.assertTrue(newest.connect(token=TOKEN)["ok"])

    def slowed_client(self) -> GatewayClient:
        """
        A client whose refusal is held back, because there were many before.
        """
        for number in range(200):
            self.gateway.service.clients.limiter.failed(OURSELVES, str(number))
        client = self.gateway.client()
        ask_in(client, token="wrong")
        self.assertEqual(client.answers("r1"), [])
        return client


class LogTests(GatewayTestCase):
    """
    What the log is told of secrets.
    """

    def test_the_word_of_a_refusal(self) -> None:
        """
        The line about a refused client says in one word why.
        """
        lines: list[str] = []
        self.gateway.service.clients.wslog.emit = lambda level, line: lines.append(line)
        for token, word in ((None, "token_missing"), ("wrong", "token_mismatch")):
            ask_in(self.gateway.client(), token=token, device=TestDevice())
            self.assertRegex(lines[-1], rf"\Aunauthorized conn=.* v1 reason={word}\Z")
        ask_in(self.gateway.client())
        self.assertRegex(lines[-1], r"\Adevice required conn=.* reason=device identity required\Z")

    def test_minted_tokens_are_known_to_the_log(self) -> None:
        """
        Whoever makes a device token, the handshake, an approval or a rotation: the log hides it from then on.
        """
        known: list[str] = []
        assert self.gateway.life is not None
        self.gateway.life.logging = cast(Any, SimpleNamespace(redactor=SimpleNamespace(add=known.append)))
        owner = self.gateway.client()
        hello = owner.connect(token=TOKEN, device=TestDevice())
        self.assertEqual(known, [hello["payload"]["auth"]["deviceToken"]])
        role = {"deviceId": TestDevice().id, "role": "operator"}
        rotated = owner.call("device.token.rotate", role)["payload"]["token"]
        self.assertEqual(known[1:], [rotated])
        stranger = self.gateway.client(headers=REMOTE)
        ask_in(stranger, token=TOKEN, device=TestDevice(seed=2))
        request_id = stranger.answers("r1")[0]["error"]["details"]["requestId"]
        owner.call("device.pair.approve", {"requestId": request_id})
        back = self.gateway.client(headers=REMOTE)
        ask_in(back, token=TOKEN, device=TestDevice(seed=2))
        self.assertEqual(known[2:], [back.answers("r1")[0]["payload"]["auth"]["deviceToken"]])
