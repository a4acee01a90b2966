"""Inference: one window in, valence and arousal out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from emod_model.signal.spec import SignalSpec

if TYPE_CHECKING:
    from emod_model.centring import Centring, Removal


@dataclass(frozen=True)
class Inference:
    """What a model says of one window.

    Attributes
    ----------
    mean, sd : numpy.ndarray, shape (2,)
        Valence and arousal in [-1, 1] and their standard deviations.
    band_power_db : numpy.ndarray, shape (channels, 5)
        From the very spectrum that the model saw, 10 log10 of microvolts squared.
    views : numpy.ndarray, shape (5, features), or None
        What a person's profile reads, as `EMOD.views` gives it; None where nobody's is used.
    """

    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    band_power_db: npt.NDArray[np.float64]
    views: npt.NDArray[np.float64] | None = None


class Engine(Protocol):
    """Anything that turns conditioned windows into estimates."""

    spec: SignalSpec
    centring: "Centring | None"

    def infer(
        self, eeg: npt.NDArray[np.float32], channels: tuple[str, ...], removal: "Removal | None" = None
    ) -> Inference:
        """Estimate one window, shape (channels, samples), conditioned as `spec` says, microvolts.

        A model with `centring` needs `removal`, which takes the person's baseline off.
        """
        ...
