"""
Slash commands and directives, through the runtime.
"""

from __future__ import annotations

from typing import Any

from openclaw.agent.providers.base import TextDelta
from openclaw.sessions.text import GREETING
from tests.agent.cases import HouseCase
from tests.agent.fakes import KEY, House, said


class CommandCase(HouseCase):
    def answer(self, house: House, text: str, **more: Any) -> str:
        """
        The answer to a command, which is one final event and asks no model.
        """
        run_id = f"run-{len(house.events)}-{text}"
        before = len(house.model.requests)
        house.send(text, run_id, **more)
        self.assertEqual(len(house.model.requests), before, text)
        (event,) = house.chat(run_id)
        self.assertEqual((event["state"], event["seq"], event["message"]["stopReason"]), ("final", 1, "injected"))
        self.assertEqual(house.run_record(run_id).state, "ok")
        return str(event["message"]["content"][0]["text"])

    def asked(self, house: House) -> str:
        """
        What the model was last asked.
        """
        return str(house.model.requests[-1].messages[-1]["content"][0]["text"])

    def members(self, house: House) -> dict[str, Any]:
        return dict(house.read(lambda unit: unit.sessions.get(KEY)).members)

    def session_id(self, house: House) -> str:
        return str(house.read(lambda unit: unit.sessions.get(KEY)).session_id)


class AnswerTests(CommandCase):
    def test_help_and_commands(self) -> None:
        """
        A short menu, and every command with what it does.
        """
        house = self.house()
        self.assertIn("/new", self.answer(house, "/help"))
        listed = self.answer(house, "/commands")
        for name in ("help", "commands", "status", "new", "reset", "stop", "model", "think", "verbose"):
            self.assertIn(f"/{name}", listed)

    def test_status(self) -> None:
        """
        The card says what model answers, with a masked key, and how full the context is.
        """
        house = self.house()
        house.send("hi", "run-1")
        card = self.answer(house, "/status")
        self.assertIn("🧠 Model: mock/mock-1 · 🔑 api-key sk-m…mock", card)
        self.assertIn("🧮 Tokens: 10 in / 1 out", card)
        self.assertIn("📚 Context: 10/128k (0%) · 🧹 Compactions: 0", card)
        self.assertIn("🪢 Queue: collect (depth 0)", card)
        self.assertNotIn("sk-mock-mock-mock-mock", card)

    def test_restart(self) -> None:
        """
        The gateway restarts where its owner allows it, once for each message; elsewhere the answer says what allows it.
        """
        house = self.house()
        asked: list[None] = []
        house.runtime.restart = lambda: asked.append(None)
        refused = "⚠️ /restart is disabled. Set commands.restart=true to enable."
        self.assertEqual((self.answer(house, "/restart"), asked), (refused, []))
        house = self.house(config={"commands": {"restart": True}})
        house.runtime.restart = lambda: asked.append(None)
        self.assertEqual(self.answer(house, "/restart"), "⚙️ Restarting OpenClaw in-process; back in a few seconds.")
        self.assertEqual(len(asked), 1)
        house.send("/restart now", "run-words")
        self.assertEqual(len(asked), 1)

    def test_spelling(self) -> None:
        """
        Case and blanks around a command do not matter, a colon may follow its name.
        """
        house = self.house()
        self.assertEqual(self.answer(house, "  /THINK: High "), "Thinking level set to high.")

    def test_unknown_word(self) -> None:
        """
        A word that is no command goes to the model.
        """
        house = self.house()
        house.send("/etc/hosts is a file", "run-1")
        self.assertTrue(self.asked(house).startswith("/etc/hosts is a file"))

    def test_words_after_it(self) -> None:
        """
        A command that takes no words is none when some follow: they are for the model.
        """
        house = self.house([5, *said("Hello")], said("Hello"))
        house.send("one", "run-1")
        house.send("/stop now", "run-2")
        house.clock.advance(5)
        self.assertTrue(self.asked(house).startswith("/stop now"))
        for run_id in ("run-1", "run-2"):
            self.assert_one_end(house, run_id, "final")
        house.send("/status and what is new?", "run-3")
        self.assertTrue(self.asked(house).startswith("and what is new?"))

    def test_not_obeyed(self) -> None:
        """
        Text from where no commands are taken goes to the model as it is.
        """
        house = self.house()
        house.send("/stop", "run-1", commands=False, message_id=None)
        self.assertEqual(self.asked(house), "/stop")

    def test_answered_while_busy(self) -> None:
        """
        A command does not wait for the run of its session.
        """
        house = self.house([5, *said("Hello")])
        house.send("hi", "run-1")
        self.assertIn("Queue: collect", self.answer(house, "/status"))
        house.clock.advance(5)
        self.assert_one_end(house, "run-1", "final")


