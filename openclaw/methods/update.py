"""
``update.run`` (``methods.md`` 22).

Whoever installed the program updates it: files that change under a running process count only after a restart, and a
gateway that cannot come back is worse than an old one. So it says how it was installed and what to type.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openclaw
from openclaw.methods.context import MethodContext
from openclaw.methods.table import MethodTable
from openclaw.protocol.update import UpdateRunParams, UpdateRunResult

methods = MethodTable()

ROOT = Path(openclaw.__file__).resolve().parent.parent


@methods.method("update.run", UpdateRunParams, result=UpdateRunResult)
async def run(context: MethodContext, params: UpdateRunParams) -> dict[str, Any]:
    """
    How the program is installed and what would update it. Nothing is changed, and nothing restarts.
    """
    outcome = await context.in_thread(outlook, ROOT)
    return {"ok": True, "result": outcome, "restart": {"ok": False, "reason": "nothing was updated"}}


def outlook(root: Path) -> dict[str, Any]:
    """
    What an update of the installation in ``root`` would be. Blocks.
    """
    checkout = (root / ".git").exists()
    commands = {"pull": "git pull --ff-only", "install": "bin/openclaw --version"} if checkout else {}
    return {
        "status": "skipped",
        "mode": "git" if checkout else "unknown",
        "root": str(root),
        "reason": "update-by-hand" if checkout else "not-git-install",
        "before": {"version": openclaw.__version__},
        "steps": [
            {"name": name, "command": command, "cwd": str(root), "durationMs": 0, "exitCode": None}
            for name, command in commands.items()
        ],
        "durationMs": 0,
    }
