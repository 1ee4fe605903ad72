"""
Whether a skill can be used on this machine, and what it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from openclaw.config.model_skills import SkillEntry, SkillsConfig
from openclaw.skills.reading import Installer, Requirements, Skill


@frozen(kw_only=True)
class Machine:
    """
    What skills are measured against.

    :ivar platform: as ``sys.platform``.
    :ivar has_program: whether a program is on the path.
    :ivar value_at: the value of a dotted key in the configuration, ``None`` where there is none.
    """

    platform: str
    environ: Mapping[str, str]
    has_program: Callable[[str], bool]
    value_at: Callable[[str], Any]
    config: SkillsConfig = field(factory=SkillsConfig)

    def entry(self, skill: Skill) -> SkillEntry:
        return self.config.entries.get(skill.key) or SkillEntry()


def missing(skill: Skill, machine: Machine) -> Requirements:
    """
    What a skill needs and does not find.
    """
    needs, entry = skill.requires, machine.entry(skill)

    def has_variable(name: str) -> bool:
        own = entry.env.get(name) or (entry.api_key if name == skill.primary_env else None)
        return bool(machine.environ.get(name) or own)

    return Requirements(
        bins=tuple(name for name in needs.bins if not machine.has_program(name)),
        any_bins=() if not needs.any_bins or any(map(machine.has_program, needs.any_bins)) else needs.any_bins,
        env=tuple(name for name in needs.env if not has_variable(name)),
        config=tuple(path for path in needs.config if not machine.value_at(path)),
        os=() if not needs.os or machine.platform in needs.os else needs.os,
    )


def row(skill: Skill, machine: Machine) -> dict[str, Any]:
    """
    A skill as ``skills.status`` tells it.
    """
    lacks = missing(skill, machine)
    if skill.always:
        # Only where it runs is asked of a skill that is always there.
        lacks = Requirements(os=lacks.os)
    disabled = machine.entry(skill).enabled is False
    optional = {"primaryEnv": skill.primary_env, "emoji": skill.emoji, "homepage": skill.homepage}
    return {
        "name": skill.name,
        "description": skill.description,
        "source": skill.source,
        "filePath": str(skill.path),
        "baseDir": str(skill.path.parent),
        "skillKey": skill.key,
        **{name: value for name, value in optional.items() if value is not None},
        "always": skill.always,
        "disabled": disabled,
        "blockedByAllowlist": False,
        "eligible": not disabled and lacks == Requirements(),
        "requirements": skill.requires.members(),
        "missing": lacks.members(),
        "configChecks": [
            {"path": path, "value": machine.value_at(path), "satisfied": bool(machine.value_at(path))}
            for path in skill.requires.config
        ],
        "install": [
            {"id": one.id, "kind": one.kind, "label": one.label, "bins": list(one.bins)}
            for one in offered(skill, machine)
        ],
    }


def offered(skill: Skill, machine: Machine) -> Sequence[Installer]:
    """
    The ways to install what a skill needs that fit this machine.
    """
    return [one for one in skill.installers if not one.os or machine.platform in one.os]


def programs(skills: Sequence[Skill]) -> list[str]:
    """
    Every program that skills name.
    """
    names: set[str] = set()
    for skill in skills:
        names |= {*skill.requires.bins, *skill.requires.any_bins}
        for installer in skill.installers:
            names |= set(installer.bins)
    return sorted(names)
