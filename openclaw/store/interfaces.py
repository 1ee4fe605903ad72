"""
What the rest of the gateway may ask of the store.

A *unit* is one transaction: every change made through it happens together or not at all. Work on a unit is a plain
function; the store decides on which thread it runs, so it must touch nothing but the unit and its own arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from attrs import field, frozen

from openclaw.errors import OpenClawError

if TYPE_CHECKING:
    # The export is a command and imports no Twisted.
    from twisted.internet.defer import Deferred

    from openclaw.store.bodies import LargeBodies
    from openclaw.store.imports import Archive, CronRuns, Imports

T = TypeVar("T")

RunState = Literal["accepted", "running", "waiting", "ok", "error", "aborted", "interrupted"]

#: States in which a run will say nothing more.
TERMINAL_STATES: frozenset[str] = frozenset({"ok", "error", "aborted", "interrupted"})


@frozen(kw_only=True)
class Session:
    """
    One session: a key, the transcript it points to now, and everything else that is known of it.

    :ivar key: the canonical key.
    :ivar members: members of the session entry by wire name (``thinkingLevel``, ``label``, ...), without ``sessionId``
        and ``updatedAt``; members that we do not know are kept.
    """

    key: str
    agent_id: str
    session_id: str
    updated_at_ms: int
    members: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Entry:
    """
    One typed entry of a session's tree.

    :ivar id: our own id, 8 hexadecimal digits, unique within the session.
    :ivar parent_id: the entry before it on its branch, ``None`` for the first.
    :ivar type: ``message``, ``model_change``, ``thinking_level_change``, ``custom``, ``compaction``, and what imports
        brought.
    :ivar body: the other members of the reference's transcript line, for example ``{"message": {...}}``.
    """

    id: str
    session_id: str
    parent_id: str | None
    type: str
    timestamp_ms: int
    body: Mapping[str, Any]
    run_id: str | None = None

    @property
    def role(self) -> str | None:
        """
        Who said it, for messages.
        """
        message = self.body.get("message")
        role = message.get("role") if isinstance(message, Mapping) else None
        return role if isinstance(role, str) else None


@frozen(kw_only=True)
class Run:
    """
    A durable record of one agent run, made with the inbound record that caused it.

    :ivar inbound: the inbound record: ``origin``, ``trust``, ``message``, attachments, options.
    :ivar outcome: how it ended: what is answered to whoever waits. ``None`` until it is terminal.
    :ivar seen: whether anything outside has seen some of it (a delta, a tool effect).
    """

    run_id: str
    session_key: str
    session_id: str
    state: RunState
    origin: str
    dedupe_key: str
    inbound: Mapping[str, Any]
    created_at_ms: int
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    outcome: Mapping[str, Any] | None = None
    seen: bool = False


@frozen(kw_only=True)
class Answer:
    """
    An idempotent method's outcome, replayed to any later request with the same key.
    """

    key: str
    ok: bool
    payload: Any
    error: Mapping[str, Any] | None
    written_at_ms: int


@frozen(kw_only=True)
class OutboxItem:
    """
    Something that must be delivered, written with the entry that caused it.
    """

    id: str
    session_key: str
    run_id: str | None
    channel: str
    payload: Mapping[str, Any]
    created_at_ms: int
    delivered_at_ms: int | None = None


@frozen
class DuplicateEntry(OpenClawError):
    """
    A session has an entry with this id already.
    """

    session_id: str
    id: str

    def __str__(self) -> str:
        return f"Session {self.session_id} has an entry {self.id} already."


class Sessions(Protocol):
    """
    Sessions by canonical key.
    """

    def get(self, key: str) -> Session | None: ...

    def put(self, session: Session) -> None: ...

    def delete(self, key: str) -> bool: ...

    def by_session_id(self, session_id: str) -> Sequence[Session]: ...

    def by_label(self, label: str) -> Sequence[Session]: ...

    def count(self, agent_id: str | None = None) -> int:
        """
        :return: how many sessions there are, ``global`` and ``unknown`` not counted; constant time.
        """
        ...

    def newest(self, limit: int, agent_id: str | None = None) -> Sequence[Session]:
        """
        :return: at most ``limit`` sessions, newest first, without ``global`` and ``unknown``.
        """
        ...

    def search(
        self,
        *,
        agent_id: str | None = None,
        spawned_by: str | None = None,
        label: str | None = None,
        text: str | None = None,
        updated_since_ms: int | None = None,
        include_global: bool = False,
        include_unknown: bool = False,
        limit: int | None = None,
    ) -> Sequence[Session]:
        """
        The filters of ``sessions.list``, newest first.
        """
        ...

    def agent_ids(self) -> Sequence[str]: ...


class Entries(Protocol):
    """
    The trees of entries, by session id.
    """

    def append(self, entry: Entry) -> None:
        """
        :raise DuplicateEntry: the session has an entry with this id.
        """
        ...

    def leaf(self, session_id: str) -> Entry | None:
        """
        :return: the newest entry, ``None`` for an empty session.
        """
        ...

    def path(self, session_id: str) -> Sequence[Entry]:
        """
        :return: the branch that ends with the newest entry: the context of a run. It begins with the first entry that
            the latest compaction kept, or with the root where there is none.
        """
        ...

    def messages(self, session_id: str, limit: int) -> Iterable[Entry]:
        """
        :return: the last ``limit`` entries of type ``message``, the last written first, branches not followed. Each is
            read when it is asked for: some are large.
        """
        ...

    def first_user(self, session_id: str) -> Entry | None: ...

    def said_since(self, timestamp_ms: int) -> Iterable[Entry]:
        """
        :return: what models have said in all sessions, oldest first; its cost grows with the time looked at only.
        """
        ...

    def merge(self, entry: Entry) -> bool:
        """
        Put in an entry from elsewhere; of two with one id the newer one stays, at the place of the first in the tree:
        so no entry comes to be its own ancestor.

        :return: whether something changed.
        """
        ...

    def session_ids(self) -> Sequence[str]:
        """
        :return: of every session that has entries. It looks at all of them: for the export only.
        """
        ...

    def all(self, session_id: str) -> Iterable[Entry]:
        """
        :return: every entry in the order they were written, all branches.
        """
        ...

    def count(self, session_id: str) -> int: ...

    def keep_last(self, session_id: str, most: int, at_ms: int) -> None:
        """
        Archive all but the last ``most`` entries, in the order they were written. Of those that stay, the ones whose
        parent goes begin the tree.
        """
        ...

    def archive(self, session_id: str, at_ms: int) -> bool:
        """
        Keep the entries of a deleted session out of every listing.

        :return: whether there were any.
        """
        ...


class Runs(Protocol):
    """
    Runs by id.
    """

    def get(self, run_id: str) -> Run | None: ...

    def put(self, run: Run) -> None: ...

    def by_dedupe_key(self, dedupe_key: str) -> Run | None: ...

    def unfinished(self) -> Sequence[Run]:
        """
        :return: runs that are not terminal, oldest first; what a start after a crash has to settle.
        """
        ...

    def forget(self, ended_before_ms: int, limit: int) -> int:
        """
        Forget terminal runs, the oldest first.

        :return: how many.
        """
        ...

    def session_key(self, session_id: str) -> str | None:
        """
        :return: the key under which some run continued this transcript. It may look at all runs: for the export only.
        """
        ...


class Answers(Protocol):
    """
    Idempotency keys with their answers.
    """

    def get(self, key: str, not_before_ms: int) -> Answer | None: ...

    def put(self, answer: Answer) -> None: ...

    def sweep(self, not_before_ms: int, keep: int) -> None: ...


class Records(Protocol):
    """
    Small keyed JSON records: paired devices, pending pairings, nodes, cron jobs. Each kind is a table of its own.
    """

    def get(self, id: str) -> Mapping[str, Any] | None: ...

    def put(self, id: str, record: Mapping[str, Any]) -> None: ...

    def delete(self, id: str) -> bool: ...

    def all(self) -> Iterable[tuple[str, Mapping[str, Any]]]: ...


class Outbox(Protocol):
    """
    What waits to be delivered.
    """

    def put(self, item: OutboxItem) -> None: ...

    def waiting(self, limit: int) -> Sequence[OutboxItem]: ...

    def count(self) -> int:
        """
        :return: how many wait.
        """
        ...

    def delivered(self, id: str, at_ms: int) -> None: ...

    def forget(self, delivered_before_ms: int, limit: int) -> int:
        """
        Forget what was delivered, the oldest first.

        :return: how many.
        """
        ...


class Unit(Protocol):
    """
    One transaction over everything in the store.
    """

    @property
    def sessions(self) -> Sessions: ...

    @property
    def entries(self) -> Entries: ...

    @property
    def bodies(self) -> LargeBodies: ...

    @property
    def runs(self) -> Runs: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def devices(self) -> Records:
        """
        Paired devices by device id, in the shape of ``protocol.md`` 13.
        """
        ...

    @property
    def device_requests(self) -> Records: ...

    @property
    def nodes(self) -> Records: ...

    @property
    def node_requests(self) -> Records: ...

    @property
    def node_facts(self) -> Records:
        """
        What paired nodes said of themselves when they last connected, and the ``name`` that somebody gave them.
        """
        ...

    @property
    def cron_jobs(self) -> Records: ...

    @property
    def cron_runs(self) -> CronRuns: ...

    @property
    def archive(self) -> Archive: ...

    @property
    def transcripts(self) -> Records:
        """
        What the export needs to know of imported transcripts: ``header``, ``file`` and ``agentId`` by session id.
        """
        ...

    @property
    def imports(self) -> Imports: ...


class Store(Protocol):
    """
    The store as the reactor sees it: it never waits for the disk.
    """

    @property
    def is_ready(self) -> bool:
        """
        Whether it is open; work that is given to it before waits until it is.
        """
        ...

    def write(self, work: Callable[[Unit], T]) -> Deferred[T]:
        """
        Do some work in one transaction.

        :return: fires with what ``work`` returned, after the commit is durable; fails with what ``work`` raised, and
            then nothing of it happened.
        """
        ...

    def read(self, work: Callable[[Unit], T]) -> Deferred[T]:
        """
        Do some work that changes nothing, on a consistent snapshot that includes every write acknowledged before.
        """
        ...
