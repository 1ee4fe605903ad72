"""
The text of a web page: what is to be read, without what stands around it.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

from attrs import define, field, frozen

#: Of these nothing is read.
_SILENT: Final = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object", "select", "button"})
#: These stand around what is to be read; they are left out where the page says what its main part is not.
_AROUND: Final = frozenset({"nav", "header", "footer", "aside", "form"})
_MAIN: Final = frozenset({"article", "main"})
_BLOCKS: Final = frozenset(
    {"p", "div", "section", "ul", "ol", "table", "tr", "blockquote", "figure", "dl", "dt", "dd", "address", "hr"}
    | _MAIN
    | _AROUND
)
_HEADINGS: Final = {f"h{level}": "#" * level for level in range(1, 7)}
#: Elements without an end.
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})

_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_LINES = re.compile(r"\n{3,}")

#: Elements inside of each other that are still told apart.
MOST_DEPTH: Final = 512


@frozen(kw_only=True)
class Page:
    """
    :ivar text: Markdown, or plain text.
    """

    title: str
    text: str


def read_page(html: str, url: str, *, markdown: bool) -> Page:
    """
    Whatever the page is, this gives something and never fails.

    :param url: of the page, for the links in it.
    """
    reader = _Reader(url, markdown)
    reader.feed(html)
    reader.close()
    return Page(title=_one_line("".join(reader.title)), text=reader.result())


@define
class _Part:
    """
    The text that is gathered for one way of reading the page.
    """

    pieces: list[str] = field(factory=list)

    def text(self) -> str:
        joined = _SPACES.sub(" ", "".join(self.pieces))
        lines = [line.strip() if not line.startswith("    ") else line.rstrip() for line in joined.split("\n")]
        return _LINES.sub("\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """
    Gathers the main part, the page without what is around it, and all of it; the first that has enough counts.
    """

    def __init__(self, url: str, markdown: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._url, self._markdown = url, markdown
        self.title: list[str] = []
        self._open: list[str] = []
        self._counts: dict[str, int] = {}
        self._links: list[str | None] = []
        self._main, self._body, self._all = _Part(), _Part(), _Part()

    # -- what is open -------------------------------------------------------------------------------------------------

    def _inside(self, names: frozenset[str]) -> bool:
        return any(self._counts.get(name) for name in names)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._say("\n")
        elif tag == "hr" or tag in _BLOCKS:
            self._say("\n\n")
        elif tag in _HEADINGS:
            self._say("\n\n" + (f"{_HEADINGS[tag]} " if self._markdown else ""))
        elif tag == "li":
            self._say("\n- ")
        elif tag == "td" or tag == "th":
            self._say(" | " if self._markdown else "\t")
        elif tag == "pre" and self._markdown:
            self._say("\n\n```\n")
        elif tag == "a" and self._markdown:
            self._begin_link(dict(attrs).get("href"))
        if tag not in _VOID and len(self._open) < MOST_DEPTH:
            self._open.append(tag)
            self._counts[tag] = self._counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        if not self._counts.get(tag):
            return
        while self._open:
            ended = self._open.pop()
            self._counts[ended] -= 1
            self._end(ended)
            if ended == tag:
                return

    def _end(self, tag: str) -> None:
        if tag == "a" and self._links:
            href = self._links.pop()
            if href is not None:
                self._say(f"]({href})")
        elif tag == "pre" and self._markdown:
            self._say("\n```\n\n")
        elif tag in _BLOCKS or tag in _HEADINGS:
            self._say("\n\n")

    def _begin_link(self, href: str | None) -> None:
        try:
            target = urljoin(self._url, href) if href and not href.startswith("#") else None
        except ValueError:
            target = None
        shown = target is not None and target.startswith(("http:", "https:"))
        self._links.append(target if shown else None)
        if shown:
            self._say("[")

    # -- text ---------------------------------------------------------------------------------------------------------

    def handle_data(self, data: str) -> None:
        if self._counts.get("title") and not self._counts.get("svg"):
            self.title.append(data)
            return
        self._say(data if self._counts.get("pre") else data.replace("\n", " "))

    def _say(self, text: str) -> None:
        if self._inside(_SILENT) or self._counts.get("head"):
            return
        self._all.pieces.append(text)
        if not self._inside(_AROUND):
            self._body.pieces.append(text)
            if self._inside(_MAIN):
                self._main.pieces.append(text)

    def result(self) -> str:
        """
        The smallest part that has a fair share of what there is.
        """
        whole = self._all.text()
        for part in (self._main, self._body):
            text = part.text()
            if len(text) >= max(1, len(whole) // 5):
                return text
        return whole


def _one_line(text: str) -> str:
    return " ".join(text.split())
