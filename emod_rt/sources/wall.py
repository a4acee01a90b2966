"""From the time of day, as a driver stamps its samples, to this program's clock."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from emod_rt.clock import Clock

_TRIES = 3


class WallTime:
    """Translates stamps, whatever happens to the time of day meanwhile.

    The time of day is compared with the clock again and again. When it was set between two looks, the
    samples stamped before and after lie in one block; it is split where that puts the samples most evenly
    between the two looks.

    Parameters
    ----------
    clock : Clock
        Never set.
    wall : callable
        The time of day, s.
    """

    def __init__(self, clock: Clock, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        # three, since a sample may be stamped, and the time of day set, while it is looked
        self._offsets: deque[float] = deque(maxlen=3)
        self._since = self._until = clock.now()
        self.look()

    def look(self) -> float:
        """Compare the two clocks; call it after each time that samples were asked for.

        Returns
        -------
        float
            The time of this look, s.
        """
        looks = []
        for _ in range(_TRIES):
            before = self._clock.now()
            wall = self._wall()
            after = self._clock.now()
            looks.append((after - before, 0.5 * (before + after) - wall))
        # the fastest look was not interrupted between the clocks
        self._offsets.appendleft(min(looks)[1])
        self._since, self._until = self._until, after
        return after

    def local(self, stamps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return when samples were stamped, s of the clock.

        Parameters
        ----------
        stamps : numpy.ndarray, shape (n,)
            Times of day of samples that came between the two latest looks, s.
        """
        if not stamps.size:
            return stamps
        new, old = self._offsets[0], self._offsets[-1]
        change = new - old
        # squares of the steps from look to sample to sample to look, less what every split has in common
        uneven = np.zeros(stamps.size + 1)
        uneven[1:-1] = change * (2.0 * np.diff(stamps) + change)
        uneven[0] += (stamps[0] + new - self._since) ** 2
        uneven[1:] += (stamps[0] + old - self._since) ** 2
        uneven[:-1] += (self._until - stamps[-1] - new) ** 2
        uneven[-1] += (self._until - stamps[-1] - old) ** 2
        split = int(uneven.argmin())
        return stamps + np.where(np.arange(stamps.size) < split, old, new)
