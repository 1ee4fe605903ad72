"""
The set-up wizard, one step at a time: ``wizard.*``.
"""

from collections.abc import Sequence
from typing import Any, Literal

from attrs import frozen

from openclaw.protocol.types import ABSENT, NonEmptyString


@frozen(kw_only=True)
class WizardStartParams:
    """
    Begin the wizard.
    """

    mode: Literal["local", "remote"] | None = None
    workspace: str | None = None


@frozen(kw_only=True)
class WizardAnswer:
    """
    What a person chose at a step.

    :ivar value: of the type that the step asks for.
    """

    step_id: NonEmptyString
    value: Any = ABSENT


@frozen(kw_only=True)
class WizardNextParams:
    """
    Answer the step on display, or ask for it again without an answer.
    """

    session_id: NonEmptyString
    answer: WizardAnswer | None = None


@frozen(kw_only=True)
class WizardCancelParams:
    """
    Leave the wizard; what was not finished is dropped.
    """

    session_id: NonEmptyString


@frozen(kw_only=True)
class WizardStatusParams:
    """
    Ask how far the wizard is.
    """

    session_id: NonEmptyString


@frozen(kw_only=True)
class WizardStepOption:
    """
    One choice of a step.

    :ivar value: what to send back when it is chosen.
    """

    value: Any
    label: NonEmptyString
    hint: str | None = None


@frozen(kw_only=True)
class WizardStep:
    """
    One question or notice.

    :ivar executor: who carries out an ``action``.
    """

    id: NonEmptyString
    type: Literal["note", "select", "text", "confirm", "multiselect", "progress", "action"]
    title: str | None = None
    message: str | None = None
    options: Sequence[WizardStepOption] | None = None
    initial_value: Any = ABSENT
    placeholder: str | None = None
    sensitive: bool | None = None
    executor: Literal["gateway", "client"] | None = None


@frozen(kw_only=True)
class WizardNextResult:
    """
    The step that follows, or how the wizard ended.
    """

    done: bool
    step: WizardStep | None = None
    status: Literal["running", "done", "cancelled", "error"] | None = None
    error: str | None = None


@frozen(kw_only=True)
class WizardStartResult:
    """
    The first step, or how the wizard ended at once.
    """

    session_id: NonEmptyString
    done: bool
    step: WizardStep | None = None
    status: Literal["running", "done", "cancelled", "error"] | None = None
    error: str | None = None


@frozen(kw_only=True)
class WizardStatusResult:
    """
    How far the wizard is.
    """

    status: Literal["running", "done", "cancelled", "error"]
    error: str | None = None
