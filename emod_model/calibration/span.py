"""Whether what comes in still looks like what the calibration has seen."""

import math

import numpy as np
import numpy.typing as npt

from emod_model.calibration.design import Features

Array = npt.NDArray[np.float64]

_SMOOTH_S = 30.0
_TIMES = 1.5


def distance(features: Features) -> Array:
    """Return how far from the baseline windows lie, root mean square of the scaled features, (windows,)."""
    return np.asarray(np.sqrt((features.linear**2).mean(1)))


class Span:
    """Warns when the signal has left the calibration's range for half a minute or so.

    Parameters
    ----------
    limit : float
        99 % quantile of `distance` over the calibration.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._level: float | None = None
        self._time = 0.0

    def update(self, stream_time_s: float, features: Features) -> None:
        """Take one valid window in."""
        far = float(distance(features)[-1])
        if self._level is None:
            self._level = far
        else:
            weight = -math.expm1(-(stream_time_s - self._time) / _SMOOTH_S)
            self._level += weight * (far - self._level)
        self._time = stream_time_s

    @property
    def left(self) -> bool:
        """Whether the signal lies outside."""
        return self._level is not None and self._level > _TIMES * self._limit
