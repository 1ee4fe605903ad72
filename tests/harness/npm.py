"""
Packages from npm that tests drive, kept outside of the project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest

#: How long npm may take to fetch one package, in seconds.
PATIENCE = 120


def node() -> str:
    """
    The program.

    :raise SkipTest: it is not installed.
    """
    found = shutil.which("node")
    if found is None:
        raise SkipTest("node is not installed")
    return found


def package(name: str, version: str) -> Path:
    """
    The directory whose ``node_modules`` has a package, installed at first use into the user's cache.

    :raise SkipTest: there is no npm, or it cannot fetch the package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SkipTest(f"npm is not installed: there is no {name}")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / "openclaw-tests" / f"{name}-{version}"
    if not home.exists():
        _install(npm, f"{name}@{version}", home)
    return home


def _install(npm: str, what: str, home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    # Made elsewhere and moved, so that a run beside this one never sees half of it.
    with tempfile.TemporaryDirectory(dir=home.parent) as fresh:
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", fresh, what]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise SkipTest(f"npm cannot install {what}: {error}") from error
        try:
            Path(fresh).rename(home)
        except OSError:
            if not home.exists():
                raise
            return
        Path(fresh).mkdir()  # for the context manager to remove
