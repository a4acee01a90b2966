"""Whether there is a keyboard to read."""

import os
import sys


def keyboard() -> int | None:
    """Return standard input when it is a terminal that can give single keys; None on Windows too."""
    # Python has no stdin when it was closed: its number may be a device's by now
    if sys.platform == "win32" or sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty():
        return None
    return sys.stdin.fileno()


def in_front(terminal: int) -> bool:
    """Whether a terminal listens to this program; a job in the background that touches it is stopped."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        # a terminal that does not belong to this session, or has gone
        return False
