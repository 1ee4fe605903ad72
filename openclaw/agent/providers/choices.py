"""
The models that can be chosen, for lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from openclaw.agent.providers.catalog import ECHO, aliases, default_ref, find_key, normal_provider
from openclaw.agent.providers.known import KNOWN_PROVIDERS
from openclaw.config.model import Config


@frozen(kw_only=True)
class Choice:
    """
    A model that can be chosen, for lists.
    """

    provider: str
    model_id: str
    name: str
    reasoning: bool
    inputs: tuple[str, ...]
    context_window: int
    alias: str | None = None

    @property
    def ref(self) -> str:
        return f"{self.provider}/{self.model_id}"


def choices(config: Config, environ: Mapping[str, str]) -> Iterator[Choice]:
    """
    Models that can be chosen: configured ones, and those of known providers whose key is there.
    """
    names = {ref: alias for alias, ref in aliases(config).items()}
    seen: set[str] = set()
    for told, provider in config.models.providers.items():
        name = normal_provider(told)
        for entry in provider.models:
            ref = f"{name}/{entry.id}"
            seen.add(ref)
            yield Choice(
                provider=name,
                model_id=entry.id,
                name=entry.name,
                reasoning=entry.reasoning,
                inputs=entry.input,
                context_window=entry.context_window,
                alias=names.get(ref),
            )
    if config.models.mode == "merge":
        yield from _known_choices(config, environ, names, seen)
    if not seen and default_ref(config, environ).provider == ECHO.provider:
        yield Choice(
            provider=ECHO.provider,
            model_id=ECHO.model_id,
            name=ECHO.name,
            reasoning=False,
            inputs=("text",),
            context_window=ECHO.context_window,
        )


def _known_choices(
    config: Config, environ: Mapping[str, str], names: Mapping[str, str], seen: set[str]
) -> Iterator[Choice]:
    for provider, known in KNOWN_PROVIDERS.items():
        if find_key(config, provider, environ) is None:
            continue
        for model in known.models:
            ref = f"{provider}/{model.id}"
            if ref not in seen:
                seen.add(ref)
                yield Choice(
                    provider=provider,
                    model_id=model.id,
                    name=model.name,
                    reasoning=model.reasoning,
                    inputs=model.inputs,
                    context_window=model.context_window,
                    alias=names.get(ref),
                )
