"""Figures of valence and arousal against ratings, and what they are held against."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.evaluation.blind import PERSON, STIMULUS
from emod_model.evaluation.figures import DRAWS, mean_interval
from emod_model.evaluation.linear import Kind
from emod_model.evaluation.protocols import Split
from emod_model.evaluation.table import Array, Names, Rows, WindowTable
from emod_model.metrics import ccc, rmse

AXES = ("valence", "arousal")
MEAN = "mean"
PENALTY = 300.0
"""Of the ridge regression on standardised features."""


@dataclass(frozen=True, eq=False)
class Rated:
    """What a method read in windows whose ratings it had not seen.

    Attributes
    ----------
    method, part : str
    kind : {"none", "causal", "transductive"}
    fitted_on : int
        People it learnt from here, the most in any fold.
    subject : numpy.ndarray of str, shape (windows,)
    truth, read : numpy.ndarray, shape (windows, 2)
        Valence and arousal on [-1, 1].
    """

    method: str
    kind: Kind
    part: str
    fitted_on: int
    subject: Names
    truth: Array
    read: Array


def ridge(
    features: Array, affect: Array, folds: Iterable[Split], counts: npt.NDArray[np.bool_]
) -> tuple[Rows, Array]:
    """Read affect by ridge regression, fitted anew in each fold.

    Parameters
    ----------
    features : numpy.ndarray, shape (windows, features)
        Centred already.
    affect : numpy.ndarray, shape (windows, 2)
    folds : iterable of Split
    counts : numpy.ndarray of bool, shape (windows,)
        Windows that are rated and count.

    Returns
    -------
    numpy.ndarray of int
        Rows that were judged.
    numpy.ndarray, shape (rows, 2)
        What was read in them.
    """
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows: list[Rows] = []
    read: list[Array] = []
    for split in folds:
        train, test = split.train[counts[split.train]], split.test[counts[split.test]]
        if len(train) and len(test):
            model = make_pipeline(StandardScaler(), Ridge(alpha=PENALTY))
            model.fit(features[train], affect[train])
            rows.append(test)
            read.append(model.predict(features[test]).clip(-1, 1))
    if not rows:
        return np.zeros(0, dtype=np.intp), np.zeros((0, 2))
    return np.concatenate(rows), np.concatenate(read)


def guess_affect(
    table: WindowTable, affect: Array, folds: Sequence[Split], counts: npt.NDArray[np.bool_]
) -> dict[str, tuple[Rows, Array]]:
    """Return what is read without EEG: the mean of everybody, of the person, of the stimulus.

    Parameters
    ----------
    table : WindowTable
    affect : numpy.ndarray, shape (windows, 2)
    folds : sequence of Split
    counts : numpy.ndarray of bool, shape (windows,)

    Returns
    -------
    dict
        Name -> rows judged, and what was read in them; "person mean" and "stimulus mean" only where some
        fold has met the person or stimulus.
    """
    found: dict[str, list[tuple[Rows, Array]]] = {}
    for split in folds:
        train, test = split.train[counts[split.train]], split.test[counts[split.test]]
        if not len(train) or not len(test):
            continue
        everyone = np.tile(affect[train].mean(0), (len(test), 1))
        found.setdefault(MEAN, []).append((test, everyone))
        for name, column in ((PERSON, table.subject), (STIMULUS, table.stimulus)):
            known = set(column[train].tolist()) & set(column[test].tolist()) - {""}
            if known:
                read = everyone.copy()
                for group in known:
                    read[column[test] == group] = affect[train[column[train] == group]].mean(0)
                found.setdefault(name, []).append((test, read))
    return {
        name: (np.concatenate([rows for rows, _ in each]), np.concatenate([read for _, read in each]))
        for name, each in found.items()
    }


def figures(rated: Rated, seed: int = 0) -> dict[str, Any]:
    """Return CCC and RMSE of both axes, pooled and as mean over people with a bootstrap over people."""
    told: dict[str, Any] = {"windows": len(rated.truth), "fitted_on_people": rated.fitted_on}
    people = list(dict.fromkeys(rated.subject.tolist()))
    for at, axis in enumerate(AXES):
        told[axis] = {}
        for name, measure in (("ccc", ccc), ("rmse", rmse)):
            each = np.array(
                [
                    measure(rated.read[own, at], rated.truth[own, at])
                    for own in (rated.subject == person for person in people)
                ]
            )
            told[axis][name] = {
                "pooled": round(measure(rated.read[:, at], rated.truth[:, at]), 6),
                "mean": round(float(each.mean()), 6),
                "sd": round(float(each.std()), 6),
                "mean_interval": [round(end, 6) for end in mean_interval(each, DRAWS, seed)],
                "people": {
                    person: round(float(value), 6) for person, value in zip(people, each, strict=True)
                },
            }
    return told
