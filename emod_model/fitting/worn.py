"""The caps that a run reads its windows through, where a person's baseline is taken off."""

import numpy as np
import numpy.typing as npt

from emod_model.fitting.baselines import Baselines, rests
from emod_model.fitting.config import Relative
from emod_model.fitting.stores import FEWEST_CHANNELS, StoreLike
from emod_model.fitting.windows import Worn

SMALLER_CAPS = 7
"""Caps beside the whole one where channels are left out: each needs a baseline of its own for everyone."""


def worn(
    store: StoreLike,
    relative: Relative | None,
    tokens_per_s: float,
    fewest: float = 1.0,
    rng: np.random.Generator | None = None,
) -> tuple[Worn, ...]:
    """Return the whole cap and, where channels are left out, smaller ones; none without a baseline.

    Parameters
    ----------
    store : StoreLike
    relative : Relative or None
        From the settings.
    tokens_per_s : float
        Of the model.
    fewest : float
        Smallest part of the channels that is worn; at least three.
    rng : numpy.random.Generator
        Draws the smaller caps.
    """
    if relative is None:
        return ()
    n = len(store.channels)
    caps = [np.arange(n)]
    low = min(max(FEWEST_CHANNELS, round(fewest * n)), n)
    if rng is not None and low < n:
        sizes = rng.integers(low, n, SMALLER_CAPS)
        caps += [np.sort(rng.permutation(n)[:size]) for size in sizes.tolist()]
    return tuple(
        Worn(cap, Baselines(store, relative.kind, relative.centring, tokens_per_s, cap.tolist()))
        for cap in caps
    )


def resting(store: StoreLike, relative: Relative | None) -> npt.NDArray[np.bool_]:
    """Tell which windows are not learnt from: rest before stimuli, and what a causal baseline is made of."""
    return rests(store) if relative is not None and relative.kind == "causal" else store.baseline
