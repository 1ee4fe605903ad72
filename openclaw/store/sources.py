"""
What there is to import in a reference state directory, and reading it piece by piece.

Nothing here writes: the originals stay as they are. Everything is done on a thread that may wait.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

from attrs import frozen

from openclaw.store.interfaces import Entry, Session
from openclaw.store.reference import Lines, TranscriptName, Unreadable, parse, session_of, transcript_name

Kind = Literal["sessions", "transcript", "cron-jobs", "cron-runs"]

#: A file that is read at once is refused beyond this size, and a line too.
MOST_BYTES = 256 * 1024 * 1024
MOST_LINE_BYTES = 64 * 1024 * 1024

STORE_NAME = "sessions.json"


@frozen(kw_only=True)
class Places:
    """
    Where a reference gateway with this configuration kept its state.

    :ivar session_store: ``session.store``, made absolute; it may contain ``{agentId}``.
    :ivar cron_store: ``cron.store``, made absolute.
    """

    state_dir: Path
    session_store: Path | None = None
    cron_store: Path | None = None
    default_agent: str = "main"

    def key(self, path: Path) -> str:
        """
        The name of a source: the same when the state directory is moved.
        """
        return path.relative_to(self.state_dir).as_posix() if path.is_relative_to(self.state_dir) else str(path)

    @property
    def cron_jobs(self) -> Path:
        return self.cron_store or self.state_dir / "cron" / "jobs.json"


@frozen(kw_only=True)
class Source:
    """
    One file to import.

    :ivar agent_id: of the directory that it lies in.
    :ivar version: changes when the file does, so that an import that was interrupted knows whether it can go on.
    """

    key: str
    path: Path
    kind: Kind
    version: str
    agent_id: str = "main"
    name: TranscriptName | None = None


@frozen(kw_only=True)
class Folder:
    """
    A directory of sources. While its time stays the same, nothing was added to it.
    """

    key: str
    path: Path
    changed_ns: int
    kind: Literal["sessions", "cron-runs"]
    agent_id: str = "main"


def folders(places: Places) -> list[Folder]:
    """
    The directories that sources lie in: a look at each agent, not at each session.
    """
    found: dict[str, Folder] = {}

    def add(path: Path, kind: Literal["sessions", "cron-runs"], agent_id: str) -> None:
        try:
            status = path.stat()
        except OSError:
            return
        key = places.key(path)
        if stat.S_ISDIR(status.st_mode) and key not in found:
            found[key] = Folder(key=key, path=path, changed_ns=status.st_mtime_ns, kind=kind, agent_id=agent_id)

    for agent in _names(places.state_dir / "agents"):
        add(places.state_dir / "agents" / agent / "sessions", "sessions", agent)
    if places.session_store is not None:
        for path, agent in _stores(places.session_store, places.default_agent):
            add(path.parent, "sessions", agent)
    add(places.cron_jobs.parent / "runs", "cron-runs", "main")
    return list(found.values())


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _stores(template: Path, default_agent: str) -> Iterator[tuple[Path, str]]:
    """
    The files that a path with ``{agentId}`` stands for, with their agents.
    """
    parts = template.parts
    at = next((place for place, part in enumerate(parts) if "{agentId}" in part), None)
    if at is None:
        yield template, default_agent
        return
    before, after = parts[at].split("{agentId}", 1)
    for name in _names(Path(*parts[:at])):
        if name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after):
            agent = name[len(before) : len(name) - len(after)]
            yield Path(str(template).replace("{agentId}", agent)), agent


def sources(places: Places, folder: Folder) -> list[Source]:
    """
    The files of a directory, sessions before transcripts, older transcripts first: where two make one session, the
    newer one has its end.
    """
    if folder.kind == "cron-runs":
        names = [name for name in _names(folder.path) if name.endswith(".jsonl")]
        return [_source(places, folder.path / name, "cron-runs", folder.agent_id) for name in names]
    found: list[tuple[int, Source]] = []
    for name in _names(folder.path):
        named = transcript_name(name)
        if named is not None:
            path = folder.path / name
            source = _source(places, path, "transcript", folder.agent_id, named)
            found.append((path.lstat().st_mtime_ns, source))
    found.sort(key=lambda one: (one[0], one[1].key))
    stores = [folder.path / STORE_NAME]
    if places.session_store is not None:
        stores += [path for path, _ in _stores(places.session_store, "") if path.parent == folder.path]
    unique = [path for path in dict.fromkeys(stores) if path.is_file()]
    return [_source(places, path, "sessions", folder.agent_id) for path in unique] + [one for _, one in found]


def job_sources(places: Places) -> list[Source]:
    """
    The file of the cron jobs, if there is one.
    """
    path = places.cron_jobs
    return [_source(places, path, "cron-jobs", "main")] if path.is_file() else []


def _source(places: Places, path: Path, kind: Kind, agent_id: str, name: TranscriptName | None = None) -> Source:
    status = path.lstat()
    return Source(
        key=places.key(path),
        path=path,
        kind=kind,
        version=f"{status.st_size}-{status.st_mtime_ns}",
        agent_id=agent_id,
        name=name,
    )


# -- reading ----------------------------------------------------------------------------------------------------------


def open_regular(path: Path) -> BinaryIO:
    """
    Open a file for reading; a link, a pipe or a device is refused.

    :raise Unreadable: it is none that we read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("not a regular file")
    return os.fdopen(descriptor, "rb")


