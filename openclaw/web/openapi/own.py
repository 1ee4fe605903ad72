"""
What tells of the gateway itself.
"""

from __future__ import annotations

from typing import Any, Final

from openclaw.web.openapi.operations import FORBIDDEN, JSON, TEXT, UNAUTHORIZED, operation, reading, told
from openclaw.web.openapi.shapes import OBJECT, STRING, ref

TAG: Final = "gateway"

PATHS: Final[dict[str, Any]] = {
    "/healthz": reading(
        operation(
            "healthz",
            TAG,
            "Whether the process lives.",
            {200: told("It does.", {JSON: ref("Probe")}), 403: FORBIDDEN},
            shown=None,
        )
    ),
    "/readyz": reading(
        operation(
            "readyz",
            TAG,
            "Whether every part is ready.",
            {
                200: told("All of them are.", {JSON: ref("Probe")}),
                403: FORBIDDEN,
                503: told("The names of those that are not.", {JSON: ref("Probe")}),
            },
            shown=None,
        )
    ),
    "/protocol.json": reading(
        operation(
            "protocol",
            TAG,
            "The WebSocket side as an AsyncAPI document.",
            {200: told("The document.", {JSON: OBJECT}), 401: UNAUTHORIZED},
        )
    ),
    "/openapi.json": reading(
        operation(
            "openapi",
            TAG,
            "This document.",
            {200: told("The document.", {JSON: OBJECT}), 401: UNAUTHORIZED},
        )
    ),
    "/metrics": reading(
        operation(
            "metrics",
            TAG,
            "What is measured, in Prometheus's text format.",
            {
                200: told("Version 0.0.4 of the format.", {TEXT: STRING}),
                401: UNAUTHORIZED,
                404: told("What writes them is not installed; the text says how to.", {TEXT: STRING}),
            },
        )
    ),
}
