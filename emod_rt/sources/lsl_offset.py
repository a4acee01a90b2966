"""The offset between a sender's clock and ours, followed evenly from measurements that scatter."""

import math
import statistics
from collections import deque

import numpy as np
import numpy.typing as npt

_REMEMBERED = 5  # measurements, two seconds apart
_SLEW = 1e-3  # s per s; the worst quartz drifts by a tenth of that
_SET_S = 0.5  # a median that has moved further than this is a clock that was set


class ClockOffset:
    """What must be added to a sender's stamps.

    Pure: told every measurement, it follows their median, so that a single wild one (a packet that was
    held up) does nothing, and moves by at most one millisecond a second, so that times stay even.

    Parameters
    ----------
    first : float
        First measurement, s.

    Attributes
    ----------
    base : float
        What to add to stamps so that a sender's even stamps stay even: constant until its clock is set or
        another takes over. What `follow` returns comes on top.
    """

    def __init__(self, first: float) -> None:
        self._slewed = 0.0
        self._heard: deque[float] = deque(maxlen=_REMEMBERED)
        self._time: float | None = None
        self.restart(first)

    @property
    def value(self) -> float:
        """The offset followed so far, s."""
        return self.base + self._slewed

    def restart(self, first: float) -> None:
        """Go over to another clock, of which this is the first measurement, s."""
        self._heard.clear()
        self._heard.append(first)
        self.base = first - self._slewed

    def measured(self, offset: float) -> None:
        """Take in a measurement, s; one that is the last again is none."""
        if offset == self._heard[-1] or not math.isfinite(offset):
            return
        self._heard.append(offset)
        if abs(statistics.median(self._heard) - self.value) > _SET_S:
            # of the clock as it was nothing holds any more
            self.restart(offset)

    def follow(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what comes on top of `base` at each of the next times.

        Parameters
        ----------
        times : numpy.ndarray, shape (n,), n >= 1
            Increasing, s, of stamps with `base` added.

        Returns
        -------
        numpy.ndarray, shape (n,)
            Seconds to add on top; times with it still increase.
        """
        begin = float(times[0]) if self._time is None else self._time
        span = max(float(times[-1]) - begin, 0.0)
        self._time = float(times[-1])
        wish = statistics.median(self._heard) - self.value
        move = min(max(wish, -_SLEW * span), _SLEW * span)
        before, self._slewed = self._slewed, self._slewed + move
        if span == 0.0:
            return np.full(times.size, before)
        return before + move * np.clip((times - begin) / span, 0.0, 1.0)