class SettingTests(CommandCase):
    def test_think(self) -> None:
        """
        A level is kept for the session; without one the current is told, a wrong one is refused.
        """
        house = self.house(config={"agents": {"defaults": {"model": {"primary": "mock/mock-r"}}}})
        self.assertTrue(self.answer(house, "/think").startswith("Current thinking level: low."))
        self.assertEqual(self.answer(house, "/think high"), "Thinking level set to high.")
        self.assertIn('Unrecognized thinking level "often"', self.answer(house, "/think often"))
        house.send("hi", "run-1")
        self.assertEqual(house.model.requests[-1].thinking, "high")
        self.assertEqual(self.answer(house, "/think off"), "Thinking disabled.")

    def test_verbose(self) -> None:
        """
        Whether tools are shown is kept for the session.
        """
        house = self.house()
        self.assertEqual(self.answer(house, "/verbose on"), "⚙️ Verbose logging enabled.")
        self.assertEqual(self.members(house)["verboseLevel"], "on")
        self.assertEqual(self.answer(house, "/v full"), "⚙️ Verbose logging set to full.")
        self.assertIn("Current verbose level: full", self.answer(house, "/verbose"))
        self.assertEqual(self.answer(house, "/verbose off"), "⚙️ Verbose logging disabled.")

    def test_model(self) -> None:
        """
        A model is chosen for the session, and put back to the default.
        """
        house = self.house()
        self.assertIn("Current: mock/mock-1", self.answer(house, "/model"))
        self.assertEqual(self.answer(house, "/model mock/mock-r"), "Model set to mock/mock-r.")
        self.assertEqual(self.members(house)["modelOverride"], "mock-r")
        house.send("hi", "run-1")
        self.assertEqual(house.messages()[-1]["model"], "mock-r")
        self.assertIn("reset to default", self.answer(house, "/model default"))
        self.assertNotIn("modelOverride", self.members(house))

    def test_model_errors(self) -> None:
        """
        A model that does not exist, may not be chosen or has no key is refused, and the old one stays.
        """
        allowed = {"mock/mock-r": {"alias": "mr"}, "groq/openai/gpt-oss-120b": {}}
        house = self.house(config={"agents": {"defaults": {"models": allowed}}})
        self.assertEqual(self.answer(house, "/model mr"), "Model set to mr (mock/mock-r).")
        self.assertIn('Model "mock/nope" is not allowed.', self.answer(house, "/model mock/nope"))
        self.assertIn("GROQ_API_KEY", self.answer(house, "/model groq/openai/gpt-oss-120b"))
        self.assertIn("Unrecognized", self.answer(self.house(), "/model mock/nope"))
        self.assertIn("Unrecognized", self.answer(house, "/model mock/"))
        self.assertEqual(self.members(house)["modelOverride"], "mock-r")

    def test_model_list(self) -> None:
        """
        The list names the models that may be chosen, with their aliases.
        """
        house = self.house()
        listed = self.answer(house, "/model list")
        self.assertIn("- mock/mock-1\n- mock/mock-r\n", listed)
        self.assertNotIn("mock-r", self.answer(house, "/model"))
        house = self.house(config={"agents": {"defaults": {"models": {"mock/mock-r": {"alias": "mr"}}}}})
        self.assertIn("- mock/mock-1\n- mr (mock/mock-r)\n", self.answer(house, "/model list"))

    def test_one_message_only(self) -> None:
        """
        A directive inside a message counts for this message, and the model does not read it.
        """
        house = self.house(config={"agents": {"defaults": {"model": {"primary": "mock/mock-r"}}}})
        house.send("please /think high about it", "run-1")
        self.assertTrue(self.asked(house).startswith("please about it"))
        self.assertEqual(house.model.requests[-1].thinking, "high")
        self.assertNotIn("thinkingLevel", self.members(house))

    def test_inline_status(self) -> None:
        """
        A shortcut inside a message is answered together with the message.
        """
        house = self.house()
        house.send("hello /status", "run-1")
        self.assertTrue(self.asked(house).startswith("hello"))
        text = house.chat("run-1")[-1]["message"]["content"][0]["text"]
        self.assertIn("🧠 Model: mock/mock-1", text)
        self.assertTrue(text.endswith("Hello"))

    def test_only_shortcuts(self) -> None:
        """
        Shortcuts with nothing beside them, or only with settings, are answered without a model.
        """
        house = self.house()
        both = self.answer(house, "/help /status")
        self.assertIn("/new", both)
        self.assertIn("🧠 Model: mock/mock-1", both)
        card = self.answer(house, "/status /verbose on")
        self.assertTrue(card.endswith("⚙️ Verbose logging enabled."))
        self.assertEqual(self.members(house)["verboseLevel"], "on")

    def test_where_the_shortcut_stands(self) -> None:
        """
        Only the word itself is taken out, with the blanks around it; the same letters elsewhere stay.
        """
        house = self.house()
        house.send("see a/status  and\n  /status\n  b", "run-1")
        self.assertTrue(self.asked(house).startswith("see a/status  and\n\n  b"), self.asked(house))

    def test_picture(self) -> None:
        """
        A setting beside a picture is for this picture.
        """
        house = self.house(config={"agents": {"defaults": {"model": {"primary": "mock/mock-r"}}}})
        image = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
        house.send("/think high", "run-1", images=[image])
        self.assertEqual(house.model.requests[-1].thinking, "high")
        self.assertNotIn("thinkingLevel", self.members(house))


