"""
Where the configuration, the state and the workspace are, and which ports belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from openclaw.config.issues import ConfigError

if TYPE_CHECKING:
    from openclaw.config.model import Config

STATE_DIRS = (".openclaw", ".clawdbot", ".moltbot", ".moldbot")
CONFIG_NAMES = ("openclaw.json", "clawdbot.json", "moltbot.json", "moldbot.json")
DEFAULT_PORT = 18789
DEV_PORT = 19001

_PROFILE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.IGNORECASE)
_TRUE = frozenset({"1", "true", "yes", "on"})


class ProfileInvalid(ConfigError):
    """
    ``--dev`` or ``--profile`` cannot be followed; a usage error.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        return self.message


def variable(environ: Mapping[str, str], *names: str) -> str | None:
    """
    The first of these variables that is not blank, trimmed.
    """
    return next((value for name in names if (value := environ.get(name, "").strip())), None)


def is_true(value: str | None) -> bool:
    """
    Whether a boolean variable is on: ``1``, ``true``, ``yes`` or ``on``.
    """
    return value is not None and value.strip().lower() in _TRUE


def expand(path: str, home: Path) -> Path:
    """
    A path as a user writes it, made absolute: ``~`` alone or before a slash is the home directory.
    """
    if path == "~" or path.startswith(("~/", "~\\")):
        return home / path[2:]
    return Path(path).absolute()


def apply_profile(environ: MutableMapping[str, str], home: Path, profile: str | None, dev: bool) -> None:
    """
    Let ``--profile`` and ``--dev`` fill in the variables that are not set yet.

    :raise ProfileInvalid: both are given, or the name is not one.
    """
    if dev and profile is not None:
        raise ProfileInvalid("[openclaw] Cannot combine --dev with --profile")
    name = "dev" if dev else profile
    if name is None:
        return
    if not _PROFILE.fullmatch(name):
        raise ProfileInvalid('[openclaw] Invalid --profile (use letters, numbers, "_", "-" only)')
    environ["OPENCLAW_PROFILE"] = name
    suffix = "" if name.lower() == "default" else f"-{name}"
    _fill(environ, "OPENCLAW_STATE_DIR", str(home / f".openclaw{suffix}"))
    _fill(environ, "OPENCLAW_CONFIG_PATH", str(state_dir(environ, home) / CONFIG_NAMES[0]))
    if name.lower() == "dev":
        _fill(environ, "OPENCLAW_GATEWAY_PORT", str(DEV_PORT))


def profiled(environ: Mapping[str, str], text: str) -> str:
    """
    A command to type: with the program as it was called, for which ``bin/openclaw`` of a checkout sets a variable, and
    with the profile that this process runs under.
    """
    profile = variable(environ, "OPENCLAW_PROFILE") or "default"
    inserted = {"default": "", "dev": " --dev"}.get(profile.lower(), f" --profile {profile}")
    return text.replace("openclaw", f"{variable(environ, 'OPENCLAW_PROGRAM') or 'openclaw'}{inserted}", 1)


def _fill(environ: MutableMapping[str, str], name: str, value: str) -> None:
    if variable(environ, name) is None:
        environ[name] = value


def state_dir(environ: Mapping[str, str], home: Path) -> Path:
    """
    The directory that holds everything the gateway remembers. It need not exist.
    """
    override = variable(environ, "OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR")
    if override is not None:
        return expand(override, home)
    return next((home / name for name in STATE_DIRS if (home / name).is_dir()), home / STATE_DIRS[0])


def config_path(environ: Mapping[str, str], home: Path) -> Path:
    """
    The configuration file to read and to write. It need not exist.
    """
    override = variable(environ, "OPENCLAW_CONFIG_PATH", "CLAWDBOT_CONFIG_PATH")
    if override is not None:
        return expand(override, home)
    candidates = _config_candidates(environ, home)
    return next((path for path in candidates if path.exists()), state_dir(environ, home) / CONFIG_NAMES[0])


def tls_paths(cert_path: str | None, key_path: str | None, state: Path, home: Path) -> tuple[Path, Path]:
    """
    Where the gateway's certificate and its key are (``protocol.md`` 23).

    :param cert_path: as ``gateway.tls`` names them, if it does.
    :param state: the state directory.
    """
    own = state / "gateway" / "tls"
    return (
        expand(cert_path, home) if cert_path else own / "gateway-cert.pem",
        expand(key_path, home) if key_path else own / "gateway-key.pem",
    )


def _config_candidates(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    if variable(environ, "OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR") is not None:
        directories = [state_dir(environ, home)]
    else:
        directories = [home / name for name in STATE_DIRS]
    return (directory / name for directory in directories for name in CONFIG_NAMES)


def workspace_dir(
    environ: Mapping[str, str], home: Path, config: Config | None = None, agent_id: str | None = None
) -> Path:
    """
    Where an agent's own files are; by default beside the other profiles' workspaces, not in the state directory.

    :param agent_id: ``None`` is the default agent.
    """
    if config is not None:
        agent = next((agent for agent in config.agents.list if agent.id == agent_id), None)
        configured = agent.workspace if agent is not None else None
        if configured is None and agent_id in (None, config.agents.default_id):
            agent_id = None
            configured = config.default_agent_workspace
        if configured is not None:
            return expand(configured, home)
    profile = variable(environ, "OPENCLAW_PROFILE")
    suffix = agent_id or (profile if profile and profile.lower() != "default" else None)
    return home / ".openclaw" / ("workspace" if suffix is None else f"workspace-{suffix}")


@frozen(kw_only=True)
class DerivedPorts:
    """
    The ports that follow from the gateway's own. The browser's range includes both ends.
    """

    gateway: int
    browser_control: int
    canvas: int
    cdp_first: int
    cdp_last: int


def derived_ports(base: int) -> DerivedPorts:
    """
    The family of one base port; a member that would be no port is that of the default family.
    """

    def near(offset: int) -> int:
        port = base + offset
        return port if 1 <= port <= 65535 else DEFAULT_PORT + offset

    last = near(110)
    return DerivedPorts(
        gateway=base,
        browser_control=near(2),
        canvas=near(4),
        cdp_first=last - 99,
        cdp_last=last,
    )


def gateway_port(cli_port: int | None, environ: Mapping[str, str], config: Config | Mapping[str, Any] | None) -> int:
    """
    The gateway's port: command line, environment, file, default.

    :param config: the model, or the effective configuration of a valid snapshot.
    """
    if cli_port is not None:
        return cli_port
    named = _port(variable(environ, "OPENCLAW_GATEWAY_PORT", "CLAWDBOT_GATEWAY_PORT"))
    if isinstance(config, Mapping):
        told = config.get("gateway", {}).get("port")
    else:
        told = config.gateway.port if config is not None else None
    return named or (int(told) if told else DEFAULT_PORT)


def canvas_port(base: int, environ: Mapping[str, str], config: Config | None) -> int:
    """
    The port of the canvas host: environment, file, derived from the gateway's.
    """
    named = _port(variable(environ, "OPENCLAW_CANVAS_HOST_PORT"))
    return named or (config.canvas_host.port if config is not None else None) or derived_ports(base).canvas


def _port(text: str | None) -> int | None:
    """
    A port named by a variable; nonsense counts as unset.
    """
    if text is None or not text.isascii() or not text.isdigit():
        return None
    port = int(text)
    return port if 1 <= port <= 65535 else None
