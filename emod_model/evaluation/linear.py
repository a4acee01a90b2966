"""The linear baseline: logistic regression on log band power, with a person's baseline removed or not."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from emod_model.evaluation.figures import Judged
from emod_model.evaluation.protocols import Split
from emod_model.evaluation.table import Array, WindowTable

Kind = Literal["none", "causal", "transductive"]
KINDS: tuple[Kind, ...] = ("none", "causal", "transductive")
"""What gives a person's baseline: nothing, a rest that is not scored, or all windows (comparison only)."""

STRENGTH = 0.01
"""C of the logistic regression: small, as people are few and features many."""
BANDS_HZ = ((1.0, 4.0), (4.0, 8.0), (8.0, 13.0), (13.0, 30.0), (30.0, 45.0))
_FLOOR_UV2_HZ = 1e-12
_TOKENS_PER_S = 5


def band_power(eeg: npt.NDArray[np.floating], sfreq: float) -> Array:
    """Return the log of the mean power density in five bands (Welch, 1-s Hann segments, half overlapping).

    Parameters
    ----------
    eeg : numpy.ndarray, shape (windows, channels, samples)
        Microvolts.
    sfreq : float
        Hz.

    Returns
    -------
    numpy.ndarray, shape (windows, 5 * channels)
    """
    from scipy.signal import welch

    # by blocks: the segments of all windows at once would be several times their size
    blocks = np.array_split(eeg, max(1, len(eeg) // 256))
    parts = [
        _bands(*welch(block.astype(np.float64), sfreq, nperseg=round(sfreq), axis=-1)) for block in blocks
    ]
    return np.concatenate(parts)


def _bands(freqs: Array, density: Array) -> Array:
    bands = [density[..., (freqs >= low) & (freqs < high)].mean(-1) for low, high in BANDS_HZ]
    return np.concatenate([np.log(band + _FLOOR_UV2_HZ) for band in bands], axis=-1)


def live_power(eeg: npt.NDArray[np.floating], sfreq: float) -> Array:
    """Return the model's own log power, averaged over the tokens and over each of five bands.

    Parameters
    ----------
    eeg : numpy.ndarray, shape (windows, channels, samples)
        Microvolts, conditioned.
    sfreq : float
        Hz.

    Returns
    -------
    numpy.ndarray, shape (windows, 5 * channels)
    """
    import torch

    from emod_model.features import BANDS, log_power

    with torch.inference_mode():
        tokens = round(_TOKENS_PER_S * eeg.shape[-1] / sfreq)
        blocks = np.array_split(np.ascontiguousarray(eeg, dtype=np.float32), max(1, len(eeg) // 128))
        power = torch.cat([log_power(torch.from_numpy(block), sfreq, tokens).mean(-2) for block in blocks])
        bands = [power[..., low - 1 : high - 1].mean(-1) for low, high in BANDS.values()]
        result: Array = torch.cat(bands, -1).double().numpy()
    return result


def centred(features: Array, table: WindowTable, kind: Kind) -> Array:
    """Take each person's baseline off their features.

    Parameters
    ----------
    features : numpy.ndarray, shape (windows, features)
    table : WindowTable
        In time within each session; a session of a person has a baseline of its own, as it is recorded anew.
    kind : {"none", "causal", "transductive"}
        The baseline: nothing; the windows marked as rest, those that have been by then, and where a session
        has none all its windows so far; all windows of the session.
    """
    result = features.copy()
    if kind == "none":
        return result
    sessions = np.char.add(np.char.add(table.subject, "\0"), table.session)
    for name in np.unique(sessions):
        rows = np.flatnonzero(sessions == name)
        own = features[rows]
        if kind == "transductive":
            result[rows] -= own.mean(0)
            continue
        base = table.baseline[rows]
        if not base.any():
            base = np.ones(len(rows), dtype=bool)
        # the windows before the first rest are centred by that first one
        count = np.maximum(np.cumsum(base), 1)[:, None]
        so_far = np.cumsum(own * base[:, None], axis=0) / count
        so_far[: base.argmax()] = so_far[base.argmax()]
        result[rows] -= so_far
    return result


def scored(table: WindowTable, kind: Kind) -> npt.NDArray[np.bool_]:
    """Return which windows count: labelled, and under causal centring not the baseline itself."""
    there = table.label >= 0
    return there & ~table.baseline if kind == "causal" else there


def classify(features: Array, table: WindowTable, splits: Iterable[Split], kind: Kind) -> list[Judged]:
    """Fit on what each split trains on and name the class of what it judges.

    Parameters
    ----------
    features : numpy.ndarray, shape (windows, features)
        Centred already.
    table : WindowTable
    splits : iterable of Split
        Validation windows are used neither for fitting nor for choosing: nothing is chosen.
    kind : {"none", "causal", "transductive"}
        How they were centred: under causal centring the baseline is neither learnt from nor judged.

    Returns
    -------
    list of Judged
        One for each split whose training windows hold two classes or more.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    counts = scored(table, kind)
    result: list[Judged] = []
    for split in splits:
        train, test = split.train[counts[split.train]], split.test[counts[split.test]]
        known = np.unique(table.label[train])
        if len(known) < 2 or not len(test):
            continue
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
        )
        model.fit(features[train], table.label[train])
        score = np.zeros((len(test), len(table.classes)))
        score[:, known] = model.predict_proba(features[test])
        said = known[score[:, known].argmax(1)]
        result.append(Judged(table.subject[test], table.label[test], said, score))
    return result
