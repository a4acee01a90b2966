"""What a screen may know of a running session: one immutable picture, taken at any moment from any thread."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from emod_model.signal.quality import ChannelQuality
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker

_NAMED = 4  # channels named for one reason before "and n more"

State = Literal["waiting", "running", "stalled", "ended", "failed"]


@dataclass(frozen=True)
class View:
    """A picture of a session.

    Attributes
    ----------
    state : str
        "waiting" for the source, "running", "stalled" (see emod_rt.watchdog), "ended", "failed".
    message : str or None
        One sentence when `state` is "waiting", "stalled" or "failed".
    source : str
        "lsl:Cyton".
    source_simulated : bool
        No person behind the signal.
    sfreq : float
        Nominal rate, Hz (0 before the source is open).
    channels : tuple of str
        Electrode names.
    model : str
        Name of the checkpoint.
    model_simulated : bool
        The weights, or the profile, come from simulated signals; a badge wherever the model is named.
    elapsed_s : float
        Stream time since the first sample, lost samples counted.
    samples, lost, windows, valid, skipped : int
        Counters of the summary.
    latency_ms : tuple of float or None
        p50 and p99 of the last 600 windows.
    estimates : tuple of Estimate
        The last 120 s, oldest first.
    quality : tuple of ChannelQuality
        One a channel, of the newest window; empty before the first.
    band_power_db : numpy.ndarray, shape (channels, 5), or None
        10 log10 of microvolts squared, delta theta alpha beta gamma, newest valid window; NaN where bad.
    traces : numpy.ndarray, shape (channels, samples)
        Conditioned signal of the last seconds, microvolts, not re-referenced; NaN in holes.
    trace_sfreq : float
        Rate of `traces`, Hz.
    trace_end : int
        Number of conditioned samples so far: how far `traces` has scrolled.
    recording : str or None
        File that is being recorded; None when nothing is.
    notices : tuple of str
        One sentence each on what went wrong and did not end the session (the recording's disk is full).
    markers : tuple of Marker
        Of the last 120 s, oldest first.
    impedance_kohm : tuple of (float or None)
        Of each electrode, kilo-ohm; empty when it was not measured.
    user : str
        Whose profile is used; "" when nobody's is.
    low_confidence : tuple of str
        Axes whose reading was not shown to be better than always saying this person's average.
    unvalidated : tuple of str
        Without a profile: axes whose reading was never held against people.
    zero_s : float
        Readings are relative to the mean of so many first valid seconds; 0 where they are not.
    """

    state: State
    message: str | None
    source: str
    source_simulated: bool
    sfreq: float
    channels: tuple[str, ...]
    model: str
    model_simulated: bool
    elapsed_s: float
    samples: int
    lost: int
    windows: int
    valid: int
    skipped: int
    latency_ms: tuple[float, float] | None
    estimates: tuple[Estimate, ...]
    quality: tuple[ChannelQuality, ...]
    band_power_db: npt.NDArray[np.float64] | None
    traces: npt.NDArray[np.float32]
    trace_sfreq: float
    trace_end: int
    recording: str | None = None
    notices: tuple[str, ...] = ()
    markers: tuple[Marker, ...] = ()
    impedance_kohm: tuple[float | None, ...] = ()
    user: str = ""
    low_confidence: tuple[str, ...] = ()
    unvalidated: tuple[str, ...] = ()
    zero_s: float = 0.0


def unvalidated(axes: tuple[str, ...]) -> str:
    """Return the mark of axes that were never held against people, "VALENCE: NOT VALIDATED ON PEOPLE"."""
    return f"{' and '.join(axes).upper()}: NOT VALIDATED ON PEOPLE" if axes else ""


def left_out(view: View) -> str:
    """Return the channels left out by their reasons, as "Fp1, C3 flat; T8 railed"; empty when none is."""
    groups: dict[str, list[str]] = {}
    for name, verdict in zip(view.channels, view.quality, strict=False):
        if not verdict.good:
            groups.setdefault(verdict.reason or "bad", []).append(name)
    return "; ".join(f"{_some(names, len(view.channels))} {reason}" for reason, names in groups.items())


def _some(names: list[str], of: int) -> str:
    if len(names) == of > _NAMED:
        return f"all {of} channels"
    # "and 1 more" is longer than the name
    named = names if len(names) <= _NAMED + 1 else names[:_NAMED]
    more = f" and {len(names) - len(named)} more" if len(names) > len(named) else ""
    return ", ".join(named) + more
