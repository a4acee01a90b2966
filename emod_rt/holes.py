"""From time stamps to absolute sample indices: where samples were lost, and the time of each one that came.

Pure: no clock of its own, no thread. Two kinds of sender need two kinds of evidence.

- *Precise* stamps sit on the sample grid. A step of several periods is a hole at once, exact to the sample.
- *Jittery* stamps (a sender that stamps what it just received with its own clock) step for reasons of
  their own. A late burst comes back to the grid, a loss never does. So a step counts at once only when it
  is far larger than any burst; a smaller one counts when for a whole second not one stamp has come back
  (the lower envelope of the stamps has moved). Such a hole is placed where it was proved, up to 1.25 s
  after the loss.

Time going backwards, or ahead while the samples arrive as steadily as before, is a new epoch of the
sender's clock: the index goes on after a hole of the time that passed for the reader (at least one sample,
so that no window spans the seam), and the epoch's times are shifted to go on from there.
"""

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from emod_rt.pace import Pace

_ON_GRID = 0.01  # of a period: the largest step error of a precise stamp
_ON_GRID_EARLY = 0.002  # the same while little is known of the sender
_KNOWN_S = 0.1  # stamps needed before a sender can pass as precise
_RATE_DOUBT = (1e-3, 1e-4)  # relative doubt of the rate before and after two seconds of stamps
_LOOK = 128  # samples
_MEMORY_S = 6.0  # how long jitter is remembered
_OFF_GRID_ALLOWED = 4  # off-grid steps within the memory that still pass as precise (clock offset updates)
_BURST_S = 0.15  # a step below this may be a burst on any sender that is not precise
_AHEAD_S = 2.0  # how far ahead, among samples in hand, a burst is looked for
_DOUBT_S = 0.1  # of samples after a step that show whether it was a burst
_BLOCK_S = 0.25  # one point of the lower envelope
_PROOF_BLOCKS = 4  # envelope points that must all have moved
_FIT_BLOCKS = 8  # envelope points behind them that say where they should be
_BACKWARDS_S = (0.25, 0.9)  # precise stamps never go back; late blocks of a second may
_SET_S = 0.25  # a step ahead below this is never a clock that was set
_MOSTLY = 0.75  # of a step ahead that arrivals do not account for
_LEAP_S, _LEAP_PACE = (
    60.0,
    30.0,
)  # a longer step than this, and than so many times the reader's time, is no hole


