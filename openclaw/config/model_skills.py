"""
The model of ``skills``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen


@frozen(kw_only=True)
class SkillEntry:
    """
    One entry of ``skills.entries``.

    :param api_key: value of the skill's primary variable.
    """

    enabled: bool | None = None
    api_key: str | None = field(default=None, repr=False, metadata={"secret": True})
    env: Mapping[str, str] = field(factory=dict, repr=False, metadata={"secret": True})
    config: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class SkillsLoad:
    """
    ``skills.load``.
    """

    extra_dirs: tuple[str, ...] = ()


@frozen(kw_only=True)
class SkillsInstall:
    """
    ``skills.install``.
    """

    node_manager: Literal["npm", "pnpm", "yarn", "bun"] = "npm"


@frozen(kw_only=True)
class SkillsConfig:
    """
    ``skills``.
    """

    load: SkillsLoad = SkillsLoad()
    install: SkillsInstall = SkillsInstall()
    entries: Mapping[str, SkillEntry] = field(factory=dict)
