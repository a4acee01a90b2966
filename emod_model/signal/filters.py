"""Filters of the conditioned signal: causal Butterworth band-pass and mains notches."""

import math

import numpy as np
import numpy.typing as npt
from scipy import signal

from emod_model.errors import ModelError
from emod_model.signal.spec import SignalSpec

NYQUIST_MARGIN = 1.1
"""A source must be this much faster than twice the band's top: front ends roll off below Nyquist."""


def check_rate(spec: SignalSpec, sfreq: float) -> None:
    """Refuse a source rate that cannot carry the band of `spec`.

    Parameters
    ----------
    spec : SignalSpec
        What the model wants.
    sfreq : float
        Rate of the source, Hz.

    Raises
    ------
    ModelError
        `sfreq` is not a positive number, or is too slow for the band.
    """
    top = spec.band_hz[1]
    lowest = 2 * top * NYQUIST_MARGIN
    if not (math.isfinite(sfreq) and sfreq > 0):
        raise ModelError(
            f"the signal's rate is {sfreq:g} Hz, which is no rate; give the device's sampling rate"
        )
    if sfreq < lowest:
        raise ModelError(
            f"the signal comes at {sfreq:g} Hz, too slow for the model's band up to {top:g} Hz; "
            f"use a source of at least {lowest:g} Hz"
        )


def design_sos(spec: SignalSpec, sfreq: float) -> npt.NDArray[np.float64]:
    """Design the band-pass and the notches as one cascade.

    Parameters
    ----------
    spec : SignalSpec
        Band, order, mains frequencies and quality factor.
    sfreq : float
        Rate at which the filter runs, Hz.

    Returns
    -------
    numpy.ndarray, shape (sections, 6), float64
        Second-order sections for `scipy.signal.sosfilt`; notches at or above Nyquist are left out.

    Raises
    ------
    ModelError
        `sfreq` cannot carry the band.
    """
    check_rate(spec, sfreq)
    sections = [signal.butter(spec.filter_order, spec.band_hz, "bandpass", fs=sfreq, output="sos")]
    sections += [
        signal.tf2sos(*signal.iirnotch(line, spec.notch_q, fs=sfreq))
        for line in spec.notch_hz
        if line < sfreq / 2
    ]
    return np.ascontiguousarray(np.vstack(sections), dtype=np.float64)
