"""
Tests of ``openclaw.methods.chat`` and ``openclaw.methods.attachments``.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import orjson

from openclaw.methods.attachments import MAX_BYTES, sniffed
from openclaw.methods.chat import expiry, fitting
from tests.methods.support import MOCK_CONFIG, NOW_MS, MethodCase, Reply, assistant, user

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 16).decode("ascii")


class SendTests(MethodCase):
    """
    ``chat.send``.
    """

    def send(self, message: str = "hi", **more: Any) -> list[Reply]:
        return self.asked("chat.send", {"sessionKey": "main", "message": message, "idempotencyKey": "k", **more})

    def test_started(self) -> None:
        """
        A message becomes an inbound record under the canonical key; the caller's own key is kept for events.
        """
        self.assertEqual(self.send(), [Reply(ok=True, payload={"runId": "k", "status": "started"})])
        (inbound,) = self.agents.submitted
        self.assertEqual((inbound.session_key, inbound.shown_key), ("agent:main:main", "main"))
        self.assertEqual((inbound.origin, inbound.dedupe_key, inbound.message_id), ("chat", "chat:k", "k"))
        self.assertTrue(inbound.commands)
        self.assertEqual(inbound.members["lastChannel"], "webchat")

    def test_repeated(self) -> None:
        """
        The same key starts nothing more: it tells of the run, during it and after it.
        """
        self.send()
        self.assertEqual(self.send("other"), [Reply(ok=True, payload={"runId": "k", "status": "in_flight"})])
        self.agents.finish("k")
        self.assertEqual(self.send(), [Reply(ok=True, payload={"runId": "k", "status": "ok"})])
        self.assertEqual(len(self.agents.submitted), 1)

    def test_repeated_after_failure(self) -> None:
        """
        A run that failed answers its key with both payload and error.
        """
        self.send()
        self.agents.finish("k", status="error", summary="HTTP 400: no", code="UNAVAILABLE")
        (reply,) = self.send()
        self.assertEqual(
            reply.members(),
            {
                "ok": False,
                "payload": {"runId": "k", "status": "error", "summary": "HTTP 400: no"},
                "error": {"code": "UNAVAILABLE", "message": "HTTP 400: no"},
            },
        )

    def test_blank(self) -> None:
        """
        A blank message needs an attachment that says something.
        """
        self.assertEqual(self.send("  ")[0].message, "message or attachment required")
        empty = [{"fileName": "a.png"}, {"content": 5}, {"content": ""}, "x"]
        self.assertEqual(self.send(" ", attachments=empty)[0].message, "message or attachment required")
        self.assertTrue(self.send("", attachments=[{"content": PNG}])[0].ok)

    def test_policy(self) -> None:
        """
        A session may refuse messages; what is only a command passes, and so does a word that stops.
        """
        self.session("agent:main:main", sendPolicy="deny")
        for text in ("hello", "/nothing of ours", "/status and more", "/new", "/think high about it"):
            self.assertEqual(self.send(text)[0].message, "send blocked by session policy", text)
        self.assertEqual(self.agents.submitted, [])
        for key, text in enumerate(("/status", "/think high", "stop")):
            self.assertTrue(self.send(text, idempotencyKey=str(key))[0].ok, text)

    def test_unknown_agent(self) -> None:
        """
        A key that names an agent which nobody has made starts nothing; what runs there can be stopped.
        """
        (reply,) = self.send(sessionKey="agent:Nobody:main")
        assert reply.error is not None
        told = 'invalid chat.send params: unknown agent id "nobody"'
        self.assertEqual((reply.error.code, reply.message), ("INVALID_REQUEST", told))
        self.assertEqual(self.send("/status", sessionKey="agent:nobody:main")[0].message, told)
        self.assertEqual(self.agents.submitted, [])
        self.assertTrue(self.send("stop", sessionKey="agent:nobody:main")[0].ok)

    def test_agent_with_sessions(self) -> None:
        """
        Without a list, an agent that has sessions, as from another installation, is one; beside a list it is none.
        """
        self.session("agent:ops:x")
        self.assertTrue(self.send(sessionKey="agent:ops:main")[0].ok)
        (reply,) = self.asked("agent", {"message": "hi", "sessionKey": "agent:ops:y", "idempotencyKey": "a"})
        self.assertTrue(reply.ok)
        self.configure({**MOCK_CONFIG, "agents": {"list": [{"id": "main"}]}})
        refused = self.send(sessionKey="agent:ops:main", idempotencyKey="l")[0]
        self.assertEqual(refused.message, 'invalid chat.send params: unknown agent id "ops"')

    def test_stop_words(self) -> None:
        """
        A message that is a stop word ends the session's runs, whoever started them, and starts none.
        """
        self.ask("agent.wait", {"runId": "nobody", "timeoutMs": 0})
        self.send()
        self.asked("agent", {"message": "x", "sessionKey": "agent:main:main", "idempotencyKey": "a"})
        (reply,) = self.asked("chat.send", {"sessionKey": "main", "message": " STOP ", "idempotencyKey": "s"})
        self.assertEqual(reply.payload, {"ok": True, "aborted": True, "runIds": ["k", "a"]})
        self.assertEqual(self.agents.stopped, [("agent:main:main", "stop")])
        self.asked("chat.send", {"sessionKey": "main", "message": "/stop now", "idempotencyKey": "t"})
        self.assertEqual(self.agents.submitted[-1].message, "/stop now")

    def test_thinking(self) -> None:
        """
        A level of thinking counts for this message, unless it is a command or the word is unknown.
        """
        cases = {"1": ("hi", "ultra", "high"), "2": ("/status", "high", None), "3": ("hi", "weird", None)}
        for key, (message, word, level) in cases.items():
            self.send(message, thinking=word, idempotencyKey=key)
            self.assertEqual(self.agents.submitted[-1].thinking, level)

    def test_expiry(self) -> None:
        """
        A client's limit has a minute of grace, and bounds of its own.
        """
        self.assertEqual(expiry(None), timedelta(minutes=11))
        self.assertEqual(expiry(0), timedelta(minutes=11))
        self.assertEqual(expiry(1000), timedelta(minutes=2))
        self.assertEqual(expiry(10**15), timedelta(hours=24))


class AttachmentTests(MethodCase):
    """
    Pictures that come with a message.
    """

    def images(self, *attachments: Any) -> Any:
        self.asked(
            "chat.send",
            {"sessionKey": "main", "message": "x", "idempotencyKey": "k", "attachments": list(attachments)},
        )
        return [dict(image) for image in self.agents.submitted[-1].images]

    def refuse(self, attachment: Any) -> str:
        return self.refused(
            "chat.send", {"sessionKey": "m", "message": "x", "idempotencyKey": "k", "attachments": [attachment]}
        )

    def test_pictures(self) -> None:
        """
        What is a picture is passed on with the type that its first bytes tell; what is none is left out.
        """
        pdf = base64.b64encode(b"%PDF-1.4 ").decode("ascii")
        text = base64.b64encode(b"hello wor").decode("ascii")
        found = self.images(
            {"content": f"data:image/jpeg;base64,{PNG}", "mimeType": "image/jpeg"},
            {"content": pdf, "mimeType": "image/png"},
            {"content": text, "mimeType": "text/plain"},
            {"content": text, "mimeType": "image/x-odd"},
        )
        self.assertEqual([image["mimeType"] for image in found], ["image/png", "image/x-odd"])
        self.assertEqual(found[0], {"type": "image", "data": PNG, "mimeType": "image/png"})

    def test_refusals(self) -> None:
        """
        What is no base64, empty or too large is refused by name.
        """
        self.assertEqual(
            self.refuse({"content": "abc!", "fileName": "a.png"}), "Error: attachment a.png: invalid base64 content"
        )
        self.assertEqual(
            self.refuse({"content": "abcde", "type": "image"}), "Error: attachment image: invalid base64 content"
        )
        self.assertEqual(
            self.refuse({"content": "===="}), "Error: attachment attachment-1: exceeds size limit (0 > 5000000 bytes)"
        )
        big = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * MAX_BYTES).decode("ascii")
        self.assertEqual(
            self.refuse({"content": big}),
            "Error: attachment attachment-1: exceeds size limit (5000008 > 5000000 bytes)",
        )

    def test_sniffing(self) -> None:
        """
        Kinds of files by their first bytes.
        """
        self.assertEqual(sniffed(b"RIFF0000WEBPVP8 "), "image/webp")
        self.assertEqual(sniffed(b"RIFF0000WAVEfmt "), "audio/wav")
        self.assertEqual(sniffed(b"0000ftypheic"), "image/heic")
        self.assertIsNone(sniffed(b"plain"))


class HistoryTests(MethodCase):
    """
    ``chat.history``.
    """

    def test_unknown_session(self) -> None:
        """
        A session that does not exist has an empty history.
        """
        self.assertEqual(
            self.ask("chat.history", {"sessionKey": "nosuch"}),
            {"sessionKey": "nosuch", "messages": [], "thinkingLevel": "off"},
        )

    def test_messages(self) -> None:
        """
        The last messages come in order, users' texts as they wrote them.
        """
        self.session("agent:main:x", user("one"), user("[WhatsApp A] two\n[message_id: 7]"), assistant("three"))
        answer = self.ask("chat.history", {"sessionKey": "x", "limit": 2})
        self.assertEqual(answer["sessionId"], "id-agent-main-x")
        self.assertEqual([message["content"][0]["text"] for message in answer["messages"]], ["two", "three"])

    def test_thinking(self) -> None:
        """
        The level is the session's, else the configured one, else what the model does by itself.
        """
        self.session("agent:main:x", thinkingLevel="high")
        self.assertEqual(self.ask("chat.history", {"sessionKey": "x"})["thinkingLevel"], "high")
        reasoning = {**MOCK_CONFIG, "agents": {"defaults": {"model": {"primary": "m/r"}}}}
        reasoning["models"] = {
            "providers": {"m": {"baseUrl": "http://h/v1", "models": [{"id": "r", "name": "R", "reasoning": True}]}}
        }
        self.configure(reasoning)
        self.assertEqual(self.ask("chat.history", {"sessionKey": "y"})["thinkingLevel"], "low")

    def test_size(self) -> None:
        """
        The oldest messages are left out of an answer that would be too large, never the newest.
        """
        messages = [assistant(str(number) * 100) for number in range(5)]
        size = len(orjson.dumps(messages[0]))
        self.assertEqual(fitting(messages[::-1], 10**6), messages)
        self.assertEqual(fitting(messages[::-1], 2 * size + 3), messages[-2:])
        self.assertEqual(fitting(messages[::-1], 1), messages[-1:])
        self.assertEqual(fitting([], 1), [])

    def test_no_more_is_read(self) -> None:
        """
        Messages that will not be shown are not read: a long session may have very large ones.
        """
        taken = iter([assistant("x" * 100) for _ in range(5)])
        self.assertEqual(len(fitting(taken, 1)), 1)
        self.assertEqual(len(list(taken)), 3)


class AbortTests(MethodCase):
    """
    ``chat.abort``.
    """

    def start(self, key: str, run_id: str) -> None:
        self.asked("chat.send", {"sessionKey": key, "message": "x", "idempotencyKey": run_id})

    def test_session(self) -> None:
        """
        Without a run, all of the session's end, under whatever name the session was given.
        """
        self.start("main", "a")
        self.start("other", "b")
        self.assertEqual(
            self.ask("chat.abort", {"sessionKey": "agent:main:main"}),
            {"ok": True, "aborted": True, "runIds": ["a"]},
        )
        self.assertEqual(self.ask("chat.abort", {"sessionKey": "main"}), {"ok": True, "aborted": False, "runIds": []})

    def test_run(self) -> None:
        """
        One run ends by its id; one that is over or unknown is no error; one of another session is.
        """
        self.start("main", "a")
        self.start("main", "b")
        self.start("other", "c")
        self.assertEqual(
            self.ask("chat.abort", {"sessionKey": "main", "runId": "b"}),
            {"ok": True, "aborted": True, "runIds": ["b"]},
        )
        for run_id in ("b", "unknown"):
            self.assertFalse(self.ask("chat.abort", {"sessionKey": "main", "runId": run_id})["aborted"])
        self.assertEqual(
            self.refused("chat.abort", {"sessionKey": "main", "runId": "c"}), "runId does not match sessionKey"
        )

    def test_takes_long(self) -> None:
        """
        A run that does not come to its end holds the answer up for a quarter of a minute.
        """
        self.agents.stuck = True
        stopping = {"sessionKey": "main", "message": "/stop", "idempotencyKey": "k"}
        for method, params in (("chat.abort", {"sessionKey": "main"}), ("chat.send", stopping)):
            replies = self.asked(method, params)
            self.clock.advance(14)
            self.assertEqual(replies, [])
            self.clock.advance(1)
            self.assertEqual(
                [reply.message for reply in replies], ["Session main is still active; try again in a moment."]
            )


class InjectTests(MethodCase):
    """
    ``chat.inject``.
    """

    def test_written_and_told(self) -> None:
        """
        The message is the new leaf of the session, and everybody hears of it after it is stored.
        """
        session = self.session("agent:main:x", user("hi"))
        answer = self.ask("chat.inject", {"sessionKey": "x", "message": "text", "label": "Note"})
        leaf = self.successResultOf(self.store.read(lambda unit: unit.entries.leaf(session.session_id)))
        assert leaf is not None
        self.assertEqual((answer, leaf.parent_id), ({"ok": True, "messageId": leaf.id}, "00000000"))
        self.assertEqual(leaf.body["message"]["stopReason"], "injected")
        ((event, payload, _),) = self.events
        self.assertEqual(event, "chat")
        self.assertEqual(
            payload,
            {
                "runId": f"inject-{leaf.id}",
                "sessionKey": "x",
                "seq": 0,
                "state": "final",
                "message": leaf.body["message"],
            },
        )
        self.assertEqual(leaf.timestamp_ms, NOW_MS)
