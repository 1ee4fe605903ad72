"""
``openclaw completion``: the shell completes commands and options. The script asks this program at each Tab, which reads
the help of the command, so that nothing has to be kept in step.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from importlib import import_module
from pathlib import Path

from attrs import evolve, frozen

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError
from openclaw.errors import OpenClawError

_MARK = "# OpenClaw Completion"
_GLOBAL_OPTIONS = ("--dev", "--help", "--no-color", "--profile", "--version")

BASH = """\
_openclaw() {
    local IFS=$'\\n'
    COMPREPLY=($(openclaw completion --words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _openclaw openclaw
"""
ZSH = """\
#compdef openclaw
_openclaw() {
    local -a found
    found=(${(f)"$(openclaw completion --words -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( ${#found} )); then compadd -- $found; else _files; fi
}
if ! (( $+functions[compdef] )); then autoload -Uz compinit && compinit; fi
compdef _openclaw openclaw
"""
FISH = """\
function __openclaw_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (openclaw completion --words -- $words[2..-1] 2>/dev/null)
    if count $found >/dev/null
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c openclaw -f -a '(__openclaw_complete)'
"""
POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName openclaw -ScriptBlock {
    param($word, $line, $position)
    $words = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    $more = @()
    if ($word -eq '') { $more = @('--next') }
    openclaw completion --words @more '--' @words 2>$null | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
"""


@frozen(kw_only=True)
class Shell:
    """
    A shell that can complete.

    :ivar variable: names the directory with what is its own, where somebody keeps that elsewhere.
    :ivar directory: that directory otherwise, in the home directory.
    :ivar profile: the file there that it reads when it starts.
    :ivar line: what is put there; ``None`` puts the script itself into a file of its own.
    """

    script: str
    variable: str | None = None
    directory: str = "."
    profile: str
    line: str | None

    def path(self, context: Context) -> Path:
        """
        The file of whoever types the command.
        """
        told = context.environ.get(self.variable, "") if self.variable is not None else ""
        return (Path(told) if os.path.isabs(told) else context.home / self.directory) / self.profile


SHELLS: Mapping[str, Shell] = {
    "bash": Shell(script=BASH, profile=".bashrc", line="source <(openclaw completion --shell bash)"),
    "zsh": Shell(script=ZSH, variable="ZDOTDIR", profile=".zshrc", line="source <(openclaw completion --shell zsh)"),
    "fish": Shell(
        script=FISH,
        variable="XDG_CONFIG_HOME",
        directory=".config",
        profile="fish/completions/openclaw.fish",
        line=None,
    ),
    "powershell": Shell(
        script=POWERSHELL,
        variable="XDG_CONFIG_HOME",
        directory=".config",
        profile="powershell/profile.ps1",
        line="openclaw completion --shell powershell | Out-String | Invoke-Expression",
    ),
}


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("completion", "Let the shell complete commands: prints the script that does.")
    parser.option("-s", "--shell", metavar="<shell>", default="zsh", help=", ".join(SHELLS))
    parser.option("-i", "--install", action="store_true", help="put it where the shell finds it")
    parser.option("-y", "--yes", action="store_true", help="with --install: do not ask")
    parser.option("--words", action="store_true", help="what may follow the words behind --")
    parser.option("--next", action="store_true", help="with --words: a new word begins")
    options, words = parser.split(arguments)
    if options.words:
        for candidate in complete(context, [*words, ""] if options.next else words):
            context.line(candidate)
        return 0
    parser.check_words(words, ())
    if options.shell not in SHELLS:
        raise UsageError(f"unknown shell '{options.shell}': choose one of {', '.join(SHELLS)}")
    if options.install:
        _install(context, SHELLS[options.shell], options.shell, yes=options.yes)
    else:
        context.out.write(SHELLS[options.shell].script)
    return 0


def _install(context: Context, shell: Shell, name: str, *, yes: bool) -> None:
    path = shell.path(context)
    if _installed(path, shell):
        context.line(f"Completion is installed already: {context.short(path)}")
        return
    if not yes:
        from openclaw.cli.terminal import confirm, has_terminal

        if not has_terminal(context):
            raise CommandFailed(f"Without a terminal to ask on, {context.short(path)} is changed only with --yes.")
        if not confirm(context, f"Add completion to {context.short(path)}?"):
            raise CommandFailed("Nothing was changed.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if shell.line is None:
        path.write_text(shell.script, encoding="utf-8")
    else:
        # At the end, in one piece: the file is somebody's own, and may be a link to where it is kept.
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{_MARK}\n{shell.line}\n")
    context.line(f"Installed completion of {name}: {context.short(path)}")
    context.line("It works in shells that you start from now on.")


def _installed(path: Path, shell: Shell) -> bool:
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    if shell.line is None:
        return text == shell.script
    return shell.line in (line.strip() for line in text.splitlines())


# -- what may follow --------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Help:
    """
    What the help of a command tells.

    :ivar forms: the words of each line of its usage, without those before them; alternatives are one entry.
    :ivar flags: options, and whether they take a value.
    """

    forms: Sequence[Sequence[str]]
    flags: Mapping[str, bool]

    @classmethod
    def of(cls, text: str, command: str) -> Help:
        """
        :param text: as ``--help`` prints it.
        :param command: its first word.
        """
        forms = []
        for found in re.finditer(rf"^(?:[uU]sage:| {{6}}) openclaw {re.escape(command)}\b *(.*)$", text, re.MULTILINE):
            words = []
            for word in found[1].split():
                if word[0] in "<-" or (word[0] == "[" and not re.fullmatch(r"\[[a-z-]+\]", word)):
                    break
                words.append(word.strip("[]"))
            forms.append(words)
        options = re.finditer(r"^  (?:-\w(?: <[^>]+>)?, )?(--[\w-]+)( <| [A-Z])?", text, re.MULTILINE)
        return cls(forms=forms, flags={found[1]: found[2] is not None for found in options})

    def after(self, words: Sequence[str]) -> Iterator[str]:
        """
        What may come behind some words.
        """
        for form in self.forms:
            fits = len(form) > len(words) and all(word in form[n].split("|") for n, word in enumerate(words))
            if fits:
                yield from (word for word in form[len(words)].split("|") if word != "options")


def complete(context: Context, words: Sequence[str]) -> list[str]:
    """
    :param words: behind ``openclaw``; the last is the one that is being typed, and may be empty.
    :return: what it can become; nothing where the shell knows better.
    """
    from openclaw.cli.main import COMMANDS

    *before, typed = [*_without_globals(words)] or [""]
    if not before:
        candidates: Sequence[str] = _GLOBAL_OPTIONS if typed.startswith("-") else tuple(COMMANDS)
    elif before[0] in COMMANDS:
        candidates = _of_command(context, before, typed)
    else:
        candidates = ()
    return [candidate for candidate in dict.fromkeys(candidates) if candidate.startswith(typed)]


def _without_globals(words: Sequence[str]) -> Iterator[str]:
    rest = list(words)
    while len(rest) > 1 and rest[0].startswith("-"):
        if rest.pop(0) == "--profile" and len(rest) > 1:
            rest.pop(0)
    yield from rest


def _of_command(context: Context, before: Sequence[str], typed: str) -> Sequence[str]:
    name, *rest = before
    known = Help.of(_help(context, [name]), name)
    plain: list[str] = []
    for word in rest:
        if word not in known.after(plain):
            break
        plain.append(word)
    if plain:
        # Some have a help of their own.
        known = Help.of(_help(context, [name, *plain]), name)
    if before[-1].startswith("-"):
        if known.flags.get(before[-1], False):
            return ()
    elif len(rest) == len(plain) and not typed.startswith("-"):
        return tuple(known.after(plain))
    return tuple(known.flags) if typed.startswith("-") else ()


def _help(context: Context, words: Sequence[str]) -> str:
    """
    What a command says of itself. Only words of our own are given to it, so that nothing happens.
    """
    from openclaw.cli.main import COMMANDS

    out = io.StringIO()
    name, *rest = words
    # argparse prints its help to the process's own stream.
    with redirect_stdout(out), suppress(SystemExit, OpenClawError):
        import_module(COMMANDS[name][0]).run(evolve(context, out=out, err=io.StringIO()), [*rest, "--help"])
    return out.getvalue()
