"""From samples with an absolute index to windows that end at fixed indices (rules 1 and 2 of the house)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from emod_model.signal.conditioner import Conditioner
from emod_model.signal.contact import inspect
from emod_model.signal.neighbours import Neighbours
from emod_model.signal.quality import ChannelQuality, assess
from emod_model.signal.ring import RingBuffer
from emod_model.signal.spec import SignalSpec

WindowReason = Literal["settling", "gap", "bad-signal"]

GAP_REPORT_S = 60.0
"""Longest stretch of one hole that is reported window by window, s: a headset off overnight is one hole."""
TRACE_S = 30.0
"""Conditioned signal kept for drawing, s."""
MIN_GOOD_CHANNELS = 2
"""An average reference over one channel is silence."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One window of the stream, or the reason why it carries nothing.

    Attributes
    ----------
    index : int
        Absolute source index of the window's last sample.
    reason : str or None
        None when valid; "gap", "settling" or "bad-signal", the first that applies in this order.
    eeg : numpy.ndarray, shape (good channels, spec.window_samples), float32, or None
        Microvolts, referenced to the mean of the good channels; None when invalid.
    good : tuple of int
        Rows of the source that `eeg` holds; when "bad-signal", the few that were good.
    quality : tuple of ChannelQuality
        One a channel of the source; empty while "settling" or "gap".
    """

    index: int
    reason: WindowReason | None
    eeg: npt.NDArray[np.float32] | None
    good: tuple[int, ...]
    quality: tuple[ChannelQuality, ...]

    @property
    def valid(self) -> bool:
        """Whether the window can be estimated."""
        return self.reason is None


class Windower:
    """Conditions a stream and cuts it into windows: a pure function of the samples, without clock or thread.

    Window k ends with source sample (k + 1) * hop - 1 of the absolute index, whatever the chunks and the
    holes. A sample missing on every channel is lost, as one that the index jumps over is: a hole, after
    which the filters start anew. Samples before the first push are no hole: the stream starts there.

    Parameters
    ----------
    spec : SignalSpec
        What the model was trained on.
    sfreq : float
        Rate of the source, Hz.
    n_channels : int
        Channels of the source.
    hop_s : float, optional
        Time between windows, s; default `spec.hop_s`.
    channels : sequence of str, optional
        Electrode of each channel; without them no channel is compared with its neighbours.

    Attributes
    ----------
    hop : int
        Source samples between windows.
    delay_s : float
        Delay of the resampler, s.

    Raises
    ------
    ModelError
        `sfreq` cannot carry the band of `spec`.
    UsageError
        An unknown electrode.
    ValueError
        A hop shorter than one sample, no channels, or another number of electrodes.
    """

    def __init__(
        self,
        spec: SignalSpec,
        sfreq: float,
        n_channels: int,
        hop_s: float | None = None,
        channels: Sequence[str] | None = None,
    ) -> None:
        if channels is not None and len(channels) != n_channels:
            raise ValueError(f"{len(channels)} electrodes are named for {n_channels} channels")
        self._conditioner = Conditioner(spec, sfreq, n_channels)
        self.hop = round((spec.hop_s if hop_s is None else hop_s) * sfreq)
        if self.hop < 1:
            raise ValueError(f"hop_s is {hop_s} s, less than one sample at {sfreq:g} Hz")
        self.delay_s = self._conditioner.delay_s
        self._spec = spec
        self._sfreq = sfreq
        self._n_channels = n_channels
        self._neighbours = None if channels is None else Neighbours(channels)
        self._span = round(spec.window_s * sfreq)
        self._settled = self._span + round(spec.settle_s * sfreq)
        self._reported_hole = round(GAP_REPORT_S * sfreq)
        self._ring = RingBuffer(n_channels, max(spec.window_samples, round(TRACE_S * spec.sfreq)))
        self._raw = RingBuffer(n_channels, self._span)
        self._extremes = _no_extremes(n_channels)
        self._origin: int | None = None
        self._end = 0
        self._segment: int | None = None  # first sample since the start or the last hole; None in a hole
        self._hole = 0  # first lost sample of the hole we are in
        self._last_lost = -1
        self._last_missing = np.full(n_channels, -1, dtype=np.int64)

    @property
    def end(self) -> int:
        """Absolute source index after the newest sample."""
        return self._end

    @property
    def trace_end(self) -> int:
        """Number of conditioned samples so far, holes counted."""
        return self._ring.end

    def trace(self, n: int) -> npt.NDArray[np.float32]:
        """Return a copy of the newest `n` conditioned samples, or fewer when there are not so many.

        Returns
        -------
        numpy.ndarray, shape (channels, at most n), float32
            Microvolts at the model's rate, not re-referenced; NaN in holes. At most 30 s are kept.
        """
        first = max(self._ring.start, self._ring.end - n)
        return np.array(self._ring.view(first, self._ring.end - first), dtype=np.float32)

    def push(self, first_index: int, data: npt.NDArray[np.floating]) -> list[Window]:
        """Take the next samples and return the windows that they complete, oldest first.

        Parameters
        ----------
        first_index : int
            Absolute index of the first column; a jump past the previous samples is a hole.
        data : numpy.ndarray, shape (channels, samples)
            Microvolts as acquired; NaN or infinite where a value is missing.

        Returns
        -------
        list of Window
            Windows inside a hole are "gap", for its first 60 s.

        Raises
        ------
        ValueError
            The samples begin before the end of the previous ones, or have another number of channels.
        """
        if data.ndim != 2 or data.shape[0] != self._n_channels:
            raise ValueError(f"data has shape {data.shape}; expected ({self._n_channels}, samples)")
        if self._origin is None:
            self._origin = self._end = self._hole = int(first_index)
        if first_index < self._end:
            raise ValueError(f"sample {first_index} was pushed before; the stream has reached {self._end}")
        windows: list[Window] = []
        if data.shape[1] == 0:
            return windows
        if first_index > self._end:
            self._lose(int(first_index), windows)
        finite = np.isfinite(data)
        present = finite.any(axis=0)
        bounds = [0, *(np.flatnonzero(present[1:] != present[:-1]) + 1).tolist(), data.shape[1]]
        for start, stop in pairwise(bounds):
            if present[start]:
                self._take(data[:, start:stop], finite[:, start:stop], windows)
            else:
                self._lose(int(first_index) + stop, windows)
        return windows

    def _lose(self, end: int, windows: list[Window]) -> None:
        """Count the samples up to `end` as lost."""
        if self._segment is not None:
            self._segment = None
            self._hole = self._end
        last_reported = min(end, self._hole + self._reported_hole)
        first = (self._end // self.hop + 1) * self.hop
        windows += [_invalid(at - 1, "gap") for at in range(first, last_reported + 1, self.hop)]
        self._last_lost = end - 1
        self._end = end

    def _take(
        self, data: npt.NDArray[np.floating], finite: npt.NDArray[np.bool_], windows: list[Window]
    ) -> None:
        """Condition samples that follow on the last, cut at the window ends so that chunks leave no mark."""
        taken = 0
        while taken < data.shape[1]:
            until_end = self.hop - self._end % self.hop
            piece = slice(taken, min(taken + until_end, data.shape[1]))
            self._condition(data[:, piece], finite[:, piece])
            taken = piece.stop
            if self._end % self.hop == 0:
                windows.append(self._window())

    def _condition(self, data: npt.NDArray[np.floating], finite: npt.NDArray[np.bool_]) -> None:
        """Filter one piece into the ring."""
        at = self._ring.end
        if self._segment is None:
            self._conditioner.reset()
            self._extremes = _no_extremes(self._n_channels)
            self._segment = self._end
            # a hole keeps its length in conditioned samples too, so that traces do not close over it
            at = max(at, self._conditioner.n_outputs(self._end - (self._origin or 0)))
        raw = np.asarray(data, dtype=np.float32)
        if not finite.all():
            raw = np.where(finite, raw, np.float32(np.nan))
            newest = data.shape[1] - 1 - np.argmin(finite[:, ::-1], axis=1)
            self._last_missing = np.where(finite.all(axis=1), self._last_missing, self._end + newest)
        self._ring.write(at, self._conditioner.process(data))
        self._raw.write(self._end, raw)
        for extreme, furthest in zip(self._extremes, (np.fmin, np.fmax), strict=True):
            furthest(extreme, furthest.reduce(raw, axis=1), out=extreme)
        self._end += data.shape[1]

    def _window(self) -> Window:
        """Judge and cut the window that ends now."""
        index = self._end - 1
        if self._last_lost >= max(self._end - self._span, 0):
            return _invalid(index, "gap")
        if self._segment is None or self._end - self._segment < self._settled:
            return _invalid(index, "settling")
        count = self._spec.window_samples
        eeg = np.array(self._ring.view(self._ring.end - count, count), dtype=np.float64)
        contact = inspect(self._raw.view(self._end - self._span, self._span), *self._extremes, self._sfreq)
        missing = self._last_missing >= self._end - self._settled
        quality = assess(eeg, missing, self._spec, contact, self._neighbours)
        good = tuple(row for row, channel in enumerate(quality) if channel.good)
        if len(good) < max(MIN_GOOD_CHANNELS, -(-self._n_channels // 2)):
            return Window(index, "bad-signal", None, good, quality)
        kept = eeg[list(good)]
        return Window(index, None, (kept - kept.mean(axis=0)).astype(np.float32), good, quality)


def _no_extremes(n_channels: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the lowest and highest value of channels that have had none."""
    return np.full(n_channels, np.inf, np.float32), np.full(n_channels, -np.inf, np.float32)


def _invalid(index: int, reason: WindowReason) -> Window:
    """Return a window that carries nothing but its reason."""
    return Window(index, reason, None, (), ())


def condition_recording(
    data: npt.NDArray[np.floating],
    sfreq: float,
    spec: SignalSpec,
    hop_s: float | None = None,
    channels: Sequence[str] | None = None,
) -> list[Window]:
    """Cut a whole recording exactly as the live path would: one `Windower` over one array.

    Parameters
    ----------
    data : numpy.ndarray, shape (channels, samples)
        Microvolts as acquired; NaN where a value, or on all channels a sample, is missing.
    sfreq : float
        Rate, Hz.
    spec : SignalSpec
        What the model reads.
    hop_s : float, optional
        Time between windows, s; default `spec.hop_s`.
    channels : sequence of str, optional
        Electrode of each channel, as `Windower` takes them.

    Returns
    -------
    list of Window
        Valid and invalid alike, in time.

    Raises
    ------
    ModelError
        `sfreq` cannot carry the band of `spec`.
    """
    return Windower(spec, sfreq, data.shape[0], hop_s, channels).push(0, data)
