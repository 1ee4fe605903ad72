"""
What a gateway must have for itself besides its state directory: workspaces, bot tokens, linked accounts
(``design.md`` 3).

Each is held by a ``flock``, which ends with the process. A workspace is locked itself, so that nothing of ours lies in
it; for a credential there is a file named by its hash in the runtime directory.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from attrs import define, field, frozen
from twisted.logger import Logger

from openclaw.config.model import Config
from openclaw.config.paths import expand, workspace_dir
from openclaw.errors import OpenClawError

#: Larger files hold no token.
MOST_TOKEN_BYTES = 4096

_SECRETS = ("botToken", "token")


@frozen(kw_only=True)
class Claim:
    """
    One thing that two gateways must not share.

    :ivar path: what is locked; two claims with the same path are one.
    :ivar what: what it is, for people; no secret.
    :ivar fix: what keeps two gateways apart.
    """

    path: Path
    what: str = field(eq=False)
    fix: str = field(eq=False)
    is_directory: bool = field(default=False, eq=False)


@frozen(kw_only=True)
class ClaimRefused(OpenClawError):
    """
    Another gateway on this machine has it.

    :ivar pid: of that gateway, if it can be told.
    """

    claim: Claim
    pid: int | None

    @property
    def fix(self) -> str:
        return self.claim.fix

    def __str__(self) -> str:
        return f"{self.claim.what} is used by another gateway (pid {self.pid or 'unknown'})"


@define(kw_only=True, eq=False)
class Claims:
    """
    What this process has for itself. For any thread.
    """

    _log = Logger(namespace="gateway")
    locks: Path = Path("/proc/locks")
    _held: dict[Path, int] = field(factory=dict, init=False)
    _mutex: Lock = field(factory=Lock, init=False)

    def take(self, wanted: Iterable[Claim]) -> None:
        """
        Take all of these that we do not have yet, or none of them.

        :raise ClaimRefused: somebody else has one.
        """
        with self._mutex:
            taken: list[Path] = []
            try:
                for claim in wanted:
                    if claim.path not in self._held and (descriptor := self._lock(claim)) is not None:
                        self._held[claim.path] = descriptor
                        taken.append(claim.path)
            except ClaimRefused:
                for path in taken:
                    os.close(self._held.pop(path))
                raise

    def keep(self, wanted: Iterable[Claim]) -> None:
        """
        Let go of everything else.
        """
        paths = {claim.path for claim in wanted}
        with self._mutex:
            for path in [path for path in self._held if path not in paths]:
                os.close(self._held.pop(path))

    def release(self) -> None:
        self.keep(())

    def _lock(self, claim: Claim) -> int | None:
        """
        :return: ``None`` where it cannot be locked by anybody.
        """
        descriptor = None
        try:
            descriptor = _open(claim)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = None if descriptor is None else lock_owner(self.locks, os.fstat(descriptor))
            if descriptor is not None:
                os.close(descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES) and descriptor is not None:
                raise ClaimRefused(claim=claim, pid=pid) from error
            # A file system without locks, or a directory that is not ours: no reason not to run.
            self._log.warn("{what} cannot be locked: {why}", what=claim.what, why=error.strerror or error)
            return None
        return descriptor


def _open(claim: Claim) -> int:
    if claim.is_directory:
        claim.path.mkdir(parents=True, exist_ok=True)
        return os.open(claim.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    claim.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(claim.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def lock_owner(locks: Path, stat: os.stat_result) -> int | None:
    """
    Who has a ``flock`` on a file, by the kernel's list (``proc_locks(5)``); Linux only.
    """
    named = f"{os.major(stat.st_dev):02x}:{os.minor(stat.st_dev):02x}:{stat.st_ino}"
    try:
        lines = locks.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) >= 6 and words[1] == "FLOCK" and words[5] == named and int(words[4]) > 0:
            return int(words[4])
    return None


def runtime_dir(environ: Mapping[str, str], uid: int, run: Path = Path("/run/user")) -> Path:
    """
    Where locks of all gateways of one user are, whatever started them: a service has other variables than a shell.
    """
    own = run / str(uid)
    if own.is_dir():
        return own / "openclaw"
    return Path(environ.get("TMPDIR") or "/tmp") / f"openclaw-{uid}"  # noqa: S108


def claims_of(config: Config, environ: Mapping[str, str], home: Path, directory: Path) -> tuple[Claim, ...]:
    """
    All that a gateway with this configuration has for itself. Blocks on files with tokens.

    :param directory: for locks of credentials.
    """
    agents = [None, *(agent.id for agent in config.agents.list)]
    workspaces = {workspace_dir(environ, home, config, agent).resolve() for agent in agents}
    found = [
        Claim(
            path=path,
            what=f"workspace {path}",
            fix="Give this gateway one of its own: openclaw config set agents.defaults.workspace <directory>",
            is_directory=True,
        )
        for path in sorted(workspaces)
    ]
    return (*found, *dict.fromkeys(_credentials(config, home, directory)))


def _credentials(config: Config, home: Path, directory: Path) -> Iterator[Claim]:
    channels = config.effective.get("channels")
    for channel, settings in (channels if isinstance(channels, Mapping) else {}).items():
        for place, account in _accounts(f"channels.{channel}", settings):
            for member, identity in _identities(account, home):
                digest = hashlib.sha256(f"{channel}\0{identity}".encode()).hexdigest()[:32]
                yield Claim(
                    path=directory / f"{channel}-{digest}.lock",
                    what=f"the account of {place}.{member}",
                    fix=f"Give this gateway another one, or none: openclaw config set {place}.enabled false",
                )


def _accounts(place: str, settings: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(settings, Mapping) or settings.get("enabled") is False:
        return
    yield place, settings
    accounts = settings.get("accounts")
    for name, account in (accounts if isinstance(accounts, Mapping) else {}).items():
        if isinstance(account, Mapping) and account.get("enabled") is not False:
            yield f"{place}.accounts.{name}", account


def _identities(account: Mapping[str, Any], home: Path) -> Iterator[tuple[str, str]]:
    """
    What an account is known by elsewhere: its token, or the directory of its login.
    """
    for member in _SECRETS:
        if isinstance(account.get(member), str) and account[member].strip():
            yield member, account[member].strip()
    if isinstance(account.get("tokenFile"), str):
        try:
            with expand(account["tokenFile"], home).open("rb") as file:
                token = file.read(MOST_TOKEN_BYTES).decode("utf-8", "replace").strip()
        except OSError:
            token = ""
        if token:
            yield "tokenFile", token
    if isinstance(account.get("authDir"), str) and account["authDir"].strip():
        yield "authDir", str(expand(account["authDir"], home).resolve())
