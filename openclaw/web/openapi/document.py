"""
The whole document.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import orjson

from openclaw import __version__
from openclaw.web.openapi import chat, files, hooks, openai, operations, own, responses, tools

VERSION: Final = "3.1.0"

DESCRIPTION: Final = (
    "What the gateway's port answers besides the WebSocket, which `/protocol.json` describes. A request that cannot be"
    " read at all is answered before any endpoint is looked for: 400 for what is no HTTP, 431 for a head of more than"
    " 16 KiB, 413 for a body of more than 1 MiB, 408 for what does not come in time; then the connection ends. An"
    " upgrade to a WebSocket is one at any of these addresses."
)

#: In the order in which they stand.
PARTS: Final = (own, openai, chat, responses, tools, hooks, files)
#: What has schemas.
DESCRIBED: Final = (operations, openai, chat, responses, tools, hooks)

TAGS: Final = (
    ("gateway", "What tells of the gateway itself."),
    ("openai", "What OpenAI's clients ask."),
    ("tools", "What the agent can do, without it."),
    ("hooks", "What other programs tell the agent, where `hooks.enabled` lets them."),
    ("files", "Canvas, A2UI and the agents' pictures."),
)


def openapi_document() -> dict[str, Any]:
    """
    The document. It is the same for every gateway of one version, and has nothing of its configuration.
    """
    return {
        "openapi": VERSION,
        "info": {"title": "OpenClaw gateway", "version": __version__, "description": DESCRIPTION},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "http://127.0.0.1:18789", "description": "The default address."}],
        "tags": [{"name": name, "description": told} for name, told in TAGS],
        "paths": {path: told for part in PARTS for path, told in part.PATHS.items()},
        "components": {
            "securitySchemes": {
                operations.BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The gateway's token, or its password in that mode.",
                },
                hooks.HOOK_TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`hooks.token`, also as the header `x-openclaw-token`.",
                },
            },
            "schemas": {name: told for part in DESCRIBED for name, told in part.SCHEMAS.items()},
        },
    }


@cache
def openapi_text() -> bytes:
    """
    The document as JSON.
    """
    return orjson.dumps(openapi_document())
