"""Puts what a clock timed onto the even grid that a recording's samples lie on."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_AROUND_S = 1.0
# stamps are late, never early: the early edge of a burst is its true time
_EARLY = 0.1


def on_grid(times: Floats, stamps: Floats, index: npt.NDArray[np.int64], sfreq: float) -> Floats:
    """Return the times of events by the grid of the samples instead of by the clock that stamped both.

    A sender is never exactly as fast as it says, so its stamps leave the grid by milliseconds a minute, and
    what was stamped beside sample n must stay beside it. Between two stamps an event keeps its proportion,
    also inside a hole; before the first and after the last it keeps its distance. Stamps count as they are as
    far as half a sample from their trend (over 2 s), so that neither bursts nor single late stamps carry
    events along.

    Parameters
    ----------
    times : numpy.ndarray, shape (events,)
        By the clock of `stamps`, s, in any order.
    stamps : numpy.ndarray, shape (rows,)
        Time stamp of each sample, s.
    index : numpy.ndarray, shape (rows,)
        Absolute index of each sample.
    sfreq : float
        Rate of the grid, Hz.

    Returns
    -------
    numpy.ndarray, shape (events,)
        Seconds on the grid `stamps[0] + index / sfreq`.
    """
    from scipy.ndimage import median_filter

    if not times.size:
        return times
    grid = stamps[0] + index / sfreq
    late = stamps - grid
    # the straight part first: a filter's ends would bend it
    rest = late - np.polynomial.Polynomial.fit(grid - grid[0], late, 1)(grid - grid[0])
    # a median follows a clock that is set at once; how late stamps usually are is the same all along
    usual = median_filter(rest, size=2 * round(_AROUND_S * sfreq) + 1, mode="reflect")
    off = rest - usual - np.quantile(rest - usual, _EARLY)
    near = late - off + np.clip(off, -0.5 / sfreq, 0.5 / sfreq)
    clock = np.maximum.accumulate(grid + near)
    placed = np.interp(times, clock, grid)
    placed = np.where(times < clock[0], times - clock[0] + grid[0], placed)
    result: Floats = np.where(times > clock[-1], times - clock[-1] + grid[-1], placed)
    return result
