"""
``/tools/invoke``: see ``openclaw.web.tools``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openclaw.web.openapi.operations import (
    JSON,
    TEXT,
    TOO_LARGE,
    UNAUTHORIZED,
    in_header,
    operation,
    told,
    wrong_method,
)
from openclaw.web.openapi.shapes import BOOLEAN, NON_EMPTY, OBJECT, STRING, Schema, array, const, either, record, ref

TAG: Final = "tools"

SCHEMAS: Final[Mapping[str, Schema]] = {
    "ToolCall": record(
        {"tool": NON_EMPTY},
        {"args": OBJECT, "action": STRING, "sessionKey": STRING, "dryRun": BOOLEAN},
        more=True,
    ),
    "ToolDone": either(
        record({"ok": const(True), "result": record({"content": array(OBJECT)}, {"details": {}})}),
        record({"ok": const(True), "dryRun": const(True), "wouldInvoke": OBJECT}),
    ),
    "ToolFailed": record({"ok": const(False), "error": record({"type": NON_EMPTY, "message": STRING})}),
}

_FAILED: Final = {JSON: ref("ToolFailed")}

PATHS: Final[dict[str, Any]] = {
    "/tools/invoke": {
        "post": operation(
            "invokeTool",
            TAG,
            "Call one tool, without a model.",
            {
                200: told("What it gave.", {JSON: ref("ToolDone")}),
                400: told(
                    "No tool is named, it could not do it, or the request is no good HTTP.",
                    {JSON: either(ref("Error"), ref("ToolFailed")), TEXT: STRING},
                ),
                401: UNAUTHORIZED,
                404: told("There is no such tool, it is not allowed, or the session's agent is not there.", _FAILED),
                405: wrong_method("POST"),
                409: told("The idempotency key came with another request before.", _FAILED),
                413: TOO_LARGE,
                503: told(
                    "Too many tools are being called, or there is no database.", _FAILED, {"retry-after": STRING}
                ),
                504: told("It took too long.", _FAILED),
            },
            parameters=[
                in_header("Idempotency-Key", "The same request with the same one is done once."),
                in_header("X-OpenClaw-Message-Channel", "The chat channel whose groups' tools count."),
                in_header("X-OpenClaw-Account-Id", "The account there."),
            ],
            body=ref("ToolCall"),
            examples={"agents": {"tool": "agents_list"}, "status": {"tool": "cron", "action": "status"}},
        )
    },
}
