"""Signal quality of one window, channel by channel."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emod_model.signal.contact import Contact
from emod_model.signal.neighbours import Likeness, Neighbours
from emod_model.signal.spec import SignalSpec

# All in conditioned microvolts. What was "found": 13,700 windows of 3 s from Cyton, Insight and Muse.
FLAT_SD_UV = 0.5
"""Of any whole second: an open or shorted input has less, the quietest second found has 2.0.

By the second, so that a lead that falls off is noticed while the window still holds its last signal."""
TOO_LARGE_UV = 500.0
"""Peak of a railed or popping electrode (600 to 1,700 found); the largest blink found reaches 330."""
TOO_LARGE_SD_UV = 150.0
"""Standard deviation of the same; blinks in a row reach 95, a jaw clench 147."""
SWING_UV = 150.0
"""Peak from which a blink or a movement shapes the window; at rest 95 % of windows stay below 100."""
MUSCLE_HZ = 30.0
"""From here up to the band's top lies what scalp muscle adds and EEG hardly has."""
MUSCLE_UV = 8.0
"""RMS of that part: 2 to 5 at rest, 15 to 48 in a jaw clench."""
MUSCLE_SHARE = 0.25
"""Share of that part in the band's power, so that a pop (broad, but mostly slow) is not called muscle."""
LINE_HALF_WIDTH_HZ = 1.5
"""Around each notch: where a wandering mains frequency leaks through."""
LINE_SHARE = 0.1
"""Mains residue over the band's power: below 0.02 with contact, 0.107 at worst in the Cyton recording."""
LINE_LOST_SHARE = 1.0
"""More mains than EEG after the notch means that the electrode hangs in the air."""
DROPOUT_SHARE = 0.25
"""A quarter of the window was never measured; half of a Muse's windows lack up to 0.1, the worst 0.28."""
DRIFT_UV_S = 300.0
"""Up to here a Cyton's settling electrodes leave the conditioned signal as it is, above it they swing it."""
DRIFT_LOST_UV_S = 1500.0
"""Above 1,000 every window found is swung, half of them beyond 400 microvolts."""
WORST_USABLE_SCORE = 0.2
"""Score at the very edge of too large, so that usable never reads as useless."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Numbers behind a verdict, for a screen that shows them.

    Attributes
    ----------
    line_share : float
        Mains residue over the power of the band.
    muscle_uv : float
        RMS from 30 Hz up, microvolts.
    drift_uv_s : float or None
        Drift of the raw signal, microvolts a second; NaN while a value is missing.
    likeness : float or None
        Correlation with the neighbour most like it, 0 to 1; None where electrodes are not named.
    """

    line_share: float
    muscle_uv: float
    drift_uv_s: float | None = None
    likeness: float | None = None


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """Verdict on one channel of one window.

    Attributes
    ----------
    good : bool
        Whether the channel takes part in the estimate.
    score : float
        0 (useless) to 1 (clean).
    reason : str or None
        In two or three words what is wrong ("flat", "too large", "missing samples"), also for a usable
        but poor channel ("muscle"); None when clean.
    measured : Measured or None
        Numbers behind it; two verdicts that say the same are equal whatever these are.
    """

    good: bool
    score: float
    reason: str | None
    measured: Measured | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _Measures:
    """What the verdicts rest on, one value a channel."""

    peak: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    quietest: npt.NDArray[np.float64]
    muscle: npt.NDArray[np.float64]
    muscle_share: npt.NDArray[np.float64]
    line_share: npt.NDArray[np.float64]


