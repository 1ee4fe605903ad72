"""
``openclaw uninstall``; the work is that of ``openclaw reset``.
"""

from openclaw.cli.reset import run_uninstall as run

__all__ = ["run"]
