"""
Writes what the database holds in the shapes of a reference state directory.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from attrs import define, field

from openclaw.store.imports import Counts, transcript_id
from openclaw.store.interfaces import Entry, Records, Unit
from openclaw.store.reference import iso, line_of, stamp, transcript_name

#: What may be the name of a file as it is.
SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,199}")

DEFAULT_AGENT = "main"


def safe(name: str) -> str:
    """
    A name of a file for an id; ids come from clients, too, and must not lead anywhere.
    """
    return name if SAFE.fullmatch(name) else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]


@define(kw_only=True)
class Export:
    """
    One export.

    :ivar target: an empty directory.
    :ivar cwd: the workspace that transcripts name which were not imported.
    """

    unit: Unit
    target: Path
    cwd: str
    counts: Counts = field(factory=Counts)

    def run(self) -> Counts:
        """
        Write everything.

        :raise OSError: the directory takes no more.
        """
        agents = self._sessions()
        for session_id in self.unit.entries.session_ids():
            self._transcript(session_id, agents)
        for session_id, at_ms in self.unit.archive.transcripts():
            self._archived(session_id, at_ms)
        self._records("devices/paired.json", self.unit.devices, "devices")
        self._records("devices/pending.json", self.unit.device_requests, "device requests")
        self._records("nodes/paired.json", self.unit.nodes, "nodes")
        self._records("nodes/pending.json", self.unit.node_requests, "node requests")
        self._cron()
        return self.counts

    def _create(self, *parts: str) -> BinaryIO:
        path = self.target.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")

    def _json(self, value: Any, *parts: str) -> None:
        with self._create(*parts) as file:
            file.write(json.dumps(value, indent=2, ensure_ascii=False).encode())

    def _lines(self, lines: Iterable[bytes], *parts: str) -> int:
        number = 0
        with self._create(*parts) as file:
            for line in lines:
                file.write(line + b"\n")
                number += 1
        return number

    # -- sessions -----------------------------------------------------------------------------------------------------

    def _sessions(self) -> dict[str, str]:
        """
        :return: the agents of the sessions, by session id.
        """
        stores: dict[str, dict[str, Any]] = {}
        agents: dict[str, str] = {}
        for session in self.unit.sessions.search(include_global=True, include_unknown=True):
            agent = safe(session.agent_id)
            agents[session.session_id] = agent
            file = self._file_of(session.session_id)
            entry = {"sessionId": session.session_id, "updatedAt": session.updated_at_ms}
            if file != f"{session.session_id}.jsonl":
                path = self.target.absolute().joinpath(*self._folder(session.session_id, agents), file)
                entry["sessionFile"] = str(path)
            stores.setdefault(agent, {})[session.key] = entry | dict(session.members)
        for agent, store in stores.items():
            self._json(store, "agents", agent, "sessions", "sessions.json")
            self.counts.add("sessions", len(store))
        return agents

    def _record(self, id: str) -> Mapping[str, Any]:
        return self.unit.transcripts.get(id) or {}

    def _file_of(self, session_id: str) -> str:
        named = self._record(session_id).get("file")
        if isinstance(named, str) and transcript_name(named) is not None and SAFE.fullmatch(named):
            return named
        return f"{safe(session_id)}.jsonl"

    def _folder(self, session_id: str, agents: Mapping[str, str]) -> tuple[str, ...]:
        agent = self._record(session_id).get("agentId") or agents.get(session_id) or self._agent_of(session_id)
        return "agents", safe(agent), "sessions"

    def _agent_of(self, session_id: str) -> str:
        """
        The agent of a conversation that no session leads to any more: that of a run in it.
        """
        key = self.unit.runs.session_key(session_id) or ""
        parts = key.split(":", 2)
        return parts[1] if len(parts) == 3 and parts[0] == "agent" else DEFAULT_AGENT

    def _transcript(self, session_id: str, agents: Mapping[str, str]) -> None:
        header = self._record(session_id).get("header")
        lines = self._with_header(session_id, header, self.unit.entries.all(session_id))
        written = self._lines(lines, *self._folder(session_id, agents), self._file_of(session_id))
        self.counts.add("transcripts")
        self.counts.add("entries", written - 1)

    def _archived(self, session_id: str, at_ms: int) -> None:
        record = self._record(transcript_id(session_id, at_ms))
        named = record.get("file")
        known = isinstance(named, str) and transcript_name(named) is not None and SAFE.fullmatch(named)
        file = str(named) if known else f"{safe(session_id)}.jsonl.deleted.{stamp(at_ms)}"
        agent = record.get("agentId") or self._record(session_id).get("agentId") or self._agent_of(session_id)
        lines = self._with_header(session_id, record.get("header"), self.unit.archive.all(session_id, at_ms))
        written = self._lines(lines, "agents", safe(agent), "sessions", file)
        self.counts.add("archived transcripts")
        self.counts.add("archived entries", written - 1)

    def _with_header(self, session_id: str, header: Any, entries: Iterable[Entry]) -> Iterable[bytes]:
        first = True
        for entry in entries:
            if first:
                made = {
                    "type": "session",
                    "version": 3,
                    "id": session_id,
                    "timestamp": iso(entry.timestamp_ms),
                    "cwd": self.cwd,
                }
                yield orjson.dumps(header if header is not None else made)
                first = False
            yield line_of(entry)

    # -- records ------------------------------------------------------------------------------------------------------

    def _records(self, path: str, records: Records, name: str) -> None:
        found = dict(records.all())
        if found:
            self._json(found, *path.split("/"))
            self.counts.add(name, len(found))

    def _cron(self) -> None:
        jobs = [dict(job) for _, job in self.unit.cron_jobs.all()]
        if jobs:
            self._json({"version": 1, "jobs": jobs}, "cron", "jobs.json")
            self.counts.add("cron jobs", len(jobs))
        for job_id in self.unit.cron_runs.job_ids():
            lines = (orjson.dumps(dict(line)) for line in self.unit.cron_runs.newest(job_id, 1 << 60))
            self.counts.add("cron runs", self._lines(lines, "cron", "runs", f"{safe(job_id)}.jsonl"))
