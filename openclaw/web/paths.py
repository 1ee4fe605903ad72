"""
The paths of the HTTP side that more than one part must know.
"""

from __future__ import annotations

from openclaw.config.model_hooks import HooksConfig

CHAT_COMPLETIONS = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MODELS = "/v1/models"
METRICS = "/metrics"
TOOLS_INVOKE = "/tools/invoke"

#: What nobody takes over.
OWN = frozenset({"/healthz", "/readyz", "/protocol.json", "/openapi.json", METRICS, TOOLS_INVOKE})


def hooks_path(hooks: HooksConfig) -> str:
    """
    ``hooks.path`` with one slash before it and none behind it (``http.md`` 10.1).
    """
    return "/" + hooks.path.strip().strip("/")


def is_below(path: str, base: str) -> bool:
    """
    Whether a path is another one, or below it.
    """
    return path == base or path.startswith(base + "/")
