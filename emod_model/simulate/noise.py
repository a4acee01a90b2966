"""Coloured noise as streams: second-order sections whose state goes from block to block."""

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, freqz_sos, sosfilt

Array = npt.NDArray[np.float64]

_SCALE_BAND_HZ = (1.0, 45.0)


class ColouredNoise:
    """Filters white rows into rows of a given spectrum.

    Parameters
    ----------
    sos : numpy.ndarray, shape (sections, 6)
        The filter.
    rows : int
        How many independent rows are filtered.
    """

    def __init__(self, sos: Array, rows: int) -> None:
        self._sos = sos
        self._state = np.zeros((len(sos), rows, 2))

    def __call__(self, white: npt.NDArray[np.floating]) -> Array:
        """Filter the next (rows, n) block."""
        out, self._state = sosfilt(self._sos, white, axis=1, zi=self._state)
        return np.asarray(out)


def _scaled(sos: Array, sfreq: float, band_hz: tuple[float, float]) -> Array:
    """Scale a filter so that white noise of unit variance comes out with unit variance within a band."""
    frequencies = np.linspace(0, sfreq / 2, 16385)
    power = np.abs(freqz_sos(sos, frequencies, fs=sfreq)[1]) ** 2
    inside = (frequencies >= band_hz[0]) & (frequencies <= band_hz[1])
    variance = power[inside].sum() / len(frequencies)
    scaled = sos.copy()
    scaled[0, :3] /= np.sqrt(variance)
    return scaled


def band_filter(band_hz: tuple[float, float], sfreq: float) -> Array:
    """Return sections that turn unit white noise into unit noise of a band, cut at 0.45 `sfreq`."""
    low, high = band_hz
    high = min(high, 0.45 * sfreq)
    sos: Array = butter(2, (min(low, 0.8 * high), high), "bandpass", fs=sfreq, output="sos")
    return _scaled(sos, sfreq, (0.0, sfreq / 2))


def power_law_filter(exponent: float, sfreq: float) -> Array:
    """Return sections that turn unit white noise into 1 / f ** exponent, unit variance within 1-45 Hz.

    Flat below 0.3 Hz. One real pole and zero each half octave, matched to the plane of z.
    """
    step = np.sqrt(2.0)
    n = int(np.ceil(np.log(0.5 * sfreq / 0.3) / np.log(step) / 2)) * 2
    poles_hz = 0.3 * step ** np.arange(n)
    zeros_hz = poles_hz * step ** (exponent / 2)
    pole = np.exp(-2 * np.pi * poles_hz / sfreq)
    zero = np.exp(-2 * np.pi * zeros_hz / sfreq)
    sos = np.zeros((n // 2, 6))
    for column, root in ((0, zero), (3, pole)):
        sos[:, column] = 1
        sos[:, column + 1] = -(root[0::2] + root[1::2])
        sos[:, column + 2] = root[0::2] * root[1::2]
    return _scaled(sos, sfreq, _SCALE_BAND_HZ)
