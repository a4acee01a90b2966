"""Estimates of a network for recorded people, window by window as the live path makes them."""

import numpy as np
import numpy.typing as npt
import torch

from emod_model.features import extract
from emod_model.network import EMOD
from emod_model.signal.spec import SignalSpec
from emod_model.smoothing import Smoother
from emod_model.training.people import Take

Array = npt.NDArray[np.float64]

_BATCH = 64


def predict(network: EMOD, take: Take, spec: SignalSpec) -> tuple[Array, Array]:
    """Estimate every window of a person from its good channels.

    Parameters
    ----------
    network : EMOD
        In evaluation mode.
    take : Take
        The person.
    spec : SignalSpec
        What the take was conditioned with.

    Returns
    -------
    mean, sd : numpy.ndarray, shape (windows, 2)
        Valence and arousal.
    """
    mean = np.zeros((len(take.eeg), 2))
    sd = np.zeros_like(mean)
    patterns, of_window = np.unique(take.good, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(of_window == number)
        names = [name for name, good in zip(take.channels, pattern, strict=True) if good]
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            eeg = torch.from_numpy(take.eeg[part][:, pattern])
            with torch.inference_mode():
                estimate, deviation = network(*extract(eeg, names, spec.sfreq, spec))
            mean[part], sd[part] = estimate.numpy(), deviation.numpy()
    return mean, sd


def smoothed(mean: Array, sd: Array, hop_s: float) -> tuple[Array, Array]:
    """Smooth one person's estimates with the live path's own smoother.

    Parameters
    ----------
    mean, sd : numpy.ndarray, shape (windows, 2)
        Valence and arousal, window by window.
    hop_s : float
        Time between windows, s.

    Returns
    -------
    mean, sd : numpy.ndarray, shape (windows, 2)
    """
    smoother = Smoother()
    steps = [smoother.update(k * hop_s, *pair) for k, pair in enumerate(zip(mean, sd, strict=True))]
    return np.array([value for value, _ in steps]), np.array([value for _, value in steps])
