"""
``plugins``: programs of others that the gateway takes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

#: The group of entry points by which installed packages say that they are plugins.
GROUP: Final = "openclaw.plugins"


@frozen(kw_only=True)
class PluginConfig:
    """
    An entry of ``plugins.entries``.

    :ivar config: for the plugin itself.
    """

    enabled: bool = False
    config: Mapping[str, Any] = field(factory=dict, repr=False, metadata={"secret": True})


@frozen(kw_only=True)
class PluginsConfig:
    """
    ``plugins``.
    """

    enabled: bool = True
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    entries: Mapping[str, PluginConfig] = field(factory=dict)

    @property
    def wanted(self) -> list[str]:
        """
        Those that are to be loaded. Being installed is not enough: somebody has to have said so.
        """
        if not self.enabled:
            return []
        return [
            name
            for name, entry in self.entries.items()
            if entry.enabled and name not in self.deny and (not self.allow or name in self.allow)
        ]
