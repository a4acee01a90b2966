"""Does a stream send as many samples a second as it says."""

import math

import numpy as np
import numpy.typing as npt

_CHECK_S = 5.0
_OFF = 1.06
_BATCH_S = 0.1  # stamps of one batch of a sender that stamps "now" lie within this


class RateCheck:
    """Counts, once, the samples of a stream's first five seconds.

    The first batch is the start of the count and no part of it: a sender that stamps one-second blocks with
    the time they left has taken a whole second for the first, which no stamp tells.

    Parameters
    ----------
    sfreq : float
        Declared rate, Hz.
    """

    def __init__(self, sfreq: float) -> None:
        self._sfreq = sfreq
        self._begin = self._batch_end = math.nan
        self._counted = 0
        self._done = False

    def too_fast(self, stamps: npt.NDArray[np.float64]) -> float | None:
        """Return the true rate, Hz, when it is far above the declared one; None while all is well.

        Parameters
        ----------
        stamps : numpy.ndarray, shape (n,), n >= 1
            Time stamps of what has just arrived, s.
        """
        if self._done:
            return None
        if math.isnan(self._begin):
            self._begin = float(stamps[0])
            self._batch_end = self._begin + _BATCH_S
        batch = stamps[stamps <= self._batch_end]
        self._begin = float(np.max(batch, initial=self._begin))
        self._counted += stamps.size - batch.size
        span = float(stamps[-1]) - self._begin
        if not span >= _CHECK_S:
            return None
        self._done = True
        rate = self._counted / span
        return rate if rate > _OFF * self._sfreq else None
