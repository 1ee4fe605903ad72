"""
Whether a command line may run: the rules that hold for an agent, and the decision (``agent.md`` 21).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from openclaw.approvals.file import MAIN, ApprovalsSnapshot, agents_of, entries_of, new_entry_id
from openclaw.approvals.programs import IGNORES_CASE, literal, matches, resolve
from openclaw.approvals.runners import carries_command, runs_anything
from openclaw.approvals.safe_bins import DEFAULT, is_safe
from openclaw.approvals.scripts import script_hash
from openclaw.approvals.shell import NotAnalysable, Segment, parse
from openclaw.logs.redact import BUILT_IN, redact_shapes

#: From the strictest.
SECURITY = ("deny", "allowlist", "full")
#: From the one that asks least.
ASK = ("off", "on-miss", "always")

#: Of a command that was allowed so many characters are kept.
MOST_KEPT = 500

#: The agent whose rules hold for every agent.
EVERYBODY = "*"

#: The member of an entry, ours alone, that binds it to what a script said when it was allowed.
SCRIPT_HASH = "sha256"


def stricter(*levels: str | None) -> str:
    """
    The strictest of some levels of security; one that nobody knows is the strictest there is.
    """
    known = [level for level in levels if level is not None]
    return min((level if level in SECURITY else SECURITY[0] for level in known), key=SECURITY.index, default="deny")


def more_asking(*modes: str | None) -> str:
    """
    The mode of some that asks most.
    """
    known = [mode for mode in modes if mode is not None]
    return max((mode if mode in ASK else ASK[-1] for mode in known), key=ASK.index, default="on-miss")


@frozen(kw_only=True)
class Entry:
    """
    An entry of an allowlist.

    :ivar agent: whose list it stands in.
    :ivar members: as in the file.
    """

    agent: str
    members: Mapping[str, Any]

    @property
    def pattern(self) -> str:
        return str(self.members["pattern"])


@frozen(kw_only=True)
class Rules:
    """
    What holds for one agent.
    """

    security: str = "deny"
    ask: str = "on-miss"
    ask_fallback: str = "deny"
    auto_allow_skills: bool = False
    allowlist: Sequence[Entry] = ()


def rules_for(
    content: Mapping[str, Any], agent_id: str, *, security: str | None = None, ask: str | None = None
) -> Rules:
    """
    The rules of an agent: the stricter of the file and of what is configured.

    :param content: the file's; an agent's own members come before those of ``*``, these before the defaults.
    :param security: as configured; where the file says nothing, this counts alone.
    """
    agents = agents_of(content)
    own, everybody = agents.get(agent_id or MAIN, {}), agents.get(EVERYBODY, {})
    defaults = content.get("defaults")
    levels = [own, everybody, defaults if isinstance(defaults, Mapping) else {}]

    def said(name: str) -> Any:
        return next((level[name] for level in levels if level.get(name) is not None), None)

    fallback = said("askFallback")
    return Rules(
        security=stricter(_text(said("security")), security),
        ask=more_asking(_text(said("ask")), ask),
        ask_fallback=fallback if fallback in SECURITY else "deny",
        auto_allow_skills=said("autoAllowSkills") is True,
        allowlist=[
            Entry(agent=name, members=members)
            for name, agent in ((EVERYBODY, everybody), (agent_id or MAIN, own))
            for members in entries_of(agent)
        ],
    )


def rules_of(
    snapshot: ApprovalsSnapshot, agent_id: str, *, security: str | None = None, ask: str | None = None
) -> Rules:
    """
    The rules of an agent as the file has them. One that cannot be understood allows nothing: it may have said so.
    """
    return rules_for(snapshot.content, agent_id, security=security, ask=ask) if snapshot.whole else Rules()


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


@frozen(kw_only=True)
class Surroundings:
    """
    Where a command would run.

    :ivar search: the directories of ``PATH``.
    :ivar skill_bins: programs that skills need.
    """

    cwd: Path
    home: Path
    search: Sequence[str]
    safe_bins: Sequence[str] = DEFAULT
    skill_bins: Collection[str] = ()
    ignore_case: bool = IGNORES_CASE


@frozen(kw_only=True)
class Program:
    """
    What one command of a line runs.

    :ivar path: ``None`` where there is no such program.
    :ivar allowed: whether it may run unasked.
    :ivar entry: the entry of the allowlist that says so, if it is one.
    :ivar rememberable: whether leave for it can be kept.
    """

    argv: Sequence[str]
    path: str | None
    allowed: bool
    entry: Entry | None = None
    rememberable: bool = False


@frozen(kw_only=True)
class Verdict:
    """
    What is to happen with a command line.

    :ivar reason: why it may not run, as the model is told; why it is asked for.
    :ivar programs: what it runs; none where that is not certain.
    :ivar matched: whether the allowlist alone would let it run.
    """

    kind: Literal["run", "ask", "deny"]
    reason: str = ""
    programs: Sequence[Program] = ()
    matched: bool = False

    @property
    def resolved_path(self) -> str | None:
        """
        Of the first program, for who is asked.
        """
        return self.programs[0].path if self.programs else None

    @property
    def used(self) -> list[Program]:
        """
        The programs that entries of the allowlist let run.
        """
        return [program for program in self.programs if program.entry is not None]

    @property
    def remembered(self) -> list[str]:
        """
        What "always" adds to the allowlist: every program that was missed and is one to be kept. None when there is
        one among them that is not.
        """
        missed = [program for program in self.programs if not program.allowed]
        if not all(program.rememberable for program in missed):
            return []
        return list(dict.fromkeys(program.path for program in missed if program.path is not None))


def weigh(command: str, rules: Rules, around: Surroundings, *, host: str = "gateway") -> Verdict:
    """
    Decide about a command line. Blocks on the disk.

    :param host: where it would run, as the model is told.
    """
    if rules.security == "deny":
        return Verdict(kind="deny", reason=f"exec denied: host={host} security=deny")
    why = ""
    programs: Sequence[Program] = ()
    try:
        programs = [look_at(segment, rules, around) for segment in parse(command)]
    except NotAnalysable as error:
        why = str(error)
    matched = bool(programs) and all(program.allowed for program in programs)
    if rules.ask == "always":
        return Verdict(kind="ask", reason="Every command is asked for.", programs=programs, matched=matched)
    if rules.security == "full" or matched:
        return Verdict(kind="run", programs=programs, matched=matched)
    if rules.ask == "off":
        return Verdict(kind="deny", reason="exec denied: allowlist miss", programs=programs)
    return Verdict(kind="ask", reason=why or "A program is not on the allowlist.", programs=programs)


def undecided(verdict: Verdict, rules: Rules) -> bool:
    """
    Whether a command runs that nobody has decided on in time.
    """
    allowed: bool = rules.ask_fallback == "full" or (rules.ask_fallback == "allowlist" and verdict.matched)
    return allowed


def look_at(segment: Segment, rules: Rules, around: Surroundings) -> Program:
    """
    What one command of a line runs, and whether it may.
    """
    argv = segment.argv
    path = resolve(argv[0], around.cwd, around.search)
    if path is None or runs_anything(path) or carries_command(path, argv[1:], expands=segment.expands):
        return Program(argv=argv, path=path, allowed=False)
    entry = next((entry for entry in rules.allowlist if _names(entry, path, around)), None)
    allowed = entry is not None
    if not allowed and not segment.expands:
        allowed = is_safe(argv, path, around.safe_bins)
    if not allowed and rules.auto_allow_skills:
        allowed = "/" not in argv[0] and argv[0] in around.skill_bins and not _is_below(path, around.cwd)
    # What is made where the agent works can be made again: only what a script says can be bound.
    rememberable = literal(path) and (not _is_below(path, around.cwd) or script_hash(path) is not None)
    return Program(argv=argv, path=path, allowed=allowed, entry=entry, rememberable=rememberable)


def _is_below(path: str, directory: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))


def _names(entry: Entry, path: str, around: Surroundings) -> bool:
    if not matches(entry.pattern, path, home=around.home, ignore_case=around.ignore_case):
        return False
    bound = entry.members.get(SCRIPT_HASH)
    return bound is None or bound == script_hash(path)


# -- what is written to the file --------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Use:
    """
    What a command that ran says of the allowlist. A change for ``file.change_approvals``.

    :ivar remembered: paths to add.
    """

    agent_id: str
    command: str
    now_ms: int
    used: Sequence[Program] = ()
    remembered: Sequence[str] = ()
    make_id: Callable[[], str] = new_entry_id

    def __call__(self, content: dict[str, Any]) -> dict[str, Any]:
        agents = {name: dict(agent) for name, agent in agents_of(content).items()}
        for program in self.used:
            entry = program.entry
            if entry is not None and entry.agent in agents:
                self._touch(agents[entry.agent], entry, str(program.path))
        if self.remembered:
            agent = agents.setdefault(self.agent_id or MAIN, {})
            agent["allowlist"] = [
                # Also one of the same path that was bound to another content.
                *(entry for entry in _list(agent) if not _is_of(entry, self.remembered)),
                *map(self._new, self.remembered),
            ]
        return {**content, "agents": agents}

    def _touch(self, agent: dict[str, Any], entry: Entry, path: str) -> None:
        told = {"lastUsedAt": self.now_ms, "lastUsedCommand": self._kept(), "lastResolvedPath": path}
        agent["allowlist"] = [{**members, **told} if _same(members, entry) else members for members in _list(agent)]

    def _new(self, path: str) -> dict[str, Any]:
        told = {"id": self.make_id(), "pattern": path, "lastUsedAt": self.now_ms, "lastUsedCommand": self._kept()}
        bound = script_hash(path)
        return told if bound is None else {**told, SCRIPT_HASH: bound}

    def _kept(self) -> str:
        # Commands hold secrets, and this file is shown to clients.
        return redact_shapes(self.command, BUILT_IN)[:MOST_KEPT]


def _list(agent: Mapping[str, Any]) -> list[Any]:
    """
    An agent's allowlist with all that stands in it; what is no list is none.
    """
    entries = agent.get("allowlist")
    return entries if isinstance(entries, list) else []


def _is_of(entry: Any, paths: Sequence[str]) -> bool:
    return isinstance(entry, Mapping) and entry.get("pattern") in paths


def _same(members: Any, entry: Entry) -> bool:
    if not isinstance(members, Mapping) or members.get("pattern") != entry.pattern:
        return False
    return members.get("id") == entry.members.get("id")
