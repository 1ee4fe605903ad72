"""
The configuration that the first start of a development gateway makes for itself.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openclaw.config.files import create_file, make_private_directory


def make_token() -> str:
    """
    256 bits that nobody can guess, in hex.
    """
    return secrets.token_hex(32)


def ensure_dev_config(
    path: Path,
    *,
    workspace: Path | None = None,
    with_agent: bool = False,
    make_token: Callable[[], str] = make_token,
) -> bool:
    """
    Write a small configuration with a fresh token, readable for its owner only, if there is none.

    :param workspace: named in the file when given; else the workspace is that of the profile.
    :param with_agent: also the agent that development gateways have (``cli.md`` 4.4), which needs a workspace.
    :return: whether it was written. An existing file is never touched.
    """
    if path.exists():
        return False
    config: dict[str, Any] = {
        "gateway": {"mode": "local", "bind": "loopback", "auth": {"mode": "token", "token": make_token()}}
    }
    if workspace is not None:
        config["agents"] = {"defaults": {"workspace": str(workspace)}}
    if with_agent and workspace is not None:
        config["agents"]["defaults"]["skipBootstrap"] = True
        identity = {"name": "C3-PO", "theme": "protocol droid", "emoji": "\N{ROBOT FACE}"}
        agent = {"id": "dev", "default": True, "workspace": str(workspace), "identity": identity}
        config["agents"]["list"] = [agent]
    make_private_directory(path.parent)
    return create_file(path, json.dumps(config, indent=2, ensure_ascii=False) + "\n")
