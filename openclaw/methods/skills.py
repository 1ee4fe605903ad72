"""
``skills.*`` (``methods.md`` 19).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson

from openclaw.config.paths import expand
from openclaw.config.rewrite import patched
from openclaw.methods.authorise import READ
from openclaw.methods.context import MethodContext
from openclaw.methods.mapping import invalid
from openclaw.methods.table import Failed, MethodTable
from openclaw.processes import Finished, ProcessFailed
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.skills import (
    SkillsBinsParams,
    SkillsBinsResult,
    SkillsInstallParams,
    SkillsInstallResult,
    SkillsStatusParams,
    SkillsStatusResult,
    SkillsUpdateParams,
    SkillsUpdateResult,
)
from openclaw.sessions.keys import default_agent
from openclaw.skills.eligible import Machine, offered, programs, row
from openclaw.skills.install import NoCommand, command
from openclaw.skills.places import managed_folder, places, read_skills
from openclaw.skills.reading import Skill

DEFAULT_LIMIT = timedelta(minutes=5)
MOST_LIMIT_MS = 15 * 60_000
#: An installer that says more has gone mad.
MOST_OUTPUT = 8 * 1024 * 1024
#: Of what it says, clients get the end.
MOST_TOLD = 8_000

methods = MethodTable()


@methods.method("skills.status", SkillsStatusParams, result=SkillsStatusResult, scope=READ)
async def status(context: MethodContext, params: SkillsStatusParams) -> dict[str, Any]:
    """
    The skills of the default agent, and what each of them lacks.
    """
    workspace = context.workspace_of(default_agent(context.config()))
    skills = await _skills(context, [workspace])
    machine = _machine(context)
    rows = await context.in_thread(lambda: [row(skill, machine) for skill in skills])
    return {
        "workspaceDir": str(workspace or ""),
        "managedSkillsDir": str(managed_folder(context.state_dir)),
        "skills": rows,
    }


@methods.method("skills.bins", SkillsBinsParams, result=SkillsBinsResult, role="node")
async def bins(context: MethodContext, params: SkillsBinsParams) -> dict[str, Any]:
    """
    The programs that skills of any agent name.
    """
    config = context.config()
    agents = [default_agent(config), *(agent.id for agent in config.agents.list)]
    skills = await _skills(context, [context.workspace_of(agent) for agent in dict.fromkeys(agents)])
    return {"bins": programs(skills)}


@methods.method("skills.install", SkillsInstallParams, result=SkillsInstallResult, failure=SkillsInstallResult)
async def install(context: MethodContext, params: SkillsInstallParams) -> dict[str, Any]:
    """
    Run one of a skill's installers.

    :raise Failed: there is no such skill or installer, or it did not succeed.
    """
    machine = _machine(context)
    skills = await _skills(context, [context.workspace_of(default_agent(context.config()))])
    skill = next((skill for skill in skills if params.name in (skill.name, skill.key)), None)
    if skill is None:
        raise _not_installed(f"Skill not found: {params.name}")
    installer = next((one for one in offered(skill, machine) if one.id == params.install_id), None)
    if installer is None:
        raise _not_installed(f"Installer not found: {params.install_id}")
    limit = (
        DEFAULT_LIMIT if params.timeout_ms is None else timedelta(milliseconds=min(params.timeout_ms, MOST_LIMIT_MS))
    )
    try:
        what = command(installer, machine.config.install)
        program = shutil.which(what[0], path=context.environ.get("PATH"))
        if program is None:
            raise _not_installed(f"{what[0]} is not installed")
        finished = await context.run([program, *what[1:]], limit=limit, most_bytes=MOST_OUTPUT)
    except (NoCommand, ProcessFailed) as error:
        raise _not_installed(f"Install failed: {error}") from error
    if finished.exit_code != 0:
        raise _not_installed(f"Install failed (exit {finished.exit_code})", finished)
    return {"ok": True, "message": "Installed", **_told(finished)}


@methods.method("skills.update", SkillsUpdateParams, result=SkillsUpdateResult, durable=True)
async def update(context: MethodContext, params: SkillsUpdateParams) -> dict[str, Any]:
    """
    Change what the configuration says of a skill, whether there is one or not.

    :raise ConfigError: nothing was written.
    """
    key = params.skill_key.strip()
    change: dict[str, Any] = {}
    if params.enabled is not None:
        change["enabled"] = params.enabled
    if params.api_key is not None:
        # ``null`` removes, here and below.
        change["apiKey"] = params.api_key.strip() or None
    if params.env is not None:
        if not all(isinstance(value, str) for value in params.env.values()):
            # The schema's pattern lets names with a line break through, whatever their value is.
            raise invalid("invalid skills.update params: at /env: must be string")
        named = {name.strip(): value.strip() or None for name, value in params.env.items()}
        change["env"] = {name: value for name, value in named.items() if name}
    raw = orjson.dumps({"skills": {"entries": {key: change}}}).decode()
    written = await context.configuration.edit(partial(patched, raw=raw))
    entries = written.snapshot.config.get("skills", {}).get("entries", {})
    now = {name: value for name, value in entries.get(key, {}).items() if name in ("enabled", "apiKey", "env")}
    return {"ok": True, "skillKey": key, "config": now}


async def _skills(context: MethodContext, workspaces: Sequence[Path | None]) -> list[Skill]:
    extra = [expand(folder, context.home) for folder in context.config().skills.load.extra_dirs]
    folders = [place for workspace in workspaces for place in places(context.state_dir, extra, workspace)]
    skills: list[Skill] = await context.in_thread(read_skills, list(dict.fromkeys(folders)))
    return skills


def _machine(context: MethodContext) -> Machine:
    config = context.config()

    def value_at(path: str) -> Any:
        value: Any = config.effective
        for name in path.split("."):
            value = value.get(name) if hasattr(value, "get") else None
        return value

    which = cache(partial(shutil.which, path=context.environ.get("PATH")))
    return Machine(
        platform=sys.platform,
        environ=context.environ,
        has_program=lambda name: which(name) is not None,
        value_at=value_at,
        config=config.skills,
    )


def _told(finished: Finished) -> dict[str, Any]:
    return {
        "stdout": finished.output.decode("utf-8", "replace")[-MOST_TOLD:],
        "stderr": finished.errors.decode("utf-8", "replace")[-MOST_TOLD:],
        "code": finished.exit_code,
    }


def _not_installed(message: str, finished: Finished | None = None) -> Failed:
    told = {"stdout": "", "stderr": "", "code": None} if finished is None else _told(finished)
    return Failed(code=ErrorCode.UNAVAILABLE, message=message, payload={"ok": False, "message": message, **told})
