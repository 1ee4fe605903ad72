"""
Skills: ``skills.*``.
"""

from collections.abc import Mapping
from typing import Annotated

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
