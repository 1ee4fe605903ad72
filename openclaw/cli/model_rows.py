"""
The rows of ``openclaw models list``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from openclaw.agent.providers.catalog import (
    ECHO,
    ModelRefParts,
    NoApiKey,
    UnknownModel,
    aliases,
    default_ref,
    fallback_refs,
    find_key,
    normal_provider,
    parse_ref,
    resolve_model,
)
from openclaw.agent.providers.choices import choices
from openclaw.agent.providers.known import KNOWN_PROVIDERS
from openclaw.config.model import Config
from openclaw.config.model_agents import ProviderConfig

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@frozen
class Setup:
    """
    What models depend on.

    :ivar environ: with what the file's ``env`` block adds.
    """

    config: Config
    environ: Mapping[str, str]

    def provider(self, name: str) -> ProviderConfig | None:
        """
        A provider's part of the configuration.
        """
        found = (one for told, one in self.config.models.providers.items() if normal_provider(told) == name)
        return next(found, None)


def key_source(setup: Setup, provider: str) -> str | None:
    """
    Where a provider's key is from; never the key. ``None`` where there is none.
    """
    key = find_key(setup.config, provider, setup.environ)
    return None if key is None else key.source


def needs_key(setup: Setup, provider: str) -> bool:
    """
    Whether a provider cannot be asked without a key. One that is configured may be a server that wants none.
    """
    return provider != ECHO.provider and setup.provider(provider) is None


def model_rows(setup: Setup, *, everything: bool, provider: str | None, local: bool) -> list[dict[str, Any]]:
    """
    The models, those that are used first, as ``{key, name, input, contextWindow, local, available, tags, missing}``.

    :param everything: also what nothing in the configuration names.
    """
    tags = _tags(setup)
    described = _described(setup)
    keys = [*tags, *(key for key in described if key not in tags)] if everything else list(tags)
    rows = [_row(setup, key, described.get(key), tags.get(key, [])) for key in keys]
    wanted = None if provider is None else normal_provider(provider)
    return [
        row
        for row in rows
        if (wanted is None or row["key"].partition("/")[0] == wanted) and (row["local"] or not local)
    ]


def _tags(setup: Setup) -> dict[str, list[str]]:
    """
    What the configuration does with each model that it names.
    """
    config, tags = setup.config, dict[str, list[str]]()

    def tag(ref: ModelRefParts, text: str) -> None:
        tags.setdefault(str(ref), []).append(text)

    known = aliases(config)
    tag(default_ref(config, setup.environ), "default")
    for number, ref in enumerate(fallback_refs(config), 1):
        tag(ref, f"fallback#{number}")
    for text in config.agents.defaults.models:
        tag(parse_ref(text), "configured")
    for name, provider in config.models.providers.items():
        for entry in provider.models:
            ref = ModelRefParts(normal_provider(name), entry.id)
            if "configured" not in tags.get(str(ref), []):
                tag(ref, "configured")
    for alias, text in known.items():
        tag(parse_ref(text), f"alias:{alias}")
    return tags


_Described = tuple[str, list[str], int | None]


def _described(setup: Setup) -> dict[str, _Described]:
    """
    Name, kinds of input and window of every model that is known.
    """
    found = {one.ref: (one.name, list(one.inputs), one.context_window) for one in choices(setup.config, setup.environ)}
    if setup.config.models.mode == "merge":
        for key, told in _known():
            found.setdefault(key, told)
    return dict[str, _Described](found)


def _known() -> Iterator[tuple[str, tuple[str, list[str], int]]]:
    for name, provider in KNOWN_PROVIDERS.items():
        for model in provider.models:
            yield f"{name}/{model.id}", (model.name, list(model.inputs), model.context_window)


def _row(setup: Setup, key: str, told: _Described | None, tags: list[str]) -> dict[str, Any]:
    ref, missing, available = parse_ref(key), False, True
    try:
        model = resolve_model(setup.config, setup.environ, ref)
        told = told or (model.name, list(model.inputs), model.context_window)
    except UnknownModel:
        missing, available = True, False
    except NoApiKey:
        available = False
    name, inputs, window = told or (ref.model_id, [], None)
    return {
        "key": key,
        "name": name,
        "input": inputs,
        "contextWindow": window,
        "local": _is_local(setup, ref.provider),
        "available": available,
        "tags": tags,
        "missing": missing,
    }


def _is_local(setup: Setup, provider: str) -> bool:
    configured = setup.provider(provider)
    if configured is None:
        return provider == ECHO.provider
    return urlsplit(configured.base_url).hostname in _LOOPBACK
