"""
``web_fetch`` and ``web_search`` (``agent.md`` 19.7).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout

from openclaw.agent.external import wrapped
from openclaw.agent.tools import ToolContext, ToolResult
from openclaw.clock import millis
from openclaw.config.model_tools import PerplexityConfig, WebSearchConfig
from openclaw.egress.errors import FetchFailed
from openclaw.egress.fetch import Fetched, Limits
from openclaw.protocol.frames import NotJson, parse_json, whole
from openclaw.tools.base import Arguments, ToolFailed, ToolWorld, result
from openclaw.tools.html import read_page

#: Of a page, in bytes.
MOST_BYTES: Final = 5 * 1024 * 1024
#: Of the text of an error.
MOST_ERROR: Final = 4_000
#: Answers that are kept.
KEPT: Final = 100

AGENT: Final = "Mozilla/5.0 (compatible; OpenClaw-Gateway/1.0)"
ACCEPT: Final = "text/html,application/json,text/*;q=0.9,*/*;q=0.5"
BRAVE: Final = "https://api.search.brave.com/res/v1/web/search"
PERPLEXITY: Final = "https://api.perplexity.ai"
OPENROUTER: Final = "https://openrouter.ai/api/v1"

NO_BRAVE_KEY: Final = {
    "error": "missing_brave_api_key",
    "message": "web_search needs a Brave Search API key. Set tools.web.search.apiKey or BRAVE_API_KEY.",
    "docs": "https://docs.openclaw.ai/tools/web",
}
NO_PERPLEXITY_KEY: Final = {
    "error": "missing_perplexity_api_key",
    "message": (
        "web_search needs a key. Set tools.web.search.perplexity.apiKey, PERPLEXITY_API_KEY or OPENROUTER_API_KEY."
    ),
    "docs": "https://docs.openclaw.ai/tools/web",
}


@define(eq=False)
class Cache:
    """
    Answers for a while, the newest of them.
    """

    seconds: Callable[[], float]
    _kept: dict[str, tuple[float, Any]] = field(factory=dict, init=False)

    def get(self, key: str) -> Any | None:
        until, value = self._kept.get(key, (0.0, None))
        return value if until > self.seconds() else None

    def put(self, key: str, value: Any, minutes: float) -> None:
        if minutes <= 0:
            return
        self._kept.pop(key, None)
        self._kept[key] = (self.seconds() + minutes * 60, value)
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]


@define(eq=False)
class WebTools:
    """
    Both tools, with what they remember.
    """

    pages: Cache
    searches: Cache

    # -- fetching -----------------------------------------------------------------------------------------------------

    async def fetch(self, world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
        """
        A page as text, marked as foreign.
        """
        config = world.config().tools.web.fetch
        if not config.enabled:
            raise ToolFailed("web_fetch is disabled by tools.web.fetch.enabled")
        url = arguments.needed("url")
        markdown = arguments.text("extractMode") != "text"
        most = arguments.whole("maxChars", config.max_chars, least=100, most=config.max_chars)
        key = json.dumps([url, markdown, most])
        known = self.pages.get(key)
        if known is not None:
            return result({**known, "cached": True}, foreign=True)
        began = millis(world.clock)
        limits = Limits(max_bytes=MOST_BYTES, max_redirects=config.max_redirects, seconds=config.timeout_seconds)
        headers = {"user-agent": config.user_agent or AGENT, "accept": ACCEPT}
        try:
            fetched = await world.fetch(url, limits=limits, headers=headers, any_status=True)
        except FetchFailed as error:
            raise ToolFailed(str(error)) from error
        read = await world.in_thread(_read, fetched, markdown)
        if not 200 <= fetched.status < 300:
            said = wrapped(read["text"][:MOST_ERROR], "Web")
            raise ToolFailed(f"Web fetch failed ({fetched.status}): {said}", foreign=True)
        text = read.pop("text")
        told = {
            "url": url,
            "finalUrl": fetched.url,
            "status": fetched.status,
            "contentType": fetched.mime,
            **read,
            "extractMode": "markdown" if markdown else "text",
            "truncated": len(text) > most,
            "length": min(len(text), most),
            "fetchedAt": datetime.fromtimestamp(world.clock.seconds(), UTC).isoformat(),
            "tookMs": millis(world.clock) - began,
            "text": wrapped(text[:most], "Web"),
        }
        self.pages.put(key, told, config.cache_ttl_minutes)
        return result(told, foreign=True)

    # -- searching ----------------------------------------------------------------------------------------------------

    async def search(self, world: ToolWorld, arguments: Arguments, context: ToolContext) -> ToolResult:
        """
        What a search engine finds, marked as foreign.
        """
        config = world.config().tools.web.search
        if not config.enabled:
            raise ToolFailed("web_search is disabled by tools.web.search.enabled")
        query = arguments.needed("query")
        asked = arguments.known("country", "search_lang", "ui_lang", "freshness")
        count = arguments.whole("count", min(10, config.max_results), most=10)
        key = json.dumps([config.provider, query, count, asked])
        known = self.searches.get(key)
        if known is not None:
            return result({**known, "cached": True}, foreign=True)
        began = millis(world.clock)
        if config.provider == "perplexity":
            told = await _perplexity(world, config, query)
        else:
            told = await _brave(world, config, {"q": query, "count": count, **asked})
        if "error" in told:
            return result(told)
        told = {"query": query, "provider": config.provider, **told, "tookMs": millis(world.clock) - began}
        self.searches.put(key, told, config.cache_ttl_minutes)
        return result(told, foreign=True)


def _read(fetched: Fetched, markdown: bool) -> dict[str, Any]:
    """
    What there is to read in an answer.
    """
    text = fetched.body.decode(_charset(fetched.content_type), "replace")
    if fetched.mime in ("text/html", "application/xhtml+xml") or (not fetched.mime and text.lstrip()[:1] == "<"):
        page = read_page(text, fetched.url, markdown=markdown)
        return {"title": page.title, "extractor": "html", "text": page.text}
    if fetched.mime.endswith(("/json", "+json")):
        try:
            # JSON can name halves of surrogate pairs, which nothing can store.
            return {"extractor": "json", "text": whole(json.dumps(json.loads(text), indent=2, ensure_ascii=False))}
        except (ValueError, RecursionError):
            return {"extractor": "raw", "text": text}
    if fetched.mime and not fetched.mime.startswith("text/") and "xml" not in fetched.mime:
        return {"extractor": "none", "text": f"[{len(fetched.body)} bytes of {fetched.mime}]"}
    return {"extractor": "raw", "text": text}


def _charset(content_type: str) -> str:
    from email.message import Message

    head = Message()
    head["content-type"] = content_type
    charset = head.get_content_charset() or "utf-8"
    return charset if charset in ("utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-16", "shift_jis") else "utf-8"


async def _brave(world: ToolWorld, config: WebSearchConfig, query: Mapping[str, Any]) -> dict[str, Any]:
    key = (config.api_key or world.environ.get("BRAVE_API_KEY", "")).strip()
    if not key:
        return dict(NO_BRAVE_KEY)
    limits = Limits(max_bytes=MOST_BYTES, max_redirects=0, seconds=config.timeout_seconds)
    headers = {"x-subscription-token": key, "accept": "application/json"}
    try:
        fetched = await world.fetch(f"{BRAVE}?{urlencode(query)}", limits=limits, headers=headers, any_status=True)
    except FetchFailed as error:
        raise ToolFailed(f"Brave Search cannot be asked: {error}") from error
    if fetched.status != 200:
        raise ToolFailed(f"Brave Search API error ({fetched.status}): {_shortened(fetched.body)}")
    found = _parsed(fetched.body, "Brave Search")
    web = found.get("web") if isinstance(found.get("web"), dict) else {}
    rows = [row for row in (web or {}).get("results") or () if isinstance(row, dict)]
    return {"count": len(rows), "results": [_row(row) for row in rows]}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    profile = row.get("profile") if isinstance(row.get("profile"), dict) else {}
    told = {
        "title": row.get("title") or "",
        "url": row.get("url") or "",
        "description": wrapped(str(row.get("description") or ""), "Web search"),
        "published": row.get("age"),
        "siteName": (profile or {}).get("name"),
    }
    return {name: value for name, value in told.items() if value is not None}


async def _perplexity(world: ToolWorld, config: WebSearchConfig, query: str) -> dict[str, Any]:
    own = config.perplexity
    named = own.api_key or world.environ.get("PERPLEXITY_API_KEY", "") or world.environ.get("OPENROUTER_API_KEY", "")
    key = named.strip()
    if not key:
        return dict(NO_PERPLEXITY_KEY)
    body = {"model": _model(own, key), "messages": [{"role": "user", "content": query}]}
    asking = Deferred.fromCoroutine(_post(world, f"{_base(own, key)}/chat/completions", key, body))
    try:
        status, received = await asking.addTimeout(config.timeout_seconds, world.clock)
    except DeferredTimeout:
        raise ToolFailed(f"Perplexity gave no answer in {config.timeout_seconds} s") from None
    if status != 200:
        raise ToolFailed(f"Perplexity API error ({status}): {_shortened(received)}")
    answer = _parsed(received, "Perplexity")
    try:
        content = str(answer["choices"][0]["message"]["content"])
    except (LookupError, TypeError):
        content = "No response"
    citations = [one for one in answer.get("citations") or () if isinstance(one, str)]
    return {"model": body["model"], "content": wrapped(content, "Web search"), "citations": citations}


def _base(config: PerplexityConfig, key: str) -> str:
    return (config.base_url or (OPENROUTER if key.startswith("sk-or-") else PERPLEXITY)).rstrip("/")


def _model(config: PerplexityConfig, key: str) -> str:
    """
    Perplexity itself wants its models without its name before them.
    """
    return config.model.removeprefix("perplexity/") if _base(config, key) == PERPLEXITY else config.model


async def _post(world: ToolWorld, url: str, key: str, body: Any) -> tuple[int, bytes]:
    headers = {"authorization": [f"Bearer {key}"], "content-type": ["application/json"]}
    received = bytearray()

    def collect(data: bytes) -> None:
        received.extend(data)
        if len(received) > MOST_BYTES:
            raise ToolFailed(f"The answer has more than {MOST_BYTES} bytes")

    try:
        response = await world.http().request(
            "POST", url, headers=headers, data=json.dumps(body).encode(), allow_redirects=False, unbuffered=True
        )
        await response.collect(collect)
    except (CancelledError, ToolFailed):
        raise
    except Exception as error:
        raise ToolFailed(f"Perplexity cannot be asked: {type(error).__name__}") from error
    return response.code, bytes(received)


def _parsed(data: bytes, who: str) -> dict[str, Any]:
    try:
        value = parse_json(data)
    except NotJson:
        value = None
    if not isinstance(value, dict):
        raise ToolFailed(f"{who} gave an answer that cannot be read")
    return value


def _shortened(data: bytes) -> str:
    return " ".join(data[:MOST_ERROR].decode("utf-8", "replace").split())[:500]