def read_object(path: Path) -> dict[str, Any] | None:
    """
    A small file that is one JSON object.

    :return: ``None`` if there is no such file.
    :raise Unreadable: it is something else.
    """
    try:
        with open_regular(path) as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(raw) > MOST_BYTES:
        raise Unreadable("too large")
    value = parse(raw, relaxed=True)
    if not isinstance(value, dict):
        raise Unreadable("not an object")
    return value


def read_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """
    The lines of a file; ``None`` for one that is too long to be one.
    """
    while raw := file.readline(MOST_LINE_BYTES):
        if len(raw) < MOST_LINE_BYTES or raw.endswith(b"\n"):
            yield raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(MOST_LINE_BYTES)
        yield None


@frozen(kw_only=True)
class Piece:
    """
    Some rows of one source.

    :ivar first: the number of the first row in the source, from 0.
    :ivar rows: what was read.
    :ivar weight: about how many bytes they are.
    :ivar header: the first line of a transcript.
    :ivar skipped: how many lines or members could not be read, counted from the start of the source.
    :ivar at_ms: when a transcript was put away.
    """

    source: Source
    first: int
    rows: Sequence[Entry | Session | tuple[str, dict[str, Any]]]
    weight: int
    last: bool
    skipped: int
    header: dict[str, Any] | None = None
    at_ms: int | None = None


def pieces(
    source: Source,
    *,
    start: int,
    most_rows: int,
    most_bytes: int,
    key_of: Callable[[str, str], tuple[str, str]],
    make_id: Callable[[], str],
) -> Iterator[Piece]:
    """
    Read a source; at least one piece, the last of which says so.

    :param start: the number of the row to go on with.
    :param key_of: the canonical key of a session and its agent, from the key and the agent of the file.
    :raise Unreadable: nothing of it can be read.
    """
    rows: list[Any] = []
    weight = 0
    first = start
    state = Lines(source.name.session_id if source.name else "")
    at_ms = put_away_at(source)

    def piece(last: bool) -> Piece:
        return Piece(
            source=source,
            first=first,
            rows=tuple(rows),
            weight=weight,
            last=last,
            skipped=state.skipped,
            header=state.header,
            at_ms=at_ms,
        )

    for number, (row, size) in enumerate(_rows(source, state, key_of, make_id)):
        if number >= start:
            rows.append(row)
            weight += size
        if len(rows) >= most_rows or weight >= most_bytes:
            yield piece(last=False)
            rows, weight, first = [], 0, number + 1
    yield piece(last=True)


def put_away_at(source: Source) -> int | None:
    """
    When a transcript was put away: what its name says, else the file's time.
    """
    if source.name is None or source.name.kind is None:
        return None
    return source.name.at_ms if source.name.at_ms is not None else int(source.path.lstat().st_mtime_ns // 1_000_000)


def _rows(
    source: Source, state: Lines, key_of: Callable[[str, str], tuple[str, str]], make_id: Callable[[], str]
) -> Iterator[tuple[Any, int]]:
    if source.kind == "sessions":
        yield from _session_rows(source, state, key_of, make_id)
    elif source.kind == "cron-jobs":
        yield from _job_rows(source, state)
    else:
        with open_regular(source.path) as file:
            for raw in read_lines(file):
                if raw is None:
                    state.skipped += 1
                    continue
                row = state.read(raw) if source.kind == "transcript" else _run_row(raw, state)
                if row is not None:
                    yield row, len(raw)


def _session_rows(
    source: Source, state: Lines, key_of: Callable[[str, str], tuple[str, str]], make_id: Callable[[], str]
) -> Iterator[tuple[Session, int]]:
    files = frozenset(_names(source.path.parent))
    for given, value in (read_object(source.path) or {}).items():
        key, agent_id = key_of(given, source.agent_id)
        try:
            yield session_of(key, value, agent_id=agent_id, make_id=make_id, files=files), 1_000
        except Unreadable:
            state.skipped += 1


def _job_rows(source: Source, state: Lines) -> Iterator[tuple[tuple[str, dict[str, Any]], int]]:
    jobs = (read_object(source.path) or {}).get("jobs")
    for job in jobs if isinstance(jobs, list) else ():
        if isinstance(job, dict) and isinstance(job.get("id"), str) and job["id"]:
            yield (job["id"], job), 1_000
        else:
            state.skipped += 1


def _run_row(raw: bytes, state: Lines) -> tuple[str, dict[str, Any]] | None:
    try:
        line = parse(raw) if raw.strip() else None
    except Unreadable:
        line = ()
    if line is None:
        return None
    if not isinstance(line, dict) or not isinstance(line.get("jobId"), str) or type(line.get("ts")) is not int:
        state.skipped += 1
        return None
    return line["jobId"], line
