"""
The browser of a node: ``browser.request``.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class BrowserRequestParams:
    """
    Ask a browser's control service.

    :ivar method: ``GET``, ``POST`` or ``DELETE``, in any case.
    :ivar path: of the service.
    :ivar timeout_ms: ten minutes at most.
    """

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Any = None
    timeout_ms: int | None = None
