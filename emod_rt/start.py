"""Where the command line begins and ends: at once, and cleanly, however heavy what was loaded between."""

import atexit
import os
import signal
import sys
from types import FrameType


def leave(_number: int, _frame: FrameType | None) -> None:
    """End at once and cleanly: nothing has begun that would have to be finished.

    Raises
    ------
    SystemExit
        Always, with code 0.
    """
    sys.stderr.write("emod-rt: ended before it had begun.\n")
    raise SystemExit(0)


def main() -> None:
    """Run `emod-rt`."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    from emod_rt.cli import main as command

    try:
        command()
    except SystemExit as end:
        if isinstance(end.code, int):
            _end(end.code)
        raise


def _end(code: int) -> None:
    """End without taking the interpreter down, which takes seconds with torch on a busy machine.

    Nothing is left to be done by then: files are closed, devices and streams let go.
    """
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        # what nobody could be told is told by Python itself, on the usual way out
        return
    os._exit(code)
