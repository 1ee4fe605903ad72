"""
``openclaw configure``: change one part of the configuration by questions (``cli.md`` 9.3).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from openclaw.cli.arguments import Arguments
from openclaw.cli.config_change import gateway_runs
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed
from openclaw.cli.first_steps import await_gateway, first_answer, has_model, install_service
from openclaw.cli.target import dig, local_port, read_config
from openclaw.cli.terminal import answered, has_terminal, prompter
from openclaw.config.loader import load
from openclaw.wizard.prompts import Prompter

SECTIONS = ("workspace", "model", "web", "gateway", "daemon", "channels", "skills", "health")
_HINTS = {
    "workspace": "where the agent's files are",
    "model": "provider, key and model",
    "web": "searching and fetching",
    "gateway": "port, address and secret",
    "daemon": "the service of this machine",
    "channels": "where messages come from",
    "skills": "what installs their packages",
    "health": "see whether it works",
}
_DONE = "done"


def run(context: Context, arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    """
    :param pause: waits, in seconds.
    :return: the exit code.
    :raise CommandFailed: nobody can be asked, or there is no such section.
    """
    parser = Arguments("configure", "Change one part of the configuration by questions.")
    parser.option("--section", metavar="<section>", action="append", help=", ".join(SECTIONS))
    sections = parser.take(arguments).section or []
    for name in sections:
        if name not in SECTIONS:
            raise CommandFailed(f"Invalid --section: {name}. Expected one of: {', '.join(SECTIONS)}.")
    if not has_terminal(context):
        raise CommandFailed(
            "There is no terminal to ask on. Change single values with:\n"
            f"{context.command('openclaw config set <path> <value>')}"
        )
    configure(context, sections, prompter(context), pause)
    return 0


def configure(context: Context, sections: Sequence[str], ask: Prompter, pause: Callable[[float], None]) -> None:
    """
    :param sections: those to go through; without any, the person chooses one after the other.
    """
    for name in sections:
        _section(context, name, ask, pause)
    options = [{"value": name, "label": name.capitalize(), "hint": _HINTS[name]} for name in SECTIONS]
    options.append({"value": _DONE, "label": "Done"})
    while not sections:
        name = answered(ask.select("What is to be changed?", options, initial=SECTIONS[0]))
        if name == _DONE:
            return
        _section(context, name, ask, pause)


def _section(context: Context, name: str, ask: Prompter, pause: Callable[[float], None]) -> None:
    from openclaw.cli.wizard import situation_of
    from openclaw.wizard.sections import section_flow

    actions = {"daemon": _daemon, "channels": _channels, "health": _health}
    if name in actions:
        actions[name](context, ask, pause)
        return
    snapshot = read_config(context)
    mode = dig(snapshot.config, "gateway", "mode") or "local"
    answered(section_flow(situation_of(context, snapshot, "configure", mode), name)(ask))


def _daemon(context: Context, ask: Prompter, pause: Callable[[float], None]) -> None:
    question = "Install the service, or install it again with what is configured now?"
    if answered(ask.confirm(question, initial=True)):
        install_service(context, local_port(load(context.environ, context.home)), context.line)


def _channels(context: Context, ask: Prompter, pause: Callable[[float], None]) -> None:
    context.line("Channels are configured by their keys; there are no questions for them yet:")
    context.line(context.command("openclaw config set channels.<name>.<key> <value>"))


def _health(context: Context, ask: Prompter, pause: Callable[[float], None]) -> None:
    if not gateway_runs(context, load(context.environ, context.home)):
        raise CommandFailed(f"The gateway does not run. Start it: {context.command('openclaw gateway')}")
    await_gateway(context, pause)
    context.line("Gateway OK")
    if has_model(context):
        for line in first_answer(context):
            context.line(f"Agent: {line}")
