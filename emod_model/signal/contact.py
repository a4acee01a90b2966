"""What only the raw signal of a window shows: rails, samples that were never measured, drift."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HELD_S = 0.03
HELD_SAMPLES = 8
"""A run of one value as long as both: true EEG held one for 6 samples at most, a lost Muse packet for 12."""
RAIL_UV = 100_000.0
"""A channel that never said anything else is railed from here: no electrode's own offset reaches it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What the raw signal of one window says of each electrode.

    Attributes
    ----------
    railed : numpy.ndarray, shape (channels,), bool
        Stuck at the lowest or highest value that the channel has ever had.
    dropouts : numpy.ndarray, shape (channels,)
        Share of samples in runs of one value: packets that were lost and filled.
    drift_uv_s : numpy.ndarray, shape (channels,)
        How far the level moves, microvolts a second, whatever the sign.
    """

    railed: npt.NDArray[np.bool_]
    dropouts: npt.NDArray[np.float64]
    drift_uv_s: npt.NDArray[np.float64]


def inspect(
    raw: npt.NDArray[np.float32],
    lowest: npt.NDArray[np.float32],
    highest: npt.NDArray[np.float32],
    sfreq: float,
) -> Contact:
    """Look at the raw signal of one window.

    Parameters
    ----------
    raw : numpy.ndarray, shape (channels, samples), float32
        Microvolts as acquired; NaN where a value is missing.
    lowest, highest : numpy.ndarray, shape (channels,), float32
        Extremes of each channel since the start or the last hole.
    sfreq : float
        Rate, Hz.

    Returns
    -------
    Contact
    """
    held = _held(raw, max(HELD_SAMPLES, int(np.ceil(HELD_S * sfreq))))
    railed = np.zeros(len(raw), dtype=np.bool_)
    for row in np.flatnonzero(held.any(axis=1)):
        moved = lowest[row] < highest[row]
        stuck = held[row] & ((raw[row] == lowest[row]) | (raw[row] == highest[row]))
        # a lost packet is filled with zeros, and zero is no converter's rail
        railed[row] = (stuck & (raw[row] != 0 if moved else np.abs(raw[row]) >= RAIL_UV)).any()
    second = min(round(sfreq), raw.shape[1] // 2)
    level = raw[:, -second:].mean(axis=1, dtype=np.float64) - raw[:, :second].mean(axis=1, dtype=np.float64)
    drift = np.abs(level) * sfreq / (raw.shape[1] - second)
    return Contact(railed, held.mean(axis=1), drift)


def _held(raw: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.bool_]:
    """Mark the samples that lie in a run of at least `length` equal values."""
    held = np.zeros(raw.shape, dtype=np.bool_)
    # any such run covers two neighbours of this coarser grid, so that most channels need no closer look
    coarse = raw[:, :: length // 2]
    for row in np.flatnonzero((coarse[:, 1:] == coarse[:, :-1]).any(axis=1)):
        bounds = np.flatnonzero(np.diff(raw[row], prepend=np.nan, append=np.nan) != 0)
        lengths = np.diff(bounds)
        held[row] = np.repeat(lengths >= length, lengths)
    return held
