"""
The TypeScript compiler, from npm, kept outside of the project.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest

TYPESCRIPT = "5.9.3"

#: How long npm may take to fetch one package, in seconds.
PATIENCE = 120


def typescript_compiler() -> list[str]:
    """
    The command that runs the compiler, installed at first use into the user's cache.

    :raise SkipTest: there is no npm, or it cannot fetch the compiler.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SkipTest("node and npm are not installed: TypeScript output is not compiled")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / "openclaw-tests" / f"typescript-{TYPESCRIPT}"
    if not home.exists():
        _install(npm, home)
    return [node, str(home / "node_modules" / "typescript" / "bin" / "tsc")]


def _install(npm: str, home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    # Made elsewhere and moved, so that a run beside this one never sees half of it.
    with tempfile.TemporaryDirectory(dir=home.parent) as fresh:
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", fresh, f"typescript@{TYPESCRIPT}"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise SkipTest(f"npm cannot install typescript@{TYPESCRIPT}: {error}") from error
        try:
            Path(fresh).rename(home)
        except OSError:
            if not home.exists():
                raise
            return
        Path(fresh).mkdir()  # for the context manager to remove
