"""
Tests of ``openclaw.nodes.policy``.
"""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from openclaw.nodes.policy import (
    COMMANDS,
    allowed_commands,
    data_of,
    declared_commands,
    is_reserved,
    platform_of,
    refusal,
)

#: One command of each group, and one of nobody's.
GROUPS = {
    "canvas": "canvas.a2ui.pushJSONL",
    "camera": "camera.clip",
    "screen": "screen.record",
    "location": "location.get",
    "sms": "sms.send",
    "system": "system.run",
    "approvals": "system.execApprovals.set",
    "browser": "browser.proxy",
    "none": "files.read",
}

#: What each platform offers (``methods.md`` 10.6).
OFFERED = {
    "ios": {"canvas", "camera", "screen", "location"},
    "android": {"canvas", "camera", "screen", "location", "sms"},
    "macos": {"canvas", "camera", "screen", "location", "system", "approvals", "browser"},
    "linux": {"system", "approvals", "browser"},
    "windows": {"system", "approvals", "browser"},
    "unknown": {"canvas", "camera", "screen", "location", "sms", "system", "approvals", "browser"},
}

PLATFORMS = (
    ("ios 18.2", None, "ios"),
    (" iOS 26", "Mac", "ios"),
    ("android 15", "iPhone", "android"),
    ("macos 15.1", None, "macos"),
    ("Darwin", "iPad", "macos"),
    ("win32", None, "windows"),
    ("Windows 11", None, "windows"),
    ("linux", "Android TV", "linux"),
    ("web", "iPhone", "ios"),
    ("", "My iPad", "ios"),
    ("freebsd", "Android Tablet", "android"),
    ("node", "MacBook", "macos"),
    ("node", "Windows PC", "windows"),
    ("node", "Linux", "linux"),
    ("freebsd", None, "unknown"),
    (None, None, "unknown"),
    ("", "Fridge", "unknown"),
)


class PolicyTests(SynchronousTestCase):
    """
    Who may be asked for what.
    """

    def test_platforms(self) -> None:
        """
        A platform is how the client's begins, else what its family contains.
        """
        for platform, family, wanted in PLATFORMS:
            self.assertEqual(platform_of(platform, family), wanted, (platform, family))

    def test_each_platform(self) -> None:
        """
        Each platform has its groups of commands and no others.
        """
        self.assertEqual(OFFERED.keys(), COMMANDS.keys())
        for platform, groups in OFFERED.items():
            allowed = allowed_commands(platform)
            for group, command in GROUPS.items():
                self.assertEqual(command in allowed, group in groups, (platform, command))

    def test_configuration(self) -> None:
        """
        The configuration adds commands and takes some away, on every platform; what it takes away is gone.
        """
        for platform in COMMANDS:
            allowed = allowed_commands(platform, [" x.y ", "", "system.run"], ["x.z", " system.which ", "location.get"])
            self.assertTrue({"x.y", "system.run"} <= allowed, platform)
            self.assertFalse({"", "x.z", "system.which", "location.get"} & allowed, platform)
        self.assertNotIn("x.y", allowed_commands("linux", ["x.y"], ["x.y"]))

    def test_declared(self) -> None:
        """
        Of what a node offers, only what is allowed counts.
        """
        allowed = allowed_commands("linux")
        given = [" system.notify ", "system.run", "system.run", "canvas.eval", ""]
        self.assertEqual(declared_commands(given, allowed), ("system.notify", "system.run"))

    def test_refusals(self) -> None:
        """
        The first reason that holds is told.
        """
        allowed = frozenset({"a", "b"})
        for command, declared, why in (
            ("", ("a",), "command required"),
            ("c", (), "command not allowlisted"),
            ("a", (), "node did not declare commands"),
            ("b", ("a",), "command not declared by node"),
            ("a", ("a",), None),
        ):
            self.assertEqual(refusal(command, declared, allowed), why, command)


class DataTests(SynchronousTestCase):
    """
    What of a caller's parameters is data.
    """

    def test_reserved(self) -> None:
        """
        Names of approvals are the gateway's, in every spelling.
        """
        for name in (
            "approved",
            "approvalDecision",
            "approval_decision",
            "Approved",
            "approvalId",
            "-approved",
            "APPROVED",
        ):
            self.assertTrue(is_reserved(name), name)
        for name in ("command", "cwd", "runId", "timeoutMs", "disapproved", ""):
            self.assertFalse(is_reserved(name), name)

    @given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text()))
    def test_rest_stays(self, params: dict[str, object]) -> None:
        """
        Everything else is handed on as it came; with a forged approval as well as without.
        """
        kept = {name: value for name, value in params.items() if not is_reserved(name)}
        self.assertEqual(data_of({**params, "approved": True, "approvalDecision": "allow-always"}), kept)

    def test_no_object(self) -> None:
        """
        What is no object has no members.
        """
        for value in (None, 3, "approved", ["approved"]):
            self.assertEqual(json.dumps(data_of(value)), json.dumps(value))
