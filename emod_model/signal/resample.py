"""Streaming resampling by a rational ratio, with a short linear-phase filter and no blocks."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import signal

MAX_LENGTH_S = 0.08
"""Longest impulse response, s: half of it, 40 ms, is delay that every live estimate pays."""
ATTENUATION_DB = 48.0
"""Rejection of aliases, besides the Butterworth's: what 80 ms buy over 35 Hz (Kaiser's formula)."""
MAX_DENOMINATOR = 4096
"""Bounds the table of phases; the rate is then off by less than 1e-7, a third of a millisecond an hour."""
_BLOCK_ELEMENTS = 1 << 18
"""Products held at once (2 MiB): stays in cache whatever the chunk."""


def ratio(sfreq: float, target: float) -> Fraction:
    """Return `target` / `sfreq` as outputs over inputs, exact for every rate that real devices state."""
    exact = Fraction(str(target)) / Fraction(str(sfreq))
    return exact.limit_denominator(MAX_DENOMINATOR)


def design_phases(sfreq: float, target: float, top_hz: float) -> tuple[npt.NDArray[np.float64], float]:
    """Design the anti-alias filter, cut into one short filter a phase.

    Parameters
    ----------
    sfreq, target : float
        Input and output rates, Hz.
    top_hz : float
        Upper edge of the band to keep, Hz.

    Returns
    -------
    phases : numpy.ndarray, shape (phases, taps), float64
        Each row sums to 1, so that a constant stays a constant; oldest input first.
    delay_s : float
        Group delay, s.
    """
    up = ratio(sfreq, target).numerator
    slower = min(sfreq, target)
    # a rate near twice the band's top leaves little transition: the length stays, the rejection gives way
    transition = max(slower - 2 * top_hz, 1.0)
    length_s = min((ATTENUATION_DB - 7.95) / (14.36 * transition), MAX_LENGTH_S)
    half = max(round(length_s * sfreq * up / 2), up)
    kernel = signal.firwin(
        2 * half + 1, slower / 2, window=("kaiser", signal.kaiser_beta(ATTENUATION_DB)), fs=sfreq * up
    )
    taps = -(-len(kernel) // up)
    padded = np.zeros(taps * up)
    padded[: len(kernel)] = kernel
    phases = padded.reshape(taps, up).T[:, ::-1]
    return np.ascontiguousarray(phases / phases.sum(axis=1, keepdims=True)), half / (sfreq * up)


class Resampler:
    """Resamples a stream; an output leaves with the very input sample that completes it.

    Output m stands at input time m / ratio less `delay_s`. Each output is the same products summed in the
    same order however the input is cut, so chunking never changes a bit (a matrix product would).

    Parameters
    ----------
    sfreq, target : float
        Input and output rates, Hz; when equal, samples pass through untouched and undelayed.
    top_hz : float
        Upper edge of the band to keep, Hz.
    n_channels : int
        Rows of the data.

    Attributes
    ----------
    delay_s : float
        Group delay, s.
    """

    def __init__(self, sfreq: float, target: float, top_hz: float, n_channels: int) -> None:
        self._ratio = ratio(sfreq, target)
        self._identity = self._ratio == 1
        self.delay_s = 0.0
        self._phases = np.ones((1, 1))
        if not self._identity:
            self._phases, self.delay_s = design_phases(sfreq, target, top_hz)
        self._taps = self._phases.shape[1]
        self._offsets = np.arange(self._taps)[:, np.newaxis]
        self._n_channels = n_channels
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a silence."""
        self._n_in = 0
        self._history = np.zeros((self._n_channels, self._taps - 1))

    def n_outputs(self, n_inputs: int) -> int:
        """Return how many outputs the first `n_inputs` samples give."""
        up, down = self._ratio.numerator, self._ratio.denominator
        return -(-n_inputs * up // down)

    def process(self, data: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Resample the next samples.

        Parameters
        ----------
        data : numpy.ndarray, shape (channels, samples), float64
            Any number of samples, also none.

        Returns
        -------
        numpy.ndarray, shape (channels, outputs), float64
        """
        if self._identity:
            self._n_in += data.shape[1]
            return data
        first_in = self._n_in
        first_out = self.n_outputs(first_in)
        self._n_in += data.shape[1]
        outputs = np.arange(first_out, self.n_outputs(self._n_in), dtype=np.int64)
        extended = np.concatenate([self._history, data], axis=1)
        self._history = extended[:, extended.shape[1] - (self._taps - 1) :].copy()
        newest, phase = np.divmod(outputs * self._ratio.denominator, self._ratio.numerator)
        oldest = newest - first_in  # column of `extended`, which starts taps - 1 samples before the chunk
        result = np.empty((data.shape[0], len(outputs)))
        step = max(_BLOCK_ELEMENTS // (self._taps * data.shape[0]), 1)
        for start in range(0, len(outputs), step):
            block = slice(start, start + step)
            products = extended[:, oldest[block] + self._offsets] * self._phases[phase[block]].T
            result[:, block] = _sum_taps(products)
        return result


def _sum_taps(products: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sum (channels, taps, outputs) over the taps by halves: element-wise, so shapes leave no mark."""
    while (taps := products.shape[1]) > 1:
        half = taps // 2
        folded = products[:, :half] + products[:, half : 2 * half]
        if taps % 2:
            folded[:, 0] += products[:, -1]
        products = folded
    return products[:, 0]
