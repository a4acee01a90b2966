"""From raw samples to what a model reads: the one implementation, for training and live (rule 3)."""

import numpy as np
import numpy.typing as npt
from scipy import signal

from emod_model.signal.filters import design_sos
from emod_model.signal.resample import Resampler
from emod_model.signal.spec import SignalSpec


class Conditioner:
    """Causal, stateful conditioning: offset, band-pass, notches, resampling.

    The same samples give the same bits in whatever chunks they come. A value that is NaN or infinite
    never reaches a filter: the channel's last finite value is held in its place.

    Parameters
    ----------
    spec : SignalSpec
        What the model was trained on.
    sfreq : float
        Rate of the source, Hz.
    n_channels : int
        Rows of the data.

    Attributes
    ----------
    delay_s : float
        Group delay of the resampler, s (0 when the source has the model's rate).

    Raises
    ------
    ModelError
        `sfreq` cannot carry the band of `spec`.
    ValueError
        `n_channels` is below 1.
    """

    def __init__(self, spec: SignalSpec, sfreq: float, n_channels: int) -> None:
        if n_channels < 1:
            raise ValueError(f"n_channels is {n_channels}; a signal has at least one channel")
        self._sos = design_sos(spec, sfreq)
        self._resampler = Resampler(sfreq, spec.sfreq, spec.band_hz[1], n_channels)
        self._n_channels = n_channels
        self.delay_s = self._resampler.delay_s
        self.reset()

    def reset(self) -> None:
        """Start anew: the next sample is taken as the steady state."""
        self._resampler.reset()
        self._state = np.zeros((len(self._sos), self._n_channels, 2))
        self._offset: npt.NDArray[np.float64] = np.full((self._n_channels, 1), np.nan)
        self._held = self._offset
        self._all_started = False

    def n_outputs(self, n_inputs: int) -> int:
        """Return how many outputs the first `n_inputs` samples since the start give."""
        return self._resampler.n_outputs(n_inputs)

    def process(self, data: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Condition the next samples.

        Parameters
        ----------
        data : numpy.ndarray, shape (channels, samples)
            Microvolts as acquired; any number of samples, also none.

        Returns
        -------
        numpy.ndarray, shape (channels, outputs), float64
            Microvolts at the model's rate, not re-referenced.

        Raises
        ------
        ValueError
            `data` has another number of channels.
        """
        raw = np.asarray(data, dtype=np.float64)
        if raw.ndim != 2 or raw.shape[0] != self._n_channels:
            raise ValueError(f"data has shape {raw.shape}; expected ({self._n_channels}, samples)")
        if raw.shape[1] == 0:
            return np.empty((self._n_channels, 0))
        filtered, self._state = signal.sosfilt(self._sos, self._centre(raw), axis=1, zi=self._state)
        conditioned: npt.NDArray[np.float64] = self._resampler.process(filtered)
        return conditioned

    def _centre(self, raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Fill what is missing and take off each channel's first value.

        A band-pass answers a constant with nothing, so filtering from zero after taking off the first value
        is that value's steady state, without the rounding that tens of millivolts of offset would bring.
        """
        finite = np.isfinite(raw)
        complete = self._all_started and bool(finite.all())
        filled = raw if complete else self._fill(raw, finite)
        self._held = filled[:, -1:].copy()  # the caller may reuse its buffer
        centred: npt.NDArray[np.float64] = filled - self._offset
        return centred if complete else np.nan_to_num(centred)

    def _fill(self, raw: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Hold the last finite value; NaN stays only where a channel has had none yet."""
        extended = np.concatenate([self._held, raw], axis=1)
        columns = np.where(finite, np.arange(1, raw.shape[1] + 1), 0)
        filled = np.take_along_axis(extended, np.maximum.accumulate(columns, axis=1), axis=1)
        first = np.take_along_axis(raw, finite.argmax(axis=1)[:, np.newaxis], axis=1)
        fresh = np.isnan(self._offset) & finite.any(axis=1, keepdims=True)
        self._offset = np.where(fresh, first, self._offset)
        self._all_started = not np.isnan(self._offset).any()
        return filled
