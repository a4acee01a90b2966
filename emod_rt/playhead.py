"""Where a replay is: which samples and markers are due at a time, and which stamps they bear."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SEEK_S = 0.1


class Due(NamedTuple):
    """What is due, in the order of the recording.

    Attributes
    ----------
    rows : slice
        Samples, by their rows.
    times : numpy.ndarray, shape (rows,)
        Their stamps, s from the start of the replay.
    marks : range
        Markers, by their number.
    mark_times : numpy.ndarray, shape (marks,)
        Their stamps.
    """

    rows: slice
    times: Floats
    marks: range
    mark_times: Floats


class Playhead:
    """Moves along a recording on one even grid of stamps that never goes back.

    The grid runs at `speed` times the speed of life from the start on, also while the recording does not:

    - a loop goes on with the next stamp: the last sample of a pass and the first of the next are neighbours;
    - a seek leaves 0.1 s of the grid empty, a pause as much as it lasted. Whoever reads sees a hole, as when
      a device was away, and does not filter across the cut.

    Markers before the first sample are due at the start of the first pass, those behind the last at the end
    of a replay that ends; they keep their own stamps.

    Parameters
    ----------
    place : numpy.ndarray, shape (rows,), int64
        Index of each sample, counted from where the part begins.
    marks : numpy.ndarray, shape (markers,)
        Place of each marker in samples, in order.
    span : int
        Length of a pass, samples.
    sfreq : float
        Rate of the grid, Hz.
    speed : float
        Times the speed of life.
    loop : bool
        Begin again at the end.
    """

    def __init__(self, place: Ints, marks: Floats, span: int, sfreq: float, speed: float, loop: bool) -> None:
        self._place, self._marks, self._span = place, marks, span
        self._sfreq, self._loop = sfreq, loop
        self._rate = sfreq * speed
        self._shift = 0  # grid index of place 0 in this pass
        self._reach = 0.0  # how far the grid has come
        self._from = 0  # where the last cut led to
        self._row = self._mark = 0
        self.turn = 0
        self.paused = False

    @property
    def ended(self) -> bool:
        """Everything was handed out."""
        return not self._loop and self._reach - self._shift >= self._span

    @property
    def position(self) -> float:
        """Place in the part, samples."""
        return min(max(self._reach - self._shift, self._from, 0.0), float(self._span))

    def advance(self, elapsed_s: float) -> list[Due]:
        """Return what has become due.

        Parameters
        ----------
        elapsed_s : float
            Since the start of the replay.

        Returns
        -------
        list of Due
            One for each pass that it reaches into.
        """
        self._move(elapsed_s)
        found = [self._take()]
        while self._loop and self._reach - self._shift >= self._span:
            self._shift += self._span
            self._row, self._from = 0, 0
            self._mark = int(np.searchsorted(self._marks, 0.0))
            self.turn += 1
            found.append(self._take())
        return found

    def seek(self, place: float, elapsed_s: float) -> None:
        """Go on from another place, at most the end of the part."""
        self._move(elapsed_s)
        target = min(max(math.ceil(place - 1e-6), 0), self._span)
        self._shift = math.ceil(self._reach) + max(round(_SEEK_S * self._sfreq), 2) - target
        self._from = target
        self._row = int(np.searchsorted(self._place, target))
        self._mark = int(np.searchsorted(self._marks, target))

    def pause(self, paused: bool, elapsed_s: float) -> None:
        """Stand still, or go on."""
        self._move(elapsed_s)
        self.paused = paused

    def _move(self, elapsed_s: float) -> None:
        """Let the grid run on."""
        reach = max(elapsed_s * self._rate, self._reach)
        if self.paused:
            # whole samples, so that stamps stay on the grid; what is left of one is waited for
            ahead = math.floor(reach - self._reach)
            self._shift += ahead
            self._reach += ahead
        else:
            self._reach = reach

    def _take(self) -> Due:
        due = self._reach - self._shift
        row, mark = self._row, self._mark
        # behind a seek what is due lies before where it led to, for a while
        self._row = max(int(np.searchsorted(self._place, math.floor(due), side="right")), row)
        # a marker behind the last sample belongs to the end of the replay, not into the next pass
        until = int(np.searchsorted(self._marks, min(due, np.nextafter(self._span, 0.0)), side="right"))
        self._mark = self._marks.size if self.ended else max(until, mark)
        marks = range(mark, self._mark)
        return Due(
            slice(row, self._row),
            (self._place[row : self._row] + self._shift) / self._sfreq,
            marks,
            (self._marks[mark : self._mark] + self._shift) / self._sfreq,
        )
