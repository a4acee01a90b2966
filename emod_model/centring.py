"""A person's own baseline, removed from what the network sees: one way of it, trained, judged and live.

People differ more in their resting spectra than rest differs from effort, so a window is told relative to
what its wearer's windows were like before. Three places, from little to much: the gain of each channel; the
log power of each channel and bin; the cross-power of all channels in each bin, whose inverse root (whitening,
as Riemannian methods re-centre covariances) takes off what a person's electrodes always share. A baseline in
the embedding is `emod_model.calibration.centre`.
"""

import copy
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from emod_model.features import Features
from emod_model.features.spectrum import FLOOR_UV2_HZ, log_of, spectra
from emod_model.signal.spec import N_SPECTRUM_BINS, SignalSpec

Array = npt.NDArray[np.float64]
Kind = Literal["none", "causal", "transductive"]
"""What gives the baseline: nothing; a rest that is not scored, or past windows; all of a person's windows."""

REST_S = 60.0
"""Beginning of a rest that is the baseline, and is then neither learnt from nor scored, s."""
LONGEST_S = 5.0
"""A window that follows a longer pause counts no more than this, s."""
MOST_SHARED = 32
"""Electrodes up to which what they share is taken off; of more the power alone: a live window cannot wait."""
_LEAST_EIGENVALUE = 1e-4
_FREEDOM_PER_S = 8.0
"""Independent spectra in a second of baseline, neighbouring bins counted; electrodes need as many."""


