"""
The file of rules, ``~/.openclaw/exec-approvals.json`` (``methods.md`` 12.3). Other programs own it too: what we do not
know in it stays, and nothing is written over what the writer has not read.

Everything here blocks on the disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from openclaw.approvals.errors import ApprovalsChanged, ApprovalsHashMissing
from openclaw.config.files import make_private_directory, replace_file, sync_directory

NAME = "exec-approvals.json"
MAIN = "main"

#: Members of the file that are read; others are kept and not shown.
RULES = ("security", "ask", "askFallback", "autoAllowSkills")
ENTRY = ("id", "pattern", "lastUsedAt", "lastUsedCommand", "lastResolvedPath")

Members = Mapping[str, Any]
Change = Callable[[dict[str, Any]], dict[str, Any]]

_writing = threading.Lock()


@frozen(kw_only=True)
class ApprovalsSnapshot:
    """
    The file as it was found.

    :ivar hash: of its text; of nothing when there is no file.
    :ivar content: all of it, known or not; empty where it is no object.
    :ivar whole: false where there is a file that cannot be understood: then nothing in it allows anything.
    """

    path: Path
    exists: bool
    hash: str
    content: Members
    whole: bool = True

    def shown(self) -> dict[str, Any]:
        """
        As clients see it: the known members, without the socket's token.
        """
        return {"path": str(self.path), "exists": self.exists, "hash": self.hash, "file": shown_file(self.content)}


def approvals_path(home: Path) -> Path:
    """
    Where the file is, whatever the state directory.
    """
    return home / ".openclaw" / NAME


def read_approvals(path: Path) -> ApprovalsSnapshot:
    """
    :raise OSError: there is something that cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ApprovalsSnapshot(path=path, exists=False, hash=hashlib.sha256(b"").hexdigest(), content={})
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    whole = isinstance(content, dict) and content.get("version") == 1
    return ApprovalsSnapshot(
        path=path,
        exists=True,
        hash=hashlib.sha256(data).hexdigest(),
        content=content if whole else {},
        whole=whole,
    )


def ensure_approvals(path: Path) -> ApprovalsSnapshot:
    """
    The file; where there is none it is made, with a token for its socket.
    """
    found = read_approvals(path)
    if found.exists:
        return found
    with _only_writer(path):
        found = read_approvals(path)
        return found if found.exists else _write(path, _with_socket({}, path))


def set_approvals(path: Path, file: Members, base_hash: str | None) -> ApprovalsSnapshot:
    """
    Give the file other rules.

    :param file: as clients know it. What they cannot know (other members, the socket's token) is taken over.
    :param base_hash: of the text that these rules were made from; needed where there is one.
    :raise ApprovalsHashMissing: it was not given.
    :raise ApprovalsChanged: the file is another one by now.
    """
    with _only_writer(path):
        before = read_approvals(path)
        if before.exists:
            if not base_hash or not base_hash.strip():
                raise ApprovalsHashMissing()
            if base_hash.strip() != before.hash:
                raise ApprovalsChanged()
        if not before.whole:
            _set_aside(path)
        return _write(path, _with_socket(_merged(before.content, file), path))


def change_approvals(path: Path, change: Change) -> ApprovalsSnapshot:
    """
    Change something in the file as it is now.

    :raise ApprovalsChanged: it cannot be understood, so that nothing can be changed in it.
    """
    with _only_writer(path):
        before = read_approvals(path)
        if not before.whole:
            raise ApprovalsChanged()
        return _write(path, _with_socket(change(dict(before.content)), path))


@contextmanager
def _only_writer(path: Path) -> Iterator[None]:
    # The directory itself is locked, so that no file is left behind; the lock dies with the process.
    make_private_directory(path.parent)
    with _writing:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _write(path: Path, content: Members) -> ApprovalsSnapshot:
    # A link stays a link: what it points to is replaced.
    target = path.resolve()
    try:
        data = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:
        # Half a character, which only JSON's own escapes can hold.
        data = (json.dumps(content, indent=2) + "\n").encode()
    replace_file(target, data)
    return ApprovalsSnapshot(path=path, exists=True, hash=hashlib.sha256(data).hexdigest(), content=content)


def _set_aside(path: Path) -> None:
    """
    Keep a file that cannot be understood and is about to be replaced.
    """
    path.resolve().replace(path.with_name(f"{NAME}.unreadable"))
    sync_directory(path.parent)


def _with_socket(content: dict[str, Any], path: Path) -> dict[str, Any]:
    socket = content.get("socket")
    known = dict(socket) if isinstance(socket, Mapping) else {}
    if not known.get("path"):
        known["path"] = str(path.with_name("exec-approvals.sock"))
    if not known.get("token"):
        known["token"] = secrets.token_urlsafe(24)
    rest = {name: value for name, value in content.items() if name not in ("version", "socket", "defaults", "agents")}
    return {
        "version": 1,
        "socket": known,
        "defaults": content.get("defaults") or {},
        "agents": content.get("agents") or {},
        **rest,
    }


