"""
Whether a gateway shares anything with the others of its machine: the checklist for several gateways, executed.

Each must have for itself: its configuration file, its state directory, the workspaces of its agents, its ports and
those that follow from them, its bots and logins, its service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from openclaw.config.loader import Snapshot
from openclaw.config.paths import canvas_port, derived_ports, gateway_port, state_dir, workspace_dir
from openclaw.store.claims import Claim, claims_of

#: Ports between two gateways' own, so that what follows from them has room.
SPACING = 20
#: Only a name for what is compared: nothing is opened there.
_LOCKS = Path("/locks")


@frozen(kw_only=True)
class Instance:
    """
    One gateway of this machine.

    :ivar name: its profile, or its service.
    :ivar ports: what each is for.
    :ivar claims: workspaces, bots and logins; no secret.
    :ivar services: those of the system that run it.
    :ivar readable: whether its configuration could be used; if not, only its places are known.
    """

    name: str
    config: Path
    state: Path
    port: int
    ports: Mapping[int, str]
    claims: tuple[Claim, ...] = ()
    services: tuple[str, ...] = ()
    readable: bool = True

    @property
    def place(self) -> tuple[Path, Path]:
        """
        Two with the same are one.
        """
        return self.config, self.state


def instance_of(
    name: str, environ: Mapping[str, str], home: Path, snapshot: Snapshot, port: int | None = None
) -> Instance:
    """
    A gateway, as it is configured. Blocks on files with tokens.

    :param environ: its own.
    :param port: as its command line names it.
    """
    config = snapshot.model
    base = gateway_port(port, environ, config)
    derived = derived_ports(base)
    claims = claims_of(config, environ, home, _LOCKS) if config is not None else _default_claims(environ, home)
    return Instance(
        name=name,
        config=snapshot.path.resolve(),
        state=state_dir(environ, home).resolve(),
        port=base,
        ports={
            derived.browser_control: "browser control",
            canvas_port(base, environ, config): "canvas host",
            base: "gateway",
        },
        claims=claims,
        readable=config is not None,
    )


def _default_claims(environ: Mapping[str, str], home: Path) -> tuple[Claim, ...]:
    path = workspace_dir(environ, home).resolve()
    return (Claim(path=path, what=f"workspace {path}", fix="", is_directory=True),)


@frozen(kw_only=True)
class Item:
    """
    One line of the list.

    :ivar detail: what is its own, or with whom it is shared.
    :ivar fix: what to do about that.
    """

    id: str
    title: str
    ok: bool
    detail: str
    fix: str | None = None

    def payload(self) -> dict[str, object]:
        """
        The shape of ``doctor --isolation --json``.
        """
        told = {"id": self.id, "title": self.title, "ok": self.ok, "detail": self.detail}
        return told if self.fix is None else {**told, "fix": self.fix}


def checklist(own: Instance, others: Sequence[Instance]) -> list[Item]:
    """
    Compare one gateway with the others.
    """
    return [
        _path("config", "Configuration", own.config, own, [other for other in others if other.config == own.config]),
        _path("state", "State directory", own.state, own, [other for other in others if _inside(own, other)]),
        *_claims("workspace", "Workspace", own, others, directories=True),
        *_ports(own, others),
        *_claims("credentials", "Bots and logins", own, others, directories=False),
        _service(own),
    ]


def _inside(own: Instance, other: Instance) -> bool:
    return own.state == other.state or own.state in other.state.parents or other.state in own.state.parents


def _path(id: str, title: str, path: Path, own: Instance, sharing: Sequence[Instance]) -> Item:
    if not sharing:
        return Item(id=id, title=title, ok=True, detail=f"{path}")
    fix = f"Start one of them with a profile of its own: openclaw --profile <name> gateway, instead of {own.name}"
    return Item(id=id, title=title, ok=False, detail=f"{path} is also that of {_names(sharing)}", fix=fix)


def _claims(id: str, title: str, own: Instance, others: Sequence[Instance], *, directories: bool) -> Iterator[Item]:
    mine = [claim for claim in own.claims if claim.is_directory is directories]
    shared = False
    for claim in mine:
        sharing = [other for other in others if claim.path in {one.path for one in other.claims}]
        if sharing:
            shared = True
            told = f"{claim.what} is also that of {_names(sharing)}"
            yield Item(id=id, title=title, ok=False, detail=told, fix=claim.fix)
    if not shared:
        yield Item(id=id, title=title, ok=True, detail=", ".join(claim.what for claim in mine) or "none configured")


def _ports(own: Instance, others: Sequence[Instance]) -> Iterator[Item]:
    wrong = False
    for other in others:
        both = sorted(set(own.ports) & set(other.ports))
        told = ""
        if both:
            told = ", ".join(f"{port} ({own.ports[port]}) is also {other.ports[port]} of {other.name}" for port in both)
        elif abs(own.port - other.port) < SPACING:
            told = f"{own.port} is less than {SPACING} from {other.port} of {other.name}"
        if told:
            wrong = True
            fix = f"openclaw config set gateway.port {_free_port(own, others)}"
            yield Item(id="ports", title="Ports", ok=False, detail=told, fix=fix)
    if not wrong:
        told = ", ".join(f"{port} ({use})" for port, use in sorted(own.ports.items()))
        yield Item(id="ports", title="Ports", ok=True, detail=told)


def _free_port(own: Instance, others: Sequence[Instance]) -> int:
    """
    The next port that has room between the others.
    """
    port = own.port
    while any(abs(port - other.port) < SPACING for other in others):
        port += SPACING
    return port


def _service(own: Instance) -> Item:
    title = "Service"
    if len(own.services) <= 1:
        return Item(id="service", title=title, ok=True, detail=own.services[0] if own.services else "not installed")
    told = f"{own.name} is run by several: {', '.join(own.services)}"
    return Item(id="service", title=title, ok=False, detail=told, fix="Remove all but one of them")


def _names(instances: Sequence[Instance]) -> str:
    return ", ".join(instance.name for instance in instances)
