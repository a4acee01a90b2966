"""From a conditioned window to what the network takes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from emod_model.errors import ModelError
from emod_model.features.spectrum import log_power, real_part_spectrum
from emod_model.montage import spatial_weights
from emod_model.signal.spec import SignalSpec

MAX_TOKENS = 50


class Features(NamedTuple):
    """What `EMOD.forward` takes, in its order.

    Attributes
    ----------
    temporal : torch.Tensor, shape (batch, channels, samples)
        The signal in units of the specification's scale; in microvolts for the published spectrum.
    spectral : torch.Tensor
        (batch, channels, n_tokens, 45) log power, or (batch, channels, samples // 2 + 1) published real part.
    spatial : torch.Tensor, shape (batch, channels, 72)
        Weights over the rows of the embedding table.
    n_tokens : int
        Time tokens.
    """

    temporal: Tensor
    spectral: Tensor
    spatial: Tensor
    n_tokens: int


def token_count(n_samples: int, spec: SignalSpec) -> int:
    """Return the time tokens of a window.

    Raises
    ------
    ModelError
        The window is not a whole number of tokens, or longer than 50 of them.
    """
    samples_per_token = spec.sfreq / spec.tokens_per_s
    n_tokens = round(n_samples / samples_per_token)
    # Rates such as 128 Hz make a token 25.6 samples: whole to the nearest sample is whole.
    if n_tokens < 1 or abs(n_samples - n_tokens * samples_per_token) > 0.5 + 1e-9:
        raise ModelError(
            f"{n_samples} samples at {spec.sfreq:g} Hz are not a whole number of "
            f"{1000 / spec.tokens_per_s:g} ms tokens; cut a multiple of {samples_per_token:g} samples"
        )
    if n_tokens > MAX_TOKENS:
        raise ModelError(
            f"a window of {n_samples / spec.sfreq:g} s is longer than the model takes; "
            f"cut it to {MAX_TOKENS / spec.tokens_per_s:g} s or less"
        )
    return n_tokens


def extract(eeg: Tensor, names: Sequence[str], sfreq: float, spec: SignalSpec) -> Features:
    """Return the features of a batch of windows of one montage.

    Parameters
    ----------
    eeg : torch.Tensor, shape (batch, channels, samples)
        Microvolts, conditioned as `spec` says.
    names : sequence of str
        Electrode of each channel.
    sfreq : float
        Rate of `eeg`, Hz: the specification's own.
    spec : SignalSpec
        What the model was trained on.

    Raises
    ------
    ModelError
        A wrong rate, number of dimensions, number of channels or window length.
    UsageError
        An unknown or repeated electrode.
    """
    if eeg.ndim != 3:
        raise ModelError(
            f"EEG of shape {tuple(eeg.shape)} is not (batch, channels, samples); add what is missing"
        )
    if len(names) != eeg.shape[1]:
        raise ModelError(f"{eeg.shape[1]} channels came with {len(names)} names; name every channel once")
    if abs(sfreq - spec.sfreq) > 1e-6 * spec.sfreq:
        raise ModelError(
            f"the signal has {sfreq:g} Hz and the model takes {spec.sfreq:g} Hz; condition it "
            "with the model's signal specification"
        )
    weights = torch.from_numpy(spatial_weights(names)).to(eeg)
    return assemble(eeg, weights.expand(eeg.shape[0], *weights.shape), spec)


def assemble(eeg: Tensor, spatial: Tensor, spec: SignalSpec) -> Features:
    """Return the features of windows whose electrodes may differ from window to window.

    Parameters
    ----------
    eeg : torch.Tensor, shape (batch, channels, samples)
        Microvolts at `spec.sfreq`, conditioned as `spec` says.
    spatial : torch.Tensor, shape (batch, channels, 72)
        Weights over the rows of the embedding table.
    spec : SignalSpec
        What the model is trained on.

    Raises
    ------
    ModelError
        The window is no whole number of tokens, or longer than 10 s.
    """
    n_tokens = token_count(eeg.shape[-1], spec)
    if spec.spectrum == "real-part":
        return Features(eeg, real_part_spectrum(eeg), spatial, n_tokens)
    return Features(eeg / spec.scale_uv, log_power(eeg, spec.sfreq, n_tokens), spatial, n_tokens)
