"""
Heartbeats: an agent looks by itself, from time to time, whether there is something to do (``agent.md`` 23).

Here is what of them is settled by the configuration and by texts alone; the timers are ``openclaw.gateway.heartbeats``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo

from attrs import frozen

from openclaw.clock import MACHINE_ZONE
from openclaw.config.durations import duration_ms
from openclaw.config.model import Config
from openclaw.config.model_agents import ActiveHoursConfig, HeartbeatConfig
from openclaw.sessions.keys import canonical_key, default_agent, main_session_key, normalize_agent_id

#: What a model says when nothing needs attention.
OK: Final = "HEARTBEAT_OK"

#: The workspace file with the agent's tasks.
TASKS: Final = "HEARTBEAT.md"

PROMPT: Final = (
    f"This is a heartbeat: nobody has written. Read {TASKS} in the workspace if it exists and do what it asks for. "
    "Take up no tasks of earlier conversations by yourself. "
    f"If nothing needs attention, answer {OK} and nothing else."
)

#: For ``every`` where a configuration says nothing.
DEFAULT_EVERY: Final = "30m"

_TAG = re.compile(r"<[^<>]*>")
_AROUND = " \t\r\n*_~`\"'"
_HEADING = re.compile(r"#+(\s.*)?")
_EMPTY_ITEM = re.compile(r"[-*+]\s*(\[[ xX]?\])?")

#: What an agent's own settings are where it does not say: then the defaults count.
_UNSET = HeartbeatConfig()

Answer = Literal["empty", "token", "text"]


@frozen(kw_only=True)
class Heartbeat:
    """
    The heartbeat of one agent.

    :ivar every_ms: ``None`` if it is off.
    :ivar every: the same for people.
    :ivar session: key of the session it is in, as configured; ``None`` is the agent's main session.
    """

    agent_id: str
    every_ms: int | None
    every: str
    prompt: str
    target: str
    model: str | None
    session: str | None
    ack_max_chars: int
    active_hours: ActiveHoursConfig

    def session_key(self, config: Config) -> str:
        """
        The canonical key of its session.
        """
        named = (self.session or "").strip()
        if not named or named.lower() == "main":
            return main_session_key(config, self.agent_id)
        if named.lower() == "global" or named.lower().startswith("agent:"):
            return canonical_key(named, config)
        return canonical_key(f"agent:{self.agent_id}:{named}", config)


def heartbeat_of(config: Config, agent_id: str) -> Heartbeat:
    """
    The heartbeat of an agent as the configuration has it. If any agent has one of its own, only those have one.
    """
    own = {normalize_agent_id(entry.id): entry.heartbeat for entry in config.agents.list if entry.heartbeat}
    defaults = config.agents.defaults.heartbeat
    chosen = own.get(agent_id) or defaults
    runs = agent_id in own if own else agent_id == default_agent(config)
    every = (chosen.every or defaults.every or DEFAULT_EVERY).strip()
    every_ms = (duration_ms(every) or None) if runs else None
    return Heartbeat(
        agent_id=agent_id,
        every_ms=every_ms,
        every="disabled" if every_ms is None else every,
        prompt=_text(chosen.prompt, defaults.prompt) or PROMPT,
        target=defaults.target if chosen.target == _UNSET.target else chosen.target,
        model=_text(chosen.model, defaults.model),
        session=_text(chosen.session, defaults.session),
        ack_max_chars=(defaults if chosen.ack_max_chars == _UNSET.ack_max_chars else chosen).ack_max_chars,
        active_hours=_hours(chosen, defaults),
    )


def heartbeats(config: Config) -> Sequence[Heartbeat]:
    """
    The agents whose heartbeat is on.
    """
    ids = dict.fromkeys([default_agent(config), *(normalize_agent_id(entry.id) for entry in config.agents.list)])
    found = [heartbeat_of(config, agent_id) for agent_id in ids]
    return [one for one in found if one.every_ms is not None]


def _hours(chosen: HeartbeatConfig, defaults: HeartbeatConfig) -> ActiveHoursConfig:
    return chosen.active_hours if chosen.active_hours.start or chosen.active_hours.end else defaults.active_hours


def _text(*values: str | None) -> str | None:
    return next((value.strip() for value in values if value is not None and value.strip()), None)


# -- when -------------------------------------------------------------------------------------------------------------


def is_active(hours: ActiveHoursConfig, moment: float, user_zone: str | None) -> bool:
    """
    Whether a heartbeat may run at a moment.

    :param moment: seconds since the epoch.
    :param user_zone: ``agents.defaults.userTimezone``.
    """
    if not hours.start or not hours.end:
        return True
    start, end = _minutes(hours.start), _minutes(hours.end)
    if start == end:
        return True
    local = datetime.fromtimestamp(moment, _zone(hours.timezone, user_zone))
    now = local.hour * 60 + local.minute
    return start <= now < end if start < end else now >= start or now < end


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _zone(named: str | None, user_zone: str | None) -> tzinfo:
    word = (named or "user").strip()
    for name in (user_zone if word == "user" else word, user_zone):
        if word == "local":
            break
        if name:
            try:
                return ZoneInfo(name)
            except (ValueError, OSError, LookupError):
                continue
    return MACHINE_ZONE


# -- texts ------------------------------------------------------------------------------------------------------------


def has_tasks(text: str) -> bool:
    """
    Whether a task file asks for anything: it has more than blank lines, headings and empty list items.
    """
    lines = (line.strip() for line in text.splitlines())
    return any(line and not _HEADING.fullmatch(line) and not _EMPTY_ITEM.fullmatch(line) for line in lines)


def judge(text: str, most: int) -> tuple[Answer, str]:
    """
    What an answer to a heartbeat says.

    :param most: characters that may stand beside the word which says that all is well.
    :return: which it is, and the text without that word.
    """
    if not text.strip():
        return "empty", ""
    bare = _TAG.sub(" ", text).strip(_AROUND)
    found, rest = False, bare
    while rest.startswith(OK) or rest.rstrip(".!").endswith(OK):
        found = True
        rest = rest.removeprefix(OK) if rest.startswith(OK) else rest.rstrip(".!").removesuffix(OK)
        rest = rest.strip(_AROUND)
    if not found:
        return "text", text.strip()
    rest = rest.strip(_AROUND + ".!,:;-—")
    return ("token", rest) if len(rest) <= most else ("text", rest)