class SessionTests(CommandCase):
    def test_new(self) -> None:
        """
        A new session begins with a greeting; what was set and said before is gone from the model's sight.
        """
        for word in ("/new", "/reset"):
            house = self.house()
            house.send("hi", "run-1")
            self.answer(house, "/think off")
            old = self.session_id(house)
            house.send(word, "run-2")
            self.assertNotEqual(self.session_id(house), old)
            self.assertEqual(len(house.model.requests[-1].messages), 1)
            self.assertTrue(self.asked(house).startswith(GREETING))
            self.assertNotIn("thinkingLevel", self.members(house))
            self.assert_one_end(house, "run-2", "final")

    def test_new_with_words(self) -> None:
        """
        Words after the command are the first message; a model's name chooses the model.
        """
        house = self.house()
        house.send("/new what is up", "run-1")
        self.assertTrue(self.asked(house).startswith("what is up"))
        house.send("/new mock/mock-r", "run-2")
        self.assertTrue(self.asked(house).startswith(GREETING))
        self.assertEqual(self.members(house)["modelOverride"], "mock-r")
        house.send("/new etc/passwd", "run-3")
        self.assertTrue(self.asked(house).startswith("etc/passwd"))

    def test_new_with_a_known_model(self) -> None:
        """
        A model of a provider whose key is in the environment needs no configuration to be chosen.
        """
        house = self.house(environ={"GROQ_API_KEY": "gsk-test"})
        house.send("/new groq/openai/gpt-oss-120b", "run-1")
        self.assertTrue(self.asked(house).startswith(GREETING))
        self.assertEqual(self.members(house)["providerOverride"], "groq")
        house.send("/new openai/gpt-5-mini", "run-2")
        self.assertTrue(self.asked(house).startswith("openai/gpt-5-mini"))

    def test_new_while_busy(self) -> None:
        """
        What is queued in the old session is dropped, what runs there ends by itself and leaves the new one alone.
        """
        house = self.house([TextDelta("old"), 5, *said(" words")], said("new words"))
        house.send("one", "run-1")
        house.send("two", "run-2")
        house.send("/new three", "run-3")
        self.assert_one_end(house, "run-2", "aborted")
        house.clock.advance(5)
        self.assert_one_end(house, "run-1", "final")
        self.assert_one_end(house, "run-3", "final")
        self.assertEqual([message["role"] for message in house.messages()], ["user", "assistant"])

    def test_stop(self) -> None:
        """
        What runs and what waits in the session ends, and it is said so.
        """
        house = self.house([TextDelta("Hel"), 60])
        house.send("one", "run-1")
        house.send("two", "run-2")
        self.assertEqual(self.answer(house, "/stop"), "⚙️ Agent was aborted.")
        for run_id in ("run-1", "run-2"):
            self.assert_one_end(house, run_id, "aborted")
            self.assertEqual(house.chat(run_id)[-1]["stopReason"], "stop")
        self.assertEqual(house.model.cancelled, 1)
