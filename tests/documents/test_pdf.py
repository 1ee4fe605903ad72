"""
PDFs, read by real child processes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase

from openclaw.documents.errors import InvalidPdf, LockedPdf, TooCostly, UnreadableDocument
from openclaw.documents.pdf import PdfLimits, PdfReader
from openclaw.processes import Finished, ReactorRunner
from tests.documents.making import LINES, bombs, written

MiB = 1024 * 1024
LIMITS = PdfLimits(pages=2, chars=10_000, pixels=100_000, image_bytes=MiB)
PNG = b"\x89PNG\r\n\x1a\n"


def reader(**limits: Any) -> PdfReader:
    return PdfReader(run=ReactorRunner(reactor=reactor, environ={}), **limits)


class ReadingTests(TestCase):
    async def test_text(self) -> None:
        """
        The words of the first pages, and none of those after them.
        """
        text = await reader().text(written(LINES[:2], LINES[2:3], LINES[3:]), LIMITS)
        self.assertEqual(text, f"{LINES[0]} {LINES[1]}\n\n{LINES[2]}")

    async def test_chars(self) -> None:
        limits = PdfLimits(pages=1, chars=9, pixels=1, image_bytes=1)
        self.assertEqual(await reader().text(written(LINES), limits), "The quick")

    async def test_images(self) -> None:
        """
        Pictures of the first pages, within the pixels that one may have.
        """
        images = [base64.b64decode(image) for image in await reader().images(written(*[LINES] * 3), LIMITS)]
        self.assertEqual([image[:8] for image in images], [PNG, PNG])
        width, height = (int.from_bytes(images[0][place : place + 4]) for place in (16, 20))
        self.assertLessEqual(width * height, 101_000)
        self.assertAlmostEqual(width / height, 612 / 792, places=1)

    async def test_large_pages(self) -> None:
        """
        What would be a picture of billions of points is none; what is too many bytes neither.
        """
        self.assertEqual(await reader().images(written(LINES, box=b"[0 0 90000 90000]"), LIMITS), [])
        few = PdfLimits(pages=1, chars=1, pixels=100_000, image_bytes=100)
        self.assertEqual(await reader().images(written(LINES), few), [])

    async def test_no_pdf(self) -> None:
        for data in (b"not a pdf", b"", b"%PDF-1.4\n%%EOF", b"%PDF-" + bytes(1000)):
            with self.assertRaises(InvalidPdf):
                await reader().text(data, LIMITS)
            self.assertEqual(await reader().images(data, LIMITS), [])

    async def test_locked(self) -> None:
        from io import BytesIO

        from pypdf import PdfReader as Opened
        from pypdf import PdfWriter

        locked, writer = BytesIO(), PdfWriter(clone_from=Opened(BytesIO(written(LINES))))
        writer.encrypt("secret")
        writer.write(locked)
        with self.assertRaises(LockedPdf):
            await reader().text(locked.getvalue(), LIMITS)


class BombTests(TestCase):
    """
    Each is read or refused within the limits of its child.
    """

    timeout = 240

    async def test_bombs(self) -> None:
        small = reader(memory_bytes=400 * MiB, cpu_time=timedelta(seconds=3), limit=timedelta(seconds=20))
        for name, data in bombs().items():
            self.assertLess(len(data), 5 * MiB, name)
            try:
                text = await small.text(data, LIMITS)
            except UnreadableDocument:
                continue
            self.assertLessEqual(len(text), LIMITS.chars, name)
            await small.images(data, LIMITS)

    async def test_memory(self) -> None:
        """
        The limit holds for what the file unpacks to.
        """
        data = bombs()["three million words"]
        with self.assertRaises(TooCostly):
            await reader(memory_bytes=150 * MiB).text(data, LIMITS)

    async def test_time(self) -> None:
        data = bombs()["three million words"]
        with self.assertRaises(TooCostly):
            await reader(memory_bytes=4096 * MiB, cpu_time=timedelta(seconds=1)).text(data, LIMITS)
        with self.assertRaises(TooCostly):
            await reader(memory_bytes=4096 * MiB, limit=timedelta(seconds=0.5)).text(data, LIMITS)


class TurnTests(SynchronousTestCase):
    def test_two_at_once(self) -> None:
        """
        However many come, only so many children are there.
        """
        running: list[Deferred[Finished]] = []

        def run(command: Sequence[str], **_: Any) -> Deferred[Finished]:
            running.append(Deferred())
            return running[-1]

        some = PdfReader(run=run)
        done = gatherResults([Deferred.fromCoroutine(some.text(b"x", LIMITS)) for _ in range(5)])
        for number in range(5):
            self.assertEqual(len(running), min(number + 2, 5))
            running[number].callback(Finished(exit_code=0, output=b'{"text": "a"}'))
        self.assertEqual(self.successResultOf(done), ["a"] * 5)

    def test_without_pictures(self) -> None:
        """
        Where nothing makes pictures there are none; any other end of the child is a limit that it met.
        """
        some = PdfReader(run=lambda *_, **__: succeed(Finished(exit_code=5, output=b"")))
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(some.images(b"x", LIMITS))), [])
        killed = PdfReader(run=lambda *_, **__: succeed(Finished(exit_code=-1, output=b"")))
        self.failureResultOf(Deferred.fromCoroutine(killed.text(b"x", LIMITS)), TooCostly)

    def test_left(self) -> None:
        """
        Whoever does not wait any longer ends the child, and the next one's turn comes.
        """
        running: list[Deferred[Finished]] = []

        def run(command: Sequence[str], **_: Any) -> Deferred[Finished]:
            running.append(Deferred())
            return running[-1]

        some = PdfReader(run=run)
        first, _, third = [Deferred.fromCoroutine(some.text(b"x", LIMITS)) for _ in range(3)]
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(len(running), 3)
        running[2].callback(Finished(exit_code=0, output=b'{"text": "a"}'))
        self.assertEqual(self.successResultOf(third), "a")
