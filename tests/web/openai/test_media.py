"""
Pictures and files of requests.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import Config
from openclaw.config.model_gateway import (
    EndpointsConfig,
    FilesConfig,
    GatewayConfig,
    HttpConfig,
    ImagesConfig,
    ResponsesConfig,
)
from openclaw.documents.errors import InvalidPdf
from openclaw.documents.pdf import PdfLimits
from openclaw.egress.errors import BadStatus, BlockedAddress
from openclaw.egress.fetch import Fetched, Limits
from openclaw.testing.gateway import MemoryGateway
from openclaw.web.openai.errors import InvalidRequest
from openclaw.web.openai.media import MediaReader, file_block
from openclaw.web.openai.sources import Brought, Source
from tests.web.openai.case import HttpCase

REAL_PNG = b64encode(b"\x89PNG\r\n\x1a\n and the rest").decode()
PNG = {"type": "image", "data": "iVBORw0K", "mimeType": "image/png"}


def in_thread(work: Any, *args: Any) -> Deferred[Any]:
    return succeed(work(*args))


@define
class Web:
    """
    What is at each address: its type and its bytes, or why it cannot be had.
    """

    pages: Mapping[str, tuple[str, bytes] | Exception]
    limits: list[Limits] = field(factory=list)

    async def fetch(self, url: str, *, limits: Limits) -> Fetched:
        self.limits.append(limits)
        page = self.pages[url]
        if isinstance(page, Exception):
            raise page
        return Fetched(url=url, status=200, reason="OK", headers={"content-type": page[0]}, body=page[1])


@define
class Pages:
    """
    Every PDF has this text and these pictures.
    """

    says: str = "words " * 50
    shows: Sequence[str] = ("iVBORw0K",)
    limits: PdfLimits | None = None

    async def text(self, data: bytes, limits: PdfLimits) -> str:
        self.limits = limits
        if data == b"broken":
            raise InvalidPdf()
        return self.says

    async def images(self, data: bytes, limits: PdfLimits) -> Sequence[str]:
        return self.shows


class MediaCase(SynchronousTestCase):
    def reader(
        self,
        web: Web | None = None,
        pages: Pages | None = None,
        files: FilesConfig | None = None,
        images: ImagesConfig | None = None,
    ) -> MediaReader:
        responses = ResponsesConfig(files=files or FilesConfig(), images=images or ImagesConfig())
        http = HttpConfig(endpoints=EndpointsConfig(responses=responses))
        config = evolve(Config(), gateway=GatewayConfig(http=http))
        return MediaReader(
            config=lambda: config, fetch=(web or Web({})).fetch, pdfs=pages or Pages(), in_thread=in_thread
        )

    def read(self, reader: MediaReader, *sources: Source) -> Brought:
        return self.successResultOf(Deferred.fromCoroutine(reader.read(sources)))

    def refused(self, reader: MediaReader, *sources: Source) -> str:
        failure = self.failureResultOf(Deferred.fromCoroutine(reader.read(sources)), InvalidRequest)
        return str(failure.value)


def image(data: bytes | str, mime: str | None = "image/png") -> Source:
    encoded = data if isinstance(data, str) else b64encode(data).decode()
    return Source(kind="image", data=encoded, media_type=mime)


def text_file(data: bytes, mime: str | None = "text/plain", name: str | None = None) -> Source:
    return Source(kind="file", data=b64encode(data).decode(), media_type=mime, filename=name)


class ImageTests(MediaCase):
    def test_data(self) -> None:
        brought = self.read(self.reader(), image(b"\x89PNG\r\n"), image(b"x", "IMAGE/JPEG; q=1"))
        self.assertEqual([one["mimeType"] for one in brought.images], ["image/png", "image/jpeg"])
        self.assertEqual(brought.images[0]["data"], PNG["data"])

    def test_forms_of_base64(self) -> None:
        """
        Without padding, with line breaks, and in the alphabet of addresses.
        """
        brought = self.read(self.reader(), image("_-\n8"), image("/+8="))
        self.assertEqual([one["data"] for one in brought.images], ["/+8=", "/+8="])

    def test_refused(self) -> None:
        small = self.reader(images=ImagesConfig(max_bytes=10))
        told = "Error: Image too large: 11 bytes (limit: 10 bytes)"
        self.assertEqual(self.refused(small, image(b"x" * 11)), told)
        self.assertEqual(len(self.read(small, image(b"x" * 10)).images), 1)
        self.assertEqual(self.refused(small, image(b"x", "image/bmp")), "Error: Unsupported image MIME type: image/bmp")
        self.assertEqual(self.refused(small, image("not base64!")), "Error: input_image is not valid base64")

    def test_url(self) -> None:
        """
        The type is what the server says; the limits are those of the configuration.
        """
        web = Web({"https://a.example/x": ("image/png", b"\x89PNG\r\n"), "https://a.example/y": ("text/html", b"x")})
        reader = self.reader(web, images=ImagesConfig(max_bytes=99, max_redirects=1, timeout_ms=2500))
        self.assertEqual(self.read(reader, Source(kind="image", url="https://a.example/x")).images, [PNG])
        self.assertEqual(web.limits, [Limits(max_bytes=99, max_redirects=1, seconds=2.5)])
        told = self.refused(reader, Source(kind="image", url="https://a.example/y"))
        self.assertEqual(told, "Error: Unsupported image MIME type from URL: text/html")

    def test_url_refused(self) -> None:
        web = Web({"http://a/": BlockedAddress(), "http://b/": BadStatus(404, "Not Found")})
        reader = self.reader(web)
        self.assertEqual(
            self.refused(reader, Source(kind="image", url="http://a/")),
            "SsrFBlockedError: Blocked: private/internal IP address",
        )
        self.assertEqual(
            self.refused(reader, Source(kind="file", url="http://b/")), "Error: Failed to fetch: 404 Not Found"
        )
        many = [Source(kind="image", url="http://a/")] * 9
        self.assertEqual(self.refused(reader, *many), "Error: Too many URL-based input sources: 9 (limit: 8)")

    def test_switched_off(self) -> None:
        reader = self.reader(files=FilesConfig(allow_url=False), images=ImagesConfig(allow_url=False))
        for kind in ("image", "file"):
            source = Source(kind=kind, url="http://a/")
            self.assertEqual(self.refused(reader, source), f"Error: input_{kind} URL sources are disabled by config")


class FileTests(MediaCase):
    def blocks(self, *sources: Source, **more: Any) -> Sequence[str]:
        return self.read(self.reader(**more), *sources).blocks

    def test_charset(self) -> None:
        """
        The type's, if it names one for text; what is no text becomes a mark.
        """
        cases = {
            "text/plain": (b"caf\xc3\xa9", "café"),
            "text/plain;charset=iso-8859-1": (b"caf\xe9", "café"),
            'text/csv; charset="UTF-16"': ("a,b".encode("utf-16"), "a,b"),
            "text/plain; charset=nowhere": (b"x\xff", "x\ufffd"),
            "text/plain; charset=hex": (b"6162", "6162"),
            "text/plain; charset=punycode": (b"a-b", "a-b"),
        }
        for mime, (data, text) in cases.items():
            self.assertEqual(self.blocks(text_file(data, mime)), [f'<file name="file">\n{text}\n</file>'], mime)

    def test_cut_and_blank(self) -> None:
        self.assertEqual(self.blocks(text_file(b"  \n")), [])
        few = FilesConfig(max_chars=3)
        self.assertEqual(self.blocks(text_file(b"abcdef"), files=few), ['<file name="file">\nabc\n</file>'])

    def test_refused(self) -> None:
        reader = self.reader(files=FilesConfig(max_bytes=3))
        self.assertEqual(self.refused(reader, text_file(b"abcd")), "Error: File too large: 4 bytes (limit: 3 bytes)")
        self.assertEqual(self.refused(reader, text_file(b"a", None)), "Error: input_file missing media type")
        self.assertEqual(
            self.refused(reader, text_file(b"a", "application/zip")),
            "Error: Unsupported file MIME type: application/zip",
        )

    def test_pdf(self) -> None:
        pages = Pages()
        blocks = self.blocks(text_file(b"%PDF", "application/pdf", "a.pdf"), pages=pages)
        self.assertEqual(blocks, [f'<file name="a.pdf">\n{pages.says}\n</file>'])
        self.assertEqual(pages.limits, PdfLimits(pages=4, chars=200000, pixels=4_000_000, image_bytes=10485760))

    def test_pdf_with_little_text(self) -> None:
        """
        Its pages come as pictures too; where none are made, the text must do.
        """
        cases = {
            ("short", ("iVBORw0K",)): ("short", [PNG]),
            ("", ("iVBORw0K",)): ("[PDF content rendered to images]", [PNG]),
            ("short", ()): ("short", []),
            (" ", ()): ("[PDF without text that could be read]", []),
        }
        for (says, shows), (text, images) in cases.items():
            reader = self.reader(pages=Pages(says, shows))
            brought = self.read(reader, text_file(b"%PDF", "application/pdf"))
            self.assertEqual(brought.blocks, [f'<file name="file">\n{text}\n</file>'])
            self.assertEqual(brought.images, images)

    def test_broken_pdf(self) -> None:
        told = self.refused(self.reader(), text_file(b"broken", "application/pdf"))
        self.assertEqual(told, "InvalidPDFException: Invalid PDF structure.")

    @settings(max_examples=300, deadline=None)
    @given(name=st.text(), text=st.text(alphabet=st.sampled_from('</file >"\nFILEx')))
    def test_blocks_stay_closed(self, name: str, text: str) -> None:
        """
        Neither a name nor a text opens or ends a block.
        """
        block = file_block(name, text)
        head, *_ = block.split("\n")
        self.assertEqual((head.count('"'), head.count("<"), head.count(">")), (2, 1, 1))
        ends = block.lower().replace(" ", "").replace("\n", "")
        self.assertEqual(ends.count("</file"), 1)
        self.assertTrue(block.endswith("\n</file>"))


class RequestTests(HttpCase):
    """
    Over a whole gateway.
    """

    path = "/v1/responses"

    def test_file(self) -> None:
        """
        The model reads it, and the transcript does not keep it.
        """
        gateway = self.gateway()
        part = {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,SGVsbG8="}
        message = {"role": "user", "content": [{"type": "input_text", "text": "read"}, part]}
        answer = self.post(gateway, {"model": "openclaw", "input": [message], "user": "ann"})
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn('<file name="a.txt">\nHello\n</file>', gateway.model.requests[0].system)
        self.assertNotIn("Hello</file>", str(gateway.model.requests[0].messages))
        self.post(gateway, {"model": "openclaw", "input": "and now", "user": "ann"})
        self.assertNotIn("</file>", str(gateway.model.requests[1]))

    def test_too_large(self) -> None:
        """
        A body that fits, with more in it than a picture or file may have.
        """
        for kind, size, told in (
            ("input_image", 10_500_000, "Error: Image too large: 10500000 bytes (limit: 10485760 bytes)"),
            ("input_file", 5_250_000, "Error: File too large: 5250000 bytes (limit: 5242880 bytes)"),
        ):
            mime = "image/png" if kind == "input_image" else "text/plain"
            source = {"type": "base64", "media_type": mime, "data": "A" * (size // 3 * 4)}
            message = {"role": "user", "type": "message", "content": [{"type": kind, "source": source}]}
            answer = self.post(self.gateway(), {"model": "openclaw", "input": [message]})
            self.assertEqual((answer.status, answer.value["error"]["message"]), (400, told))

    def test_chat_picture_from_the_web(self) -> None:
        """
        It is fetched, with the same guard.
        """
        self.path = "/v1/chat/completions"
        gateway = self.gateway()
        for url, told in (
            ("http://127.0.0.1/x.png", "SsrFBlockedError: Blocked: private/internal IP address"),
            ("https://nowhere.example/x.png", "Error: getaddrinfo ENOTFOUND nowhere.example"),
        ):
            parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url}}]
            answer = self.post(gateway, {"model": "openclaw", "messages": [{"role": "user", "content": parts}]})
            self.assertEqual((answer.status, answer.value["error"]["message"]), (400, told))
        self.assertEqual(_asked(gateway), 0)

    def test_chat_pictures_of_earlier_messages(self) -> None:
        """
        Clients send them again each time: one that is gone by now, or more than are fetched, end no conversation.
        """
        self.path = "/v1/chat/completions"
        gateway = self.gateway()
        urls = [f"https://gone{number}.example/x.png" for number in range(12)]
        data = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{REAL_PNG}"}}
        gone: list[Any] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        earlier = {"role": "user", "content": [{"type": "text", "text": "look"}, data, *gone]}
        messages = [earlier, {"role": "assistant", "content": "nice"}, {"role": "user", "content": "and now"}]
        answer = self.post(gateway, {"model": "openclaw", "messages": messages})
        self.assertEqual(answer.status, 200, answer.body)
        kinds = [block["type"] for block in gateway.model.requests[0].messages[-1]["content"]]
        self.assertEqual(kinds.count("image"), 1)


def _asked(gateway: MemoryGateway) -> int:
    return len(gateway.model.requests)
