"""Even times for samples that are read in bursts: a line under the read times, followed without a jump."""

from collections import deque

import numpy as np
import numpy.typing as npt

_BLOCK_S = 0.5
_BLOCKS = 120
_FIRST_BLOCKS = 4
_SETTLED_S = 10.0  # of blocks after which the period is known better than a few new blocks tell it
_RATE_DOUBT = 0.05
_STRAY_S = 2e-3  # a block read later than the others by more than this was held up as a whole
_SLEW = 0.05  # of a period, by which each step may be longer or shorter to get back to the line
_JUMP_S = 4e-3  # across a hole, where a share of its length would be visible


class SteadyClock:
    """Learns when each sample was taken from when it was read: late, never early.

    Parameters
    ----------
    sfreq : float
        Nominal rate, Hz; the true rate is learnt within 5 %.

    Attributes
    ----------
    period : float
        Learnt sample period, s.
    """

    def __init__(self, sfreq: float) -> None:
        self._nominal = self.period = 1.0 / sfreq
        self._line: tuple[float, float] | None = None  # index and time of a point on it
        self._blocks: deque[tuple[float, float]] = deque(maxlen=_BLOCKS)
        self._best: tuple[float, float, float] | None = None
        self._block_start = 0
        self._settled = False
        self._told: tuple[int, float] | None = None

    def expected(self, index: float) -> float:
        """Return when the line says a sample was taken, s."""
        anchor, time = self._line or (0.0, 0.0)
        return time + (index - anchor) * self.period

    def time(self, index: int) -> float:
        """Return the time to give a sample, s: towards the line, each step within 5 % of a period.

        Parameters
        ----------
        index : int
            Above that of the call before.
        """
        line = self.expected(index)
        if self._told is None:
            self._told = (index, line)
            return line
        steps = index - self._told[0]
        even = self._told[1] + steps * self.period
        room = min(_SLEW * steps * self.period, _JUMP_S)
        told = even + min(max(line - even, -room), room)
        self._told = (index, told)
        return told

    def learn(self, index: int, read: float) -> None:
        """Keep the line under the read times.

        Parameters
        ----------
        index : int
            Absolute index of a sample, increasing.
        read : float
            When the host read it, s.
        """
        if self._line is None:
            self._line = (float(index), read)
            self._block_start = index
        early = read - self.expected(index)
        if early < 0 and not self._settled and len(self._blocks) < _FIRST_BLOCKS:
            # before anything is known the earliest read so far is the best guess
            self._line = (float(index), read)
            self._best, early = None, 0.0
        if self._best is None or early < self._best[0]:
            self._best = (early, float(index), read)
        if (index - self._block_start) * self._nominal >= _BLOCK_S:
            self._blocks.append((self._best[1], self._best[2]))
            self._best, self._block_start = None, index
            if len(self._blocks) >= _FIRST_BLOCKS:
                self._fit()

    def begin_anew(self, index: int) -> None:
        """Learn the offset again from this sample on, since the board was started again; keep the period."""
        self._blocks.clear()
        self._best, self._block_start = None, index

    def _fit(self) -> None:
        points = np.array(self._blocks)
        late = self._line_through(points)
        # a block that was held up as a whole says nothing of when its samples were taken
        usual = np.median(late)
        stray = late > usual + _STRAY_S + 3.0 * np.median(np.abs(late - usual))
        if stray.any():
            self._line_through(points[~stray])

    def _line_through(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Lay the line; return how much later than it each point is, s."""
        centre = points.mean(axis=0)
        index, time = (points - centre).T
        lasted_s = (points[-1, 0] - points[0, 0]) * self._nominal
        if lasted_s >= _SETTLED_S or not self._settled:
            slope = float(index @ time / max(float(index @ index), 1.0))
            least, most = (1 - _RATE_DOUBT) * self._nominal, (1 + _RATE_DOUBT) * self._nominal
            self.period = min(max(slope, least), most)
            self._settled = self._settled or lasted_s >= _SETTLED_S
        self._line = (float(centre[0]), float(centre[1]))
        return np.asarray(time - self.period * index)
