"""
PDFs, read by a child process with limits (``http.md`` 6.5).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import DeferredSemaphore

from openclaw.documents import pdf_child
from openclaw.documents.errors import InvalidPdf, LockedPdf, TooCostly
from openclaw.processes import Finished, ProcessFailed, Runner

MiB = 1024 * 1024

#: Of one child.
MEMORY_BYTES = 768 * MiB
CPU_TIME = timedelta(seconds=10)
#: Of one child, with what it waits for a processor.
LIMIT = timedelta(seconds=30)

#: Children at once; others wait.
AT_ONCE = 2

#: What a child may say: text, or so many pictures in base64.
MOST_OUTPUT = 64 * MiB


@frozen(kw_only=True)
class PdfLimits:
    """
    How much of a PDF is read.

    :ivar pages: from the first one.
    :ivar chars: of text, in all.
    :ivar pixels: of one picture.
    :ivar image_bytes: of one picture.
    """

    pages: int
    chars: int
    pixels: int
    image_bytes: int


class Pdfs(Protocol):
    """
    Reads PDFs.
    """

    async def text(self, data: bytes, limits: PdfLimits) -> str:
        """
        The text of the first pages; empty where they are only pictures.

        :raise InvalidPdf: it is none.
        :raise LockedPdf: it needs a password.
        :raise TooCostly: it takes too much time or memory.
        """
        ...

    async def images(self, data: bytes, limits: PdfLimits) -> Sequence[str]:
        """
        The first pages as PNG in base64; none where they cannot be made.
        """
        ...


@define(kw_only=True, eq=False)
class PdfReader:
    """
    Reads each in a child process.

    :ivar run: with an environment that holds no secret, as the child reads what strangers sent.
    """

    run: Runner
    memory_bytes: int = MEMORY_BYTES
    cpu_time: timedelta = CPU_TIME
    limit: timedelta = LIMIT
    python: str = sys.executable
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)

    async def text(self, data: bytes, limits: PdfLimits) -> str:
        told = await self._read("text", data, {"pages": limits.pages, "chars": limits.chars})
        return str(told["text"])

    async def images(self, data: bytes, limits: PdfLimits) -> Sequence[str]:
        most = {"pages": limits.pages, "pixels": limits.pixels, "bytes": limits.image_bytes}
        try:
            told = await self._read("images", data, most)
        except (InvalidPdf, TooCostly):
            return []
        return list(told["images"])

    async def _read(self, mode: str, data: bytes, most: dict[str, int]) -> dict[str, Any]:
        limits = {"memory": self.memory_bytes, "seconds": round(self.cpu_time.total_seconds()), **most}
        command = [self.python, "-I", str(Path(pdf_child.__file__)), mode, json.dumps(limits)]
        await self._turns.acquire()
        try:
            finished = await self.run(command, limit=self.limit, most_bytes=MOST_OUTPUT, stdin=data)
        except ProcessFailed as error:
            raise TooCostly() from error
        finally:
            self._turns.release()
        return _told(finished)


def _told(finished: Finished) -> dict[str, Any]:
    if finished.exit_code == pdf_child.INVALID:
        raise InvalidPdf()
    if finished.exit_code == pdf_child.LOCKED:
        raise LockedPdf()
    if finished.exit_code == pdf_child.UNAVAILABLE:
        return {"images": []}
    if finished.exit_code != 0:
        raise TooCostly()
    told: dict[str, Any] = json.loads(finished.output)
    return told
