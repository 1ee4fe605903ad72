"""
Whose a Tailscale address is, by asking the local ``tailscale`` program (``protocol.md`` 9.5).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from attrs import define, field
from twisted.logger import Logger

from openclaw.clock import Seconds
from openclaw.processes import ProcessFailed, Runner

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
