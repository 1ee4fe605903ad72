"""
What the import writes: rows of sources merged by id, the newer of two wins, and a mark that says how far it has come.

A mark is written in the transaction of the rows that it tells of. So an import that is cut off goes on where it
stopped, nothing stands there twice, and what was deleted after it was imported does not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from openclaw.store.imports import Counts, Mark, transcript_id
from openclaw.store.interfaces import Entry, Records, Session, Unit
from openclaw.store.reference import Unreadable, device_request, newest, paired_device, plain_record
from openclaw.store.sources import Piece, read_object

_log = Logger()

Reader = Callable[[str, Any], dict[str, Any]]


# -- pairing ----------------------------------------------------------------------------------------------------------


def import_pairing(unit: Unit, state_dir: Path, now_ms: int) -> Counts:
    """
    Devices and nodes: small, and needed by the first client that comes in, so they are there before anybody can ask.
    """
    counts = Counts()
    tables: tuple[tuple[str, Records, Reader, str], ...] = (
        ("devices/paired.json", unit.devices, paired_device, "devices"),
        ("devices/pending.json", unit.device_requests, device_request, "device requests"),
        ("nodes/paired.json", unit.nodes, plain_record, "nodes"),
        ("nodes/pending.json", unit.node_requests, plain_record, "node requests"),
    )
    for source, records, reader, name in tables:
        if unit.imports.get(source) is None:
            _import_records(unit, state_dir, source, records, reader, name, counts, now_ms)
    return counts


def _import_records(
    unit: Unit,
    state_dir: Path,
    source: str,
    records: Records,
    reader: Reader,
    name: str,
    counts: Counts,
    now_ms: int,
) -> None:
    try:
        found = read_object(state_dir / source)
    except (Unreadable, OSError) as error:
        _log.warn("Not imported: {source}: {why}", source=source, why=error)
        return
    if found is None:
        return
    skipped = 0
    for record_id, value in found.items():
        try:
            counts.add(name, int(merge_record(records, record_id, reader(record_id, value))))
        except Unreadable:
            skipped += 1
    counts.add("unreadable", skipped)
    report = {"complete": True, "rows": len(found) - skipped, "skipped": skipped}
    unit.imports.put(Mark(source=source, at_ms=now_ms, report=report))


def merge_record(records: Records, id: str, record: Mapping[str, Any]) -> bool:
    """
    :return: whether it was put there: it is new, or newer than the one of its id.
    """
    known = records.get(id)
    if known is not None and newest(known) >= newest(record):
        return False
    records.put(id, record)
    return True


# -- the rest ---------------------------------------------------------------------------------------------------------


def import_piece(unit: Unit, piece: Piece, now_ms: int) -> Counts:
    """
    Write some rows of a source, and how far it has come.
    """
    counts = Counts()
    source = piece.source
    for place, row in enumerate(piece.rows):
        if isinstance(row, Session):
            counts.add("sessions", int(_merge_session(unit, row)))
        elif isinstance(row, Entry) and piece.at_ms is not None:
            counts.add("archived entries", int(unit.archive.put(row, piece.at_ms, piece.first + place + 1)))
        elif isinstance(row, Entry):
            counts.add("entries", int(unit.entries.merge(row)))
        elif not isinstance(row, Entry):
            row_id, record = row
            if source.kind == "cron-jobs":
                counts.add("cron jobs", int(merge_record(unit.cron_jobs, row_id, record)))
            else:
                counts.add("cron runs", int(unit.cron_runs.append(row_id, record["ts"], record)))
    if piece.last:
        _finish(unit, piece, counts)
    report: dict[str, Any] = {"complete": piece.last, "rows": piece.first + len(piece.rows), "skipped": piece.skipped}
    if not piece.last:
        report["version"] = source.version
    unit.imports.put(Mark(source=source.key, at_ms=now_ms, report=report))
    return counts


def _merge_session(unit: Unit, session: Session) -> bool:
    known = unit.sessions.get(session.key)
    if known is not None and known.updated_at_ms >= session.updated_at_ms:
        return False
    unit.sessions.put(session)
    return True


def _finish(unit: Unit, piece: Piece, counts: Counts) -> None:
    counts.add("unreadable", piece.skipped)
    name = piece.source.name
    if name is None:
        return
    record: dict[str, Any] = {"file": piece.source.path.name, "agentId": piece.source.agent_id}
    if piece.header is not None:
        record["header"] = piece.header
    unit.transcripts.put(transcript_id(name.session_id, piece.at_ms), record)
    counts.add("transcripts" if piece.at_ms is None else "archived transcripts")


def start_of(mark: Mark | None, version: str) -> int | None:
    """
    The row to go on with.

    :return: ``None`` if the source is imported.
    """
    if mark is None:
        return 0
    if mark.is_complete:
        return None
    return int(mark.report["rows"]) if mark.report.get("version") == version else 0
