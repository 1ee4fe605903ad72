"""
Tests of ``openclaw.methods.sessions``.
"""

from __future__ import annotations

from typing import Any

from tests.methods.support import MOCK_CONFIG, NOW_MS, MethodCase, assistant, user

MINUTE_MS = 60_000


class ListTests(MethodCase):
    """
    ``sessions.list``.
    """

    def test_rows(self) -> None:
        """
        Sessions come newest first, without members that are not set, and name the database as their place.
        """
        self.session("agent:main:old", at_ms=NOW_MS - 5)
        self.session("agent:main:new", label="L", inputTokens=3, outputTokens=4, unknownMember=1)
        answer = self.ask("sessions.list", {})
        self.assertEqual((answer["ts"], answer["count"]), (NOW_MS, 2))
        self.assertEqual(answer["path"], str(self.context.store_path))
        self.assertEqual(answer["defaults"], {"modelProvider": "mock", "model": "mock-1", "contextTokens": 128000})
        self.assertEqual(
            answer["sessions"],
            [
                {
                    "key": "agent:main:new",
                    "kind": "direct",
                    "label": "L",
                    "updatedAt": NOW_MS,
                    "sessionId": "id-agent-main-new",
                    "inputTokens": 3,
                    "outputTokens": 4,
                    "totalTokens": 7,
                },
                {
                    "key": "agent:main:old",
                    "kind": "direct",
                    "updatedAt": NOW_MS - 5,
                    "sessionId": "id-agent-main-old",
                    "totalTokens": 0,
                },
            ],
        )

    def test_filters(self) -> None:
        """
        Every filter narrows what is listed.
        """
        self.session("agent:main:a", at_ms=NOW_MS - 9 * MINUTE_MS, label="L")
        self.session("agent:main:b", spawnedBy="agent:main:a")
        self.session("agent:ops:c", displayName="Weather")

        def keys(**params: object) -> list[str]:
            return [row["key"] for row in self.ask("sessions.list", params)["sessions"]]

        self.assertEqual(keys(agentId="OPS"), ["agent:ops:c"])
        self.assertEqual(keys(label=" L "), ["agent:main:a"])
        self.assertEqual(keys(spawnedBy="agent:main:a"), ["agent:main:b"])
        self.assertEqual(keys(search="weath"), ["agent:ops:c"])
        self.assertEqual(set(keys(activeMinutes=5)), {"agent:main:b", "agent:ops:c"})
        self.assertEqual(len(keys(limit=1)), 1)

    def test_titles_and_last_messages(self) -> None:
        """
        Titles and last messages come only where they are asked for.
        """
        self.session("agent:main:a", user("hi  there\n[message_id: 1]"), assistant("hello"))
        (row,) = self.ask("sessions.list", {"includeDerivedTitles": True, "includeLastMessage": True})["sessions"]
        self.assertEqual((row["derivedTitle"], row["lastMessagePreview"]), ("hi there", "hello"))
        (row,) = self.ask("sessions.list", {})["sessions"]
        self.assertEqual({"derivedTitle", "lastMessagePreview"} & set(row), set())


class PreviewTests(MethodCase):
    def test_statuses(self) -> None:
        """
        Sessions that are missing or empty say so; the keys are those that were asked for.
        """
        self.session("agent:main:main", user("hi"), assistant("x" * 50))
        self.session("agent:main:empty")
        answer = self.ask("sessions.preview", {"keys": [" main ", "empty", "nosuch", "  "], "maxChars": 20})
        self.assertEqual(
            answer["previews"],
            [
                {
                    "key": "main",
                    "status": "ok",
                    "items": [{"role": "user", "text": "hi"}, {"role": "assistant", "text": "x" * 17 + "..."}],
                },
                {"key": "empty", "status": "empty", "items": []},
                {"key": "nosuch", "status": "missing", "items": []},
            ],
        )


class ResolveTests(MethodCase):
    def test_by_each(self) -> None:
        """
        A session is found by key, transcript or label.
        """
        self.session("agent:main:a", label="L")
        for params in ({"key": "a"}, {"sessionId": "id-agent-main-a"}, {"label": " L "}):
            self.assertEqual(self.ask("sessions.resolve", params), {"ok": True, "key": "agent:main:a"})

    def test_several(self) -> None:
        """
        Several that fit are an error that names them; filters tell them apart.
        """
        self.session("agent:main:a", label="L")
        self.session("agent:ops:b", label="L")
        self.assertEqual(
            self.refused("sessions.resolve", {"label": "L"}),
            "Multiple sessions found with label: L (agent:main:a, agent:ops:b)",
        )
        self.assertEqual(self.ask("sessions.resolve", {"label": "L", "agentId": "ops"})["key"], "agent:ops:b")
        self.assertEqual(self.refused("sessions.resolve", {"sessionId": "no"}), "No session found: no")


