"""
Imports of what is broken, and of what is there twice.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from openclaw.agent.context import context
from openclaw.store.interfaces import Session, Unit
from openclaw.store.memory import MemoryStore
from openclaw.store.sources import Places
from tests.store.importing import HEADER, ImportTestCase, line
from tests.store.state import DEVICE, NOW, PAIRED, REQUEST, write


def put_session(session: Session, unit: Unit) -> None:
    unit.sessions.put(session)


class DamageTests(ImportTestCase):
    """
    Files of people who had bad luck.
    """

    def ids(self, session_id: str = "s") -> list[str]:
        return [entry.id for entry in self.path_of(session_id)]

    def test_torn_line(self) -> None:
        """
        A line that was cut off by a crash is counted and left out; the conversation before it is whole.
        """
        self.transcript("s.jsonl", HEADER + line("a", None) + line("b", "a") + line("c", "b")[:40])
        self.assertEqual(self.run_import().counts.numbers["unreadable"], 1)
        self.assertEqual(self.ids(), ["a", "b"])

    def test_last_line_without_newline(self) -> None:
        """
        A whole last line counts, newline or not.
        """
        self.transcript("s.jsonl", HEADER + line("a", None) + line("b", "a").rstrip())
        self.run_import()
        self.assertEqual(self.ids(), ["a", "b"])

    def test_garbage_in_the_middle(self) -> None:
        """
        Junk is left out, and what hung on it hangs on the line before.
        """
        junk = "not json\n[1]\n{}\n\x00\x01\n" + '{"type":"message","id":"x","parentId":"a"}\n'
        self.transcript("s.jsonl", HEADER + line("a", None) + junk + line("b", "x"))
        self.assertEqual(self.run_import().counts.numbers["unreadable"], 5)
        self.assertEqual(self.ids(), ["a", "b"])

    def test_messages_that_no_model_takes(self) -> None:
        """
        Results of no call and blocks without a type are left out: they would fail every later run of the session.
        """
        bad = [
            '{"type":"message","id":"x","message":{"role":"toolResult","content":[]}}',
            '{"type":"message","id":"y","message":{"role":"assistant","content":[{"text":"?"}]}}',
            '{"type":"message","id":"z","message":{"role":"assistant","content":[{"type":"toolCall","id":"c"}]}}',
        ]
        plain = '{"type":"message","id":"p","message":{"role":"assistant","content":"as text"}}'
        self.transcript("s.jsonl", HEADER + line("a", None) + "\n".join([*bad, plain, ""]))
        self.assertEqual(self.run_import().counts.numbers["unreadable"], 3)
        self.assertEqual(self.ids(), ["a", "p"])
        self.assertEqual(context(self.path_of("s"))[1]["content"], [{"type": "text", "text": "as text"}])

    def test_half_a_surrogate_pair(self) -> None:
        """
        Text that was cut in the middle of an emoji is kept, without the half.
        """
        self.transcript("s.jsonl", HEADER + line("a", None, text="cut \\ud83d"))
        self.run_import()
        self.assertEqual(self.path_of("s")[0].body["message"]["content"][0]["text"], "cut \ufffd")

    def test_unknown_members(self) -> None:
        """
        Members and kinds of lines that we do not know are kept.
        """
        self.transcript("s.jsonl", HEADER + '{"type":"label","id":"a","parentId":null,"labels":{"x":[1.5,null]}}\n')
        self.run_import()
        entry = self.path_of("s")[0]
        self.assertEqual((entry.type, entry.body), ("label", {"labels": {"x": [1.5, None]}}))

    def test_lines_without_ids(self) -> None:
        """
        Lines of old versions get ids, the same each time.
        """
        text = '{"type":"message","message":{"role":"user","content":"one"}}\n' * 2
        self.transcript("s.jsonl", HEADER + text)
        self.run_import()
        first = self.ids()
        self.assertEqual(len(set(first)), 2)
        self.store = MemoryStore()
        self.run_import()
        self.assertEqual(self.ids(), first)

    def test_broken_files(self) -> None:
        """
        A file that is no JSON counts as empty and does not keep the others away; it is read once it is mended.
        """
        self.sessions_json("{ broken")
        write(self.root / "devices" / "paired.json", "[]")
        write(self.root / "cron" / "jobs.json", "\x00")
        self.transcript("s.jsonl", HEADER + line("a", None))
        self.assertEqual(self.run_import().counts.numbers, {"entries": 1, "transcripts": 1})
        self.sessions_json("{'agent:main:x': {sessionId: 's', updatedAt: 5,},} // by hand")
        self.assertEqual(self.run_import().counts.numbers, {"sessions": 1})

    def test_records_that_cannot_work(self) -> None:
        """
        Devices without a key and requests without a time are left out; tokens without scopes too.
        """
        odd = {**PAIRED, "tokens": {"operator": {"token": "t"}, "node": "?"}, "roles": "operator"}
        write(self.root / "devices" / "paired.json", {"1": {}, "2": "x", DEVICE: odd})
        write(self.root / "devices" / "pending.json", {"1": {**REQUEST, "ts": "x"}, "2": {"ts": 1}})
        self.assertEqual(self.run_import().counts.numbers, {"devices": 1, "unreadable": 4})
        self.assertEqual(
            self.read(lambda unit: unit.devices.get(DEVICE)), {**PAIRED, "tokens": {}, "roles": ["operator"]}
        )

    def test_not_a_file(self) -> None:
        """
        A link or a directory with the name of a transcript is not followed.
        """
        secret = Path(self.mktemp())
        write(secret, HEADER + line("a", None))
        self.transcript("t.jsonl", HEADER + line("a", None))
        sessions = self.root / "agents" / "main" / "sessions"
        os.symlink(secret.resolve(), sessions / "s.jsonl")
        (sessions / "d.jsonl").mkdir()
        self.assertEqual(self.run_import().counts.numbers, {"entries": 1, "transcripts": 1})
        self.assertEqual(self.ids(), [])


class MergeTests(ImportTestCase):
    """
    Two of one id.
    """

    def test_newest_session_wins(self) -> None:
        """
        What is ours and newer stays; what is theirs and newer comes.
        """
        for key in ("a", "b"):
            ours = Session(key=f"agent:main:{key}", agent_id="main", session_id=f"ours-{key}", updated_at_ms=10)
            self.successResultOf(self.store.write(partial(put_session, ours)))
        self.sessions_json(
            {"agent:main:a": {"sessionId": "old", "updatedAt": 9}, "b": {"sessionId": "new", "updatedAt": 11}}
        )
        self.run_import()
        found = self.read(lambda unit: [unit.sessions.get(f"agent:main:{key}") for key in ("a", "b")])
        self.assertEqual([session.session_id for session in found if session], ["ours-a", "new"])

    def test_two_names_of_one_session(self) -> None:
        """
        ``main`` and the key that it stands for are one session: the newer one.
        """
        self.sessions_json(
            {"main": {"sessionId": "alias", "updatedAt": 2}, "agent:main:main": {"sessionId": "real", "updatedAt": 1}}
        )
        self.run_import()
        session = self.read(lambda unit: unit.sessions.get("agent:main:main"))
        self.assertEqual(session and session.session_id, "alias")
        self.assertEqual(self.read(lambda unit: unit.sessions.count()), 1)

    def test_file_of_another_session(self) -> None:
        """
        Where the file that an entry names is another session's, the conversation in it is the session's.
        """
        self.transcript("other.jsonl", HEADER + line("a", None))
        self.sessions_json(
            {
                "x": {"sessionId": "mine", "sessionFile": "/moved/since/other.jsonl"},
                "y": {"sessionId": "own", "sessionFile": "/moved/since/lost.jsonl"},
            }
        )
        self.run_import()
        ids = self.read(lambda unit: [row.session_id for row in unit.sessions.search()])
        self.assertEqual(sorted(ids), ["other", "own"])

    def test_newest_record_wins(self) -> None:
        """
        A token that was rotated here is not turned back.
        """
        ours = {**PAIRED, "tokens": {"operator": {"token": "new", "scopes": [], "rotatedAtMs": NOW}}}
        self.successResultOf(self.store.write(lambda unit: unit.devices.put(DEVICE, ours)))
        write(self.root / "devices" / "paired.json", {DEVICE: PAIRED})
        self.run_import()
        self.assertEqual(self.read(lambda unit: unit.devices.get(DEVICE)), ours)

    def test_newest_entry_wins(self) -> None:
        """
        Of two lines with one id the later one stays, in the place of the first.
        """
        text = HEADER + line("a", None, 1, "old") + line("b", "a", 2) + line("a", None, 3, "new")
        self.transcript("s.jsonl", text)
        self.run_import()
        path = self.path_of("s")
        self.assertEqual([entry.id for entry in path], ["a", "b"])
        self.assertEqual(path[0].body["message"]["content"][0]["text"], "new")

    def test_other_stores(self) -> None:
        """
        ``session.store`` and ``cron.store`` of the configuration are read where they point to.
        """
        other = Path(self.mktemp()).absolute()
        write(other / "work" / "store.json", {"main": {"sessionId": "w", "updatedAt": 1}})
        write(other / "home" / "store.json", {"main": {"sessionId": "h", "updatedAt": 1}})
        write(other / "jobs.json", {"version": 1, "jobs": [{"id": "j"}]})
        places = Places(
            state_dir=self.root, session_store=other / "{agentId}" / "store.json", cron_store=other / "jobs.json"
        )
        self.assertEqual(self.run_import(places).counts.numbers, {"cron jobs": 1, "sessions": 2})
        self.assertEqual(list(self.read(lambda unit: unit.sessions.agent_ids())), ["home", "work"])
