"""
Tests for :mod:`openclaw.config.paths`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.loader import evaluate
from openclaw.config.paths import (
    ProfileInvalid,
    apply_profile,
    canvas_port,
    config_path,
    derived_ports,
    gateway_port,
    profiled,
    state_dir,
    workspace_dir,
)


class ProfileTests(SynchronousTestCase):
    """
    ``--profile`` and ``--dev``.
    """

    home = Path("/home/u")

    def test_dev(self) -> None:
        """
        The development profile has its own state, file and port.
        """
        environ: dict[str, str] = {}
        apply_profile(environ, self.home, None, True)
        self.assertEqual(
            environ,
            {
                "OPENCLAW_PROFILE": "dev",
                "OPENCLAW_STATE_DIR": "/home/u/.openclaw-dev",
                "OPENCLAW_CONFIG_PATH": "/home/u/.openclaw-dev/openclaw.json",
                "OPENCLAW_GATEWAY_PORT": "19001",
            },
        )

    def test_set_variables_stay(self) -> None:
        """
        A variable that is set stays, but for the profile's name; the file follows the state directory.
        """
        environ = {"OPENCLAW_STATE_DIR": "/s", "OPENCLAW_GATEWAY_PORT": "7", "OPENCLAW_PROFILE": "old"}
        apply_profile(environ, self.home, "work", False)
        self.assertEqual(environ["OPENCLAW_PROFILE"], "work")
        self.assertEqual(environ["OPENCLAW_CONFIG_PATH"], "/s/openclaw.json")
        self.assertEqual(environ["OPENCLAW_GATEWAY_PORT"], "7")

    def test_default_profile(self) -> None:
        """
        The profile called default, in any case, is the plain state directory.
        """
        environ: dict[str, str] = {}
        apply_profile(environ, self.home, "Default", False)
        self.assertEqual(environ["OPENCLAW_STATE_DIR"], "/home/u/.openclaw")

    def test_nothing_asked(self) -> None:
        """
        Without options nothing changes.
        """
        environ: dict[str, str] = {}
        apply_profile(environ, self.home, None, False)
        self.assertEqual(environ, {})

    def test_commands_to_type(self) -> None:
        """
        They reach this gateway and not another profile's, by the program that the person called.
        """
        for profile, line in (
            ("", "openclaw health"),
            ("Default", "openclaw health"),
            ("dev", "openclaw --dev health"),
            ("rescue", "openclaw --profile rescue health"),
        ):
            self.assertEqual(profiled({"OPENCLAW_PROFILE": profile}, "openclaw health"), line)
        called = {"OPENCLAW_PROFILE": "dev", "OPENCLAW_PROGRAM": "bin/openclaw"}
        self.assertEqual(profiled(called, "openclaw health"), "bin/openclaw --dev health")

    def test_refused(self) -> None:
        """
        Both options together, and names that are none, are refused with the known texts.
        """
        both = self.assertRaises(ProfileInvalid, apply_profile, {}, self.home, "a", True)
        self.assertEqual(str(both), "[openclaw] Cannot combine --dev with --profile")
        for name in ("", "-a", "a/b", "a" * 65):
            bad = self.assertRaises(ProfileInvalid, apply_profile, {}, self.home, name, False)
            self.assertIn("Invalid --profile", str(bad))


class PathTests(SynchronousTestCase):
    """
    Directories and files.
    """

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()

    def test_state_from_environment(self) -> None:
        """
        The variable wins over its old name, and a tilde is the home directory.
        """
        environ = {"OPENCLAW_STATE_DIR": " ~/x ", "CLAWDBOT_STATE_DIR": "/y"}
        self.assertEqual(state_dir(environ, self.home), self.home / "x")
        self.assertEqual(state_dir({"CLAWDBOT_STATE_DIR": "/y"}, self.home), Path("/y"))

    def test_state_of_older_releases(self) -> None:
        """
        An older directory is used as long as the new one is missing.
        """
        self.assertEqual(state_dir({}, self.home), self.home / ".openclaw")
        (self.home / ".moltbot").mkdir()
        self.assertEqual(state_dir({}, self.home), self.home / ".moltbot")
        (self.home / ".openclaw").mkdir()
        self.assertEqual(state_dir({}, self.home), self.home / ".openclaw")

    def test_config_candidates(self) -> None:
        """
        The first file that exists is used, else the canonical one.
        """
        self.assertEqual(config_path({}, self.home), self.home / ".openclaw/openclaw.json")
        (self.home / ".clawdbot").mkdir()
        (self.home / ".clawdbot/clawdbot.json").write_text("{}")
        self.assertEqual(config_path({}, self.home), self.home / ".clawdbot/clawdbot.json")
        environ = {"OPENCLAW_STATE_DIR": str(self.home / "s")}
        self.assertEqual(config_path(environ, self.home), self.home / "s/openclaw.json")
        environ["OPENCLAW_CONFIG_PATH"] = "~/c.json"
        self.assertEqual(config_path(environ, self.home), self.home / "c.json")

    def test_workspace(self) -> None:
        """
        The workspace is beside those of other profiles unless the file names one.
        """
        self.assertEqual(workspace_dir({}, self.home), self.home / ".openclaw/workspace")
        dev = {"OPENCLAW_PROFILE": "dev"}
        self.assertEqual(workspace_dir(dev, self.home), self.home / ".openclaw/workspace-dev")
        text = '{agents: {defaults: {workspace: "~/w"}, list: [{id: "a"}, {id: "b", workspace: "/b"}]}}'
        config = evaluate(text, Path("/c.json"), {}, self.home).require()
        self.assertEqual(workspace_dir(dev, self.home, config), self.home / "w")
        self.assertEqual(workspace_dir(dev, self.home, config, "a"), self.home / "w")
        self.assertEqual(workspace_dir(dev, self.home, config, "b"), Path("/b"))
        self.assertEqual(workspace_dir(dev, self.home, config, "c"), self.home / ".openclaw/workspace-c")


class PortTests(SynchronousTestCase):
    """
    The family of ports.
    """

    def test_dev_family(self) -> None:
        """
        The ports of the development profile are those of the runbook.
        """
        ports = derived_ports(19001)
        self.assertEqual((ports.browser_control, ports.canvas), (19003, 19005))
        self.assertEqual((ports.cdp_first, ports.cdp_last), (19012, 19111))

    def test_default_family(self) -> None:
        """
        The default family has the documented numbers, which also replace impossible ones.
        """
        for base in (18789, 65535):
            ports = derived_ports(base)
            self.assertEqual((ports.browser_control, ports.canvas), (18791, 18793))
            self.assertEqual((ports.cdp_first, ports.cdp_last), (18800, 18899))

    def test_precedence(self) -> None:
        """
        Command line, environment, file, default.
        """
        config = evaluate("{gateway: {port: 3}}", Path("/c.json"), {}, Path("/h")).require()
        environ = {"OPENCLAW_GATEWAY_PORT": "2"}
        self.assertEqual(gateway_port(1, environ, config), 1)
        self.assertEqual(gateway_port(None, environ, config), 2)
        self.assertEqual(gateway_port(None, {"OPENCLAW_GATEWAY_PORT": "junk"}, config), 3)
        self.assertEqual(gateway_port(None, {}, config.effective), 3)
        self.assertEqual(gateway_port(None, {}, None), 18789)
        self.assertEqual(gateway_port(None, {}, {}), 18789)

    def test_canvas(self) -> None:
        """
        The canvas port follows the gateway's unless it is named.
        """
        self.assertEqual(canvas_port(19001, {}, None), 19005)
        config = evaluate("{canvasHost: {port: 3}}", Path("/c.json"), {}, Path("/h")).require()
        self.assertEqual(canvas_port(19001, {}, config), 3)
        self.assertEqual(canvas_port(19001, {"OPENCLAW_CANVAS_HOST_PORT": "4"}, config), 4)
