"""From a conditioned window to what the network takes."""

import math
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


def token_count(n_samples: int, spec: SignalSpec, sfreq: float | None = None) -> int:
    """Return the time tokens of a window.

    The published network makes 5 tokens of each whole second and shares a broken one out among them.

    Parameters
    ----------
    n_samples : int
        Length of the window.
    spec : SignalSpec
        What the model was trained on.
    sfreq : float, optional
        Rate of the window, Hz; the specification's by default.

    Raises
    ------
    ModelError
        The window is not a whole number of tokens (holds no whole second, where the spectrum is the published
        one), or is longer than 50 of them.
    """
    rate = spec.sfreq if sfreq is None else sfreq
    if spec.spectrum == "real-part":
        # Half a sample: at 1000 / 3 Hz ten seconds are 3333 samples, whole to the nearest.
        n_tokens = int((n_samples + 0.5) / rate) * spec.tokens_per_s
        if n_tokens < 1:
            raise ModelError(
                f"{n_samples} samples at {rate:g} Hz are less than the whole second that the published "
                f"network needs; cut windows of {math.ceil(rate)} samples or more"
            )
    else:
        samples_per_token = rate / spec.tokens_per_s
        n_tokens = round(n_samples / samples_per_token)
        # Rates such as 128 Hz make a token 25.6 samples: whole to the nearest sample is whole.
        if n_tokens < 1 or abs(n_samples - n_tokens * samples_per_token) > 0.5 + 1e-9:
            raise ModelError(
                f"{n_samples} samples at {rate:g} Hz are not a whole number of "
                f"{1000 / spec.tokens_per_s:g} ms tokens; cut a multiple of {samples_per_token:g} samples"
            )
    if n_tokens > MAX_TOKENS:
        raise ModelError(
            f"a window of {n_samples / rate:g} s is longer than the model takes; "
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
        Rate of `eeg`, Hz: the specification's own, or any where the spectrum is the published one, whose bins
        and tokens follow from the number of samples and whole seconds alone.
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
    if not 0 < sfreq < math.inf:
        raise ModelError(f"{sfreq:g} Hz is not a sampling rate; give the rate of the windows")
    if spec.spectrum == "log-power" and abs(sfreq - spec.sfreq) > 1e-6 * spec.sfreq:
        raise ModelError(
            f"the signal has {sfreq:g} Hz and the model takes {spec.sfreq:g} Hz; condition it "
            "with the model's signal specification"
        )
    weights = spatial_weights(names, old_rows=spec.electrode_rows == "published")
    spatial = torch.from_numpy(weights).to(eeg)
    # Without the published spectrum the rate is the specification's but for a rounding.
    rate = sfreq if spec.spectrum == "real-part" else spec.sfreq
    return assemble(eeg, spatial.expand(eeg.shape[0], *spatial.shape), spec, rate)


def assemble(eeg: Tensor, spatial: Tensor, spec: SignalSpec, sfreq: float | None = None) -> Features:
    """Return the features of windows whose electrodes may differ from window to window.

    Parameters
    ----------
    eeg : torch.Tensor, shape (batch, channels, samples)
        Microvolts at `spec.sfreq` (or `sfreq`), conditioned as `spec` says.
    spatial : torch.Tensor, shape (batch, channels, 72)
        Weights over the rows of the embedding table.
    spec : SignalSpec
        What the model is trained on.
    sfreq : float, optional
        Another rate, Hz, which a published spectrum may have.

    Raises
    ------
    ModelError
        The window is no whole number of tokens, or longer than 10 s.
    """
    n_tokens = token_count(eeg.shape[-1], spec, sfreq)
    if spec.spectrum == "real-part":
        return Features(eeg, real_part_spectrum(eeg), spatial, n_tokens)
    return Features(eeg / spec.scale_uv, log_power(eeg, spec.sfreq, n_tokens), spatial, n_tokens)
