"""
What the system's own supervisor says of the gateway. It is only asked here; ``openclaw.cli.service`` changes it.
"""

from __future__ import annotations

from openclaw.cli.context import Context
from openclaw.daemon import manage
from openclaw.daemon.base import Supervised
from openclaw.daemon.systemd import unit_name

__all__ = ["Supervised", "inspect_node", "inspect_service", "unit_name"]


def inspect_service(context: Context, *, system: bool = False) -> Supervised:
    """
    Ask the supervisor; costs a child process.

    :param system: for the machine's service.
    """
    return manage.inspect_service(context.environ, context.home, system=system)


def inspect_node(context: Context) -> Supervised:
    """
    The same for the service of a node host.
    """
    return manage.inspect_node(context.environ, context.home)
