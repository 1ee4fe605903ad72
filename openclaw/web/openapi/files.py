"""
The canvas, A2UI and the agents' pictures: see ``openclaw.web.canvas`` and ``openclaw.web.avatars``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from openclaw.web.media import IMAGES
from openclaw.web.openapi.operations import (
    FORBIDDEN,
    JSON,
    TEXT,
    Answer,
    Operation,
    in_path,
    in_query,
    operation,
    reading,
    told,
)
from openclaw.web.openapi.shapes import NON_EMPTY, STRING, Schema, choice, or_null, record

TAG: Final = "files"
HTML: Final = "text/html"

_STRANGER = told(
    "The client is neither on this machine nor was it let in, or calls the gateway by a name that cannot be its own.",
    {TEXT: STRING},
)
_ABSENT = told("There is no such file, or no canvas.", {TEXT: STRING, HTML: STRING})
_NO_PAGE = told("The page is missing from the installation.", {TEXT: STRING})

_NAME = in_path(
    "name",
    "A file below it, perhaps in a directory; of a directory its `index.html`. Slashes stand as they are.",
    NON_EMPTY,
    "index.html",
)
_CAPABILITY = in_path("capability", "What `canvasHostUrl` in `hello-ok` has, for clients from elsewhere.", NON_EMPTY)

_IMAGE: Schema = {"type": "string", "contentMediaType": "image/*"}


def _file(
    id: str, summary: str, parameters: Sequence[dict[str, Any]], more: Mapping[int, Answer] | None = None
) -> dict[str, Operation]:
    answers = {200: told("The file.", {"*/*": STRING}), 403: _STRANGER, 404: _ABSENT, **(more or {})}
    return reading(operation(id, TAG, summary, answers, shown=None, parameters=parameters))


def _host(base: str, suffix: str, parameters: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """
    Canvas and A2UI below an address.
    """
    canvas, a2ui = f"{base}/__openclaw__/canvas/", f"{base}/__openclaw__/a2ui/"
    broken = {503: _NO_PAGE}
    return {
        canvas: _file(f"canvas{suffix}", "The first page of the canvas.", parameters),
        canvas + "{name}": _file(f"canvasFile{suffix}", "A file of the canvas.", [*parameters, _NAME]),
        a2ui: _file(f"a2ui{suffix}", "The page that shows A2UI.", parameters, broken),
        a2ui + "{name}": _file(f"a2uiFile{suffix}", "A file of that page.", [*parameters, _NAME], broken),
    }


_AVATAR = operation(
    "avatar",
    TAG,
    "The picture of an agent.",
    {
        200: told(
            "The picture; or, where that was asked for, where it is.",
            {
                **dict.fromkeys(sorted(set(IMAGES.values())), _IMAGE),
                JSON: record({"avatarUrl": or_null(STRING)}),
            },
        ),
        403: FORBIDDEN,
        404: told("There is none, or none of the gateway's own.", {TEXT: STRING}),
    },
    description="Stands below `gateway.controlUi.basePath`.",
    shown=None,
    parameters=[
        in_path("agent", "The agent's id.", NON_EMPTY, "main"),
        in_query("meta", "`1` asks where the picture is.", choice("1")),
    ],
)

PATHS: Final[dict[str, Any]] = {
    **_host("", "", ()),
    **_host("/__openclaw__/cap/{capability}", "ByCapability", (_CAPABILITY,)),
    "/avatar/{agent}": reading(_AVATAR),
}
