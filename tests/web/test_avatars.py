"""
The pictures of agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.model import AgentConfig, AgentsConfig, Config
from openclaw.config.model_agents import IdentityConfig
from tests.web.asking import Answer, ask, configured, make_root

PICTURE = b"\x89PNG picture"


class AvatarTests(SynchronousTestCase):
    """
    ``/avatar/<agent>``.
    """

    def setUp(self) -> None:
        self.workspace = Path(self.mktemp()).absolute()
        (self.workspace / "art").mkdir(parents=True)
        (self.workspace / "art" / "me.png").write_bytes(PICTURE)
        (self.workspace / "me.svg").write_bytes(b"<svg/>")
        (self.workspace / "notes.txt").write_bytes(b"private")
        (self.workspace.parent / "secret.png").write_bytes(b"outside")
        (self.workspace / "out.png").symlink_to("../secret.png")

    def ask(self, avatar: str | None, path: str = "/avatar/main", *, told: str | None = None, **asked: Any) -> Answer:
        async def tell(agent_id: str) -> Mapping[str, str]:
            return {"avatar": told} if told else {}

        base_path = asked.pop("base_path", "")
        agent = AgentConfig(id="main", identity=IdentityConfig(avatar=avatar))
        config: Config = evolve(configured(base_path=base_path), agents=AgentsConfig(list=(agent,)))
        return ask(make_root(config, workspace=lambda agent_id: self.workspace, told=tell), path, **asked)

    def test_file(self) -> None:
        """
        A picture in the workspace, however its path is written.
        """
        for avatar in ("art/me.png", "./art/me.png", str(self.workspace / "art" / "me.png")):
            for path in ("/avatar/main", "/avatar/main/", "/avatar/MAIN", "/avatar/main?x=1"):
                answer = self.ask(avatar, path)
                self.assertEqual((answer.status, answer.body), (200, PICTURE), (avatar, path))
                self.assertEqual(answer.headers["content-type"], "image/png")
                self.assertEqual(answer.headers["cache-control"], "no-cache")

    def test_identity_file(self) -> None:
        """
        What ``IDENTITY.md`` says holds when the configuration says nothing.
        """
        self.assertEqual(self.ask(None, told="art/me.png").body, PICTURE)
        self.assertEqual(self.ask("me.svg", told="art/me.png").body, b"<svg/>")

    def test_drawing(self) -> None:
        """
        A drawing is a document; it may not act as one.
        """
        answer = self.ask("me.svg")
        self.assertEqual(answer.headers["content-type"], "image/svg+xml")
        self.assertTrue(answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'"))

    def test_not_a_picture_in_the_workspace(self) -> None:
        """
        Nothing else of the workspace, and nothing outside it.
        """
        for avatar in (
            None,
            "",
            "notes.txt",
            "missing.png",
            "out.png",
            "../secret.png",
            str(self.workspace.parent / "secret.png"),
            "/etc/passwd",
            "art",
            "A",
            "https://example.org/me.png",
            "art\\me.png",
        ):
            answer = self.ask(avatar)
            self.assertEqual((answer.status, answer.text), (404, "Not Found"), avatar)

    def test_where_it_is(self) -> None:
        """
        ``?meta=1`` says where to fetch it.
        """
        for avatar, url in (
            ("art/me.png", "/avatar/main"),
            ("https://example.org/me.png", "https://example.org/me.png"),
            ("data:image/png;base64,AA==", "data:image/png;base64,AA=="),
            ("missing.png", None),
            (None, None),
        ):
            answer = self.ask(avatar, "/avatar/main?meta=1")
            self.assertEqual((answer.status, answer.value), (200, {"avatarUrl": url}))
        self.assertEqual(
            self.ask("art/me.png", "/ui/avatar/main?meta=1", base_path="ui").value, {"avatarUrl": "/ui/avatar/main"}
        )
        self.assertEqual(self.ask("art/me.png", "/avatar/ghost?meta=1").value, {"avatarUrl": None})

    def test_names(self) -> None:
        """
        One segment that can be an agent's id.
        """
        for name in ("", "a/b", "-main", ".", "a.png", "x" * 65, "%6dain", "main//"):
            self.assertEqual(self.ask("art/me.png", f"/avatar/{name}").status, 404, name)

    def test_methods(self) -> None:
        """
        It can be read, not written.
        """
        self.assertEqual(self.ask("art/me.png", method="POST").status, 405)
        self.assertEqual(self.ask("art/me.png", method="HEAD").body, b"")
