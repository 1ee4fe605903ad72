"""
Programs of the system that only note how they were called, and keep a state as simple as the real ones'.
"""

from __future__ import annotations

from pathlib import Path

#: What all of them begin with: a note of the call, and an answer that a test has set for it: a code and a text.
_BEGIN = """#!/bin/sh
echo "${0##*/} $*" >> "$STUBS/calls"
for key in "${0##*/} $1" "${0##*/} $2"; do
    if [ -e "$STUBS/answer $key" ]; then . "$STUBS/answer $key"; fi
done
"""
_SYSTEMCTL = """
[ "$1" = --user ] && shift
verb=$1; shift
[ "$1" = --now ] && { shift; rm -f "$STUBS/active"; }
case $verb in
    is-system-running) echo running ;;
    status) echo State: running ;;
    is-enabled) [ -e "$STUBS/enabled" ] && echo enabled || { echo disabled; exit 1; } ;;
    enable) : > "$STUBS/enabled" ;;
    disable) rm -f "$STUBS/enabled" ;;
    start|restart) [ -e "$STUBS/dies" ] || : > "$STUBS/active" ;;
    stop) [ -e "$STUBS/stays" ] || rm -f "$STUBS/active" ;;
    show)
        state=inactive; pid=0
        [ -e "$STUBS/active" ] && state=active && pid=4242
        [ -e "$STUBS/dies" ] && state=failed && code=78
        for file in "$HOME/.config/systemd/user/$1" "$STUBS/etc/systemd/system/$1"; do
            [ -e "$file" ] && found=$file
        done
        [ -n "$found" ] || { echo LoadState=not-found; exit 0; }
        [ -e "$STUBS/enabled" ] && enabled=enabled || enabled=disabled
        echo "LoadState=loaded\nUnitFileState=$enabled\nActiveState=$state\nSubState=running\nMainPID=$pid"
        echo "ExecMainStatus=${code:-0}\nExecMainCode=0\nFragmentPath=$found"
        echo "DropInPaths=$(ls "$found".d/*.conf 2>/dev/null | tr '\\n' ' ')" ;;
esac
"""
_LOGINCTL = """
case $1 in
    show-user) [ -e "$STUBS/linger" ] && echo Linger=yes || echo Linger=no ;;
    enable-linger) : > "$STUBS/linger" ;;
esac
"""
_LAUNCHCTL = """
case $1 in
    print)
        [ -e "$STUBS/loaded" ] || { echo "Could not find service in domain" >&2; exit 113; }
        printf '\\tstate = running\\n\\tpid = 77\\n\\tlast exit code = 0\\n' ;;
    bootstrap)
        [ -e "$STUBS/loaded" ] && { echo "Bootstrap failed: 37: Operation already in progress" >&2; exit 37; }
        : > "$STUBS/loaded" ;;
    bootout)
        [ -e "$STUBS/loaded" ] || { echo "Boot-out failed: 3: No such process" >&2; exit 3; }
        rm -f "$STUBS/loaded" ;;
    kickstart) [ -e "$STUBS/loaded" ] || { echo "Could not find service" >&2; exit 113; } ;;
esac
"""
_SCHTASKS = """
case $1 in
    /Query)
        [ "$2" = /TN ] || exit 0
        [ -e "$STUBS/task" ] || { echo "ERROR: The system cannot find the file specified." >&2; exit 1; }
        [ -e "$STUBS/active" ] && state=Running || state=Ready
        echo "Status: $state\nLast Run Time: 27.11.2026 10:00:00\nLast Result: 0" ;;
    /Create)
        case "$*" in */NP*) [ -e "$STUBS/old" ] && exit 1 ;; esac
        : > "$STUBS/task" ;;
    /Delete) rm -f "$STUBS/task" ;;
    /Run) : > "$STUBS/active" ;;
    /End) rm -f "$STUBS/active" ;;
esac
"""
_PROGRAMS = {
    "systemctl": _SYSTEMCTL,
    "loginctl": _LOGINCTL,
    "launchctl": _LAUNCHCTL,
    "schtasks": _SCHTASKS,
    "sudo": "echo 'sudo: a password is required' >&2; exit 1",
    "journalctl": "echo 'openclaw: error: the last line'",
    "openclaw": "",
}


class Stubs:
    """
    The programs, in a directory of their own.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = directory / "bin"
        self.programs.mkdir(parents=True)
        for name, text in _PROGRAMS.items():
            (self.programs / name).write_text(_BEGIN + text)
            (self.programs / name).chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        """
        What leads to them.
        """
        return {"PATH": f"{self.programs}:/usr/bin:/bin", "STUBS": str(self.directory)}

    def set(self, *states: str) -> None:
        """
        Let the system be in these states: ``enabled``, ``active``, ``loaded``, ...
        """
        for state in states:
            (self.directory / state).touch()

    def answer(self, call: str, code: int, text: str) -> None:
        """
        Let the next calls of this kind fail: the program and its first or second argument, or both.
        """
        (self.directory / f"answer {call}").write_text(f"echo '{text}' >&2; exit {code}\n")

    def calls(self, *programs: str) -> list[str]:
        """
        How they were called, in order, without the questions; only of these programs, if any are named.
        """
        try:
            lines = (self.directory / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []
        questions = ("show ", "is-enabled", "status", "print ", "/Query", "show-user", "help")
        told = [line for line in lines if not any(question in line for question in questions)]
        return [line for line in told if not programs or line.partition(" ")[0] in programs]
