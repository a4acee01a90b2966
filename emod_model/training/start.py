"""Where training starts: from weights that look at bands of the spectrum at places on the head.

From plain random weights a network of this size first has to find that "left minus right" exists at all,
which takes many more windows than two cores can show it. Here the first feed-forward units already are
bands at places; training is free to change every one of them.
"""

import numpy as np
import torch
from torch import Tensor, nn

from emod_model.features import FREQS_HZ
from emod_model.montage import PUBLISHED_NAMES, positions
from emod_model.network import EMOD

_BANDS_HZ = (1.5, 2.5, 3.5, 5.0, 6.5, 8.0, 9.0, 10.0, 11.0, 12.5, 15.0, 18.0, 22.0, 27.0, 33.0, 40.0)
_SITES = (
    ("AF7", "AF8", "F7", "F8", "F3", "F4", "T7", "T8"),
    ("Fz", "C3", "C4", "Cz", "P7", "P8", "Pz", "Oz"),
)
_PLACE_WIDTH = 0.35
"""Angle over which electrodes count as near, radians."""
_PLACE_SIZE = 2.0
"""Weight of the electrode in a token beside the spectrum."""


def start_at_bands_and_places(network: EMOD, rng: np.random.Generator) -> None:
    """Set the weights that training starts from.

    Parameters
    ----------
    network : EMOD
        With the log-power spectrum; changed in place.
    rng : numpy.random.Generator
        Of the random features that tell places apart.
    """
    features = network.encoder.electrodes.shape[1]
    n_bands = min(len(_BANDS_HZ), features // 3)
    n_place = features - n_bands
    direction = rng.normal(0, 1 / _PLACE_WIDTH, (3, n_place))
    phase = rng.uniform(0, 2 * np.pi, n_place)

    def place(names: tuple[str, ...]) -> Tensor:
        wave = np.cos(positions(names) @ direction + phase) * np.sqrt(2 / n_place)
        return torch.from_numpy(wave).float()

    with torch.no_grad():
        _bands_first(network, n_bands)
        network.encoder.electrodes.zero_()
        known = network.encoder.electrodes[1 : 1 + len(PUBLISHED_NAMES), n_bands:]
        known.copy_(_PLACE_SIZE * place(PUBLISHED_NAMES))
        for layer, sites in zip(network.layers, _SITES, strict=False):
            _units(_linear(layer, "ffn.0"), place(sites), n_bands)
            for quiet in ("height_attn.proj", "width_attn.proj", "ffn.3"):
                _linear(layer, quiet).weight.mul_(0.2)


def _bands_first(network: EMOD, n_bands: int) -> None:
    """Let the first features of a token be log band powers, and the others begin empty."""
    centre = torch.tensor(_BANDS_HZ[:n_bands])
    width = 0.4 + 0.08 * centre
    bump = torch.exp(-0.5 * ((torch.tensor(FREQS_HZ) - centre[:, None]) / width[:, None]) ** 2)
    linear = _linear(network, "encoder.spectral.linear")
    linear.weight[:n_bands] = bump / bump.sum(1, keepdim=True)
    linear.bias[:n_bands] = 0
    fusion = network.encoder.fusion
    features = fusion.weight.shape[0]
    fusion.weight.mul_(0.2)
    fusion.weight[:n_bands] = 0
    fusion.weight[:n_bands, features : features + n_bands] = torch.eye(n_bands)
    # lifted to where GELU is nearly a straight line
    fusion.bias[:n_bands] = 1.0


def _linear(module: nn.Module, name: str) -> nn.Linear:
    found = module.get_submodule(name)
    assert isinstance(found, nn.Linear)
    return found


def _units(linear: nn.Linear, places: Tensor, n_bands: int) -> None:
    """Let each unit answer to one band at one place."""
    for unit in range(linear.weight.shape[0]):
        site, band = divmod(unit, n_bands)
        if site >= len(places):
            return
        linear.weight[unit] = 0
        linear.weight[unit, band] = 1.0
        linear.weight[unit, n_bands:] = 4.0 * places[site]
        linear.bias[unit] = -3.0
