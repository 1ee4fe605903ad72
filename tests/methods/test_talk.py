"""
Talk mode, wake words and speech.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed

from openclaw.voice.convert import KEPT_SECONDS, MOST_BYTES
from openclaw.voice.wake import DEFAULT_TRIGGERS
from tests.methods.support import MOCK_CONFIG, NOW, NOW_MS, MethodCase, caller

PAGE = caller("operator.write", client_id="webchat-ui", client_mode="webchat")


class TalkTests(MethodCase):
    def test_everybody_is_told(self) -> None:
        """
        The answer is what everybody hears of it.
        """
        told = {"enabled": True, "phase": "listening", "ts": NOW_MS}
        self.assertEqual(self.ask("talk.mode", {"enabled": True, "phase": "listening"}), told)
        self.assertEqual([(name, payload) for name, payload, _ in self.events], [("talk.mode", told)])

    def test_page_needs_a_phone(self) -> None:
        """
        A web page may switch it only while a phone is there.
        """
        self.assertEqual(
            self.refused("talk.mode", {"enabled": True}, by=PAGE, code="UNAVAILABLE"),
            "talk disabled: no connected iOS/Android nodes",
        )
        self.assertEqual(self.events, [])
        self.configure(MOCK_CONFIG, node_platforms=lambda: ["macos", "iOS 26.1"])
        self.assertTrue(self.ask("talk.mode", {"enabled": True}, by=PAGE)["enabled"])


class WakeTests(MethodCase):
    def test_defaults(self) -> None:
        """
        Before anybody has said other words.
        """
        self.assertEqual(self.ask("voicewake.get"), {"triggers": list(DEFAULT_TRIGGERS)})

    def test_kept(self) -> None:
        """
        Words are kept in the file of the reference, and everybody hears of them.
        """
        words = {"triggers": ["hey", "x" * 64]}
        self.assertEqual(self.ask("voicewake.set", {"triggers": [" hey ", 1, "", "x" * 70, " "]}), words)
        self.assertEqual(self.ask("voicewake.get"), words)
        self.assertEqual([(name, payload) for name, payload, _ in self.events], [("voicewake.changed", words)])
        path = self.context.state_dir / "settings" / "voicewake.json"
        self.assertEqual(json.loads(path.read_text()), {**words, "updatedAtMs": NOW_MS})
        self.assertEqual((path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777), (0o600, 0o700))

    def test_limits(self) -> None:
        """
        Not more than 32; none at all are the defaults.
        """
        many = self.ask("voicewake.set", {"triggers": [f"w{number}" for number in range(50)]})
        self.assertEqual(len(many["triggers"]), 32)
        self.assertEqual(self.ask("voicewake.set", {"triggers": [" "]}), {"triggers": list(DEFAULT_TRIGGERS)})
        self.assertEqual(
            self.refused("voicewake.set", {"triggers": "hey"}), "voicewake.set requires triggers: string[]"
        )

    def test_damaged(self) -> None:
        """
        A file that is none of ours is no reason to say that the defaults count.
        """
        path = self.context.state_dir / "settings" / "voicewake.json"
        path.parent.mkdir(parents=True)
        path.write_text("[1")
        self.refused("voicewake.get", code="UNAVAILABLE")
        self.assertEqual(len(self.flushLoggedErrors()), 1)


@define(eq=False)
class FakeResponse:
    code: int
    body: bytes

    def collect(self, collector: Any) -> Deferred[None]:
        try:
            collector(self.body)
        except Exception:
            return fail()
        return succeed(None)


@define(eq=False)
class FakeHttp:
    """
    Answers each request with what it was told.
    """

    answer: FakeResponse | Exception | None
    asked: list[tuple[str, str, dict[str, Any]]] = field(factory=list)

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        self.asked.append((method, url, options))
        if self.answer is None:
            return Deferred()
        return fail(self.answer) if isinstance(self.answer, Exception) else succeed(self.answer)


class SpeechTests(MethodCase):
    def speaking(self, answer: FakeResponse | Exception | None, **tts: Any) -> FakeHttp:
        """
        A gateway whose owner has an account.
        """
        self.configure({**MOCK_CONFIG, "messages": {"tts": {"openai": {"apiKey": "sk-speech"}, **tts}}})
        http = self.http = FakeHttp(answer)
        return http

    def test_preferences(self) -> None:
        """
        Preferences win over the configuration, and what else is in their file stays.
        """
        self.speaking(None, auto="tagged", provider="edge", prefsPath="~/prefs.json")
        path = self.context.home / "prefs.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"tts": {"maxLength": 7}, "other": 1}')
        status = self.ask("tts.status")
        self.assertEqual((status["auto"], status["provider"], status["prefsPath"]), ("tagged", "edge", str(path)))
        self.assertEqual((status["hasOpenAIKey"], status["fallbackProviders"]), (True, ["openai"]))
        self.ask("tts.enable")
        self.ask("tts.setProvider", {"provider": "openai"})
        status = self.ask("tts.status")
        self.assertEqual((status["enabled"], status["auto"], status["provider"]), (True, "always", "openai"))
        kept = {"tts": {"maxLength": 7, "auto": "always", "provider": "openai"}, "other": 1}
        self.assertEqual(json.loads(path.read_text()), kept)
        self.ask("tts.disable")
        self.assertFalse(self.ask("tts.status")["enabled"])

    def test_spoken(self) -> None:
        """
        The sound is asked for with the owner's key, and put where only the owner can read it.
        """
        http = self.speaking(FakeResponse(200, b"sound"))
        answer = self.ask("tts.convert", {"text": " hello "})
        path = Path(answer.pop("audioPath"))
        self.assertEqual(answer, {"provider": "openai", "outputFormat": "mp3", "voiceCompatible": False})
        self.assertEqual((path.read_bytes(), path.stat().st_mode & 0o777), (b"sound", 0o600))
        ((method, url, options),) = http.asked
        self.assertEqual((method, url), ("POST", "https://api.openai.com/v1/audio/speech"))
        self.assertEqual(options["headers"]["authorization"], ["Bearer sk-speech"])
        wanted = {"model": "gpt-4o-mini-tts", "input": "hello", "voice": "alloy", "response_format": "mp3"}
        self.assertEqual(json.loads(options["data"]), wanted)
        self.assertTrue(self.ask("tts.convert", {"text": "hi", "channel": "telegram"})["voiceCompatible"])

    def test_other_server(self) -> None:
        """
        Any server that speaks the same API will do.
        """
        http = self.speaking(FakeResponse(200, b"sound"))
        self.context = evolve(self.context, environ={"OPENAI_TTS_BASE_URL": "http://tts.example/v1/"})
        self.ask("tts.convert", {"text": "hi"})
        self.assertEqual(http.asked[0][1], "http://tts.example/v1/audio/speech")

    def test_old_sounds_go(self) -> None:
        """
        Sounds that nobody has fetched for an hour are gone with the next.
        """
        self.speaking(FakeResponse(200, b"sound"))
        old, new = (Path(self.ask("tts.convert", {"text": "hi"})["audioPath"]) for _ in range(2))
        os.utime(old, (NOW - KEPT_SECONDS - 1,) * 2)
        os.utime(new, (NOW, NOW))
        self.ask("tts.convert", {"text": "hi"})
        self.assertEqual((old.exists(), new.exists()), (False, True))

    def test_failures(self) -> None:
        """
        A provider that fails says why.
        """
        rows: list[tuple[FakeResponse | Exception, str]] = [
            (FakeResponse(401, b'{"error": "no\n such key"}'), 'OpenAI TTS API error (401): {"error": "no such key"}'),
            (OSError("refused"), "openai: OSError: refused"),
            (FakeResponse(200, b"x" * (MOST_BYTES + 1)), f"openai: the sound is longer than {MOST_BYTES} bytes"),
        ]
        for answer, why in rows:
            self.speaking(answer, provider="edge")
            message = self.refused("tts.convert", {"text": "hi"}, code="UNAVAILABLE")
            self.assertEqual(message, f"TTS conversion failed: {why}")

    def test_no_key(self) -> None:
        """
        Where nobody is set up, the last that could have been asked says what is missing.
        """
        for environ, why in (
            ({}, "No API key for elevenlabs"),
            ({"XI_API_KEY": "el"}, "edge is not supported by this gateway; use openai"),
        ):
            self.context = evolve(self.context, environ=environ)
            message = self.refused("tts.convert", {"text": "hi"}, code="UNAVAILABLE")
            self.assertEqual(message, f"TTS conversion failed: {why}")

    def test_no_answer(self) -> None:
        """
        A server that says nothing is given up after the configured time.
        """
        self.speaking(None, timeoutMs=2000)
        replies = self.asked("tts.convert", {"text": "hi"})
        self.clock.advance(1.9)
        self.assertEqual(replies, [])
        self.clock.advance(0.2)
        self.assertFalse(replies[0].ok)

    def test_long_text(self) -> None:
        """
        Longer texts than configured are not sent to anybody.
        """
        http = self.speaking(FakeResponse(200, b"sound"), maxTextLength=5)
        self.refused("tts.convert", {"text": "123456"}, code="UNAVAILABLE")
        self.assertEqual(self.refused("tts.convert", {"text": " "}), "tts.convert requires text")
        self.assertEqual(http.asked, [])
