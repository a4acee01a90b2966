"""Where the command line begins: a signal ends it cleanly before anything heavy is loaded."""

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

    command()
