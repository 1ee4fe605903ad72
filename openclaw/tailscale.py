"""
The local ``tailscale`` program: whose an address is (``protocol.md`` 9.5), and publishing the gateway in the tailnet.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from attrs import define, field, frozen
from twisted.logger import Logger

from openclaw.clock import Seconds
from openclaw.errors import OpenClawError
from openclaw.processes import Finished, ProcessFailed, Runner

#: Publishing asks Tailscale's servers; the first time it may wait for somebody to allow it on their site.
PUBLISH_LIMIT = timedelta(seconds=15)
STATUS_LIMIT = timedelta(seconds=5)
STATUS_BYTES = 4_000_000
WHOIS_LIMIT = timedelta(seconds=5)
WHOIS_BYTES = 200_000
ANSWER_LIFETIME = 60.0
ERROR_LIFETIME = 5.0
MOST_ADDRESSES = 1000

MAC_PROGRAM = "/Applications/Tailscale.app/Contents/MacOS/Tailscale"
LOOPBACK_PREFIXES = ("127.", "::1", "::ffff:127.")
FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")


def find_program(path: str | None) -> str | None:
    """
    The ``tailscale`` program: on the path, else in the macOS application.
    """
    return shutil.which("tailscale", path=path) or shutil.which(MAC_PROGRAM)


def login_in(output: bytes) -> str | None:
    """
    The login name in what ``tailscale whois --json`` printed; text around the JSON object is ignored.
    """
    start, end = output.find(b"{"), output.rfind(b"}")
    if start < 0 or end < start:
        return None
    try:
        answer = orjson.loads(output[start : end + 1])
    except orjson.JSONDecodeError:
        return None
    profile = answer.get("UserProfile") or answer.get("userProfile") or answer.get("User") or {}
    for holder, names in ((profile, ("LoginName", "Login", "login")), (answer, ("LoginName", "login"))):
        for name in names:
            if isinstance(holder, dict) and isinstance(holder.get(name), str) and holder[name].strip():
                return str(holder[name])
    return None


@define(kw_only=True, eq=False)
class Whois:
    """
    Confirms the login that Tailscale Serve names in its headers.

    :ivar program: finds the program; ``None`` when there is none.
    """

    _log = Logger()
    run: Runner
    clock: Seconds
    program: Callable[[], str | None]
    _answers: dict[str, tuple[float, str | None]] = field(factory=dict, init=False)

    async def confirmed(self, peer: str, headers: Mapping[str, str]) -> str | None:
        """
        The login of a Serve client.

        :param headers: by lower-case name.
        :return: ``None`` unless every condition of the specification holds.
        """
        named = headers.get("tailscale-user-login", "").strip()
        if not named or not peer.startswith(LOOPBACK_PREFIXES):
            return None
        if any(not headers.get(name) for name in FORWARDED):
            return None
        address = headers["x-forwarded-for"].split(",")[0].strip()
        found = await self._login(address)
        if found is None or found.strip().lower() != named.lower():
            return None
        return found

    async def _login(self, address: str) -> str | None:
        now = self.clock.seconds()
        known = self._answers.get(address)
        if known is not None and known[0] > now:
            return known[1]
        login, lifetime = await self._ask(address)
        self._answers.pop(address, None)
        self._answers[address] = (now + lifetime, login)
        while len(self._answers) > MOST_ADDRESSES:
            del self._answers[next(iter(self._answers))]
        return login

    async def _ask(self, address: str) -> tuple[str | None, float]:
        program = self.program()
        if program is None:
            return None, ERROR_LIFETIME
        try:
            finished: Any = await self.run(
                [program, "whois", "--json", address], limit=WHOIS_LIMIT, most_bytes=WHOIS_BYTES
            )
        except ProcessFailed as error:
            self._log.warn("tailscale whois failed: {error}", error=error)
            return None, ERROR_LIFETIME
        if finished.exit_code != 0:
            return None, ERROR_LIFETIME
        return login_in(finished.output), ANSWER_LIFETIME


@frozen(kw_only=True)
class TailscaleFailed(OpenClawError):
    """
    ``tailscale`` did not do what it was asked for.
    """

    why: str

    def __str__(self) -> str:
        return self.why


@frozen(kw_only=True)
class Publishing:
    """
    Has Tailscale pass ``https://<this machine>.<tailnet>.ts.net`` on to the gateway.

    :ivar program: finds the program; ``None`` when there is none.
    """

    run: Runner
    program: Callable[[], str | None]

    async def publish(self, how: str, port: int, *, encrypted: bool) -> None:
        """
        Publish the gateway; doing so again changes nothing.

        :param how: ``serve``, in the tailnet, or ``funnel``, on the internet.
        :param encrypted: whether the gateway itself speaks TLS on that port, with a certificate of its own.
        :raise TailscaleFailed:
        """
        target = f"https+insecure://127.0.0.1:{port}" if encrypted else str(port)
        await self._ask(how, "--bg", "--yes", target, limit=PUBLISH_LIMIT)

    async def withdraw(self, how: str) -> None:
        """
        Undo ``publish``, and nothing else that this machine serves.

        :raise TailscaleFailed:
        """
        await self._ask(how, "--https=443", "off", limit=PUBLISH_LIMIT)

    async def host(self) -> str | None:
        """
        The name of this machine in the tailnet, if there is one.
        """
        try:
            finished = await self._ask("status", "--json", "--peers=false", limit=STATUS_LIMIT)
            told = orjson.loads(finished.output)["Self"]["DNSName"]
        except (TailscaleFailed, orjson.JSONDecodeError, KeyError, TypeError):
            return None
        return told.rstrip(".") or None if isinstance(told, str) else None

    async def _ask(self, *arguments: str, limit: timedelta) -> Finished:
        program = self.program()
        if program is None:
            raise TailscaleFailed(why="the program `tailscale` is not installed")
        try:
            finished = await self.run([program, *arguments], limit=limit, most_bytes=STATUS_BYTES)
        except ProcessFailed as error:
            raise TailscaleFailed(why=str(error)) from error
        if finished.exit_code != 0:
            said = (finished.errors or finished.output).decode("utf-8", "replace").strip()
            raise TailscaleFailed(why=said[:500] or f"exit code {finished.exit_code}")
        return finished
