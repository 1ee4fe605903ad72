"""
The shared secret: whether a client knows it, and what it is told if not (``protocol.md`` 9).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen

from openclaw.config.auth import ResolvedAuth

Reason = Literal[
    "token_missing",
    "token_mismatch",
    "token_missing_config",
    "password_missing",
    "password_mismatch",
    "password_missing_config",
]

TEXTS: Mapping[Reason, str] = {
    "token_missing": "unauthorized: gateway token missing ({token})",
    "token_mismatch": "unauthorized: gateway token mismatch ({token})",
    "token_missing_config": "unauthorized: gateway token not configured on gateway (set gateway.auth.token)",
    "password_missing": "unauthorized: gateway password missing ({password})",
    "password_mismatch": "unauthorized: gateway password mismatch ({password})",
    "password_missing_config": "unauthorized: gateway password not configured on gateway (set gateway.auth.password)",
}


#: Hints for the token and for the password, by kind of client.
HINTS: Mapping[str, tuple[str, str]] = {
    "cli": (
        "set gateway.remote.token to match gateway.auth.token",
        "set gateway.remote.password to match gateway.auth.password",
    ),
    "web": (
        "open a tokenized dashboard URL or paste token in Control UI settings",
        "enter the password in Control UI settings",
    ),
    "other": ("provide gateway auth token", "provide gateway auth password"),
}


@frozen(kw_only=True)
class SharedResult:
    """
    What came of comparing the shared secret.

    :ivar method: ``token`` or ``password`` when it was right, else ``None``.
    :ivar wrong: the wrong secret, for counting failures; ``None`` when none was given.
    """

    method: Literal["token", "password"] | None
    reason: Reason | None = None
    wrong: str | None = None


def same_secret(given: str, wanted: str) -> bool:
    """
    Compare in constant time over the UTF-8 bytes; another length simply fails.
    """
    return hmac.compare_digest(given.encode("utf-8"), wanted.encode("utf-8"))


def check_shared(auth: ResolvedAuth, given: Mapping[str, Any]) -> SharedResult:
    """
    Compare what a client gave with the secret of the mode; the other field is ignored.
    """
    if auth.mode == "password":
        password = given.get("password") or ""
        if not auth.password:
            return SharedResult(method=None, reason="password_missing_config")
        if not password:
            return SharedResult(method=None, reason="password_missing")
        if same_secret(password, auth.password):
            return SharedResult(method="password")
        return SharedResult(method=None, reason="password_mismatch", wrong=password)
    token = given.get("token") or ""
    if not auth.token:
        return SharedResult(method=None, reason="token_missing_config")
    if not token:
        return SharedResult(method=None, reason="token_missing")
    if same_secret(token, auth.token):
        return SharedResult(method="token")
    return SharedResult(method=None, reason="token_mismatch", wrong=token)


def failure_text(reason: Reason, client: Mapping[str, Any]) -> str:
    """
    The message for a failure, with the hint that fits the client.
    """
    if client["mode"] == "cli":
        hints = HINTS["cli"]
    elif client["id"] in ("openclaw-control-ui", "webchat-ui", "webchat") or client["mode"] == "webchat":
        hints = HINTS["web"]
    else:
        hints = HINTS["other"]
    return TEXTS[reason].format(token=hints[0], password=hints[1])
