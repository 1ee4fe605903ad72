"""
The wizard: its steps, its end, and what follows from the answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.auth import ResolvedAuth, resolve_auth
from openclaw.config.model import build
from openclaw.protocol.validate import violations
from openclaw.protocol.wizard import WizardNextResult, WizardStartResult
from openclaw.wizard.prompts import Prompter
from openclaw.wizard.sections import section_flow
from openclaw.wizard.session import (
    ABANDONED_MS,
    AlreadyRunning,
    NoPendingStep,
    NotFound,
    Wizards,
)
from openclaw.wizard.setup import Changes, ProviderChoice, Situation, local_flow, remote_flow

CHOICE = ProviderChoice(
    id="openrouter", label="OpenRouter", key="OPENROUTER_API_KEY", known=False, model="openrouter/auto"
)


OWN: dict[str, Any] = {"api": "openai-completions", "models": [{"id": "llama", "name": "llama"}]}
PASSWORD = {"OPENCLAW_GATEWAY_PASSWORD": "correct horse battery"}


async def two_questions(ask: Prompter) -> None:
    await ask.note("Hello.", "Title")
    await ask.text("Name", wrong=lambda text: None if text else "Required")


class WizardCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        numbers = iter(range(1, 1_000))
        self.wizards = Wizards(self.clock, lambda: f"id-{next(numbers)}")

    def start(self, flow: Callable[[Prompter], Awaitable[None]]) -> dict[str, Any]:
        shown = self.successResultOf(self.wizards.start(flow))
        self.assertIsNone(violations(WizardStartResult, shown))
        return shown

    def answer(self, shown: Mapping[str, Any], value: Any = None) -> dict[str, Any]:
        """
        Answer the step that is shown.
        """
        next_one = self.successResultOf(self.wizards.answer(self.session, shown["step"]["id"], value))
        self.assertIsNone(violations(WizardNextResult, next_one))
        return next_one

    @property
    def session(self) -> str:
        assert self.wizards._session is not None
        return self.wizards._session.id


class SessionTests(WizardCase):
    def test_to_the_end(self) -> None:
        """
        Steps come one after the other, and the end is told once.
        """
        shown = self.start(two_questions)
        session = shown["sessionId"]
        self.assertEqual((shown["step"]["type"], shown["status"], shown["done"]), ("note", "running", False))
        again = self.successResultOf(self.wizards.answer(session, None, None))
        self.assertEqual(again["step"], shown["step"])
        self.assertEqual(self.wizards.status(session), {"status": "running"})
        shown = self.answer(shown)
        self.assertEqual(self.answer(shown, "me"), {"done": True, "status": "done"})
        self.assertRaises(NotFound, self.wizards.status, session)

    def test_one_at_a_time(self) -> None:
        """
        A second one is refused until the first was left alone for a quarter of an hour.
        """
        first = self.start(two_questions)["sessionId"]
        self.clock.advance(ABANDONED_MS / 1000 - 1)
        self.assertRaises(AlreadyRunning, self.wizards.start, two_questions)
        self.clock.advance(1)
        self.assertNotEqual(self.start(two_questions)["sessionId"], first)
        self.assertRaises(NotFound, self.wizards.status, first)

    def test_wrong_step(self) -> None:
        """
        Only the step that is shown can be answered, and only once.
        """
        shown = self.start(two_questions)
        self.assertRaises(NoPendingStep, self.wizards.answer, self.session, "bad", 1)
        self.answer(shown)
        self.assertRaises(NoPendingStep, self.wizards.answer, self.session, shown["step"]["id"], 1)
        self.assertRaises(NotFound, self.wizards.answer, "other", shown["step"]["id"], 1)

    def test_cancel(self) -> None:
        """
        Leaving ends it, and another can begin.
        """
        self.start(two_questions)
        self.assertEqual(self.wizards.cancel(self.session), {"status": "cancelled", "error": "cancelled"})
        self.start(two_questions)

    def test_bad_answer(self) -> None:
        """
        An answer that the step does not take ends it.
        """
        for value, why in (("", "Name: Required"), (["x"], "Name: expected a text"), (None, "Name: Required")):
            shown = self.answer(self.start(two_questions))
            self.assertEqual(self.answer(shown, value), {"done": True, "status": "error", "error": why})

    def test_broken_flow(self) -> None:
        """
        What goes wrong in a flow is an end too, and stands in the log.
        """

        async def broken(ask: Prompter) -> None:
            raise ValueError("no")

        shown = self.start(broken)
        self.assertEqual((shown["done"], shown["status"], shown["error"]), (True, "error", "no"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class SetupTests(WizardCase):
    """
    The questions of setting up.
    """

    def setUp(self) -> None:
        super().setUp()
        self.applied: list[Changes] = []
        self.situation = Situation(
            config=build({}),
            exists=False,
            port=18789,
            workspace="/home/me/ws",
            providers=[CHOICE],
            auth=ResolvedAuth(mode="token"),
            written={},
            make_token=lambda: "t" * 48,
            apply=self.apply,
        )

    def configured(self, config: dict[str, Any], environ: Mapping[str, str] | None = None) -> None:
        """
        Set up before.
        """
        model = build(config)
        auth = resolve_auth(model, environ or {})
        self.situation = evolve(self.situation, config=model, exists=True, auth=auth, written=config)

    async def apply(self, changes: Changes) -> str:
        self.applied.append(changes)
        return "Restart the gateway."

    def talk(self, flow: Callable[[Prompter], Awaitable[None]], answers: Mapping[str, Any]) -> dict[str, Any]:
        """
        Answer questions by their texts; notes are read.

        :return: the end.
        """
        shown = self.start(flow)
        left = dict(answers)
        while not shown["done"]:
            step = shown["step"]
            shown = self.answer(shown, None if step["type"] == "note" else left.pop(step["message"]))
        self.assertEqual(left, {})
        return shown

    def local(self, **answers: Any) -> Changes:
        names = {
            "risk": "I understand this is powerful and inherently risky. Continue?",
            "mode": "Onboarding mode",
            "handling": "Config handling",
            "workspace": "Workspace directory",
            "port": "Gateway port",
            "tailscale": "Tailscale exposure",
            "bind": "Gateway bind",
            "auth": "Gateway auth",
            "password": "Gateway password",
            "provider": "Model provider",
            "key": "OpenRouter API key",
            "model": "Default model",
        }
        given = {"risk": True, "mode": "quickstart", "provider": "skip", **answers}
        end = self.talk(
            local_flow(self.situation, None), {names[name]: given[name] for name in given if given[name] != ""}
        )
        self.assertEqual(end, {"done": True, "status": "done"})
        return self.applied[-1]

    def test_declined(self) -> None:
        """
        Who does not accept the risk changes nothing.
        """
        end = self.talk(
            local_flow(self.situation, None), {"I understand this is powerful and inherently risky. Continue?": False}
        )
        self.assertEqual(end, {"done": True, "status": "cancelled", "error": "risk not accepted"})
        self.assertEqual(self.applied, [])

    def test_quick(self) -> None:
        """
        The quick way asks for a provider only, and makes a token.
        """
        self.assertEqual(
            self.local(provider="openrouter", key="sk-or", model="openrouter/auto"),
            {
                "gateway.mode": "local",
                "agents.defaults.workspace": "/home/me/ws",
                "gateway.auth.mode": "token",
                "gateway.auth.token": "t" * 48,
                "env.vars.OPENROUTER_API_KEY": "sk-or",
                "agents.defaults.model.primary": "openrouter/auto",
            },
        )

    def test_own_server(self) -> None:
        """
        What speaks OpenAI's format at an address of one's own; a key only where one is needed.
        """
        for key, members in (("", {}), ("a-key", {"apiKey": "a-key"})):
            answers = {
                "I understand this is powerful and inherently risky. Continue?": True,
                "Onboarding mode": "quickstart",
                "Model provider": "own",
                "Address of the server": "http://127.0.0.1:11434/v1",
                "API key (empty where none is needed)": key,
                "Model": "llama",
            }
            self.talk(local_flow(self.situation, None), answers)
            changes = self.applied[-1]
            provider = {"baseUrl": "http://127.0.0.1:11434/v1", "api": "openai-completions"}
            wanted = {**provider, "models": [{"id": "llama", "name": "llama"}], **members}
            self.assertEqual(changes["models.providers.local"], wanted)
            self.assertEqual(changes["agents.defaults.model.primary"], "local/llama")

    def test_second_server(self) -> None:
        """
        A server at another address gets a name of its own; one that is known keeps its key and its models.
        """
        models: list[Any] = [{"id": "m", "name": "M", "reasoning": True}]
        known = {"baseUrl": "http://a:1/v1/", "apiKey": "a-key", "models": models}
        self.configured({"models": {"providers": {"local": known}}})
        for address, key, name, wanted in (
            ("http://b:1/v1", "", "llama", {"models.providers.local-2": {**OWN, "baseUrl": "http://b:1/v1"}}),
            ("http://a:1/v1", "", "m", {}),
            ("http://a:1/v1", "new", "m", {"models.providers.local.apiKey": "new"}),
            ("http://a:1/v1", "", "llama", {"models.providers.local.models": [*models, *OWN["models"]]}),
        ):
            answers = {"Address of the server": address, "API key (empty where none is needed)": key, "Model": name}
            self.talk(section_flow(self.situation, "model"), {"Model provider": "own", **answers})
            changes = dict(self.applied[-1])
            provider = "local-2" if "b:" in address else "local"
            self.assertEqual(changes.pop("agents.defaults.model.primary"), f"{provider}/{name}")
            self.assertEqual(changes, wanted)

    def test_variables_of_a_server(self) -> None:
        """
        What stands in the file as a variable stays one.
        """
        config = {"baseUrl": "http://a:1/v1", "models": [{"id": "m", "name": "M", "headers": {"X": "a secret"}}]}
        self.configured({"models": {"providers": {"local": config}}})
        models: list[Any] = [{"id": "m", "name": "M", "headers": {"X": "${SECRET}"}}]
        written = {"models": {"providers": {"local": {**config, "models": models}}}}
        self.situation = evolve(self.situation, written=written)
        answers = {
            "Address of the server": "http://a:1/v1",
            "API key (empty where none is needed)": "",
            "Model": "llama",
        }
        self.talk(section_flow(self.situation, "model"), {"Model provider": "own", **answers})
        self.assertEqual(self.applied[-1]["models.providers.local.models"], [*models, *OWN["models"]])

    def test_advanced(self) -> None:
        """
        The long way asks for everything; a password is long enough or none.
        """
        changes = self.local(
            mode="advanced",
            workspace="/srv/ws",
            port="19000",
            tailscale="off",
            bind="lan",
            auth="password",
            password="correct horse bat",
        )
        self.assertEqual(
            changes,
            {
                "gateway.mode": "local",
                "agents.defaults.workspace": "/srv/ws",
                "gateway.port": 19000,
                "gateway.tailscale.mode": "off",
                "gateway.bind": "lan",
                "gateway.auth.mode": "password",
                "gateway.auth.password": "correct horse bat",
            },
        )

    def test_tailscale(self) -> None:
        """
        With Tailscale the gateway stays on loopback; what the whole internet reaches asks for a password.
        """
        common = {"mode": "advanced", "workspace": "/srv/ws", "port": "19000"}
        self.local(**common, tailscale="serve", auth="token")
        self.local(**common, tailscale="funnel", password="correct horse bat")
        serve, funnel = self.applied
        self.assertEqual((serve["gateway.bind"], serve["gateway.auth.mode"]), ("loopback", "token"))
        self.assertEqual((funnel["gateway.bind"], funnel["gateway.auth.mode"]), ("loopback", "password"))

    def test_keep(self) -> None:
        """
        A gateway that is set up keeps its token and its model.
        """
        config = {"gateway": {"auth": {"token": "x" * 32}}, "agents": {"defaults": {"model": {"primary": "a/b"}}}}
        self.configured(config)
        changes = self.local(handling="keep", provider="")
        self.assertEqual(changes, {"gateway.mode": "local", "agents.defaults.workspace": "/home/me/ws"})

    def test_keep_password(self) -> None:
        """
        A password stays the way in, also one that only the environment has.
        """
        model = {"agents": {"defaults": {"model": {"primary": "a/b"}}}}
        for auth, environ in (({"mode": "password", "password": "correct horse battery"}, {}), ({}, PASSWORD)):
            self.configured({**model, "gateway": {"auth": auth}}, environ)
            changes = self.local(handling="keep", provider="")
            self.assertEqual(changes, {"gateway.mode": "local", "agents.defaults.workspace": "/home/me/ws"})

    def test_weak_token(self) -> None:
        """
        A token with which the gateway would not start is made anew; on loopback it may stay.
        """
        for bind, made in (("lan", True), ("loopback", False)):
            self.configured({"gateway": {"bind": bind, "auth": {"token": "short"}}})
            changes = self.local(handling="keep")
            self.assertEqual("gateway.auth.token" in changes, made)
            advanced = {"mode": "advanced", "handling": "modify", "workspace": "/ws", "port": "19000"}
            changes = self.local(**advanced, tailscale="off", bind=bind, auth="token")
            self.assertEqual("gateway.auth.token" in changes, made)

    def test_entered_through(self) -> None:
        """
        Enter after Enter changes nothing: what is there is what each question begins with.
        """
        gateway = {
            "bind": "custom",
            "customBindHost": "10.0.0.1",
            "auth": {"mode": "password", "password": "correct horse battery"},
        }
        self.configured({"gateway": gateway})
        shown = self.start(section_flow(self.situation, "gateway"))
        while not shown["done"]:
            shown = self.answer(shown, shown["step"].get("initialValue", ""))
        self.assertEqual(shown, {"done": True, "status": "done"})
        self.assertEqual(
            self.applied[-1],
            {
                "gateway.mode": "local",
                "gateway.port": 18789,
                "gateway.tailscale.mode": "off",
                "gateway.bind": "custom",
                "gateway.auth.mode": "password",
            },
        )

    def test_known_key(self) -> None:
        """
        A key that is there is not asked for.
        """
        self.situation = evolve(self.situation, providers=[evolve(CHOICE, known=True)])
        changes = self.local(provider="openrouter", model="openrouter/x")
        self.assertNotIn("env.vars.OPENROUTER_API_KEY", changes)

    def test_wrong_values(self) -> None:
        """
        Values that cannot be end it, and nothing is written.
        """
        risk = "I understand this is powerful and inherently risky. Continue?"
        start = {risk: True, "Onboarding mode": "advanced", "Workspace directory": "/ws"}
        off = {"Tailscale exposure": "off"}
        secret = {"Gateway auth": "password", "Gateway password": "short"}
        for answers, why in (
            ({"Gateway port": "70000"}, "Gateway port: Invalid port"),
            ({"Gateway port": "80", **off, "Gateway bind": "wide"}, "Gateway bind: 'wide' is no choice"),
            (
                {"Gateway port": 80, **off, "Gateway bind": "auto", **secret},
                "Gateway password: Use at least 16 characters",
            ),
        ):
            end = self.talk(local_flow(self.situation, None), {**start, **answers})
            self.assertEqual(end, {"done": True, "status": "error", "error": why})
        self.assertEqual(self.applied, [])

    def test_remote(self) -> None:
        """
        A machine whose commands go elsewhere.
        """
        risk = "I understand this is powerful and inherently risky. Continue?"
        token = "Gateway token (empty keeps the one that is there)"
        answers = {risk: True, "Gateway WebSocket URL": "wss://gw:18789", token: ""}
        self.talk(remote_flow(self.situation), answers)
        self.assertEqual(self.applied, [{"gateway.mode": "remote", "gateway.remote.url": "wss://gw:18789"}])
        for address, why in (
            ("https://gw", "URL must start with ws:// or wss://"),
            ("ws://", "URL must name a host, as wss://host:18789 does"),
            ("wss://gw:99999", "URL must name a host, as wss://host:18789 does"),
            ("wss://g w", "URL must name a host, as wss://host:18789 does"),
        ):
            end = self.talk(remote_flow(self.situation), {risk: True, "Gateway WebSocket URL": address})
            self.assertEqual(end["error"], f"Gateway WebSocket URL: {why}")
