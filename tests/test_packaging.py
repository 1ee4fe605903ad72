"""
What the distribution is made of.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from twisted.application.service import IServiceMaker, ServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

import openclaw

ROOT = Path(openclaw.__file__).resolve().parent.parent


def declared(*names: str) -> list[str]:
    """
    Ask setup.py for its fields, without writing anything.
    """
    command = [sys.executable, "setup.py", "--quiet", *(f"--{name}" for name in names)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


class MetadataTests(SynchronousTestCase):
    """
    setup.py, where the checkout has one.
    """

    def setUp(self) -> None:
        if not (ROOT / "setup.py").exists():
            self.skipTest("the package is installed without its setup.py")

    def test_name_and_version(self) -> None:
        """
        The distribution is called as the package and carries its version.
        """
        self.assertEqual(declared("name", "version"), ["openclaw", openclaw.__version__])

    def test_every_package_is_declared(self) -> None:
        """
        Each directory with an __init__.py under openclaw/ is in the distribution's text, by the rule of setup.py.
        """
        text = (ROOT / "setup.py").read_text(encoding="utf-8")
        self.assertIn('find_packages(include=["openclaw", "openclaw.*"])', text)
        for path in (ROOT / "openclaw").rglob("*.py"):
            self.assertTrue((path.parent / "__init__.py").exists(), f"{path.parent} would be left out")

    def test_no_init_beside_the_plugin(self) -> None:
        """
        The plugin's directories have no __init__.py, which would hide Twisted's own.
        """
        self.assertEqual(list((ROOT / "twisted").rglob("__init__.py")), [])

    def test_readme_commands(self) -> None:
        """
        The README's two commands are the ones that we promise, and both are executable.
        """
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```[a-z]*\n(.*?)```", readme, re.DOTALL)
        self.assertIn("bin/openclaw --dev gateway --allow-unconfigured\n", blocks)
        self.assertIn("bin/test\n", blocks)
        for name in ("bin/openclaw", "bin/test", ".ci/run"):
            self.assertTrue((ROOT / name).stat().st_mode & 0o100, name)


class VersionTests(SynchronousTestCase):
    """
    What clients compare.
    """

    def test_calendar_version(self) -> None:
        """
        The version is a calendar one and not below the reference's.
        """
        match = re.fullmatch(r"(\d{4})\.(\d{1,2})\.(\d+)", openclaw.__version__)
        assert match is not None
        self.assertGreaterEqual(tuple(map(int, match.groups())), (2026, 1, 30))


class PluginTests(SynchronousTestCase):
    """
    ``twistd openclaw-gateway``.
    """

    def test_one_service_maker(self) -> None:
        """
        Twisted finds exactly one command of ours, made by openclaw.gateway.tap.
        """
        found = [plugin for plugin in getPlugins(IServiceMaker) if plugin.tapname.startswith("openclaw")]
        self.assertEqual([plugin.tapname for plugin in found], ["openclaw-gateway"])
        maker = found[0]
        assert isinstance(maker, ServiceMaker)
        self.assertEqual(maker.module, "openclaw.gateway.tap")
