"""
PDFs, good and evil, made by hand.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cache

HEAD = b"%PDF-1.4\n"
LINES = [f"The quick brown fox jumps over the lazy dog, line {number:02} of the test file." for number in range(4)]


def pdf(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """
    A file of numbered objects with a right table of references. Number 1 is the catalog.
    """
    made = bytearray(HEAD)
    places: dict[int, int] = {}
    for number, body in objects.items():
        places[number] = len(made)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        made += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max(objects) + 1
    made += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(made)


def stream(data: bytes, extra: bytes = b"") -> bytes:
    """
    An object that is a stream.
    """
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), extra, data)


def written(*pages: Sequence[str], box: bytes = b"[0 0 612 792]", content: bytes | None = None) -> bytes:
    """
    A file with so many pages of lines.

    :param content: an object in place of each page's lines.
    """
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages))), len(pages)),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number, lines in enumerate(pages):
        page, text = 4 + 2 * number, 5 + 2 * number
        objects[page] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
            % (box, text)
        )
        shown = b"".join(b"(%s) Tj T*\n" % line.encode("latin-1") for line in lines)
        objects[text] = content or stream(b"BT /F1 12 Tf 50 750 Td 14 TL\n" + shown + b"ET")
    return pdf(objects)


@cache
def bombs() -> Mapping[str, bytes]:
    """
    Files that take far more than they bring.
    """
    zeros = zlib.compress(zlib.compress(bytes(500_000_000)), 9)
    drawn = zlib.compress(b"BT /F1 12 Tf (a) Tj ET\n" * 3_000_000)
    deep = b"[" * 200_000 + b"]" * 200_000
    flate = b"/Filter /FlateDecode"
    twice = b"/Filter [/FlateDecode /FlateDecode]"
    return {
        "half a gigabyte in two layers": written([""], content=stream(zeros, twice)),
        "half a gigabyte in one layer": written([""], content=stream(zlib.decompress(zeros), flate)),
        "three million words": written([""], content=stream(drawn, flate)),
        "brackets in brackets": written([""], content=stream(deep)),
        "an array in arrays": pdf({1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: deep}),
        "a tree that is its own branch": pdf(
            {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"}
        ),
        "a billion pages": pdf(
            {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [] /Count 1000000000 >>"}
        ),
        "a table that comes before itself": pdf(
            {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [] /Count 0 >>"}, b"/Prev 120"
        ),
        "objects without a table": HEAD + b"".join(b"%d 0 obj\n" % number for number in range(300_000)),
        "a stream that names itself as its length": pdf(
            {
                1: b"<< /Type /Catalog /Pages 2 0 R >>",
                2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
                4: b"<< /Length 4 0 R >>\nstream\nx\nendstream",
            }
        ),
    }
