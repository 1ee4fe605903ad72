"""
``openclaw setup``, ``dashboard``, ``protocol``, and what a development start makes.
"""

from __future__ import annotations

import json
import stat

from tests.cli.harness import CommandCase


class SetupTests(CommandCase):
    """
    ``openclaw setup``.
    """

    def test_first_and_second(self) -> None:
        """
        The first time everything is made; the second time nothing is left to do.
        """
        outcome = self.openclaw("setup")
        self.assertEqual(
            outcome.out,
            "Wrote ~/.openclaw/openclaw.json\nWorkspace OK: ~/.openclaw/workspace\n"
            "Sessions OK: ~/.openclaw/openclaw.sqlite3\n",
        )
        path = self.home / ".openclaw" / "openclaw.json"
        config = json.loads(path.read_text())
        self.assertEqual(config, {"agents": {"defaults": {"workspace": f"{self.home}/.openclaw/workspace"}}})
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertTrue((self.home / ".openclaw" / "workspace" / "SOUL.md").exists())
        self.assertTrue(self.openclaw("setup").out.startswith("Config OK: ~/.openclaw/openclaw.json\n"))

    def test_private(self) -> None:
        """
        Whatever is typed first, nobody else can look into the state directory.
        """
        for state, command in (
            (".openclaw", ("status",)),
            (".openclaw-dev", ("--dev", "setup")),
        ):
            self.openclaw(*command)
            self.assertEqual(stat.S_IMODE((self.home / state).stat().st_mode), 0o700, command)
        self.assertEqual(stat.S_IMODE((self.home / ".openclaw").stat().st_mode), 0o700)

    def test_other_workspace(self) -> None:
        """
        A workspace that is named is written into the file that is there.
        """
        path = self.configure('{ /* mine */ gateway: { mode: "local" } }')
        outcome = self.openclaw("setup", "--workspace", "~/work")
        self.assertTrue(
            outcome.out.startswith("Updated ~/.openclaw/openclaw.json (set agents.defaults.workspace)\n"), outcome
        )
        self.assertIn("/* mine */", path.read_text())
        self.assertTrue((self.home / "work" / "AGENTS.md").exists())

    def test_dev(self) -> None:
        """
        The development profile gets a token, so that its gateway starts.
        """
        self.openclaw("--dev", "setup")
        config = json.loads((self.home / ".openclaw-dev" / "openclaw.json").read_text())
        self.assertEqual(len(config["gateway"]["auth"]["token"]), 64)
        self.assertTrue((self.home / ".openclaw" / "workspace-dev" / "SOUL.md").exists())


class DashboardTests(CommandCase):
    """
    ``openclaw dashboard``.
    """

    def test_fragment(self) -> None:
        """
        Our page takes the token from the fragment.
        """
        self.configure({"gateway": {"port": 5, "auth": {"token": "a b"}, "controlUi": {"basePath": "/ui/"}}})
        told = self.openclaw("dashboard", "--json").json
        self.assertEqual(told["url"], "http://127.0.0.1:5/ui/#token=a%20b")
        out = self.openclaw("dashboard", "--no-open").out
        self.assertTrue(out.startswith("Dashboard URL: http://127.0.0.1:5/ui/#token=a%20b\n"), out)

    def test_query(self) -> None:
        """
        Another bundle knows only the query.
        """
        self.configure({"gateway": {"auth": {"token": "t"}, "controlUi": {"root": "/x"}, "tls": {"enabled": True}}})
        self.assertEqual(self.openclaw("dashboard", "--json").json["url"], "https://127.0.0.1:18789/?token=t")

    def test_no_token(self) -> None:
        """
        Without a token the address stands alone.
        """
        told = self.openclaw("dashboard", "--json").json
        self.assertEqual(told, {"url": "http://127.0.0.1:18789/", "baseUrl": "http://127.0.0.1:18789/"})
        self.environ["SSH_TTY"] = "/dev/pts/0"
        told = self.openclaw("dashboard", "--no-open").out
        self.assertTrue(told.endswith("Then open:\nhttp://localhost:18789/\n"))
        self.assertEqual(told.count("localhost"), 1)


class ProtocolTests(CommandCase):
    """
    ``openclaw protocol``.
    """

    def test_schema(self) -> None:
        """
        The schema is JSON with all definitions.
        """
        self.assertIn("ConnectParams", self.openclaw("protocol", "schema").json["definitions"])

    def test_asyncapi(self) -> None:
        """
        The whole protocol is one AsyncAPI document, to the terminal or to a file.
        """
        document = self.openclaw("protocol", "schema", "--asyncapi").json
        self.assertEqual((document["asyncapi"], "chat.send" in document["operations"]), ("3.0.0", True))
        path = self.home / "protocol.json"
        self.assertEqual(self.openclaw("protocol", "schema", "--asyncapi", "-o", str(path)).code, 0)
        self.assertEqual(json.loads(path.read_text()), document)
        outcome = self.openclaw("protocol", "gen", "--lang", "ts", "--asyncapi")
        self.assertEqual((outcome.code, outcome.err), (2, "error: unknown option '--asyncapi' of 'protocol gen'\n"))

    def test_openapi(self) -> None:
        """
        The HTTP side is one OpenAPI document.
        """
        document = self.openclaw("protocol", "openapi").json
        self.assertEqual((document["openapi"], "/v1/responses" in document["paths"]), ("3.1.0", True))
        outcome = self.openclaw("protocol", "openapi", "--asyncapi")
        self.assertEqual((outcome.code, outcome.err), (2, "error: unknown option '--asyncapi' of 'protocol openapi'\n"))

    def test_types(self) -> None:
        """
        Types are written in three languages, to the terminal or to a file.
        """
        for language, word in {"ts": "export ", "swift": "struct ", "python": "class "}.items():
            self.assertIn(word, self.openclaw("protocol", "gen", "--lang", language).out)
        path = self.home / "types.ts"
        outcome = self.openclaw("protocol", "gen", "--lang", "ts", "-o", str(path))
        self.assertEqual(outcome.out, "Wrote ~/types.ts\n")
        self.assertIn("ConnectParams", path.read_text())

    def test_usage(self) -> None:
        """
        What is missing or unknown is named.
        """
        self.assertEqual(self.openclaw("protocol").code, 2)
        self.assertEqual(
            self.openclaw("protocol", "gen").err, "error: required option '--lang <language>' not specified\n"
        )
        outcome = self.openclaw("protocol", "schema", "--lang", "ts")
        self.assertEqual((outcome.code, outcome.err), (2, "error: unknown option '--lang' of 'protocol schema'\n"))
        outcome = self.openclaw("protocol", "gen", "--lang", "cobol")
        self.assertEqual(
            (outcome.code, outcome.err),
            (2, "error: option '--lang': invalid choice 'cobol' (choose from ts, swift, python)\n"),
        )