# -- what clients see -------------------------------------------------------------------------------------------------


def shown_file(content: Members) -> dict[str, Any]:
    """
    The known members of the file.
    """
    socket = _object(content.get("socket"))
    shown: dict[str, Any] = {"version": 1, "socket": {}}
    if isinstance(socket.get("path"), str):
        shown["socket"] = {"path": socket["path"]}
    shown["defaults"] = _shown_rules(_object(content.get("defaults")))
    shown["agents"] = {name: _shown_agent(_object(agent)) for name, agent in agents_of(content).items()}
    sayable: dict[str, Any] = _sayable(shown)
    return sayable


def _sayable(value: Any) -> Any:
    """
    A value without half characters, which no frame can carry.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_sayable(name): _sayable(item) for name, item in value.items()}
    return [_sayable(item) for item in value] if isinstance(value, list) else value


def _shown_rules(rules: Members) -> dict[str, Any]:
    kinds = {"autoAllowSkills": bool}
    return {name: rules[name] for name in RULES if isinstance(rules.get(name), kinds.get(name, str))}


def _shown_agent(agent: Members) -> dict[str, Any]:
    shown = _shown_rules(agent)
    if isinstance(agent.get("allowlist"), list):
        shown["allowlist"] = [_shown_entry(entry) for entry in entries_of(agent)]
    return shown


def _shown_entry(entry: Members) -> dict[str, Any]:
    shown = {name: entry[name] for name in ENTRY if isinstance(entry.get(name), str) and entry[name]}
    used = entry.get("lastUsedAt")
    if isinstance(used, int | float) and not isinstance(used, bool) and used >= 0:
        shown["lastUsedAt"] = int(used)
    return {"pattern": entry["pattern"], **shown}


def agents_of(content: Members) -> Mapping[str, Members]:
    """
    The agents of a file by id, where ``default`` is an old name of ``main``.
    """
    agents = {name: _object(agent) for name, agent in _object(content.get("agents")).items()}
    old = agents.pop("default", None)
    if old is not None:
        agents[MAIN] = _joined(agents.get(MAIN, {}), old)
    return agents


def entries_of(agent: Members) -> Sequence[Members]:
    """
    The entries of an agent's allowlist that have a pattern.
    """
    entries = agent.get("allowlist")
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("pattern"), str)]


def _joined(agent: Members, old: Members) -> dict[str, Any]:
    joined = {**old, **agent}
    if "allowlist" in old or "allowlist" in agent:
        mine = list(entries_of(agent))
        patterns = {entry["pattern"] for entry in mine}
        joined["allowlist"] = [*mine, *(entry for entry in entries_of(old) if entry["pattern"] not in patterns)]
    return joined


def _object(value: Any) -> Members:
    return value if isinstance(value, Mapping) else {}


# -- what is written --------------------------------------------------------------------------------------------------


def _merged(before: Members, file: Members) -> dict[str, Any]:
    """
    New rules over an old file, of which everything stays that clients are not shown.
    """
    merged = {name: value for name, value in before.items() if name not in ("version", "socket", "defaults", "agents")}
    given = {name: value for name, value in _object(file.get("socket")).items() if value}
    merged["socket"] = {**_object(before.get("socket")), **given}
    merged["defaults"] = _merged_rules(_object(before.get("defaults")), _object(file.get("defaults")))
    known = agents_of(before)
    merged["agents"] = {name: _merged_agent(known.get(name, {}), agent) for name, agent in agents_of(file).items()}
    return merged


def _merged_rules(before: Members, rules: Members) -> dict[str, Any]:
    kept = {name: value for name, value in before.items() if name not in (*RULES, "allowlist")}
    return {**kept, **{name: value for name, value in rules.items() if value is not None and name != "allowlist"}}


def _merged_agent(before: Members, agent: Members) -> dict[str, Any]:
    merged = _merged_rules(before, agent)
    if agent.get("allowlist") is not None:
        # An id of another kind is none.
        known = {entry["id"]: entry for entry in entries_of(before) if isinstance(entry.get("id"), str)}
        merged["allowlist"] = [_merged_entry(known.get(entry.get("id"), {}), entry) for entry in entries_of(agent)]
    return merged


def _merged_entry(before: Members, entry: Members) -> dict[str, Any]:
    same = before if before.get("pattern") == entry["pattern"] else {}
    kept = {name: value for name, value in same.items() if name not in ENTRY}
    given = {name: value for name, value in entry.items() if value is not None}
    return {**given, "id": given.get("id") or new_entry_id(), **kept}


def new_entry_id() -> str:
    return str(uuid.uuid4())
