"""A store read by a checkpoint that takes a person's baseline off its input."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from emod_model.calibration.reading import FUSED, look
from emod_model.centring import Removal, remove
from emod_model.checkpoint import Model
from emod_model.evaluation.table import Array
from emod_model.features import extract
from emod_model.fitting.baselines import Baselines
from emod_model.store import Store

_BATCH = 64


def relative(
    store: Store, model: Model, kind: Literal["causal", "transductive"]
) -> tuple[Array, Array, Array]:
    """Return affect, fused view and logits of a store's windows with a baseline taken off the input.

    Parameters
    ----------
    store : Store
    model : Model
        With `centring`.
    kind : {"causal", "transductive"}
        See `emod_model.fitting.baselines.Baselines`.

    Returns
    -------
    numpy.ndarray, shape (windows, 2)
    numpy.ndarray, shape (windows, features)
    numpy.ndarray, shape (windows, classes)
        No column where the model tells no classes apart.
    """
    assert model.info.centring is not None
    baselines = Baselines(store, kind, model.info.centring, model.spec.tokens_per_s)
    affect = np.zeros((len(store), 2))
    fused = np.zeros((len(store), model.info.network.d_model))
    logits = np.zeros((len(store), len(model.info.labels.classes)))
    patterns, of = np.unique(store.good, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        good = np.flatnonzero(pattern).tolist()
        names = [store.channels[row] for row in good]
        rows = np.flatnonzero(of.reshape(-1) == number) if good else np.array([], dtype=np.intp)
        for start in range(0, len(rows), _BATCH):
            block = rows[start : start + _BATCH]
            eeg = np.array(store.windows[block][:, good])
            removal = baselines.removals(block, good)
            affect[block], views, _ = look(model, eeg, names, removal)
            fused[block] = views[:, FUSED]
            if logits.shape[1]:
                logits[block] = class_logits(model, eeg, names, removal)
    return affect, fused, logits


def class_logits(
    model: Model, eeg: npt.NDArray[np.float32], names: Sequence[str], removal: Removal | None = None
) -> Array:
    """Return the logits (windows, classes) of windows of one set of electrodes."""
    with torch.inference_mode():
        windows = torch.from_numpy(eeg)
        features = extract(windows, names, model.spec.sfreq, model.spec)
        if removal is not None:
            features = remove(features, windows, model.spec, removal)
        logits: Array = model.network.logits(model.network.tokens(*features)).double().numpy()
    return logits
