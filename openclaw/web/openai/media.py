"""
Reading the pictures and files of a request.
"""

from __future__ import annotations

from collections.abc import Sequence

from openclaw.web.openai.errors import InvalidRequest
from openclaw.web.openai.sources import Brought, Source


class NoMedia:
    """
    Takes none.
    """

    async def read(self, sources: Sequence[Source]) -> Brought:
        """
        :raise InvalidRequest: there are some.
        """
        if sources:
            raise InvalidRequest("Pictures and files are not taken.")
        return Brought()
