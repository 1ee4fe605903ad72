"""
``openclaw doctor --isolation``: finds the gateways of this machine, and compares this one with them.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import evolve

from openclaw.cli.context import Context
from openclaw.cli.exits import FAILED
from openclaw.config.loader import load
from openclaw.config.paths import CONFIG_NAMES, ProfileInvalid, apply_profile
from openclaw.doctor.isolation import Instance, checklist, instance_of

#: What says which gateway is meant; another one has its own.
_OURS = ("OPENCLAW_", "CLAWDBOT_")
_DEFAULT = "default"


def run(context: Context, options: Namespace) -> int:
    """
    :return: 1 when anything is shared.
    """
    own, others = instances(context)
    items = checklist(own, others)
    ok = all(item.ok for item in items)
    if options.json:
        told = [{"name": one.name, "configPath": str(one.config), "stateDir": str(one.state)} for one in others]
        context.json({"instance": own.name, "ok": ok, "others": told, "items": [item.payload() for item in items]})
        return 0 if ok else FAILED
    named = ", ".join(other.name for other in others) or "none"
    context.line(context.paint(f"Isolation of {own.name}", "bold"))
    context.line(f"Other gateways of this machine: {named}")
    for item in items:
        context.line(f"{'✓' if item.ok else '✗'} {item.title}: {item.detail}")
        if item.fix is not None:
            context.line(f"  Fix: {context.command(item.fix) if item.fix.startswith('openclaw ') else item.fix}")
    for other in others:
        if not other.readable:
            context.line(f"! The configuration of {other.name} cannot be used; only its places were compared.")
    return 0 if ok else FAILED


def instances(context: Context) -> tuple[Instance, list[Instance]]:
    """
    :return: the gateway that this command is about, and the others.
    """
    profile = context.environ.get("OPENCLAW_PROFILE") or _DEFAULT
    own = instance_of(profile, context.environ, context.home, load(context.environ, context.home))
    found = {own.place: own}
    for instance in (*_profiles(context), *_services(context)):
        known = found.get(instance.place)
        if known is None:
            found[instance.place] = instance
        elif instance.services:
            # The ports are those that the service's command names.
            services = (*known.services, *instance.services)
            found[instance.place] = evolve(instance, name=known.name, services=services)
    own = found.pop(own.place)
    return own, list(found.values())


def _profiles(context: Context) -> Iterator[Instance]:
    """
    By their state directories.
    """
    for directory in sorted(context.home.glob(".openclaw*")):
        suffix = directory.name.removeprefix(".openclaw")
        if (suffix and not suffix.startswith("-")) or not any((directory / name).exists() for name in CONFIG_NAMES):
            continue
        environ = _others(context.environ)
        name = suffix[1:] or _DEFAULT
        try:
            apply_profile(environ, context.home, name, False)
        except ProfileInvalid:
            continue
        yield instance_of(name, environ, context.home, load(environ, context.home))


def _others(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(_OURS)}


def _services(context: Context) -> Iterator[Instance]:
    """
    By the units and agents of the system that run a gateway of this program.
    """
    from openclaw.daemon.others import places

    suffix = "plist" if sys.platform == "darwin" else "service"
    seen = set[Path]()
    for place in places(context.home, deep=True, platform=sys.platform):
        for path in sorted(place.directory.glob(f"*.{suffix}")) if place.directory.is_dir() else ():
            read = _read(path)
            if read is None or path.resolve() in seen:
                continue
            seen.add(path.resolve())
            environ, port = read
            own = {**_others(context.environ), **environ}
            home = Path(environ.get("HOME") or context.home)
            found = instance_of(path.stem, own, home, load(own, home), port)
            yield evolve(found, services=(path.name,))


def _read(path: Path) -> tuple[dict[str, str], int | None] | None:
    """
    :return: the environment of a service's gateway, and the port that its command names; ``None`` when it runs none.
    """
    from openclaw.daemon.plist import Program, members
    from openclaw.daemon.unit import Unit, parse

    try:
        if path.suffix == ".plist":
            program: Program | Unit = Program.of(members(path.read_bytes()))
        else:
            program = parse(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    environ, words = program.environment, program.arguments
    if environ.get("OPENCLAW_SERVICE_KIND", "gateway") != "gateway" or "gateway" not in words:
        return None
    if "OPENCLAW_SERVICE_MARKER" not in environ and not any("openclaw" in word for word in words):
        return None
    named = words[words.index("--port") + 1] if "--port" in words[:-1] else ""
    return environ, int(named) if named.isascii() and named.isdigit() else None
