"""Training windows as batches: every window seen through some cap, with some of its channels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.features import Features, assemble
from emod_model.montage import spatial_weights
from emod_model.signal.spec import SignalSpec
from emod_model.training.people import Take

_FEWEST = 3


class Batch(NamedTuple):
    """Features of a batch and the truth (batch, 2)."""

    features: Features
    target: Tensor


class Windows:
    """The windows of many people who all wear the same electrodes.

    Parameters
    ----------
    takes : sequence of Take
        All with the same channels.
    spec : SignalSpec
        What the windows were conditioned with.
    """

    def __init__(self, takes: Sequence[Take], spec: SignalSpec) -> None:
        self.channels = takes[0].channels
        # half precision keeps 0.01 uV and halves a gigabyte
        self.eeg = np.concatenate([take.eeg.astype(np.float16) for take in takes])
        self.good = np.concatenate([take.good for take in takes])
        self.target = np.concatenate([take.target for take in takes])
        self.spec = spec
        self._own = spatial_weights(self.channels)
        self._blend = spatial_weights(self.channels, leave_out_own=True)

    def __len__(self) -> int:
        return len(self.target)

    def batch(
        self,
        index: npt.NDArray[np.int64],
        cap: Sequence[str],
        rng: np.random.Generator,
        *,
        keep: float = 1.0,
        blend: float = 0.0,
        gain: float = 0.0,
    ) -> Batch:
        """See windows through a cap, average-referenced over what is seen.

        Windows that show fewer than three good channels in this cap are left out.

        Parameters
        ----------
        index : numpy.ndarray, shape (batch,)
            Windows.
        cap : sequence of str
            Electrodes of the cap.
        rng : numpy.random.Generator
            Chooses the channels, each window its own.
        keep : float
            Part of the cap's channels that is kept, at least 3; fewer where some are bad.
        blend : float
            Part of the electrodes that is told by its neighbours instead of its own row.
        gain : float
            Deviation of the natural log of a window's gain: how big a signal is tells people apart.

        Returns
        -------
        Batch
        """
        rows = np.array([self.channels.index(name) for name in cap])
        good = self.good[index][:, rows]
        # a window with hardly an electrode in this cap would take the whole batch down to it
        usable = good.sum(1) >= min(_FEWEST, len(rows))
        index, good = index[usable], good[usable]
        count = min(max(_FEWEST, round(keep * len(rows))), len(rows), int(good.sum(1).min()))
        order = np.argsort(np.where(good, rng.random(good.shape), np.inf), axis=1)
        chosen = rows[order[:, :count]]
        eeg = self.eeg[index[:, None], chosen].astype(np.float32)
        eeg -= eeg.mean(1, keepdims=True)
        eeg *= np.exp(gain * rng.standard_normal((len(eeg), 1, 1), dtype=np.float32))
        told = rng.random(chosen.shape)[..., None] < blend
        weights = np.where(told, self._blend[chosen], self._own[chosen])
        return Batch(
            assemble(torch.from_numpy(eeg), torch.from_numpy(weights), self.spec),
            torch.from_numpy(self.target[index]),
        )

    def spectrum_statistics(self, n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return mean and deviation (45,) of the log power over `n` windows drawn at random."""
        drawn = self.batch(rng.integers(0, len(self), n), self.channels, rng)
        spectra = drawn.features.spectral
        return spectra.mean((0, 1, 2)), spectra.std((0, 1, 2))
