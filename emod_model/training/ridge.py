"""The baseline to beat: ridge regression on log band powers of a fixed montage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from emod_model.features import BANDS, band_power_db, log_power
from emod_model.metrics import ccc
from emod_model.signal.spec import SignalSpec
from emod_model.training.people import Take

Array = npt.NDArray[np.float64]

PENALTIES = (1.0, 10.0, 100.0, 1000.0, 10000.0)


def band_features(take: Take, cap: Sequence[str], spec: SignalSpec) -> Array:
    """Return five band powers of each channel of a cap in dB, average reference; NaN where a channel was bad.

    Parameters
    ----------
    take : Take
        A person who wears at least the cap's electrodes.
    cap : sequence of str
        Electrodes.
    spec : SignalSpec
        What the take was conditioned with.

    Returns
    -------
    numpy.ndarray, shape (windows, 5 * channels)
    """
    rows = [take.channels.index(name) for name in cap]
    good = take.good[:, rows]
    eeg = take.eeg[:, rows]
    reference = eeg.sum(1, keepdims=True) / np.maximum(good.sum(1), 1)[:, None, None]
    centred = np.where(good[..., None], eeg - reference, 0).astype(np.float32)
    power = band_power_db(log_power(torch.from_numpy(centred), spec.sfreq, spec.window_tokens)).numpy()
    power = np.where(good[..., None], power, np.nan)
    return power.reshape(len(power), len(cap) * len(BANDS)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted ridge regression.

    Attributes
    ----------
    mean, sd : numpy.ndarray, shape (features,)
        Of the training windows.
    weights : numpy.ndarray, shape (features, 2)
        For standardised features.
    intercept : numpy.ndarray, shape (2,)
        Mean valence and arousal in training: what "always the mean" answers.
    penalty : float
        Chosen on validation people.
    """

    mean: Array
    sd: Array
    weights: Array
    intercept: Array
    penalty: float

    def __call__(self, features: Array) -> Array:
        """Return estimates (windows, 2); a feature that is missing counts as average."""
        standard = np.nan_to_num((features - self.mean) / self.sd)
        result: Array = standard @ self.weights + self.intercept
        return result


def fit_ridge(
    train: Sequence[Take], validation: Sequence[Take], cap: Sequence[str], spec: SignalSpec
) -> Ridge:
    """Fit a cap's ridge on training people, its penalty the one with the best validation concordance.

    Parameters
    ----------
    train : sequence of Take
        People who wear at least the cap's electrodes.
    validation : sequence of Take
        Others who do.
    cap : sequence of str
        Electrodes.
    spec : SignalSpec
        What the takes were conditioned with.
    """
    x = np.concatenate([band_features(take, cap, spec) for take in train])
    y = np.concatenate([take.target for take in train]).astype(np.float64)
    mean, sd = np.nanmean(x, 0), np.nanstd(x, 0)
    standard = np.nan_to_num((x - mean) / sd)
    intercept = y.mean(0)
    gram, moment = standard.T @ standard, standard.T @ (y - intercept)
    unseen = np.concatenate([band_features(take, cap, spec) for take in validation])
    truth = np.concatenate([take.target for take in validation])
    fits = [
        Ridge(mean, sd, np.linalg.solve(gram + penalty * np.eye(len(gram)), moment), intercept, penalty)
        for penalty in PENALTIES
    ]
    return max(fits, key=lambda ridge: sum(ccc(ridge(unseen)[:, axis], truth[:, axis]) for axis in (0, 1)))
