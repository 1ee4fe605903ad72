"""
Programs of the system, run to their end: the one way in which this package acts on the world besides files.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from typing import Protocol

from attrs import frozen

#: Of the shells: a program that is not there.
NOT_FOUND = 127
#: Of ``timeout``: it did not end in time.
TOO_SLOW = 124
_LIMIT_SECONDS = 600


@frozen(kw_only=True)
class Done:
    """
    How a program ended.

    :ivar said: its standard error, or its standard output where that is empty.
    """

    code: int
    output: str = ""
    errors: str = ""

    @property
    def said(self) -> str:
        return self.errors.strip() or self.output.strip() or f"exit code {self.code}"


class Runner(Protocol):
    """
    Runs a program; it never raises.
    """

    def __call__(self, *command: str) -> Done: ...


@frozen(kw_only=True)
class SystemRunner:
    """
    Runs programs that are on the ``PATH`` of ``environ``.

    :ivar limit: seconds; a stop of the gateway lets its runs end first.
    """

    environ: Mapping[str, str]
    limit: float = _LIMIT_SECONDS

    def __call__(self, *command: str) -> Done:
        program = shutil.which(command[0], path=self.environ.get("PATH"))
        if program is None:
            return Done(code=NOT_FOUND, errors=f"{command[0]} not found")
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and every argument is one
                [program, *command[1:]],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.limit,
                check=False,
                stdin=subprocess.DEVNULL,
                env=dict(self.environ),
            )
        except subprocess.TimeoutExpired:
            return Done(code=TOO_SLOW, errors=f"{command[0]} did not end within {self.limit:.0f} s")
        except OSError as error:
            return Done(code=NOT_FOUND, errors=str(error))
        return Done(code=done.returncode, output=done.stdout, errors=done.stderr)
