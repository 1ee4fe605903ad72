"""
Is a request a WebSocket upgrade, and a good one? Pure; the answers are those of ``protocol.md`` 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen

_KEY = re.compile(r"[+/0-9A-Za-z]{22}==")
_VERSIONS = ("13", "8")


@frozen(kw_only=True)
class UpgradeRefused:
    """
    What to answer to a bad upgrade.
    """

    code: int
    text: str
    headers: Mapping[str, str] = field(factory=dict)


def is_upgrade(headers: Mapping[str, str]) -> bool:
    """
    Whether the client asks to leave HTTP; ``Upgrade`` without ``Connection: Upgrade`` is a plain request.
    """
    tokens = {token.strip().lower() for token in headers.get("connection", "").split(",")}
    return "upgrade" in headers and "upgrade" in tokens


def check_upgrade(method: str, headers: Mapping[str, str]) -> UpgradeRefused | None:
    """
    :param headers: by lower-case name.
    :return: ``None`` when the upgrade is good.
    """
    if method != "GET":
        return UpgradeRefused(code=405, text="Invalid HTTP method")
    if headers.get("upgrade", "").strip().lower() != "websocket":
        return UpgradeRefused(code=400, text="Invalid Upgrade header")
    if not _KEY.fullmatch(headers.get("sec-websocket-key", "").strip()):
        return UpgradeRefused(code=400, text="Missing or invalid Sec-WebSocket-Key header")
    if headers.get("sec-websocket-version", "").strip() not in _VERSIONS:
        return UpgradeRefused(
            code=400,
            text="Missing or invalid Sec-WebSocket-Version header",
            headers={"sec-websocket-version": ", ".join(_VERSIONS)},
        )
    if headers.get("content-length", "0").strip("0") or "transfer-encoding" in headers:
        # Its bytes would be read as frames.
        return UpgradeRefused(code=400, text="Unexpected body")
    return None
