"""
Webhooks: see ``openclaw.web.hooks``. They stand where they are without a configuration, and answer when that switches
them on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openclaw.web.openapi.operations import JSON, TEXT, Answer, in_header, operation, told, wrong_method
from openclaw.web.openapi.shapes import BOOLEAN, NON_EMPTY, NUMBER, STRING, Schema, choice, const, record, ref

TAG: Final = "hooks"

#: The scheme by which a program shows that it has the token of the hooks.
HOOK_TOKEN: Final = "hookToken"  # noqa: S105 - the name of a scheme

_MODE = choice("now", "next-heartbeat")

SCHEMAS: Final[Mapping[str, Schema]] = {
    "HookWake": record({"text": NON_EMPTY}, {"mode": _MODE}, more=True),
    "HookTurn": record(
        {"message": NON_EMPTY},
        {
            "name": STRING,
            "sessionKey": STRING,
            "wakeMode": _MODE,
            "deliver": BOOLEAN,
            "channel": STRING,
            "to": STRING,
            "model": NON_EMPTY,
            "thinking": STRING,
            "timeoutSeconds": NUMBER,
        },
        more=True,
    ),
    "HookWoken": record({"ok": const(True), "mode": _MODE}),
    "HookAccepted": record({"ok": const(True), "runId": NON_EMPTY}),
    "HookRefused": record({"ok": const(False), "error": NON_EMPTY}),
}


def _refused(description: str, headers: Mapping[str, Schema] | None = None) -> Answer:
    return told(description, {JSON: ref("HookRefused")}, headers)


_ALL: Final[Mapping[int, Answer]] = {
    400: told(
        "What was sent cannot be understood, or the request is no good HTTP.", {JSON: ref("HookRefused"), TEXT: STRING}
    ),
    401: told("The token is missing or wrong.", {TEXT: STRING}),
    405: wrong_method("POST"),
    413: _refused("The body is larger than `hooks.maxBodyBytes`. The connection ends.", {"connection": const("close")}),
    429: told("Too many wrong tokens came from this address.", {TEXT: STRING}, {"retry-after": STRING}),
    503: _refused("The gateway starts or stops, or too many hooks wait.", {"retry-after": STRING}),
}

PATHS: Final[dict[str, Any]] = {
    "/hooks/wake": {
        "post": operation(
            "hookWake",
            TAG,
            "Tell the main session something.",
            {**_ALL, 200: told("It will hear of it.", {JSON: ref("HookWoken")})},
            shown=HOOK_TOKEN,
            body=ref("HookWake"),
            examples={"wake": {"text": "The door was opened.", "mode": "now"}},
        )
    },
    "/hooks/agent": {
        "post": operation(
            "hookAgent",
            TAG,
            "Have the default agent take a turn.",
            {**_ALL, 202: told("It is kept, and will be done.", {JSON: ref("HookAccepted")})},
            description="The message goes to the model marked as foreign. The main session is told how it ended.",
            shown=HOOK_TOKEN,
            parameters=[in_header("Idempotency-Key", "A second request with the same one is the first.")],
            body=ref("HookTurn"),
            examples={"turn": {"message": "Summarise the build.", "name": "CI", "sessionKey": "hook:ci"}},
        )
    },
}
