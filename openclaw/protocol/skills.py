"""
Skills: ``skills.*``.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from attrs import frozen

from openclaw.protocol.types import Minimum, NonEmptyString, NonEmptyStrings


@frozen(kw_only=True)
class SkillsStatusParams:
    """
    Ask for the skills. No parameters.
    """


@frozen(kw_only=True)
class SkillsBinsParams:
    """
    A node asks which programs skills may run. No parameters.
    """


@frozen(kw_only=True)
class SkillsBinsResult:
    """
    The programs that skills need.
    """

    bins: NonEmptyStrings


@frozen(kw_only=True)
class SkillsInstallParams:
    """
    Install what a skill needs.

    :ivar install_id: which of the skill's ways of installing.
    """

    name: NonEmptyString
    install_id: NonEmptyString
    timeout_ms: Annotated[int, Minimum(1000)] | None = None


@frozen(kw_only=True)
class SkillsUpdateParams:
    """
    Change the settings of a skill.

    :ivar api_key: empty removes it.
    :ivar env: an empty value removes that variable.
    """

    skill_key: NonEmptyString
    enabled: bool | None = None
    api_key: str | None = None
    env: Mapping[str, str] | None = None


@frozen(kw_only=True)
class SkillNeeds:
    """
    What a skill needs, or what of it is missing.

    :ivar any_bins: one of these programs is enough.
    :ivar config: dotted keys of the configuration.
    :ivar os: systems that it is for; empty for all.
    """

    bins: Sequence[str]
    any_bins: Sequence[str]
    env: Sequence[str]
    config: Sequence[str]
    os: Sequence[str]


@frozen(kw_only=True)
class SkillConfigCheck:
    """
    A key of the configuration that a skill needs.
    """

    path: str
    value: Any
    satisfied: bool


@frozen(kw_only=True)
class SkillInstallOption:
    """
    A way to install what a skill needs.

    :ivar kind: ``brew``, ``node``, ``go``, ``uv`` or ``download``.
    :ivar bins: the programs that it brings.
    """

    id: str
    kind: str
    label: str
    bins: Sequence[str]


@frozen(kw_only=True)
class SkillStatus:
    """
    One skill.

    :ivar source: where it was found: ``openclaw-managed``, ``openclaw-extra`` or ``openclaw-workspace``.
    :ivar skill_key: under which it is configured.
    :ivar eligible: whether it can be used now.
    """

    name: str
    description: str
    source: str
    file_path: str
    base_dir: str
    skill_key: str
    primary_env: str | None = None
    emoji: str | None = None
    homepage: str | None = None
    always: bool
    disabled: bool
    blocked_by_allowlist: bool
    eligible: bool
    requirements: SkillNeeds
    missing: SkillNeeds
    config_checks: Sequence[SkillConfigCheck]
    install: Sequence[SkillInstallOption]


@frozen(kw_only=True)
class SkillsStatusResult:
    """
    The skills of the default agent.
    """

    workspace_dir: str
    managed_skills_dir: str
    skills: Sequence[SkillStatus]


@frozen(kw_only=True)
class SkillsInstallResult:
    """
    What an installer said; a failed answer carries it too.

    :ivar code: its exit code; ``None`` where it did not run to its end.
    """

    ok: bool
    message: str
    stdout: str
    stderr: str
    code: int | None


@frozen(kw_only=True)
class SkillSettings:
    """
    What the configuration says of a skill.
    """

    enabled: bool | None = None
    api_key: str | None = None
    env: Mapping[str, str] | None = None


@frozen(kw_only=True)
class SkillsUpdateResult:
    """
    What it says now.
    """

    ok: bool
    skill_key: str
    config: SkillSettings
