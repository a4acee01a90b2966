"""The estimates of a view as arrays to draw, with a break wherever windows are invalid or missing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_rt.view import View

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Estimates in drawing order; a row of NaN is a break in the line.

    Attributes
    ----------
    seconds : numpy.ndarray, shape (rows,)
        Stream time relative to the newest sample, s (0 is now, the past is negative).
    valence, arousal, valence_sd, arousal_sd : numpy.ndarray, shape (rows,)
        NaN where there is no reading.
    hop_s : float
        Time between windows, s.
    """

    seconds: Floats
    valence: Floats
    arousal: Floats
    valence_sd: Floats
    arousal_sd: Floats
    hop_s: float

    def since(self, seconds: float) -> "History":
        """Return the rows of the last `seconds`."""
        rows = self.seconds >= -seconds
        return History(
            self.seconds[rows],
            self.valence[rows],
            self.arousal[rows],
            self.valence_sd[rows],
            self.arousal_sd[rows],
            self.hop_s,
        )


def history(view: View) -> History:
    """Return the estimates of a view, placed by their sample index, not by when they were published."""
    rows: list[tuple[float, float, float, float, float]] = []
    nan = float("nan")
    ends = np.array([estimate.index + 1 for estimate in view.estimates], dtype=np.int64)
    steps = np.diff(ends)
    # the commonest step: a stall is reported off the grid of windows, a skipped window leaves a longer one
    lengths, counts = np.unique(steps[steps > 0], return_counts=True)
    hop = int(lengths[counts.argmax()]) if lengths.size else 0
    for row, estimate in enumerate(view.estimates):
        seconds = ends[row] / view.sfreq - view.elapsed_s
        if row and steps[row - 1] > hop:  # a window was skipped: the line must not pretend to know
            rows.append((seconds, nan, nan, nan, nan))
        values = (estimate.valence, estimate.arousal, estimate.valence_sd, estimate.arousal_sd)
        v, a, sv, sa = (nan if value is None or not estimate.valid else value for value in values)
        rows.append((seconds, v, a, sv, sa))
    table = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    seconds, v_row, a_row, sv_row, sa_row = table
    return History(seconds, v_row, a_row, sv_row, sa_row, hop / view.sfreq if view.sfreq else 0.0)
