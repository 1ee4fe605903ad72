"""
Tests of ``openclaw.approvals.environment``.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from openclaw.approvals.environment import environment

CHANGING = """
    GIT_EXEC_PATH GIT_SSH_COMMAND GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_PAGER LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
    DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH BASH_ENV ENV BASH_FUNC_ls%% PROMPT_COMMAND PS4 SHELLOPTS IFS NODE_OPTIONS
    PYTHONSTARTUP PYTHONPATH PERL5OPT RUBYOPT JAVA_TOOL_OPTIONS LESSOPEN PAGER EDITOR ZDOTDIR TAR_OPTIONS ld_preload
"""


class EnvironmentTests(SynchronousTestCase):
    """
    What a command finds in its environment.
    """

    def test_ghsa_jf5v_pqgw_gm5m(self) -> None:
        """
        Nothing that makes another command of it: neither inherited nor given.
        """
        changing = dict.fromkeys(CHANGING.split(), "/tmp/x")
        harmless = {"LANG": "C.UTF-8", "USER": "me", "TZ": "UTC"}
        self.assertEqual(
            environment({**changing, **harmless, "PATH": "/usr/bin"}, {}), {**harmless, "PATH": "/usr/bin"}
        )
        given = {**changing, "PATH": "/tmp", "Path": "/tmp", "HOME": "/tmp", "SHELL": "/tmp/x", "TZ": "CET", "A": "b"}
        self.assertEqual(environment({"PATH": "/usr/bin"}, given), {"PATH": "/usr/bin", "TZ": "CET", "A": "b"})

    def test_odd_names(self) -> None:
        """
        What is no variable, or would hide another one in it, is none.
        """
        self.assertEqual(environment({}, {"": "x", "A=LD_PRELOAD": "x", "B\0": "x", "C": "\0LD_PRELOAD=x"}), {})
