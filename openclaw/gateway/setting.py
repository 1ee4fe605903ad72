"""
What a gateway is made with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Thread

from attrs import field, frozen

from openclaw.agent.providers.base import Model, ResolvedModel
from openclaw.agent.tools import Tool
from openclaw.config.auth import ResolvedAuth
from openclaw.config.loader import Snapshot
from openclaw.config.model import Config
from openclaw.config.model_gateway import TailscaleConfig
from openclaw.egress.fetch import Egress
from openclaw.logs.wslog import Style
from openclaw.store.claims import Claim
from openclaw.tls.pair import Pair


@frozen(kw_only=True)
class Setting:
    """
    Where a gateway runs: everything that is decided before its parts are made.

    :ivar environ: with what the file's ``env`` block adds.
    :ivar own_environ: without it, where that is not the same.
    :ivar hosts: addresses to listen on, the first of which must work.
    :ivar claims: what no other gateway may have.
    :ivar tls: what the gateway's port encrypts with, if it does.
    :ivar tailscale: how Tailscale is to publish the gateway.
    :ivar verbose: the console shows debug, and every frame is told.
    :ivar under_twistd: ``twistd`` owns the console, the daemon and the signals.
    :ivar logs: whether log observers are started; tests in memory have their own.
    :ivar watched: whether somebody measures how late the reactor is; in memory nothing is late.
    :ivar follows: whether the configuration file is followed when others write it; in memory nobody does.
    :ivar make_model: in place of the providers; tests give a twin.
    :ivar tools: what the agent can do, in place of the gateway's own tools.
    :ivar egress: fetches what others name; without one it is made.
    :ivar spawn: runs work of the user's in a thread of its own, which does not keep the process from ending.
    """

    snapshot: Snapshot
    config: Config
    auth: ResolvedAuth
    hosts: tuple[str, ...]
    port: int
    state_dir: Path
    home: Path
    environ: Mapping[str, str]
    own_environ: Mapping[str, str] | None = None
    claims: tuple[Claim, ...] = ()
    tls: Pair | None = None
    tailscale: TailscaleConfig = field(factory=TailscaleConfig)
    verbose: bool = False
    ws_log: Style = "auto"
    watched: bool = True
    follows: bool = True
    under_twistd: bool = False
    logs: bool = True
    make_model: Callable[[ResolvedModel], Model] | None = None
    tools: Sequence[Tool] | None = None
    egress: Egress | None = None
    spawn: Callable[[Callable[[], None]], object] = lambda work: Thread(target=work, daemon=True).start()
