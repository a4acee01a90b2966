"""From a headset's packet counter and the host's bursty read times to absolute indices and even times.

Pure: no clock, no thread. The counter says how many samples were lost, the read times say how many turns of
the counter went by, and a line under the read times (a sample is read late, never early) says when each was
taken. One packet is never believed against the next: where bytes were lost on the way, a driver can take
what is no packet for one.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_rt.sources.steady import SteadyClock

# counters are one, two or four bytes wide, or seven bits (Emotiv)
_TURNS = (128, 256, 65_536, 4_294_967_296)
_COUNTS = 0.7  # share of steps that must be equal for a row to be a counter
_LATE_TURNS = 0.3  # of a turn: how early a further turn is believed, since reads are late and never early
_TURN_DOUBT_S = 0.15  # of reading that shows whether a turn went by or a busy host catches up
_PATIENCE_S = 10.0  # of samples that may wait to be placed
_RESUME_S = 0.08  # of samples that show when the first one after a new start was taken
_AGREES_S = 0.1  # counter and time, for a counter that may have started anew
_ANEW = 2  # samples from 0
_DOUBT_S = 1.0  # after the first sample, in which a board may still obey
_FUTURE_S = 0.3  # a counter further ahead of time than this has started anew
NO_SAMPLE = -1
_LATER, _NONE = 0, -1


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
    """

    def __init__(self, sfreq: float, counting: Counting) -> None:
        self._sfreq = sfreq
        self._counting = counting
        self._steady = SteadyClock(sfreq)
        self._count = math.nan
        self._index = -1
        self._time = -math.inf
        self._resuming = False
        self._doubt_until = -1

    @property
    def period(self) -> float:
        """Learnt sample period, s."""
        return self._steady.period

    def doubt(self) -> None:
        """Take the place of the next samples from the time unless number and time agree.

        The board was started anew, or told to and may have been at any moment until shortly from now.
        """
        self._resuming = self._index >= 0

    def push(
        self, counts: npt.NDArray[np.float64], read_times: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Place consecutive samples.

        Parameters
        ----------
        counts, read_times : numpy.ndarray, shape (n,)
            Packet number, and when the host read it, s.

        Returns
        -------
        index : numpy.ndarray, shape (m,), int64
            From 0, increasing; the same as before where the packet number is repeated, -1 where it is none
            that the stream can have. m < n when the samples that come next must tell where the others
            belong: push those again, in front of the next.
        times : numpy.ndarray, shape (m,), float64
            s; increasing with the index.
        """
        places, times = [], []
        numbers, reads = counts.tolist(), read_times.tolist()
        for at, (number, read) in enumerate(zip(numbers, reads, strict=True)):
            first = math.isnan(self._count)
            ahead = 1 if first else self._ahead(number, read)
            if not first and self._surprising(ahead, read):
                ahead = self._settle(counts[at:], read_times[at:], ahead)
                if ahead == _LATER:
                    break
                if ahead == _NONE:
                    places.append(NO_SAMPLE)
                    times.append(self._time)
                    continue
            if ahead:
                self._count = number
                self._index += ahead
                self._steady.learn(self._index, read)
                self._time = self._steady.time(self._index)
            places.append(self._index)
            times.append(self._time)
        return np.array(places, dtype=np.int64), np.array(times, dtype=np.float64)

    @property
    def _per_turn(self) -> int:
        return self._counting.turn // self._counting.step

    @property
    def _most_late(self) -> float:
        """Samples that a read is late before it may be a turn."""
        return (1 - _LATE_TURNS) * self._per_turn

    def _surprising(self, ahead: int, read: float) -> bool:
        return ahead > 1 or (ahead == 1 and (self._resuming or self._late(read) > self._most_late))

    def _late(self, read: float) -> float:
        """Return how many samples the read times say have passed since the newest one."""
        return (read - self._steady.expected(self._index)) / self._steady.period

    def _ahead(self, number: float, read: float) -> int:
        """Return how far the counter moved since the newest sample, 0 where it is repeated."""
        step, turn = self._counting.step, self._counting.turn
        if number >= turn:
            # a longer turn than the first packets let believe
            turn = next((size for size in _TURNS if number < size), int(number) + step)
            self._counting = Counting(step, turn)
        moved = (number - self._count) % turn
        if moved == 0:
            return self._per_turn if self._resuming or self._late(read) >= 0.5 * self._per_turn else 0
        return max(1, round(moved / step))

    def _settle(self, counts: npt.NDArray[np.float64], reads: npt.NDArray[np.float64], ahead: int) -> int:
        """Return how many samples further the first of these is, judged by those behind it.

        0 when more of them are needed, -1 when it is no sample.
        """
        step, turn = self._counting.step, self._counting.turn
        moved = np.diff(counts) % turn / step
        doubtful = self._resuming or self._index < self._doubt_until
        # as far as they belong together, where they may not
        apart = np.flatnonzero(doubtful & (moved > _AGREES_S * self._sfreq))
        along = int(apart[0]) + 1 if apart.size else counts.size
        behind = np.concatenate(([0.0], np.cumsum(moved[: along - 1])))
        more = not apart.size and counts.size < _PATIENCE_S * self._sfreq
        # the least late of them was hardly held up
        late = (reads[:along] - self._steady.expected(self._index)) / self._steady.period
        passed = float(np.min(late - behind))
        turns = max(0, math.floor((passed - ahead) / self._per_turn + _LATE_TURNS))
        by_count = ahead + turns * self._per_turn
        by_time = max(1, math.floor(passed + 0.25))
        if doubtful:
            if behind[-1] < _RESUME_S * self._sfreq and more:
                return _LATER
            if self._resuming:
                self._doubt_until = self._index + by_time + round(_DOUBT_S * self._sfreq)
                self._resuming = False
            # one that starts anew starts at 0, and time may agree with it by chance
            doubt = _ANEW if counts[0] <= _ANEW * step else _AGREES_S * self._sfreq
            if abs(by_count - passed) <= doubt:
                return by_count
            self._steady.begin_anew(self._index + by_time)
            return by_time
        if counts.size == 1:
            return _LATER
        held_up = self._late(float(reads[0])) - ahead > self._most_late
        if held_up and reads[along - 1] - reads[0] < _TURN_DOUBT_S and more:
            return _LATER
        if moved[0] != 1 and self._goes_on(float(counts[1]), float(reads[1]), ahead):
            return _NONE
        if moved[0] == 1 and ahead - self._late(float(reads[0])) > _FUTURE_S * self._sfreq:
            self._steady.begin_anew(self._index + by_time)
            return by_time
        return by_count

    def _goes_on(self, number: float, read: float, ahead: int) -> bool:
        """Tell whether the next packet goes on from the newest sample, as if this one had not been."""
        moved = (number - self._count) % self._counting.turn / self._counting.step
        return 0 < moved < ahead and self._late(read) < moved + 0.5 * self._per_turn
