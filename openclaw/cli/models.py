"""
``openclaw models``: which models there are, whether there are keys for them, and which is the default (``cli.md`` 15).

No gateway is asked: what is told is what the configuration and the environment of this command say.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaw.agent.providers.catalog import (
    ModelRefParts,
    NoApiKey,
    UnknownModel,
    aliases,
    default_ref,
    fallback_refs,
    find_ref,
    resolve_model,
)
from openclaw.cli.arguments import Arguments
from openclaw.cli.config import when
from openclaw.cli.config_change import change, valid
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError, unknown_command
from openclaw.cli.model_rows import Setup, key_source, model_rows, needs_key
from openclaw.cli.tables import table, table_width
from openclaw.cli.target import dig, read_config
from openclaw.config.editor import set_value
from openclaw.config.tokens import decode

_USAGE = """\
models list [--all] [--local] [--provider <name>] [--json] [--plain]
       openclaw models status [--agent <id>] [--check] [--json] [--plain]
       openclaw models set <model>"""
_WORDS: Mapping[str, tuple[str, ...]] = {"list": (), "status": (), "set": ("model",)}
_OPTIONS = ("all", "local", "provider", "agent", "check", "json", "plain")
_TAKES: Mapping[str, tuple[str, ...]] = {
    "list": ("all", "local", "provider", "json", "plain"),
    "status": ("agent", "check", "json", "plain"),
    "set": (),
}
_MODEL = ("agents", "defaults", "model")


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code; 1 where ``status --check`` misses a key.
    """
    parser = Arguments("models", "Which models there are, and which is the default.", _USAGE)
    parser.option("--all", action="store_true", help="list: also those that nothing in the configuration names")
    parser.option("--local", action="store_true", help="list: only those on this machine")
    parser.option("--provider", metavar="<name>", help="list: only those of one provider")
    parser.option("--agent", metavar="<id>", help="status: of one agent (default: the defaults of all)")
    parser.option("--check", action="store_true", help="status: exit with 1 when a key is missing")
    parser.option("--json", action="store_true", help="print JSON")
    parser.option("--plain", action="store_true", help="list: one name a line; status: only the default model")
    options, words = parser.split(arguments)
    name = words.pop(0) if words else "status"
    if name not in _WORDS:
        raise unknown_command(name, _WORDS, parent="models")
    parser.command = f"models {name}"
    parser.check_words(words, _WORDS[name])
    parser.check_options(options, *(option for option in _OPTIONS if option not in _TAKES[name]))
    options.words = words
    commands: Mapping[str, Callable[[Context, Namespace], int]] = {"list": _list, "status": _status, "set": _set}
    return commands[name](context, options)


def _setup(context: Context) -> Setup:
    snapshot = read_config(context)
    return Setup(snapshot.require(), snapshot.environment)


def _list(context: Context, options: Namespace) -> int:
    rows = model_rows(_setup(context), everything=options.all, provider=options.provider, local=options.local)
    if options.json:
        context.json({"count": len(rows), "models": rows})
        return 0
    if options.plain:
        for row in rows:
            context.line(row["key"])
        return 0
    if not rows:
        context.line("No models found.")
        return 0
    cells = [
        [
            row["key"],
            "+".join(row["input"]) or "-",
            "-" if row["contextWindow"] is None else f"{round(row['contextWindow'] / 1000)}k",
            "yes" if row["local"] else "no",
            "yes" if row["available"] else "no",
            ", ".join([*row["tags"], *(["missing"] if row["missing"] else [])]),
        ]
        for row in rows
    ]
    for line in table(["Model", "Input", "Ctx", "Local", "Auth", "Tags"], cells, table_width(context.out)):
        context.line(line)
    return 0


def _status(context: Context, options: Namespace) -> int:
    setup = _setup(context)
    if options.agent is not None and options.agent != setup.config.agents.default_id:
        _known_agent(setup, options.agent)
    told = _told(context, setup, options.agent)
    if options.json:
        context.json(told)
    elif options.plain:
        context.line(told["resolvedDefault"])
    else:
        _print(context, told)
    missing = told["auth"]["missingProvidersInUse"]
    return 1 if options.check and missing else 0


def _known_agent(setup: Setup, agent_id: str) -> None:
    if setup.config.agents.find(agent_id) is None:
        raise CommandFailed(f'Error: Unknown agent id "{agent_id}".')


def _told(context: Context, setup: Setup, agent_id: str | None) -> dict[str, Any]:
    config, environ = setup.config, setup.environ
    default = default_ref(config, environ, agent_id)
    fallbacks = fallback_refs(config, agent_id)
    defaults = config.agents.defaults
    agent = config.agents.find(agent_id) if agent_id is not None else None
    primary = agent.model.primary if agent is not None and agent.model is not None else None
    used = dict.fromkeys(ref.provider for ref in (default, *fallbacks))
    sources = {provider: key_source(setup, provider) for provider in used}
    return {
        "configPath": str(valid(context).path),
        "agentId": agent_id,
        "defaultModel": primary or defaults.model.primary,
        "resolvedDefault": str(default),
        "fallbacks": [str(ref) for ref in fallbacks],
        "aliases": aliases(config),
        "allowed": list(defaults.models),
        "auth": {
            "providers": [{"provider": provider, "source": source} for provider, source in sources.items()],
            "missingProvidersInUse": [
                provider for provider, source in sources.items() if source is None and needs_key(setup, provider)
            ],
        },
    }


def _print(context: Context, told: Mapping[str, Any]) -> None:
    auth = told["auth"]
    lines = {
        "Config": context.short(told["configPath"]),
        "Default": told["resolvedDefault"] + ("" if told["defaultModel"] else " (nothing is configured)"),
        "Fallbacks": ", ".join(told["fallbacks"]),
        "Aliases": ", ".join(f"{alias} -> {ref}" for alias, ref in told["aliases"].items()),
        "Allowed": ", ".join(told["allowed"]) or "all",
    }
    for name, value in lines.items():
        context.line(f"{name:<9}: {value or '-'}")
    for row in auth["providers"]:
        provider = row["provider"]
        lacking = "missing" if provider in auth["missingProvidersInUse"] else "none needed"
        context.line(f"{'Key':<9}: {provider}: {row['source'] or lacking}")


def _set(context: Context, options: Namespace) -> int:
    setup = _setup(context)
    word = options.words[0].strip()
    if not word:
        raise UsageError("missing required argument 'model'")
    try:
        ref = find_ref(setup.config, word, setup.environ)
        resolve_model(setup.config, setup.environ, ref)
    except UnknownModel as error:
        raise CommandFailed(f"Error: {error}") from error
    except NoApiKey as error:
        # The gateway's environment may have it.
        context.problem(f"Warning: {error}")
    done = change(context, lambda text: _with_default(text, ref))
    context.line(f"Default model: {ref}. {when(done.waits(_MODEL))}")
    return 0


def _with_default(text: str, ref: ModelRefParts) -> str:
    """
    The file's text with another default; the short form, one string, stays one, and fallbacks stay.
    """
    short = isinstance(dig(decode(text), *_MODEL), str)
    return set_value(text, _MODEL if short else (*_MODEL, "primary"), str(ref))
