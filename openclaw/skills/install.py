"""
Installing what a skill needs, with the machine's own package managers.
"""

from __future__ import annotations

from openclaw.config.model_skills import SkillsInstall
from openclaw.errors import OpenClawError
from openclaw.skills.reading import Installer

NODE_COMMANDS = {
    "npm": ["npm", "install", "-g", "--ignore-scripts"],
    "pnpm": ["pnpm", "add", "-g", "--ignore-scripts"],
    "yarn": ["yarn", "global", "add", "--ignore-scripts"],
    "bun": ["bun", "add", "-g", "--ignore-scripts"],
}


class NoCommand(OpenClawError):
    """
    We do not install that way.
    """


def command(installer: Installer, settings: SkillsInstall) -> list[str]:
    """
    What is run. A skill's author names the package, so a name that looks like an option is none.

    :raise NoCommand: there is no such way here.
    """
    target = installer.target
    if target.startswith("-"):
        raise NoCommand(f"{target!r} is no name of a package")
    if installer.kind == "brew":
        return ["brew", "install", target]
    if installer.kind == "node":
        return [*NODE_COMMANDS[settings.node_manager], target]
    if installer.kind == "go":
        return ["go", "install", target]
    if installer.kind == "uv":
        return ["uv", "tool", "install", target]
    raise NoCommand(f"installers of kind {installer.kind} are not supported; get it from {target}")