class HoleDetector:
    """Absolute indices and smooth times of a stream's samples.

    Parameters
    ----------
    sfreq : float
        Nominal rate, Hz; the true rate is learnt.

    Attributes
    ----------
    lost : int
        Samples lost so far.
    epochs : int
        Times the sender's clock has been set.
    """

    def __init__(self, sfreq: float) -> None:
        self._nominal = self._period = 1.0 / sfreq
        self.lost = 0
        self.epochs = 0
        self._next = 0  # index of the next sample when nothing is lost
        self._stamp = math.nan  # newest stamp, sender's clock
        self._time = -math.inf  # newest time given out
        self._arrival = math.nan
        self._shift = 0.0  # added to the stamps of this epoch
        self._pace = Pace()
        self._ahead = -math.inf  # of what is being pushed
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self._first_stamp = math.nan
        self._pace.forget()
        self._ahead = -math.inf
        self._seen_precise = False  # by looking ahead, before the stamps are old enough to tell
        self._jitter: deque[tuple[float, float]] = deque()  # (stamp, size) of recent off-grid steps
        self._blocks: deque[tuple[float, float]] = deque(
            maxlen=120
        )  # (index, stamp) of each block's earliest sample
        self._block_best = (math.inf, 0, 0.0)  # (residual, index, stamp)
        self._block_end = math.inf  # stamp at which the block closes
        self._line: tuple[float, float, float] | None = None  # index, stamp, period of the fitted line

    @property
    def period(self) -> float:
        """Learnt sample period, s."""
        return self._period

    @property
    def precise(self) -> bool:
        """Whether the recent stamps sit on the sample grid."""
        age = self._stamp - self._first_stamp
        if age < _KNOWN_S:
            return self._seen_precise
        allowed = max(1.0, _OFF_GRID_ALLOWED * min(1.0, age / _MEMORY_S))
        return len(self._jitter) <= allowed

    def push(
        self, stamps: npt.ArrayLike, arrival: float = math.nan
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Place consecutive samples.

        Parameters
        ----------
        stamps : array_like, shape (n,)
            Time stamps, s, in the reader's clock but otherwise as sent.
        arrival : float
            When they were read, s, any monotonic clock; sizes the hole at a clock jump.

        Returns
        -------
        index : numpy.ndarray, shape (n,), int64
            Strictly increasing, from 0; a step above 1 is a hole.
        times : numpy.ndarray, shape (n,), float64
            Strictly increasing: the stamps themselves while precise, the fitted line while not.
        """
        values = np.asarray(stamps, dtype=np.float64)
        if math.isnan(self._first_stamp):
            self._seen_precise = self._all_on_grid(values)
        if values.size:
            self._ahead = self._pace.ahead(float(values[-1]), arrival)
        index = np.empty(values.size, dtype=np.int64)
        times = np.empty(values.size, dtype=np.float64)
        start = 0
        while start < values.size:
            stop = self._calm_until(values, start)
            if stop > start:
                self._place_calm(values[start:stop], index[start:stop], times[start:stop])
            if stop < values.size:
                self._place_odd(values, stop, arrival)
                self._emit(values[stop], index, times, stop)
                stop += 1
            start = stop
        if values.size:
            self._pace.remember(float(values[-1]), arrival)
        self._arrival = arrival
        return index, times

    def _all_on_grid(self, values: npt.NDArray[np.float64]) -> bool:
        """Tell whether these first stamps suffice to call the sender precise, and do."""
        if values.size < 2 or not values[-1] - values[0] >= _KNOWN_S:
            return False
        steps = np.diff(values) / self._period
        whole = np.rint(steps)
        off = np.abs(steps - whole) > _ON_GRID_EARLY + whole * _RATE_DOUBT[0]
        return bool(np.all(whole >= 1) and not np.any(off))

    def doubts(self, stamps: npt.NDArray[np.float64]) -> bool:
        """Tell whether the samples after these would show if a step among them is a loss or a late burst.

        Parameters
        ----------
        stamps : numpy.ndarray, shape (n,)
            What would be pushed next; wait some milliseconds for more when the answer is yes.
        """
        if self.precise:
            return False
        steps = np.diff(stamps, prepend=self._stamp)
        late = np.flatnonzero((steps > _BURST_S) & (steps < _AHEAD_S))
        return late.size > 0 and stamps.size - late[-1] < _DOUBT_S / self._period

    def _calm_until(self, values: npt.NDArray[np.float64], start: int) -> int:
        """Return how far the samples follow one another by exactly one period."""
        # bounded, or a long backlog of jittery samples would be looked through again for each of them
        ahead = values[start : start + _LOOK]
        # the first sample ever has nothing before it; NaN compares as odd
        calm = np.abs(np.diff(ahead, prepend=self._stamp) - self._period) <= self._tolerance(1)
        calm &= ahead < self._block_end
        odd = np.flatnonzero(~calm)
        return start + (int(odd[0]) if odd.size else ahead.size)

    def _tolerance(self, steps: float) -> float:
        known = len(self._blocks) >= _FIT_BLOCKS
        on_grid = _ON_GRID if known or steps == 1 else _ON_GRID_EARLY
        return self._period * (on_grid + steps * _RATE_DOUBT[known])

    def _place_calm(
        self, values: npt.NDArray[np.float64], index: npt.NDArray[np.int64], times: npt.NDArray[np.float64]
    ) -> None:
        """Place samples one period apart, none of which closes a block."""
        index[:] = np.arange(self._next, self._next + values.size)
        residual = values - self._expected(index)
        best = int(np.argmin(residual))
        self._block_best = min(
            self._block_best,
            (float(residual[best]), int(index[best]), float(values[best])),
            key=lambda b: b[0],
        )
        wish = values + self._shift if self.precise else self._expected(index) + self._shift
        # one period's worth of catching up at most, half a period's worth of waiting
        low = self._time + 0.5 * self._period * np.arange(1, values.size + 1)
        times[:] = np.maximum(wish, low)
        self._next += values.size
        self._stamp, self._time = float(values[-1]), float(times[-1])

    def _expected(self, index: npt.NDArray[np.int64] | int) -> npt.NDArray[np.float64]:
        """Return where the fitted line puts these indices, sender's clock."""
        anchor_index, anchor, period = self._line or (self._next - 1, self._stamp, self._period)
        return np.asarray(anchor + (np.asarray(index) - anchor_index) * period)

    def _emit(
        self, stamp: float, index: npt.NDArray[np.int64], times: npt.NDArray[np.float64], at: int
    ) -> None:
        """Give one sample, whose place is settled, its index and time."""
        first = math.isnan(self._first_stamp)
        if first:
            self._first_stamp = stamp
            self._block_end = stamp + _BLOCK_S
        expected = stamp if first else float(self._expected(self._next))
        self._block_best = min(self._block_best, (stamp - expected, self._next, stamp), key=lambda b: b[0])
        wish = self._shift + (stamp if self.precise else expected)
        index[at] = self._next
        times[at] = max(wish, self._time + 0.5 * self._period)
        self._next += 1
        self._stamp, self._time = stamp, float(times[at])

    def _place_odd(self, values: npt.NDArray[np.float64], at: int, arrival: float) -> None:
        """Settle what lies between the newest sample and `values[at]`."""
        stamp = float(values[at])
        if math.isnan(self._stamp):
            return
        step = stamp - self._stamp
        passed = arrival - self._arrival
        leap = step > _LEAP_S and step > _LEAP_PACE * passed  # False without arrivals
        leap |= step > _SET_S and self._ahead > _MOSTLY * step
        if step < -_BACKWARDS_S[not self.precise] or leap or math.isnan(step):
            self._new_epoch(stamp, passed, values.size - at)
            return
        steps = round(step / self._period)
        on_grid = abs(step - steps * self._period) <= self._tolerance(steps) and steps >= 1
        if steps > 1:
            self._settle_step(values, at, steps, on_grid)
        elif not on_grid:
            self._jitter.append((stamp, abs(step - self._period)))
        while self._jitter and self._jitter[0][0] < stamp - _MEMORY_S:
            self._jitter.popleft()
        if stamp >= self._block_end:
            self._close_block(stamp)

    def _settle_step(self, values: npt.NDArray[np.float64], at: int, steps: int, on_grid: bool) -> None:
        """Decide whether a step of several periods is a hole or a late burst."""
        soon = values[at : at + max(1, round(_AHEAD_S / self._period))]
        stays = float(np.min(soon - np.arange(soon.size) * self._period)) - self._stamp
        kept = round(stays / self._period)
        if on_grid and self.precise and kept == steps:
            self._lose(steps - 1)
            return
        largest = max((size for _, size in self._jitter), default=0.0)
        if stays - self._period > max(_BURST_S, 4.0 * largest):
            self._lose(kept - 1)
            return
        self._jitter.append((float(values[at]), float(values[at]) - self._stamp - self._period))

    def _lose(self, count: int) -> None:
        self.lost += count
        self._next += count

    def _new_epoch(self, stamp: float, passed: float, waiting: int) -> None:
        """Go on after the sender's clock was set."""
        lost = 1
        if math.isfinite(passed):
            lost = max(1, round(passed / self._period) - waiting)
        self.epochs += 1
        self._begin_epoch()
        self._lose(lost)
        self._stamp = math.nan
        self._shift = self._time + (lost + 1) * self._period - stamp

    def _close_block(self, stamp: float) -> None:
        """Add the block's earliest sample to the envelope, look for a hidden loss, fit the line."""
        self._blocks.append((float(self._block_best[1]), self._block_best[2]))
        self._block_best = (math.inf, 0, 0.0)
        self._block_end = max(self._block_end + _BLOCK_S, stamp + 0.5 * _BLOCK_S)
        if len(self._blocks) >= _FIT_BLOCKS + _PROOF_BLOCKS:
            self._prove()
        if len(self._blocks) >= _PROOF_BLOCKS:
            self._line = self._fit(np.array(self._blocks))[:3]
            self._period = self._line[2]

    def _prove(self) -> None:
        points = np.array(self._blocks)
        older, newer = points[:-_PROOF_BLOCKS], points[-_PROOF_BLOCKS:]
        anchor_index, anchor, period, spread = self._fit(older)
        moved = newer[:, 1] - (anchor + (newer[:, 0] - anchor_index) * period)
        enough = max(0.6 * period, 3.0 * spread)
        if moved.min() > enough:
            count = max(1, round(float(moved.min()) / period))
            self._lose(count)
            newer[:, 0] += count
            self._blocks = deque(((i, s) for i, s in np.concatenate((older, newer))), maxlen=120)
        elif moved.max() < -enough:
            # ahead of the line: the line was wrong, not the index; begin it anew
            self._blocks = deque(((i, s) for i, s in newer), maxlen=120)

    def _fit(self, points: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
        """Fit a line to the envelope: index and stamp on it, period, largest distance from it."""
        centre = points.mean(axis=0)
        index, stamp = (points - centre).T
        slope = float(index @ stamp / max(float(index @ index), 1.0))
        period = min(max(slope, 0.95 * self._nominal), 1.05 * self._nominal)
        spread = float(np.max(np.abs(stamp - period * index)))
        return float(centre[0]), float(centre[1]), period, spread
