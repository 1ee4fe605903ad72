"""
The models an agent can use: ``models.list``.
"""

from collections.abc import Sequence

from attrs import frozen

from openclaw.protocol.types import NonEmptyString, Positive


@frozen(kw_only=True)
class ModelChoice:
    """
    One model.

    :ivar id: without the provider.
    :ivar context_window: tokens.
    :ivar reasoning: whether it can think before it answers.
    """

    id: NonEmptyString
    name: NonEmptyString
    provider: NonEmptyString
    context_window: Positive | None = None
    reasoning: bool | None = None


@frozen(kw_only=True)
class ModelsListParams:
    """
    Ask for the models. No parameters.
    """


@frozen(kw_only=True)
class ModelsListResult:
    """
    The models that are configured or known, by provider and name.
    """

    models: Sequence[ModelChoice]


@frozen(kw_only=True)
class ListedModel(ModelChoice):
    """
    One model, with what it can read.

    :ivar input: ``text``, ``image``.
    """

    input: Sequence[str] | None = None


@frozen(kw_only=True)
class ListedModels:
    """
    The models that are configured or known, by provider and name.
    """

    models: Sequence[ListedModel]
