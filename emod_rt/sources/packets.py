"""From a headset's packet counter and the host's bursty read times to absolute indices and even times.

Pure: no clock, no thread. The counter says how many samples were lost, the read times say how many turns of
the counter went by, and a line under the read times (a sample is read late, never early) says when each was
taken.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# counters are one, two or four bytes wide, or seven bits (Emotiv)
_TURNS = (128, 256, 65_536, 4_294_967_296)
_COUNTS = 0.7  # share of steps that must be equal for a row to be a counter
_BLOCK_S = 0.5
_LATE_TURNS = 0.3  # of a turn: how early a further turn is believed, since reads are late and never early


@dataclass(frozen=True)
class Counting:
    """How a counter counts: `step` a sample, starting again after `turn`."""

    step: int
    turn: int


def learn_counting(counts: npt.NDArray[np.float64], turn: int | None = None) -> Counting | None:
    """Return how a packet row counts, None when it does not count samples.

    Parameters
    ----------
    counts : numpy.ndarray, shape (n,)
        Packet numbers of the first samples.
    turn : int, optional
        Numbers in one turn, where the board's protocol says it.
    """
    steps = np.diff(counts)
    forward = steps[steps > 0]
    if forward.size < 4:
        return None
    sizes, often = np.unique(forward, return_counts=True)
    step = float(sizes[often.argmax()])
    if often.max() < _COUNTS * steps.size or not step.is_integer():
        return None
    widest = next((size for size in _TURNS if counts.max() < size), None) if turn is None else turn
    return None if widest is None else Counting(int(step), widest)


class PacketClock:
    """Places samples by their packet numbers.

    Parameters
    ----------
    sfreq : float
        Nominal rate, Hz; the true rate is learnt within 5 %.
    counting : Counting
        How the counter counts.

    Attributes
    ----------
    lost : int
        Samples lost so far; a sample that repeats the packet number before it counts as lost.
    """

    def __init__(self, sfreq: float, counting: Counting) -> None:
        self._nominal = self._period = 1.0 / sfreq
        self._counting = counting
        self._count = math.nan
        self._index = -1
        self._line: tuple[float, float] | None = None  # index and time of a point on the line
        self._blocks: deque[tuple[float, float]] = deque(maxlen=120)
        self._best: tuple[float, float, float] | None = None
        self._block_start = 0
        self._time = -math.inf
        self.lost = 0

    @property
    def period(self) -> float:
        """Learnt sample period, s."""
        return self._period

    def push(
        self, counts: npt.NDArray[np.float64], read_times: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Place consecutive samples.

        Parameters
        ----------
        counts, read_times : numpy.ndarray, shape (n,)
            Packet number, and when the host read it, s.

        Returns
        -------
        kept : numpy.ndarray, shape (m,), intp
            Columns to keep. Left out are those that repeat the packet number before them: with a Daisy they
            carry new samples of one half of the channels and old ones of the other.
        index : numpy.ndarray, shape (m,), int64
            Strictly increasing, from 0.
        times : numpy.ndarray, shape (m,), float64
            Strictly increasing, s.
        """
        kept, index = [], []
        for at, (count, read) in enumerate(zip(counts.tolist(), read_times.tolist(), strict=True)):
            if self._advance(count, read):
                kept.append(at)
                index.append(self._index)
                self._learn_time(read)
        places = np.array(index, dtype=np.int64)
        return np.array(kept, dtype=np.intp), places, self._times(places)

    def _advance(self, count: float, read: float) -> bool:
        """Move to the sample with this packet number; False when it is to be left out."""
        if math.isnan(self._count):
            self._count, self._index = count, 0
            self._line = (0.0, read)
            return True
        step, turn = self._counting.step, self._counting.turn
        if count >= turn:
            # a longer turn than the first packets let believe
            turn = next((size for size in _TURNS if count < size), int(count) + step)
            self._counting = Counting(step, turn)
        ahead = (count - self._count) % turn
        if ahead == 0 and self._elapsed(read) < 0.5 * turn / step:
            return False
        samples = max(1, round(ahead / step)) if ahead else 0
        per_turn = turn / step
        turns = math.floor((self._elapsed(read) - samples) / per_turn + _LATE_TURNS)
        samples += round(max(turns, 0 if samples else 1) * per_turn)
        self.lost += samples - 1
        self._index += samples
        self._count = count
        return True

    def _elapsed(self, read: float) -> float:
        """Return how many samples the read times say have passed since the newest one."""
        return (read - self._expected(self._index)) / self._period

    def _expected(self, index: float) -> float:
        anchor, time = self._line or (0.0, 0.0)
        return time + (index - anchor) * self._period

    def _learn_time(self, read: float) -> None:
        """Keep the line under the read times."""
        early = read - self._expected(self._index)
        if self._best is None or early < self._best[0]:
            self._best = (early, float(self._index), read)
        # before anything is known the earliest read so far is the best guess
        if len(self._blocks) < 4 and early < 0:
            self._line = (float(self._index), read)
        if (self._index - self._block_start) * self._nominal >= _BLOCK_S:
            self._blocks.append((self._best[1], self._best[2]))
            self._best, self._block_start = None, self._index
            if len(self._blocks) >= 4:
                self._fit()

    def _fit(self) -> None:
        points = np.array(self._blocks)
        index, time = (points - points.mean(axis=0)).T
        slope = float(index @ time / (index @ index))
        self._period = min(max(slope, 0.95 * self._nominal), 1.05 * self._nominal)
        lowest = float(np.min(time - self._period * index))
        centre = points.mean(axis=0)
        # under the points on the whole, but not hostage to one: halfway between their mean and the lowest
        self._line = (float(centre[0]), float(centre[1]) + 0.5 * lowest)

    def _times(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        times = np.empty(index.size)
        previous = self._time
        anchor, time = self._line or (0.0, 0.0)
        for at, place in enumerate(index.tolist()):
            previous = max(time + (place - anchor) * self._period, previous + 0.5 * self._period)
            times[at] = previous
        self._time = previous
        return times
