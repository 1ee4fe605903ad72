"""
The text of a systemd unit: written small, read as systemd does.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from openclaw.daemon.base import Spec

#: Seconds without a sign of life after which systemd starts the gateway again.
WATCHDOG_SECONDS = 60

#: What a user's manager can enforce without privileges.
_HARDENING = (
    "UMask=0077",
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "SystemCallArchitectures=native",
)


def quoted(value: str, *, command: bool = False) -> str:
    """
    A value as one word of ``Environment=`` or ``ExecStart=``.

    :param command: of the latter, where also variables would be filled in.
    """
    escaped = value.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    if command:
        escaped = escaped.replace("$", "$$")
    return f'"{escaped}"'


def _word(value: str) -> str:
    plain = all(letter.isalnum() or letter in "-_./:=@,+" for letter in value) and value
    return value if plain else quoted(value, command=True)


def render(spec: Spec, *, secrets: Path | None, user: str | None = None) -> str:
    """
    The whole unit.

    :param secrets: the file with the secrets, if there is one.
    :param user: whom a unit of the machine runs as; ``None`` is a unit of the user's own manager.
    """
    program = " ".join(quoted(part, command=True) for part in spec.program)
    arguments = " ".join(_word(part) for part in spec.command[len(spec.program) :])
    lines = [
        "[Unit]",
        f"Description={spec.description.replace('%', '%%')}",
        "After=network-online.target",
        "Wants=network-online.target",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        *([] if user is None else [f"User={user}"]),
        f"ExecStart={program} {arguments}",
        f"WorkingDirectory={_path(spec.directory)}",
        "Restart=always",
        "RestartSec=5",
        # Wrong arguments and a configuration that cannot work do not get better by trying again.
        "RestartPreventExitStatus=2 78",
        f"TimeoutStopSec={spec.stop_seconds}",
        f"WatchdogSec={WATCHDOG_SECONDS}",
        "LimitNOFILE=65536",
        *(f"Environment={quoted(f'{name}={value}')}" for name, value in spec.environment.items()),
        *([] if secrets is None else [f"EnvironmentFile=-{_path(secrets)}"]),
        *_HARDENING,
        "",
        "[Install]",
        f"WantedBy={'default.target' if user is None else 'multi-user.target'}",
    ]
    return "\n".join(lines) + "\n"


def _path(path: Path) -> str:
    """
    A path where systemd takes the rest of the line: no quotes, but its specifiers.
    """
    return str(path).replace("%", "%%")


def render_secrets(secrets: Mapping[str, str]) -> str:
    """
    The file that ``EnvironmentFile=`` names.
    """

    def value(text: str) -> str:
        for letter in '\\"$`':
            text = text.replace(letter, f"\\{letter}")
        return f'"{text}"'

    return "".join(f"{name}={value(text)}\n" for name, text in secrets.items())


@frozen(kw_only=True)
class Unit:
    """
    A unit file as it was read.

    :ivar environment: what it sets itself, which may hold secrets.
    :ivar settings: the last value of each other setting.
    """

    arguments: list[str]
    environment: dict[str, str] = field(repr=False)
    settings: dict[str, list[str]] = field(repr=False)

    def last(self, name: str) -> str | None:
        """
        The value of a setting that has one.
        """
        return self.settings.get(name, [None])[-1]


def parse(text: str) -> Unit:
    """
    Read a unit; quoted words and bare ones. A line that systemd would not understand counts for nothing.
    """
    arguments: list[str] = []
    environment: dict[str, str] = {}
    settings: dict[str, list[str]] = {}
    for line in _lines(text):
        name, equals, value = line.partition("=")
        if not equals:
            continue
        settings.setdefault(name.strip(), []).append(value.strip())
        try:
            if name == "ExecStart":
                arguments = [_plain(word).replace("$$", "$") for word in shlex.split(value.lstrip("@-:+!"))]
            elif name == "Environment" and not value.strip():
                environment.clear()
            elif name == "Environment":
                environment |= dict(_plain(pair).partition("=")[::2] for pair in shlex.split(value))
        except ValueError:
            continue  # A quote that does not end.
    return Unit(arguments=arguments, environment=environment, settings=settings)


def _plain(word: str) -> str:
    return word.replace("%%", "%")


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if stripped and stripped[0] not in "#;":
            yield stripped
