"""A store read by a checkpoint that takes a person's baseline off its input."""

from collections.abc import Sequence

import numpy as np
import torch

from emod_model.calibration.reading import FUSED, look
from emod_model.centring import Baseline, Removal
from emod_model.checkpoint import Model
from emod_model.evaluation.linear import Kind
from emod_model.evaluation.table import Array, Rows, WindowTable
from emod_model.features.spectrum import spectra
from emod_model.store import Store

_BATCH = 64


def relative(store: Store, model: Model, windows: WindowTable, kind: Kind) -> tuple[Array, Array]:
    """Return affect and fused view of a store's windows with a baseline taken off the input.

    Causal, session by session and trial by trial: the rests that have been by then; where a session has none,
    the trials before, and for its first trial that trial itself. Transductive: all windows of the session.

    Parameters
    ----------
    store : Store
    model : Model
        With `centring`.
    windows : WindowTable
        The store's.
    kind : {"causal", "transductive"}

    Returns
    -------
    numpy.ndarray, shape (windows, 2)
    numpy.ndarray, shape (windows, features)
    """
    affect = np.zeros((len(store), 2))
    fused = np.zeros((len(store), model.info.network.d_model))
    trials, of = windows.trials()
    sessions: dict[tuple[str, str], list[int]] = {}
    for at, name in enumerate(zip(trials.subject.tolist(), trials.session.tolist(), strict=True)):
        sessions.setdefault(name, []).append(at)
    for session in sessions.values():
        each = [np.flatnonzero(of == at) for at in session]
        rested = any(windows.baseline[rows].any() for rows in each)
        baseline = Baseline(len(store.channels))
        if kind == "transductive":
            _take(baseline, store, model, np.concatenate(each))
        for rows in each:
            rest = rows[windows.baseline[rows]] if rested else rows
            if kind == "causal" and (rested or not baseline.seconds.any()):
                _take(baseline, store, model, rest)
            affect[rows], fused[rows] = _read(baseline, store, model, rows)
            if kind == "causal" and not rested and rows is not each[0]:
                _take(baseline, store, model, rest)
    return affect, fused


def _take(baseline: Baseline, store: Store, model: Model, rows: Rows) -> None:
    """Take windows into a baseline."""
    spec = store.spec
    for row in rows.tolist():
        good = np.flatnonzero(store.good[row]).tolist()
        eeg = torch.from_numpy(np.array(store.windows[row][good]))
        tokens = round(spec.window_s * model.spec.tokens_per_s)
        baseline.take(spectra(eeg, spec.sfreq, tokens), good, min(spec.window_s, store.hop_s))


def _read(baseline: Baseline, store: Store, model: Model, rows: Rows) -> tuple[Array, Array]:
    """Read windows of one trial; a set of electrodes without a past is read as it is."""
    affect = np.zeros((len(rows), 2))
    fused = np.zeros((len(rows), model.info.network.d_model))
    patterns, of = np.unique(store.good[rows], axis=0, return_inverse=True)
    for at, pattern in enumerate(patterns):
        good = np.flatnonzero(pattern).tolist()
        removal = _removal(baseline, model, good)
        here = np.flatnonzero(of.reshape(-1) == at)
        for start in range(0, len(here), _BATCH):
            block = here[start : start + _BATCH]
            eeg = np.array(store.windows[rows[block]][:, good])
            affect[block], views, _ = look(model, eeg, [store.channels[row] for row in good], removal)
            fused[block] = views[:, FUSED]
    return affect, fused


def _removal(baseline: Baseline, model: Model, good: Sequence[int]) -> Removal | None:
    assert model.info.centring is not None
    if not (baseline.seconds[np.ix_(list(good), list(good))] > 0).all():
        return None
    return baseline.removal(model.info.centring, good)