class Centring(BaseModel):
    """How a checkpoint takes a person's baseline off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Literal["signal", "power", "cross-power"] = Field("cross-power", description="what is compared")
    spread_hz: int = Field(3, ge=0, description="bins to either side that share coherence")
    shrink: float = Field(0.02, ge=0, le=1, description="least weight of uncorrelated channels")
    first_s: float = Field(REST_S, gt=0, description="running baseline: mean of so many first valid seconds")
    follow_s: float = Field(1800.0, gt=0, description="and from then on followed with this time constant")
    unsure: float = Field(0.5, ge=0, description="standard deviation added while there is no baseline yet")


class Removal(NamedTuple):
    """What takes a baseline off windows.

    Attributes
    ----------
    maps : torch.Tensor, shape (..., 45, channels, channels)
        Applied to the spectra of each bin; leading dimension for windows of different people.
    scale : torch.Tensor, shape (..., channels)
        Microvolts that become 1 in the temporal branch.
    """

    maps: Tensor
    scale: Tensor


class Baseline:
    """What windows of one person were like.

    Parameters
    ----------
    n_channels : int
        Electrodes; windows may lack some of them.

    Attributes
    ----------
    level : numpy.ndarray, shape (45, channels)
        Mean log power, microvolts^2/Hz.
    coherence : numpy.ndarray, shape (45, channels, channels)
        Mean real part of the cross-power over the root of both channels' power.
    seconds : numpy.ndarray, shape (channels, channels)
        How much signal each pair has been seen in; 0: never.
    """

    def __init__(self, n_channels: int) -> None:
        self.level = np.zeros((N_SPECTRUM_BINS, n_channels))
        self.coherence = np.zeros((N_SPECTRUM_BINS, n_channels, n_channels))
        self.seconds = np.zeros((n_channels, n_channels))

    @classmethod
    def of(cls, parts: Tensor, seconds: float) -> "Baseline":
        """Return the baseline of windows of one set of electrodes.

        Parameters
        ----------
        parts : torch.Tensor, shape (windows, channels, tokens, 2, 45)
            From `spectra`.
        seconds : float
            Signal that they cover, s.
        """
        result = cls(parts.shape[1])
        level, coherence = _look(parts)
        result.level, result.coherence = level.mean(0), coherence.mean(0)
        result.seconds[:] = seconds
        return result

    def take(self, parts: Tensor, rows: Sequence[int], step_s: float, weight: float | None = None) -> None:
        """Take windows in.

        Parameters
        ----------
        parts : torch.Tensor, shape (windows, channels, tokens, 2, 45)
            Of the electrodes `rows`.
        rows : sequence of int
            Which electrodes they are.
        step_s : float
            Signal that each adds, s.
        weight : float, optional
            Their weight against all before; their share of the time by default.
        """
        level, coherence = (found.mean(0) for found in _look(parts))
        block = np.ix_(rows, rows)
        before = self.seconds[block]
        self.seconds[block] = before + len(parts) * step_s
        share = len(parts) * step_s / self.seconds[block]
        # what has never been seen is taken whole, whatever the weight
        share = share if weight is None else np.where(before > 0, weight, 1.0)
        at = list(rows)
        self.level[:, at] += np.diagonal(share) * (level - self.level[:, at])
        # a baseline that is kept for its power alone has none
        if len(self.coherence):
            within = self.coherence[:, block[0], block[1]]
            self.coherence[:, block[0], block[1]] = within + share * (coherence - within)

    def covers(self, rows: Sequence[int]) -> bool:
        """Tell whether all pairs of these electrodes have been seen."""
        return bool((self.seconds[np.ix_(rows, rows)] > 0).all())

    def with_own(self, parts: Tensor, rows: Sequence[int], step_s: float) -> "Baseline":
        """Return the baseline, a copy with a window itself taken in where its electrodes have no past.

        Parameters
        ----------
        parts : torch.Tensor, shape (channels, tokens, 2, 45)
            The window's.
        rows : sequence of int
            Its electrodes.
        step_s : float
            Its length, s.
        """
        if self.covers(rows):
            return self
        result = copy.deepcopy(self)
        result.take(parts[None], rows, step_s)
        return result

    def removal(self, centring: Centring, rows: Sequence[int] | None = None) -> Removal:
        """Return what takes the baseline off windows of the electrodes `rows`, all by default."""
        at = list(range(self.level.shape[1])) if rows is None else list(rows)
        level = self.level[:, at]
        power = np.exp(level)
        scale = np.sqrt(power.sum(0))
        if centring.place == "signal":
            # the same for every bin; bins of white noise come to 1
            size = np.broadcast_to(scale / math.sqrt(N_SPECTRUM_BINS), level.shape)
        else:
            size = np.sqrt(power)
        maps = np.eye(len(at)) / size[:, None, :]
        if centring.place == "cross-power" and len(at) <= MOST_SHARED:
            block = np.ix_(at, at)
            shared = self.coherence[:, block[0], block[1]]
            maps = _inverse_root(shared, centring, float(self.seconds[block].min())) / size[:, None, :]
        return Removal(torch.from_numpy(maps).float(), torch.from_numpy(scale).float())


def _look(parts: Tensor) -> tuple[Array, Array]:
    """Return mean log power (windows, 45, channels) and coherence (windows, 45, channels, channels)."""
    wide = parts.double()
    level = log_of(wide).mean(2).permute(0, 2, 1)
    flat = wide.permute(0, 4, 1, 2, 3).flatten(3)
    flat = flat / flat.norm(dim=-1, keepdim=True).clamp(min=math.sqrt(FLOOR_UV2_HZ))
    return level.numpy(), torch.matmul(flat, flat.transpose(-1, -2)).numpy()


def _inverse_root(coherence: Array, centring: Centring, seconds: float) -> Array:
    """Return the inverse roots of coherence, smoothed over bins and shrunk as far as it is uncertain."""
    bins = np.arange(N_SPECTRUM_BINS)
    near = (np.abs(bins[:, None] - bins) <= centring.spread_hz).astype(np.float64)
    smooth = np.einsum("fg,gcd->fcd", near / near.sum(1, keepdims=True), coherence)
    n = coherence.shape[-1]
    shrink = max(centring.shrink, n / (n + _FREEDOM_PER_S * seconds))
    # an electrode that never met another shares nothing with it; itself it meets always
    smooth = (1 - shrink) * smooth
    smooth[:, np.arange(n), np.arange(n)] = 1.0
    value, vector = np.linalg.eigh(smooth)
    root = np.maximum(value, _LEAST_EIGENVALUE) ** -0.5
    result: Array = (vector * root[:, None, :]) @ vector.swapaxes(-1, -2)
    return result


def whitened(parts: Tensor, maps: Tensor) -> Tensor:
    """Apply maps (..., 45, channels, channels) to spectra (windows, channels, tokens, 2, 45)."""
    windows, channels, tokens = parts.shape[:3]
    by_bin = parts.permute(0, 4, 1, 2, 3).reshape(windows, N_SPECTRUM_BINS, channels, 2 * tokens)
    mapped = torch.matmul(maps, by_bin).view(windows, N_SPECTRUM_BINS, channels, tokens, 2)
    return mapped.permute(0, 2, 3, 4, 1)


def remove(features: Features, eeg: Tensor, spec: SignalSpec, removal: Removal) -> Features:
    """Return features with a baseline taken off.

    Parameters
    ----------
    features : Features
        Of the same windows, as `extract` or `assemble` gives them.
    eeg : torch.Tensor, shape (windows, channels, samples)
        The windows, microvolts.
    spec : SignalSpec
        The model's, with log power.
    removal : Removal
        Of one baseline, or of one for each window.
    """
    parts = spectra(eeg, spec.sfreq, features.n_tokens)
    return features._replace(
        temporal=eeg / removal.scale[..., None], spectral=log_of(whitened(parts, removal.maps))
    )


class Running:
    """The baseline of whoever wears the electrodes now: past valid windows alone, by their index.

    The mean over the first `first_s` seconds of valid windows, growing from the first one, and from then on
    followed slowly. What a person does in that first minute so becomes the zero of the reading.

    Parameters
    ----------
    centring : Centring
        The checkpoint's.
    spec : SignalSpec
        The checkpoint's.
    n_channels : int
        Electrodes of the source.
    """

    def __init__(self, centring: Centring, spec: SignalSpec, n_channels: int) -> None:
        self._centring = centring
        self._spec = spec
        self._n_channels = n_channels
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next valid window is the first."""
        self._baseline = Baseline(self._n_channels)
        self._time: float | None = None
        self._seconds = 0.0

    @property
    def added_sd(self) -> float:
        """Standard deviation that a short baseline adds to a reading."""
        lacking = 1 - self._seconds / self._centring.first_s
        return self._centring.unsure * max(lacking, 0.0)

    def take(self, t: float, eeg: npt.NDArray[np.float32], rows: Sequence[int]) -> Removal:
        """Return what takes the baseline so far off one window, and take the window in.

        Parameters
        ----------
        t : float
            Stream time of its end, s: index over rate.
        eeg : numpy.ndarray, shape (channels, samples)
            The valid window.
        rows : sequence of int
            Its electrodes.
        """
        spec, centring = self._spec, self._centring
        parts = spectra(torch.from_numpy(eeg), spec.sfreq, spec.window_tokens)
        fresh = not self._baseline.covers(rows)
        step = spec.window_s if self._time is None else min(t - self._time, LONGEST_S)
        follow = self._seconds >= centring.first_s
        weight = -math.expm1(-step / centring.follow_s) if follow else None
        # an electrode without a past is its own baseline for once
        removal = None if fresh else self._baseline.removal(centring, rows)
        self._baseline.take(parts[None], rows, step, weight)
        self._time, self._seconds = t, self._seconds + step
        return removal or self._baseline.removal(centring, rows)
