"""Tells a source that has gone quiet from one that speaks in large chunks."""

import statistics
from collections import deque

from emod_model.errors import SourceError

STALL_S = 0.9
_CHUNKY = 1.5
_MOST_S = 2.0
_KNOWN = 3


class Watchdog:
    """Watches the arrivals of a source.

    A source is quiet after 0.9 s without a sample, so that its estimates stop within a second. Only one
    that always pauses as long between its chunks is given half as much again, at most 2 s.
    """

    def __init__(self) -> None:
        self._last = -1.0
        self._pauses: deque[float] = deque(maxlen=9)

    def arrived(self, now: float) -> None:
        """Take note of samples."""
        if self._last >= 0 and now > self._last:
            self._pauses.append(now - self._last)
        self._last = now

    def quiet(self, now: float) -> bool:
        """Whether the source has gone quiet."""
        return self._last >= 0 and now - self._last >= self.limit_s

    def gone(self, source: str, now: float) -> SourceError:
        """Return the error for a run that does not wait for its source to come back."""
        return SourceError(
            f"{source} has sent nothing for {now - self._last:.1f} s; see to its power and its cable, "
            "or leave out --no-reconnect to wait for it"
        )

    @property
    def limit_s(self) -> float:
        """Pause after which the source counts as quiet, s."""
        usual = statistics.median(self._pauses) if len(self._pauses) >= _KNOWN else 0.0
        return min(max(STALL_S, _CHUNKY * usual), _MOST_S)
