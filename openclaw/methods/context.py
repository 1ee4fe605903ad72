"""
What a method handler may see and do: narrow interfaces, no sockets, no frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import Factory, define, field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from openclaw.agent.types import Agents
from openclaw.approvals.granted import Granted
from openclaw.approvals.questions import Questions
from openclaw.config.loader import Snapshot
from openclaw.config.model import Config
from openclaw.nodes.hub import Nodes, make_nodes
from openclaw.processes import Runner
from openclaw.store.interfaces import Store
from openclaw.wizard.session import Wizards

if TYPE_CHECKING:
    # It loads the whole HTTP client, which a start does not need.
    from openclaw.agent.providers.http import HttpClient

T = TypeVar("T")


@define(eq=False)
class Derived:
    """
    What follows from the running configuration alone, kept until there is another one.
    """

    config: Callable[[], Config]
    _of: Config | None = None
    _values: dict[Any, Any] = field(factory=dict)

    def get(self, key: Any, make: Callable[[], T]) -> T:
        """
        :param key: says what the value is; there must be few of them.
        """
        config = self.config()
        if config is not self._of:
            self._of, self._values = config, {}
        if key not in self._values:
            self._values[key] = make()
        value: T = self._values[key]
        return value


@frozen(kw_only=True)
class Caller:
    """
    Who asks: what the handshake established.
    """

    connection_id: str
    role: str
    scopes: frozenset[str]
    client_id: str
    client_mode: str
    device_id: str | None = None
    display_name: str | None = None

    @property
    def identity(self) -> str:
        """
        The same over all connections of one device.
        """
        return self.device_id or f"connection:{self.connection_id}"


class Broadcast(Protocol):
    """
    Publish an event to all connected clients, or to operators with a scope.
    """

    def __call__(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        drop_if_slow: bool = False,
        scope: str | None = None,
        versions: bool = False,
    ) -> None:
        """
        :param scope: only operators who hold it (or admin) get the event.
        :param versions: whether the frame carries ``stateVersion``.
        """
        ...


class PresenceBook(Protocol):
    """
    Who is here (``protocol.md`` 20).
    """

    def listing(self) -> list[dict[str, Any]]: ...

    def system_event(self, params: Mapping[str, Any]) -> str | None:
        """
        Merge a presence line and broadcast the list.

        :return: the note to queue for the main session, if the event makes one.
        """
        ...


class HealthBook(Protocol):
    """
    The health snapshot (``methods.md`` 5.1).
    """

    def current(self, *, probe: bool) -> Deferred[dict[str, Any]]: ...


@frozen(kw_only=True)
class Written:
    """
    A change of the configuration that is in the file.

    :ivar waiting: dotted paths of what the file says and only a restart will follow.
    """

    snapshot: Snapshot
    waiting: tuple[str, ...]


class ConfigWriter(Protocol):
    """
    The one writer of the configuration file while the gateway runs.

    :ivar environ: what ``${NAME}`` in the file refers to, without what its own ``env`` block adds.
    """

    @property
    def environ(self) -> Mapping[str, str]: ...

    def write(self, base_hash: str | None, change: Callable[[Snapshot], str]) -> Deferred[Written]:
        """
        :param base_hash: of the text that the caller has read.
        :param change: gives the new text; called in a thread, with what the file says now.
        :return: fires when it is on the disk and counts.
        :raise ConfigError: nothing was written.
        """
        ...

    def edit(self, change: Callable[[Snapshot], str]) -> Deferred[Written]:
        """
        Change the file, whatever it says now; otherwise as ``write``.
        """
        ...


@frozen(kw_only=True)
class MethodContext:
    """
    Everything handlers act on. One for the gateway; ``caller`` is the request's own.

    :ivar config: the running configuration.
    :ivar snapshot: reads the configuration file again (blocking: call it in a thread).
    :ivar configuration: writes the configuration file.
    :ivar restart: puts a new gateway in this one's place, told the reason and a delay in seconds; gives the seconds
        after which it comes, ``None`` where it does not.
    :ivar link_channel: the one function behind ``linkChannel`` in ``health`` and ``status``.
    :ivar log_path: today's log file.
    :ivar in_thread: runs blocking work off the reactor thread.
    :ivar make_token: a new device token, already known to what keeps secrets out of the log.
    :ivar ready: fires when conversations are whole and may go on; fails where that takes too long.
    :ivar derived: values that would otherwise be computed for each request.
    :ivar home: of the person whose gateway it is.
    :ivar http: the client for requests to services that the owner has configured.
    :ivar granted: leave to have nodes run something, until it is used.
    :ivar wizards: at most one that sets the gateway up.
    :ivar run: runs a program to its end.
    :ivar node_platforms: of the nodes that are connected.
    :ivar approvals: the questions that wait for a person.
    :ivar nodes: who they are, what they are asked, and what they follow.
    :ivar workspace_of: the directory with an agent's own files; ``None`` where there is none.
    """

    caller: Caller
    clock: IReactorTime
    store: Store
    agents: Agents
    broadcast: Broadcast
    presence: PresenceBook
    health: HealthBook
    config: Callable[[], Config]
    snapshot: Callable[[], Snapshot]
    configuration: ConfigWriter
    link_channel: Callable[[], dict[str, Any] | None]
    heartbeats: Heartbeats
    cron: Cron
    make_id: Callable[[], str]
    make_token: Callable[[], str]
    state_dir: Path
    store_path: Path
    log_path: Callable[[], Path]
    environ: Mapping[str, str]
    in_thread: Callable[..., Deferred[Any]]
    home: Path
    http: Callable[[], HttpClient]
    run: Runner
    wizards: Wizards
    approvals: Questions
    node_platforms: Callable[[], Iterable[str]] = tuple
    known_channels: Sequence[str] = ()
    restart: Callable[[str, float], float | None] = lambda reason, delay: None
    ready: Callable[[], Deferred[None]] = lambda: succeed(None)
    workspace_of: Callable[[str], Path | None] = lambda agent_id: None
    granted: Granted = Factory(lambda self: Granted(self.clock), takes_self=True)
    derived: Derived = Factory(lambda self: Derived(self.config), takes_self=True)
    nodes: Nodes = Factory(lambda self: make_nodes(self.clock, self.make_id), takes_self=True)


class Heartbeats(Protocol):
    """
    The process-wide switch and the last heartbeat (``methods.md`` 5.5, 5.6).
    """

    def last(self) -> Mapping[str, Any] | None: ...

    def enable(self, enabled: bool) -> None: ...

    def request(self, agent_id: str, reason: str) -> None:
        """
        Wake an agent in a moment.
        """
        ...


class Cron(Protocol):
    """
    The scheduler (``methods.md`` 16). Everything but the shape of what is asked has been checked by nobody.
    """

    async def listing(self, *, disabled: bool) -> list[dict[str, Any]]: ...

    async def status(self) -> dict[str, Any]: ...

    async def add(self, params: Mapping[str, Any]) -> dict[str, Any]: ...

    async def update(self, job_id: str, patch: Mapping[str, Any]) -> dict[str, Any]: ...

    async def remove(self, job_id: str) -> bool: ...

    async def run(self, job_id: str, *, force: bool) -> str | None:
        """
        :return: why it did not run.
        """
        ...

    async def runs(self, job_id: str, limit: int) -> Sequence[Mapping[str, Any]]: ...
