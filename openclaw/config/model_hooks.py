"""
The model of ``hooks``.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

WakeMode = Literal["now", "next-heartbeat"]


@frozen(kw_only=True)
class HookMatchConfig:
    """
    ``hooks.mappings[].match``. What is not said matches everything.
    """

    path: str | None = None
    source: str | None = None


@frozen(kw_only=True)
class HookTransformConfig:
    """
    ``hooks.mappings[].transform``.
    """

    module: str
    export: str | None = None


@frozen(kw_only=True)
class HookMappingConfig:
    """
    ``hooks.mappings[]``.
    """

    id: str | None = None
    match: HookMatchConfig = HookMatchConfig()
    action: Literal["wake", "agent"] = "agent"
    wake_mode: WakeMode = "now"
    name: str | None = None
    session_key: str | None = None
    message_template: str | None = None
    text_template: str | None = None
    deliver: bool | None = None
    allow_unsafe_external_content: bool | None = None
    channel: str | None = None
    to: str | None = None
    model: str | None = None
    thinking: str | None = None
    timeout_seconds: float | None = None
    transform: HookTransformConfig | None = None


@frozen(kw_only=True)
class HooksGmailConfig:
    """
    ``hooks.gmail``, as far as mails that arrive are concerned.
    """

    model: str | None = None
    thinking: str | None = None
    allow_unsafe_external_content: bool = False


@frozen(kw_only=True)
class HooksConfig:
    """
    ``hooks``.

    :param path: as written; ``openclaw.web.paths.hooks_path`` is what is served.
    """

    enabled: bool = False
    path: str = "/hooks"
    token: str | None = field(default=None, repr=False, metadata={"secret": True})
    max_body_bytes: int = 262144
    presets: tuple[str, ...] = ()
    transforms_dir: str | None = None
    mappings: tuple[HookMappingConfig, ...] = ()
    gmail: HooksGmailConfig = HooksGmailConfig()


def hooks_problem(hooks: HooksConfig, secrets: tuple[str | None, ...]) -> str | None:
    """
    Why hooks cannot be served like this; ``None`` if they can, or are off.

    :param secrets: the gateway's own, none of which may open its hooks: who may tell it something may not run it.
    """
    if not hooks.enabled:
        return None
    token = (hooks.token or "").strip()
    if not token:
        return "hooks.enabled requires hooks.token"
    if not hooks.path.strip().strip("/"):
        return "hooks.path may not be '/'"
    if token in [secret.strip() for secret in secrets if secret]:
        return "hooks.token must not be the gateway's own token or password"
    return None
