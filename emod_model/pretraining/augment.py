"""Augmentation of windows: as published for the contrast, and ours for fine-tuning.

Windows are conditioned microvolts (windows, channels, samples), with the electrodes' weights over the
embedding table (windows, channels, 72). Random numbers are torch's own, of the windows' device.
"""

import torch
from torch import Tensor

from emod_model.centring import Removal
from emod_model.fitting.windows import Seen

_NOISE = 0.1
_ZEROED = 0.2


def published(seen: Seen) -> Seen:
    """Augment windows as published, each its own way.

    Half stay as they are, a sixth gets Gaussian noise of 10 % of its own deviation, a sixth has half its
    channels permuted together with their electrodes (and with what takes a baseline off them), a sixth has a
    contiguous 20 % of its time zeroed. The permutation changes nothing that EMOD computes, which knows
    channels by their electrodes alone; it is here because it is published.
    """
    eeg, spatial, removal = seen
    kind = torch.randint(0, 6, (len(eeg),), device=eeg.device)
    eeg = torch.where(_each(kind == 3), add_noise(eeg, _NOISE), eeg)
    order = _half_permuted(kind == 4, eeg.shape[1])
    eeg = torch.take_along_dim(eeg, order[..., None], 1)
    spatial = torch.take_along_dim(spatial, order[..., None], 1)
    eeg = torch.where(_each(kind == 5), zero_time(eeg, _ZEROED), eeg)
    return Seen(eeg, spatial, removal if removal is None else _permuted(removal, order))


def _permuted(removal: Removal, order: Tensor) -> Removal:
    maps = torch.take_along_dim(removal.maps, order[:, None, :, None], 2)
    maps = torch.take_along_dim(maps, order[:, None, None, :], 3)
    return Removal(maps, torch.take_along_dim(removal.scale, order, 1))


def add_noise(eeg: Tensor, part: float) -> Tensor:
    """Add Gaussian noise of `part` of each window's deviation over channels and samples."""
    deviation = eeg.std((1, 2), keepdim=True, correction=0)
    return eeg + part * deviation * torch.randn_like(eeg)


def zero_time(eeg: Tensor, part: float) -> Tensor:
    """Zero a contiguous `part` of each window's samples, in all channels at once."""
    samples = eeg.shape[-1]
    length = round(part * samples)
    start = torch.randint(0, samples - length + 1, (len(eeg), 1, 1), device=eeg.device)
    sample = torch.arange(samples, device=eeg.device)
    return eeg.masked_fill((sample >= start) & (sample < start + length), 0.0)


def shift_time(eeg: Tensor, most: int) -> Tensor:
    """Shift each window by up to `most` samples either way; what is missing at its edge is mirrored.

    Parameters
    ----------
    eeg : torch.Tensor, shape (windows, channels, samples)
        Microvolts.
    most : int
        Below the number of samples.
    """
    samples = eeg.shape[-1]
    shift = torch.randint(-most, most + 1, (len(eeg), 1), device=eeg.device)
    index = (torch.arange(samples, device=eeg.device) + shift).abs()
    index = torch.where(index < samples, index, 2 * (samples - 1) - index)
    return torch.take_along_dim(eeg, index[:, None], -1)


def drop_channels(eeg: Tensor, spatial: Tensor, fewest: float) -> tuple[Tensor, Tensor]:
    """Keep some channels of each window, and refer them to their own average as a smaller cap would be.

    Parameters
    ----------
    eeg : torch.Tensor, shape (windows, channels, samples)
        Microvolts, average reference.
    spatial : torch.Tensor, shape (windows, channels, rows)
        Electrodes.
    fewest : float
        Smallest part of the channels that is kept; how many is drawn once for all windows, which ones for
        each. At least three stay, or all where there are fewer.

    Returns
    -------
    eeg, spatial : torch.Tensor
        With fewer channels.
    """
    windows, channels = eeg.shape[:2]
    low = min(max(3, round(fewest * channels)), channels)
    count = int(torch.randint(low, channels + 1, ()))
    chosen = torch.rand(windows, channels, device=eeg.device).argsort(1)[:, :count, None]
    eeg = torch.take_along_dim(eeg, chosen, 1)
    return eeg - eeg.mean(1, keepdim=True), torch.take_along_dim(spatial, chosen, 1)


def _each(which: Tensor) -> Tensor:
    return which[:, None, None]


def _half_permuted(which: Tensor, channels: int) -> Tensor:
    """Return an order of the channels for each window, (windows, channels): half permuted where `which`."""
    order = torch.arange(channels, device=which.device).repeat(len(which), 1)
    chosen = torch.rand(len(which), channels, device=which.device).argsort(1)[:, : channels // 2]
    permuted = order.scatter(1, chosen.sort(1).values, chosen)
    return torch.where(which[:, None], permuted, order)
