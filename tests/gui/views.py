"""Plausible pictures of a session, made without a session."""

from dataclasses import replace

import numpy as np

from emod_model.signal.quality import ChannelQuality
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker, typed_stream
from emod_rt.view import View

SFREQ, TRACE_SFREQ, HOP = 250.0, 125.0, 125
NAMES = (  # noqa: SIM905 - 64 names read better so
    "Fp1 Fp2 C3 C4 P7 P8 O1 O2 F7 F8 F3 F4 T7 T8 P3 P4 Fz Cz Pz Oz AF3 AF4 FC1 FC2 FC5 FC6 CP1 CP2 CP5 CP6 "
    "PO3 PO4 AF7 AF8 F1 F2 F5 F6 FT7 FT8 FC3 FC4 C1 C2 C5 C6 TP7 TP8 CP3 CP4 P1 P2 P5 P6 PO7 PO8 POz FCz CPz "
    "AFz Fpz Iz TP9 TP10"
).split()
GOOD = ChannelQuality(True, 0.95, None)


def estimates(seconds: float = 90.0) -> tuple[Estimate, ...]:
    """A mood that drifts, with the settling of the start."""
    made = []
    for number in range(int(seconds * SFREQ) // HOP):
        index = (number + 1) * HOP - 1
        t = (index + 1) / SFREQ
        if t < 4.5:
            made.append(Estimate(t, index, None, None, None, None, "settling", 20.0))
            continue
        v = 0.42 * np.sin(t / 13) + 0.16 * np.sin(t / 4.1 + 1) + 0.05
        a = 0.38 * np.cos(t / 17) + 0.12 * np.sin(t / 3.3) - 0.08
        sd = 0.17 + 0.05 * np.sin(t / 7)
        made.append(Estimate(t, index, float(v), float(a), float(sd), float(1.25 * sd), None, 21.0))
    return tuple(made)


def invalid(view: View, reason: str, first: int = -1, last: int | None = None) -> View:
    """The same picture with some estimates invalid."""
    rows = list(view.estimates)
    for row in range(*slice(first, last).indices(len(rows))):
        blank = {"valence": None, "arousal": None, "valence_sd": None, "arousal_sd": None}
        rows[row] = replace(rows[row], reason=reason, **blank)
    return replace(view, estimates=tuple(rows))


def traces(channels: int, seconds: float = 10.0, seed: int = 1) -> np.ndarray:
    """EEG-like noise: 1/f, an alpha that waxes and wanes, a blink in front."""
    rng = np.random.default_rng(seed)
    n = round(seconds * TRACE_SFREQ)
    freqs = np.fft.rfftfreq(n, 1 / TRACE_SFREQ)
    shape = np.where((freqs >= 1) & (freqs <= 45), 1 / np.maximum(freqs, 1) ** 0.8, 0)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal((channels, n))) * shape, n)
    noise *= 9 / noise.std(axis=1, keepdims=True)
    t = np.arange(n) / TRACE_SFREQ
    alpha = np.sin(2 * np.pi * 10.2 * t + rng.uniform(0, 6, (channels, 1))) * (1 + np.sin(t * 1.7)) * 5
    posterior = np.array([name.startswith(("O", "P")) for name in NAMES[:channels]])[:, None]
    blink = 90 * np.exp(-(((t - 5.2) / 0.11) ** 2))
    frontal = np.array([name.startswith("Fp") for name in NAMES[:channels]])[:, None]
    return (noise + alpha * (0.3 + posterior) + blink * frontal).astype(np.float32)


def powers(channels: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.array([14.5, 9.0, 11.5, 5.0, -2.5]) + rng.normal(0, 2.0, (channels, 5))


def make_view(channels: int = 8, **changes: object) -> View:
    """A session that runs well; `changes` are fields of View."""
    view = View(
        state="running",
        message=None,
        source="lsl:Cyton",
        source_simulated=False,
        sfreq=SFREQ,
        channels=tuple(NAMES[:channels]),
        model="simulated",
        model_simulated=True,
        elapsed_s=90.2,
        samples=22550,
        lost=0,
        windows=180,
        valid=172,
        skipped=0,
        latency_ms=(21.4, 38.9),
        estimates=estimates(),
        quality=(GOOD,) * channels,
        band_power_db=powers(channels),
        traces=traces(channels),
        trace_sfreq=TRACE_SFREQ,
        trace_end=11275,
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def waiting() -> View:
    """A session whose source is not there yet."""
    return make_view(
        channels=0,
        state="waiting",
        message="Waiting for lsl:Cyton.",
        sfreq=0.0,
        elapsed_s=0.0,
        samples=0,
        windows=0,
        valid=0,
        latency_ms=None,
        estimates=(),
        band_power_db=None,
        trace_end=0,
    )


def bad_channels(channels: int = 8) -> View:
    """One channel off, one with muscle, one too large; the flat one shows what a loose cable gives."""
    view = make_view(channels)
    quality = list(view.quality)
    quality[3] = ChannelQuality(False, 0.0, "flat")
    quality[5] = ChannelQuality(True, 0.5, "muscle")
    quality[0] = ChannelQuality(False, 0.1, "too large")
    data, power = view.traces.copy(), view.band_power_db.copy()
    data[3] = 0.02
    data[0] *= 30
    data[5] += np.random.default_rng(2).normal(0, 12, data.shape[1])
    power[[0, 3]] = np.nan
    return replace(view, quality=tuple(quality), traces=data, band_power_db=power)


def with_hole(view: View, start: int = 700, count: int = 90) -> View:
    data = view.traces.copy()
    data[:, start : start + count] = np.nan
    return replace(view, traces=data, lost=180, trace_end=view.trace_end + 1)


def marked(view: View, *markers: tuple[float, str]) -> View:
    """The same picture with markers, each a time and a text."""
    stream = typed_stream()
    return replace(view, markers=tuple(Marker(t, (text,), stream) for t, text in markers))
