"""
``openclaw dashboard``: the address of the page, with what opens it.
"""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.tables import user_name
from openclaw.cli.target import dig, local_port, read_config
from openclaw.config.auth import TOKEN_VARIABLES
from openclaw.config.loader import Snapshot
from openclaw.config.paths import state_dir, variable

_CLIPBOARDS = (["pbcopy"], ["wl-copy"], ["xclip", "-selection", "clipboard"], ["clip.exe"])


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: 0, also where there is no browser.
    """
    parser = Arguments("dashboard", "The address of the page, with what opens it.")
    parser.option("--no-open", action="store_true", help="only print it")
    parser.option("--json", action="store_true", help="print JSON")
    options = parser.take(arguments)
    snapshot = read_config(context)
    plain, full = addresses(snapshot)
    if options.json:
        context.json({"url": full, "baseUrl": plain})
        return 0
    context.line(f"Dashboard URL: {full}")
    if not options.no_open:
        context.line("Copied to clipboard." if _copy(full) else "Copy to clipboard unavailable.")
        if _has_screen(context.environ) and _open(context, full):
            context.line("Opened in your browser. Keep that tab to control OpenClaw.")
            return 0
    port = local_port(snapshot)
    if not _has_screen(context.environ):
        context.line("No GUI detected. Open from your computer:")
        context.line(f"ssh -N -L {port}:127.0.0.1:{port} {user_name()}@<host>")
        context.line("Then open:")
        for url in dict.fromkeys((plain, full)):
            context.line(url.replace("127.0.0.1", "localhost"))
    return 0


def addresses(snapshot: Snapshot) -> tuple[str, str]:
    """
    The page's address, without and with the token. Our page takes it from the fragment, which browsers do not send;
    another bundle (``gateway.controlUi.root``) only knows the query.
    """
    config = snapshot.config
    scheme = "https" if dig(config, "gateway", "tls", "enabled") is True else "http"
    prefix = str(dig(config, "gateway", "controlUi", "basePath") or "").strip().strip("/")
    plain = f"{scheme}://127.0.0.1:{local_port(snapshot)}/{prefix + '/' if prefix else ''}"
    token = dig(config, "gateway", "auth", "token") or variable(snapshot.environment, *TOKEN_VARIABLES)
    if not isinstance(token, str) or not token.strip():
        return plain, plain
    mark = "?" if dig(config, "gateway", "controlUi", "root") else "#"
    return plain, f"{plain}{mark}token={quote(token.strip(), safe='')}"


def _has_screen(environ: Mapping[str, str]) -> bool:
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    return os.name != "posix" or os.uname().sysname == "Darwin" or any(map(environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def _copy(text: str) -> bool:
    for command in _CLIPBOARDS:
        if (program := shutil.which(command[0])) is None:
            continue
        try:
            done = subprocess.run(  # noqa: S603 - a fixed list; the text goes in by a pipe, where nobody else sees it
                [program, *command[1:]], input=text.encode(), timeout=3, check=False, stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def _open(context: Context, url: str) -> bool:
    """
    Open the browser on a file that leads on: an address with a token would show in the list of processes.
    """
    directory = state_dir(context.environ, context.home)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    page = directory / "dashboard.html"
    _write(page, f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(url)}">\n')
    return webbrowser.open(page.as_uri())


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