def assess(
    window: npt.NDArray[np.floating],
    missing: npt.NDArray[np.bool_],
    spec: SignalSpec,
    contact: Contact | None = None,
    neighbours: Neighbours | None = None,
) -> tuple[ChannelQuality, ...]:
    """Judge every channel of one window.

    Bad are, in this order: "missing samples", "railed", "flat", "dropouts" that take a quarter of it, "too
    large", "line noise" that drowns the signal, and what is too unlike its neighbours to be EEG. Usable but
    poor are the greatest of "blink or movement", "muscle", "line noise", "dropouts" and "drift". Only where
    none of these explains it, the reason is "unlike neighbours".

    Parameters
    ----------
    window : numpy.ndarray, shape (channels, samples)
        Microvolts, conditioned as `spec` says, not re-referenced.
    missing : numpy.ndarray, shape (channels,), bool
        Channels with values missing where they still bear on the window.
    spec : SignalSpec
        Rate, band and mains frequencies of `window`.
    contact : Contact, optional
        What the raw signal shows; without it no channel is railed, drops out or drifts.
    neighbours : Neighbours, optional
        Where the electrodes sit; without it no channel is compared with others.

    Returns
    -------
    tuple of ChannelQuality
        One a channel.
    """
    signal = np.ascontiguousarray(window, dtype=np.float64)
    measured = _measure(signal, spec)
    too_large = (measured.peak > TOO_LARGE_UV) | (measured.sd > TOO_LARGE_SD_UV)
    faults = {"missing samples": missing}
    if contact is not None:
        faults["railed"] = contact.railed
    faults["flat"] = measured.quietest < FLAT_SD_UV
    if contact is not None:
        faults["dropouts"] = contact.dropouts > DROPOUT_SHARE
    faults |= {"too large": too_large, "line noise": measured.line_share > LINE_LOST_SHARE}
    is_muscle = measured.muscle_share > MUSCLE_SHARE
    blemishes = {
        "blink or movement": _severity(measured.peak, SWING_UV, TOO_LARGE_UV),
        "muscle": np.where(is_muscle, _severity(measured.muscle, MUSCLE_UV, TOO_LARGE_SD_UV), 0.0),
        "line noise": _severity(measured.line_share, LINE_SHARE, LINE_LOST_SHARE),
    }
    if contact is not None:
        blemishes["dropouts"] = _severity(contact.dropouts, 0.0, DROPOUT_SHARE)
        blemishes["drift"] = _severity(contact.drift_uv_s, DRIFT_UV_S, DRIFT_LOST_UV_S)
    likeness = None
    if neighbours is not None:
        likeness = neighbours.compare(signal, ~np.any(list(faults.values()), axis=0))
    return tuple(
        _verdict(faults, blemishes, row, likeness, _numbers(measured, contact, likeness, row))
        for row in range(len(signal))
    )


def _measure(window: npt.NDArray[np.float64], spec: SignalSpec) -> _Measures:
    """Measure amplitude and spectrum; the taper keeps slow drift out of the upper bands."""
    n = window.shape[1]
    taper = np.hanning(n)
    power = np.abs(np.fft.rfft(window * taper)) ** 2 * (2 / (n * (taper**2).sum()))
    freqs = np.fft.rfftfreq(n, 1 / spec.sfreq)
    low, high = spec.band_hz
    floor = np.finfo(np.float64).tiny  # a silent channel divides by this
    band = power[:, (freqs >= low) & (freqs <= high)].sum(axis=1) + floor
    muscle = power[:, (freqs >= MUSCLE_HZ) & (freqs <= high)].sum(axis=1)
    lines = [power[:, np.abs(freqs - line) <= LINE_HALF_WIDTH_HZ].sum(axis=1) for line in spec.notch_hz]
    line = np.max(lines, axis=0) if lines else np.zeros(window.shape[0])
    return _Measures(
        peak=np.abs(window).max(axis=1),
        sd=window.std(axis=1),
        quietest=_quietest_second(window, spec.sfreq),
        muscle=np.sqrt(muscle),
        muscle_share=muscle / band,
        line_share=line / band,
    )


def _quietest_second(window: npt.NDArray[np.float64], sfreq: float) -> npt.NDArray[np.float64]:
    """Return the least standard deviation of the window's whole seconds, counted from its end."""
    n = window.shape[1]
    length = min(round(sfreq), n)
    seconds = window[:, n % length :].reshape(window.shape[0], -1, length)
    return np.asarray(seconds.std(axis=2).min(axis=1), dtype=np.float64)


def _severity(value: npt.NDArray[np.float64], start: float, end: float) -> npt.NDArray[np.float64]:
    """Grade from 0 (up to `start`) to 1 (from `end`)."""
    return np.asarray(np.clip((value - start) / (end - start), 0.0, 1.0), dtype=np.float64)


def _numbers(measured: _Measures, contact: Contact | None, likeness: Likeness | None, row: int) -> Measured:
    """Pick one channel's numbers."""
    return Measured(
        float(measured.line_share[row]),
        float(measured.muscle[row]),
        None if contact is None else float(contact.drift_uv_s[row]),
        None if likeness is None else float(likeness.value[row]),
    )


def _verdict(
    faults: dict[str, npt.NDArray[np.bool_]],
    blemishes: dict[str, npt.NDArray[np.float64]],
    row: int,
    likeness: Likeness | None,
    measured: Measured,
) -> ChannelQuality:
    """Put one channel's measures into words."""
    for reason, found in faults.items():
        if found[row]:
            return ChannelQuality(False, 0.0, reason, measured)
    reason, severity = max(
        ((name, float(grade[row])) for name, grade in blemishes.items()), key=lambda x: x[1]
    )
    if likeness is not None and likeness.severity[row] > 0:
        # muscle on one electrode makes it unlike the others: what can be named is named
        reason = reason if severity > 0 else "unlike neighbours"
        severity = max(severity, float(likeness.severity[row]))
        if likeness.unlike[row]:
            return ChannelQuality(False, 0.0, reason, measured)
    if severity == 0:
        return ChannelQuality(True, 1.0, None, measured)
    return ChannelQuality(True, 1 - (1 - WORST_USABLE_SCORE) * severity, reason, measured)
