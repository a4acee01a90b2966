"""Runs `emod-rt` with a clock that goes faster than ours, and fits coarsely: `hasty.py SPEED WORDS...`."""

import sys
import threading
import time
from functools import partial

from emod_rt import clock
from emod_rt.calibration import finish
from emod_rt.cli import main

COARSE = {"draws": 9, "rich": False}


class HastyClock:
    """Time that goes so many times as fast."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def now(self) -> float:
        return time.monotonic() * self._speed

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return stop.wait(max(seconds, 0.0) / self._speed)


if __name__ == "__main__":
    clock.SystemClock = partial(HastyClock, float(sys.argv.pop(1)))  # type: ignore[assignment,misc]
    finish.finish = partial(finish.finish, **COARSE)  # type: ignore[assignment,arg-type]
    main()
