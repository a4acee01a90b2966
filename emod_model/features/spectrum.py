"""Spectra of a window: log power on a fixed grid in Hz, and the published real part."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from emod_model.errors import ModelError
from emod_model.signal.spec import N_SPECTRUM_BINS

FREQS_HZ: tuple[int, ...] = tuple(range(1, N_SPECTRUM_BINS + 1))
# Half-open [low, high), the last one closed.
BANDS: dict[str, tuple[int, int]] = {
    "delta": (1, 4),
    "theta": (4, 8),
    "alpha": (8, 13),
    "beta": (13, 30),
    "gamma": (30, 46),
}
FRAME_S = 1.0
# Amplifier noise of 0.1 uV over 45 Hz is 2e-4 uV^2/Hz: what lies below the floor is a dead channel, not EEG.
FLOOR_UV2_HZ = 1e-4


# A live window asks under inference mode; what is cached must serve training as well.
@lru_cache(maxsize=32)
@torch.inference_mode(False)
def basis(frame: int, sfreq: float) -> Tensor:
    """Return windowed cosines and sines, (frame, 2 * 45) float64, scaled so that squares add up to a PSD."""
    # Exact Hz rather than FFT bins: one grid for every rate and length, and a plain matmul when exported.
    n = torch.arange(frame, dtype=torch.float64) + 0.5
    hann = torch.sin(math.pi * n / frame) ** 2
    angle = 2 * math.pi * torch.outer(n / sfreq, torch.tensor(FREQS_HZ, dtype=torch.float64))
    scale = math.sqrt(2.0 / (sfreq * float((hann**2).sum())))
    return torch.cat([angle.cos(), angle.sin()], dim=1) * (scale * hann[:, None])


@lru_cache(maxsize=32)
@torch.inference_mode(False)
def _frame_index(n_samples: int, n_tokens: int, frame: int) -> Tensor:
    """Return the sample indices of every frame, flattened (n_tokens * frame,)."""
    centre = (torch.arange(n_tokens, dtype=torch.float64) + 0.5) * n_samples / n_tokens
    start = torch.floor(centre - frame / 2 + 0.5).clamp(0, n_samples - frame).long()
    return (start[:, None] + torch.arange(frame)).reshape(-1)


def spectra(eeg: Tensor, sfreq: float, n_tokens: int) -> Tensor:
    """Return the spectrum around every time token, scaled so that squares add up to a power density.

    One-second Hann frames centred on the tokens, moved inwards at the window's edges. A window shorter than a
    second is one frame, tapered over its own length and zero-padded, for all its tokens.

    Parameters
    ----------
    eeg : torch.Tensor, shape (..., samples)
        Microvolts, free of offset.
    sfreq : float
        Rate, Hz, at least 90.
    n_tokens : int
        Tokens that share the window equally.

    Returns
    -------
    torch.Tensor, shape (..., n_tokens, 2, 45)
        Cosine and sine parts at 1, 2, ... 45 Hz, microvolts/sqrt(Hz).

    Raises
    ------
    ModelError
        A rate below 90 Hz, which holds no 45 Hz, or a token count below 1.
    """
    if sfreq < 2 * FREQS_HZ[-1]:
        raise ModelError(
            f"a spectrum up to {FREQS_HZ[-1]} Hz needs 90 Hz or more, not {sfreq:g}; resample the signal"
        )
    if n_tokens < 1:
        raise ModelError(f"a window has at least one time token, not {n_tokens}; use a longer window")
    n_samples = eeg.shape[-1]
    frame = min(round(FRAME_S * sfreq), n_samples)
    n_frames = n_tokens if frame < n_samples else 1
    index = _frame_index(n_samples, n_frames, frame).to(eeg.device)
    frames = eeg.index_select(-1, index).reshape(*eeg.shape[:-1], n_frames, frame)
    parts: Tensor = frames @ basis(frame, float(sfreq)).to(eeg)
    parts = parts.expand(*parts.shape[:-2], n_tokens, 2 * N_SPECTRUM_BINS)
    return parts.reshape(*parts.shape[:-1], 2, N_SPECTRUM_BINS)


def log_of(parts: Tensor) -> Tensor:
    """Return the natural log of the power density of spectra (..., 2, 45)."""
    return (parts**2).sum(-2).clamp(min=FLOOR_UV2_HZ).log()


def log_power(eeg: Tensor, sfreq: float, n_tokens: int) -> Tensor:
    """Return the log power spectral density around every time token, see `spectra`.

    Returns
    -------
    torch.Tensor, shape (..., n_tokens, 45)
        Natural log of one-sided microvolts^2/Hz at 1, 2, ... 45 Hz; a sine of amplitude A at one of them
        gives ln(A^2 / 3) there.
    """
    return log_of(spectra(eeg, sfreq, n_tokens))


def band_power_db(log_power: Tensor) -> Tensor:
    """Return band powers for a person to read.

    Parameters
    ----------
    log_power : torch.Tensor, shape (..., n_tokens, 45)
        As `log_power` returns it.

    Returns
    -------
    torch.Tensor, shape (..., 5)
        10 log10 of microvolts^2, mean over the tokens; order of `BANDS`.
    """
    power = log_power.exp().mean(-2)
    bands: list[Tensor] = [power[..., low - 1 : high - 1].sum(-1) for low, high in BANDS.values()]
    return 10 * torch.stack(bands, -1).log10()


def real_part_spectrum(eeg: Tensor) -> Tensor:
    """Return the published spectral input: real part of the real FFT divided by the number of samples.

    Parameters
    ----------
    eeg : torch.Tensor, shape (..., samples)
        Microvolts.

    Returns
    -------
    torch.Tensor, shape (..., samples // 2 + 1)
        Microvolts; the sign depends on the phase.
    """
    spectrum: Tensor = torch.fft.rfft(eeg, dim=-1, norm="forward")
    return spectrum.real
