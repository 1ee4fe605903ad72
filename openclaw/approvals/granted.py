"""
Leave that people have given to clients, until it is used.

A client asks with ``exec.approval.request``, and then has a node run the command. What it says of the approval counts
for nothing; this does. Leave is for what was shown: the command, where it runs and for whom, asked for by the same
client, once.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from attrs import define, field, frozen

from openclaw.approvals.questions import shown_request
from openclaw.clock import Seconds

#: Leave that was not used by then is none any more.
LIFETIME = timedelta(minutes=10)
MOST_GRANTED = 256
#: Members of a request that leave is bound to, beside the command.
BOUND = ("cwd", "host", "agentId", "sessionKey")

_SHELLS = frozenset(place + name for place in ("", "/bin/", "/usr/bin/") for name in ("sh", "bash", "zsh", "dash"))


@frozen(kw_only=True)
class _Grant:
    request: Mapping[str, Any]
    decision: str
    by: str
    until: float


@define(eq=False)
class Granted:
    """
    What was granted and not used yet.
    """

    clock: Seconds
    _grants: dict[str, _Grant] = field(factory=dict, init=False)

    def add(self, id: str, request: Mapping[str, Any], decision: str, by: str) -> None:
        """
        :param request: as it was shown to who decided.
        :param by: who asked.
        """
        self._grants.pop(id, None)
        while len(self._grants) >= MOST_GRANTED:
            del self._grants[next(iter(self._grants))]
        until = self.clock.seconds() + LIFETIME.total_seconds()
        self._grants[id] = _Grant(request=request, decision=decision, by=by, until=until)

    def take(self, id: str, params: Mapping[str, Any], by: str) -> str | None:
        """
        Use leave for what a node is to run.

        :param params: of ``system.run``.
        :return: the decision; ``None`` where there is no leave for exactly that.
        """
        grant = self._grants.get(id)
        if grant is None or grant.by != by or grant.until < self.clock.seconds() or not _fits(grant.request, params):
            return None
        del self._grants[id]
        return grant.decision


def _fits(request: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    argv = params.get("command")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        return False
    wanted = shown_request({**{name: params.get(name) for name in BOUND}, "host": "node"})
    if any((request.get(name) or None) != (wanted.get(name) or None) for name in BOUND):
        return False
    return any(shown_request({"command": text})["command"] == request.get("command") for text in texts(argv))


def texts(argv: Sequence[str]) -> list[str]:
    """
    How clients write the arguments of a command for who decides: as a shell reads them, quoted as the reference's
    command line does, and for a line that one of the system's shells is given, that line.
    """
    plain = " ".join('"' + word.replace('"', '\\"') + '"' if re.search(r'[\s"]', word) else word for word in argv)
    found = [shlex.join(argv), plain]
    if len(argv) == 3 and argv[0] in _SHELLS and argv[1] in ("-c", "-lc"):
        found.append(argv[2])
    return found
