"""
What kind of address a request is for: the words by which requests are counted. There are few of them, whatever clients
write.
"""

from __future__ import annotations

from typing import Final

from openclaw.config.model import Config
from openclaw.web.canvas.places import place_of
from openclaw.web.paths import CHAT_COMPLETIONS, METRICS, MODELS, RESPONSES, TOOLS_INVOKE, hooks_path, is_below

PAGE: Final = "page"

_EXACT: Final = {
    "/healthz": "probe",
    "/readyz": "probe",
    "/protocol.json": "document",
    "/openapi.json": "document",
    METRICS: "metrics",
    CHAT_COMPLETIONS: "chat_completions",
    RESPONSES: "responses",
    TOOLS_INVOKE: "tools_invoke",
}


def route_of(config: Config, path: str) -> str:
    """
    :param path: as the client wrote it.
    :return: one of a fixed set of words; ``page`` for everything that has no other.
    """
    exact = _EXACT.get(path)
    if exact is not None:
        return exact
    if path.startswith("/v1/"):
        return "models" if is_below(path, MODELS) else "v1"
    if path.startswith("/__openclaw__/"):
        place = place_of(path)
        return PAGE if place is None else place.part or "canvas"
    if config.hooks.enabled and is_below(path, hooks_path(config.hooks)):
        return "hooks"
    return "avatar" if path.startswith(f"{config.gateway.control_ui.prefix}/avatar/") else PAGE
