"""Causal smoothing of estimates."""

import math

import numpy as np
import numpy.typing as npt

Pair = npt.NDArray[np.float64]


class Smoother:
    """Exponential smoothing by elapsed time, so that missing windows need no special case.

    A window's weight is 1 - exp(-dt / time constant), dt since the last valid window: after a long
    silence the old value weighs nothing. The variance is averaged with the same weights and not
    divided by the number of windows: overlapping windows share their errors, so averaging them
    promises no more precision.

    Parameters
    ----------
    time_constant_s : float
        Seconds after which a step has come through to 63 %.
    """

    def __init__(self, time_constant_s: float = 4.0) -> None:
        self.time_constant_s = time_constant_s
        self._time: float | None = None
        self._mean: Pair = np.zeros(2)
        self._variance: Pair = np.zeros(2)

    def update(self, stream_time_s: float, mean: Pair, sd: Pair) -> tuple[Pair, Pair]:
        """Take one window's valence and arousal in, return the smoothed pair and its standard deviations.

        Parameters
        ----------
        stream_time_s : float
            Absolute sample index over the rate, s: never the wall clock.
        mean, sd : numpy.ndarray, shape (2,)
            Valence and arousal of the window.
        """
        weight = 1.0
        if self._time is not None:
            weight = -math.expm1(-(stream_time_s - self._time) / self.time_constant_s)
        self._time = stream_time_s
        self._mean = self._mean + weight * (mean - self._mean)
        self._variance = self._variance + weight * (sd**2 - self._variance)
        return self._mean, np.sqrt(self._variance)
