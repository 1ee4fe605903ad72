"""
What a gateway asks of its process.
"""

from __future__ import annotations

import gc
import sys

#: Files that a busy gateway may have open.
OPEN_FILES = 65_536

#: Seconds that a thread of the store may keep the reactor waiting for the interpreter; Python's own default is ten
#: times as long, which a message on its way through three commits felt.
SWITCH_SECONDS = 0.0005


def tune_process() -> None:
    """
    Raise the soft limit of open files as far as the hard limit lets us, let threads take turns quickly, and leave what
    is loaded so far to itself: to look for cycles in all modules takes 50 ms, in which the reactor would stand still.
    """
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
