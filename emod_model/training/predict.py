"""Estimates of a network for recorded people, window by window as the live path makes them."""

import numpy as np
import numpy.typing as npt
import torch

from emod_model.features import extract
from emod_model.network import EMOD
from emod_model.signal.spec import SignalSpec
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


def smoothed(values: Array, hop_s: float, tau_s: float = 4.0) -> Array:
    """Smooth estimates (windows, 2) by a causal exponential of time constant `tau_s`."""
    keep = np.exp(-hop_s / tau_s)
    out = values.copy()
    for k in range(1, len(out)):
        out[k] = keep * out[k - 1] + (1 - keep) * values[k]
    return out