class PatchTests(MethodCase):
    def test_made_and_kept(self) -> None:
        """
        A patch makes the session if there is none; all of it counts or nothing.
        """
        entry = self.ask("sessions.patch", {"key": "a", "label": "L", "thinkingLevel": "high"})["entry"]
        self.assertEqual((entry["label"], entry["thinkingLevel"], entry["updatedAt"]), ("L", "high", NOW_MS))
        self.refused("sessions.patch", {"key": "a", "label": "M", "verboseLevel": "weird"})
        stored = self.stored("agent:main:a")
        assert stored is not None
        self.assertEqual(stored.members, {"label": "L", "thinkingLevel": "high"})

    def test_label_of_another(self) -> None:
        """
        A label belongs to one session; it may be told to its own again.
        """
        self.session("agent:main:a", label="L")
        self.assertEqual(self.refused("sessions.patch", {"key": "b", "label": "L"}), "label already in use: L")
        self.ask("sessions.patch", {"key": "a", "label": "L"})

    def test_models(self) -> None:
        """
        With a list of models, only those can be chosen; an alias is what it stands for.
        """
        defaults = {
            "model": {"primary": "mock/mock-1"},
            "models": {"mock/mock-1": {}, "other/big": {"alias": "big"}},
        }
        self.configure({**MOCK_CONFIG, "agents": {"defaults": defaults}})
        entry = self.ask("sessions.patch", {"key": "a", "model": "BIG"})["entry"]
        self.assertEqual((entry["providerOverride"], entry["modelOverride"]), ("other", "big"))
        self.assertEqual(
            self.refused("sessions.patch", {"key": "a", "model": "mock/mock-2"}), "model not allowed: mock/mock-2"
        )
        self.assertNotIn("modelOverride", self.ask("sessions.patch", {"key": "a", "model": None})["entry"])


class ResetTests(MethodCase):
    def test_new_transcript(self) -> None:
        """
        The key stays and points to a new transcript; the old one is not touched.
        """
        old = self.session("agent:main:a", user("hi"), label="L", inputTokens=5)
        entry = self.ask("sessions.reset", {"key": "a"})["entry"]
        self.assertNotEqual(entry["sessionId"], old.session_id)
        self.assertEqual((entry["label"], entry["inputTokens"]), ("L", 0))
        left = self.successResultOf(self.store.read(lambda unit: unit.entries.leaf(old.session_id)))
        self.assertIsNotNone(left)


class CompactTests(MethodCase):
    """
    ``sessions.compact``.
    """

    def test_cut(self) -> None:
        """
        The last entries stay, the others go to the archive, and the tokens that were counted with them are forgotten.
        """
        session = self.session("agent:main:a", *[user(str(number)) for number in range(5)], inputTokens=5, label="L")
        key = "agent:main:a"
        self.assertEqual(self.ask("sessions.compact", {"key": "a"}), self.answer(key, compacted=False, kept=5))
        path = str(self.context.store_path)
        cut = self.ask("sessions.compact", {"key": "a", "maxLines": 2})
        self.assertEqual(cut, self.answer(key, compacted=True, archived=path, kept=2))
        left = self.successResultOf(self.store.read(lambda unit: unit.entries.path(session.session_id)))
        self.assertEqual([entry.body["message"]["content"][0]["text"] for entry in left], ["3", "4"])
        stored = self.stored(key)
        assert stored is not None
        self.assertEqual(stored.members, {"label": "L"})

    def test_nothing_to_cut(self) -> None:
        """
        There is no session, or nothing was said in it.
        """
        key = "agent:main:a"
        self.assertEqual(
            self.ask("sessions.compact", {"key": "a"}), self.answer(key, compacted=False, reason="no sessionId")
        )
        self.session(key)
        self.assertEqual(
            self.ask("sessions.compact", {"key": "a"}), self.answer(key, compacted=False, reason="no transcript")
        )

    def answer(self, key: str, **members: Any) -> dict[str, Any]:
        return {"ok": True, "key": key, **members}


class DeleteTests(MethodCase):
    """
    ``sessions.delete``.
    """

    def test_deleted(self) -> None:
        """
        Session and transcript leave every listing; deleting again is no error.
        """
        session = self.session("agent:main:a", user("hi"))
        answer = self.ask("sessions.delete", {"key": "a"})
        path = str(self.context.store_path)
        self.assertEqual(answer, {"ok": True, "key": "agent:main:a", "deleted": True, "archived": [path]})
        self.assertIsNone(self.stored("agent:main:a"))
        self.assertEqual(self.successResultOf(self.store.read(lambda unit: unit.entries.path(session.session_id))), [])
        again = self.ask("sessions.delete", {"key": "a"})
        self.assertEqual((again["deleted"], again["archived"]), (False, []))

    def test_transcript_kept(self) -> None:
        """
        The transcript can be kept.
        """
        session = self.session("agent:main:a", user("hi"))
        answer = self.ask("sessions.delete", {"key": "a", "deleteTranscript": False})
        self.assertEqual((answer["deleted"], answer["archived"]), (True, []))
        left = self.successResultOf(self.store.read(lambda unit: unit.entries.leaf(session.session_id)))
        self.assertIsNotNone(left)

    def test_main(self) -> None:
        """
        The main session of the default agent stays, under whatever name; that of another agent does not.
        """
        message = "Cannot delete the main session (agent:main:main)."
        for key in ("main", "agent:main:main", " MAIN "):
            self.assertEqual(self.refused("sessions.delete", {"key": key}), message)
        self.ask("sessions.delete", {"key": "agent:ops:main"})

    def test_active(self) -> None:
        """
        The session's runs are ended first.
        """
        self.session("agent:main:a")
        replies = self.asked("agent", {"message": "x", "sessionKey": "a", "idempotencyKey": "k"})
        self.ask("sessions.delete", {"key": "a"})
        self.assertEqual(replies[-1].payload["status"], "ok")
        self.assertEqual(list(self.agents.active("agent:main:a")), [])

    def test_still_active(self) -> None:
        """
        If they do not end in time, nothing is deleted.
        """
        self.session("agent:main:a")
        self.agents.stuck = True
        replies = self.asked("sessions.delete", {"key": " a"})
        self.clock.advance(15)
        self.assertEqual(replies[0].message, "Session  a is still active; try again in a moment.")
        self.assertIsNotNone(self.stored("agent:main:a"))
