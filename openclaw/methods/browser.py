"""
``browser.request`` (``methods.md`` 23): through a node that has a browser. There is no browser of the gateway's own.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from openclaw.config.files import make_private_directory, replace_file
from openclaw.methods.authorise import ADMIN, WRITE, holds
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid, unavailable
from openclaw.methods.nodes import ask_node, check_allowed
from openclaw.methods.table import MethodTable
from openclaw.nodes import policy
from openclaw.nodes.browsers import NoBrowserNode, browser_node
from openclaw.protocol.browser import BrowserRequestParams
from openclaw.protocol.types import ABSENT

#: Members of a result that name a file of the node.
PATHS = ("path", "imagePath")
#: Of the files of one answer.
MOST_FILES = 16

methods = MethodTable()


@methods.method("browser.request", takes=BrowserRequestParams, result=Any, scope=WRITE)
async def request(context: MethodContext, params: Mapping[str, Any]) -> Any:
    """
    Ask the browser of a node. Files that come with its answer are kept here, and named by where they are.

    :raise Failed: there is no browser, or it could not do it.
    """
    method, path = params.get("method"), params.get("path")
    if not isinstance(method, str) or not isinstance(path, str) or not method.strip() or not path.strip():
        raise invalid("method and path are required")
    method = method.strip().upper()
    if method not in ("GET", "POST", "DELETE"):
        raise invalid("method must be GET, POST, or DELETE")
    try:
        node = browser_node(context.nodes.connected.all(), context.config().gateway.nodes.browser)
    except NoBrowserNode as error:
        raise unavailable(str(error)) from error
    if node is None:
        raise unavailable("browser control is disabled")
    query = params.get("query")
    asked = {
        "method": method,
        "path": path.strip(),
        "query": query if isinstance(query, Mapping) else None,
        "body": params.get("body"),
        "timeoutMs": params.get("timeoutMs"),
        "profile": query.get("profile") if isinstance(query, Mapping) else None,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    if policy.needs_admin(policy.BROWSER, asked) and not holds(context.caller.scopes, ADMIN):
        raise invalid(f"missing scope: {ADMIN}")
    check_allowed(context, node, policy.BROWSER)
    timeout = params.get("timeoutMs")
    limit = int(min(timeout, 600_000)) if isinstance(timeout, int | float) and timeout > 0 else None
    answer = await ask_node(context, node, policy.BROWSER, policy.data_of(asked), timeout_ms=limit)
    payload = answer.value()
    if not isinstance(payload, Mapping) or "result" not in payload:
        raise unavailable("browser proxy failed")
    kept = await context.in_thread(keep_files, context.state_dir / "media" / "browser", payload, context.make_id)
    return with_paths(payload["result"], kept)


def keep_files(directory: Path, payload: Mapping[str, Any], make_id: Any) -> dict[str, str]:
    """
    Write the files of an answer. Blocks.

    :return: the path here by the path there.
    """
    files = payload.get("files")
    kept: dict[str, str] = {}
    for file in (files if isinstance(files, list) else [])[:MOST_FILES]:
        path, text = (file.get(name, ABSENT) if isinstance(file, Mapping) else ABSENT for name in ("path", "base64"))
        if not isinstance(path, str) or not isinstance(text, str):
            continue
        try:
            data = b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        make_private_directory(directory)
        # Only what kind of file it is comes from its name there.
        suffix = PurePosixPath(PureWindowsPath(path).name).suffix
        name = make_id() + (suffix if suffix[1:].isalnum() and len(suffix) <= 8 else "")
        replace_file(directory / name, data)
        kept[path] = str(directory / name)
    return kept


def with_paths(result: Any, kept: Mapping[str, str]) -> Any:
    """
    A result that names files where they are now.
    """
    if not isinstance(result, Mapping):
        return result
    named = {name: kept[result[name]] for name in PATHS if isinstance(result.get(name), str) and result[name] in kept}
    download = result.get("download")
    if isinstance(download, Mapping):
        named["download"] = with_paths(download, kept)
    return {**result, **named}
