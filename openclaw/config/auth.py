"""
How the gateway will ask for a secret, and when it must not start at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from openclaw.config.issues import ConfigError
from openclaw.config.paths import variable

if TYPE_CHECKING:
    from openclaw.config.model import Config
    from openclaw.config.model_gateway import AuthMode

#: Shorter secrets can be guessed.
LEAST_SECRET_LENGTH = 16

TOKEN_VARIABLES = ("OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN")
PASSWORD_VARIABLES = ("OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD")

_PLACEHOLDER = re.compile(
    r"(?:change[ _-]?me|replace[ _-]?me|placeholder|your[ _-].*|my[ _-]?(?:secret|token|password).*|<.*>|"
    r"example.*|(?:secret|token|password|test|admin|openclaw|gateway|[._ -])+\d*|(.)\1*)",
    re.IGNORECASE,
)


@frozen(kw_only=True)
class ResolvedAuth:
    """
    What holds from one start of the gateway to the next.

    :param token: known also in mode ``password``, and the other way round; only the mode's own one opens.
    """

    mode: AuthMode
    token: str | None = field(default=None, repr=False, metadata={"secret": True})
    password: str | None = field(default=None, repr=False, metadata={"secret": True})
    allow_tailscale: bool = False

    @property
    def secret(self) -> str | None:
        """
        The secret that the mode asks for.
        """
        return self.token if self.mode == "token" else self.password


class StartRefused(ConfigError):
    """
    The gateway must not start like this; ``str()`` is what to print, in one or more lines.
    """

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        super().__init__(*lines)

    def __str__(self) -> str:
        return "\n".join(self.lines)


class AuthNotConfigured(StartRefused):
    """
    There is no secret for the mode.
    """


class BindRefused(StartRefused):
    """
    Others could reach the gateway without a secret.
    """


class WeakSecret(StartRefused):
    """
    Others could reach the gateway with a secret that can be guessed.
    """


class TailscaleRefused(StartRefused):
    """
    The way Tailscale would publish the gateway does not fit its authentication or address.
    """


def resolve_auth(
    config: Config,
    environ: Mapping[str, str],
    *,
    mode: AuthMode | None = None,
    token: str | None = None,
    password: str | None = None,
    tailscale_mode: str | None = None,
) -> ResolvedAuth:
    """
    Which credentials the gateway accepts: command line first, then the file, then the environment.

    :param mode: of the command line, as the other overrides are.
    """
    auth = config.gateway.auth
    token = _first(token, auth.token) or variable(environ, *TOKEN_VARIABLES)
    password = _first(password, auth.password) or variable(environ, *PASSWORD_VARIABLES)
    mode = mode or auth.mode or ("password" if password else "token")
    allow = auth.allow_tailscale
    if allow is None:
        serving = (tailscale_mode or config.gateway.tailscale.mode) == "serve"
        allow = serving and mode != "password"
    return ResolvedAuth(mode=mode, token=token, password=password, allow_tailscale=allow)


def _first(*values: str | None) -> str | None:
    """
    The first value that is not blank: an empty secret is an unset one.
    """
    return next((value.strip() for value in values if value and value.strip()), None)


def check_start(
    config: Config, auth: ResolvedAuth, *, bind: str | None = None, tailscale_mode: str | None = None
) -> tuple[str, ...]:
    """
    Refuse a start that would leave the gateway open, in the order in which the reference refuses.

    :return: warnings to log.
    :raise StartRefused: one of its kinds, with the text to print.
    """
    bind = bind or config.gateway.bind
    tailscale_mode = tailscale_mode or config.gateway.tailscale.mode
    hints = _hints(config.effective)
    if auth.secret is None and auth.mode == "token" and not auth.allow_tailscale:
        raise AuthNotConfigured(
            "Gateway auth is set to token, but no token is configured.",
            "Set gateway.auth.token (or OPENCLAW_GATEWAY_TOKEN), or pass --token.",
            *hints,
        )
    if auth.secret is None and auth.mode == "password":
        raise AuthNotConfigured(
            "Gateway auth is set to password, but no password is configured.",
            "Set gateway.auth.password (or OPENCLAW_GATEWAY_PASSWORD), or pass --password.",
            *hints,
        )
    if bind != "loopback" and auth.secret is None:
        raise BindRefused(
            f"Refusing to bind gateway to {bind} without auth.",
            "Set gateway.auth.token/password (or OPENCLAW_GATEWAY_TOKEN/OPENCLAW_GATEWAY_PASSWORD)"
            " or pass --token/--password.",
            *hints,
        )
    _check_tailscale(auth, bind, tailscale_mode)
    return _check_strength(auth, exposed=bind if bind != "loopback" else None)


def _check_tailscale(auth: ResolvedAuth, bind: str, tailscale_mode: str) -> None:
    if tailscale_mode == "funnel" and auth.mode != "password":
        raise TailscaleRefused(
            "Gateway failed to start: Error: tailscale funnel requires gateway auth mode=password"
            " (set gateway.auth.password or OPENCLAW_GATEWAY_PASSWORD)"
        )
    if tailscale_mode != "off" and bind != "loopback":
        raise TailscaleRefused(
            "Gateway failed to start: Error: tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)"
        )


def _check_strength(auth: ResolvedAuth, *, exposed: str | None) -> tuple[str, ...]:
    reason = weakness(auth.secret) if auth.secret is not None else None
    if reason is None:
        return ()
    if exposed is not None:
        raise WeakSecret(
            f"Refusing to bind gateway to {exposed} with a weak {auth.mode}: it {reason}.",
            f"Set gateway.auth.{auth.mode} to at least {LEAST_SECRET_LENGTH} random characters.",
        )
    return (f"gateway.auth.{auth.mode} is weak: it {reason}.",)


def weakness(secret: str) -> str | None:
    """
    Why a secret can be guessed, as the rest of a sentence; ``None`` when it seems not to.
    """
    if _PLACEHOLDER.fullmatch(secret.strip()):
        return "is a placeholder"
    if len(secret) < LEAST_SECRET_LENGTH:
        return f"has fewer than {LEAST_SECRET_LENGTH} characters"
    return None


def _hints(effective: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Lines for those who put their token where it does nothing.
    """
    gateway = effective.get("gateway", {})
    hints = []
    if gateway.get("token"):
        hints.append('Found "gateway.token" in config. Use "gateway.auth.token" instead.')
    if gateway.get("remote", {}).get("token"):
        hints.append('"gateway.remote.token" is for remote CLI calls; it does not enable local gateway auth.')
    return tuple(hints)
