"""
Variables that make a command another one: by them programs load libraries, read start files or run helpers.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw.approvals.names import named

#: Begin with one of these.
_PREFIXES = ("LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG_", "MALLOC_", "GLIBC_TUNABLES")

_NAMES = named(
    """
    BASHOPTS BASH_ENV BASH_XTRACEFD BROWSER CDPATH CLASSPATH DOTNET_STARTUP_HOOKS EDITOR ENV ERL_AFLAGS ERL_FLAGS FPATH
    GCONV_PATH GETCONF_DIR GIT_ASKPASS GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_DIR GIT_EDITOR GIT_EXEC_PATH
    GIT_EXTERNAL_DIFF GIT_PAGER GIT_PROXY_COMMAND GIT_SEQUENCE_EDITOR GIT_SSH GIT_SSH_COMMAND GIT_TEMPLATE_DIR
    GIT_WORK_TREE GLOBIGNORE HOSTALIASES IFS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS KSH_ENV LESSCLOSE LESSOPEN LESS
    LOCALDOMAIN LUA_INIT LUA_PATH LUA_CPATH MANPAGER NIS_PATH NLSPATH NODE_OPTIONS NODE_PATH NPM_CONFIG_SCRIPT_SHELL
    PAGER PATH_LOCALE PERL5DB PERL5LIB PERL5OPT PERLLIB PERL5SHELL PHPRC PHP_INI_SCAN_DIR PROMPT_COMMAND PS4
    PYTHONBREAKPOINT PYTHONHOME PYTHONINSPECT PYTHONPATH PYTHONSTARTUP PYTHONUSERBASE PYTHONWARNINGS R_PROFILE
    R_ENVIRON RES_OPTIONS RIPGREP_CONFIG_PATH RUBYLIB RUBYOPT RUSTC_WRAPPER SHELLOPTS SSH_ASKPASS SUDO_ASKPASS
    SUDO_EDITOR TAR_OPTIONS TERMCAP TERMINFO TERMINFO_DIRS VISUAL WGETRC XDG_CONFIG_DIRS ZDOTDIR _JAVA_OPTIONS
    """
)


def changes_commands(name: str) -> bool:
    """
    Whether a variable makes programs run or read something else.
    """
    upper = name.upper()
    return upper in _NAMES or upper.startswith(_PREFIXES)


def environment(inherited: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """
    The environment of a command that a model wants to run.

    :param inherited: of this process. What changes commands is left out.
    :param given: by the model; besides that it may not say where programs are found, nor whose they are.
    """
    kept = {name: value for name, value in inherited.items() if not changes_commands(name)}
    added = {
        name: value
        for name, value in given.items()
        if name and "=" not in name and "\0" not in name + value and not changes_commands(name)
    }
    return {**kept, **{name: value for name, value in added.items() if name.upper() not in ("PATH", "HOME", "SHELL")}}
