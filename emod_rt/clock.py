"""Time, injected everywhere so that tests never sleep."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the live path asks of time."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait `seconds` or until `stop` is set; return whether it is set."""
        ...


class SystemClock:
    """The machine's own clock: CLOCK_MONOTONIC, the clock LSL uses too."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait `seconds` or until `stop` is set; return whether it is set."""
        return stop.wait(max(seconds, 0.0))
