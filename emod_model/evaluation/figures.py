"""Figures of a classifier, over windows and over people, with a bootstrap over people."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.evaluation.table import Array, Names

DRAWS = 1000
LEVEL = 0.95
MEASURES = ("balanced_accuracy", "kappa", "weighted_f1", "auroc", "auc_pr")
_BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Judged:
    """What a classifier said of windows it had not learnt from.

    Attributes
    ----------
    subject : numpy.ndarray of str, shape (windows,)
    truth, said : numpy.ndarray of int, shape (windows,)
        Class, and the class that was named.
    score : numpy.ndarray, shape (windows, classes)
        The higher, the more likely; only the order within a column counts.
    """

    subject: Names
    truth: npt.NDArray[np.intp]
    said: npt.NDArray[np.intp]
    score: Array

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Judged":
        """Return some of the windows."""
        return Judged(self.subject[rows], self.truth[rows], self.said[rows], self.score[rows])


def join(parts: list[Judged]) -> Judged:
    """Return the windows of several folds, one after the other."""
    return Judged(
        np.concatenate([part.subject for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.said for part in parts]),
        np.concatenate([part.score for part in parts]),
    )


def two_classes(subject: Names, truth: npt.NDArray[np.intp], score: Array, threshold: float) -> Judged:
    """Return what a score (windows,) for class 1 says, class 1 being named above the threshold."""
    said = (score > threshold).astype(np.intp)
    return Judged(subject, truth, said, np.stack([-score, score], axis=1))


def confusion(judged: Judged) -> npt.NDArray[np.intp]:
    """Return how often each class (row) was called each class (column)."""
    k = judged.score.shape[1]
    counts = np.bincount(judged.truth * k + judged.said, minlength=k * k)
    result: npt.NDArray[np.intp] = counts.reshape(k, k)
    return result


def pooled(judged: Judged) -> dict[str, float]:
    """Return the measures over all windows together; NaN where only one class is there.

    Returns
    -------
    dict
        Balanced accuracy, Cohen's kappa, F1 weighted by class, and the areas under the ROC and the
        precision-recall curve: of class 1 where there are two, else the mean over classes against the rest.
    """
    if len(set(judged.truth.tolist())) < 2:
        return dict.fromkeys(MEASURES, math.nan)
    people = len(set(judged.subject.tolist()))
    return {name: float(value[0]) for name, value in _weighted(judged, np.ones((1, people))).items()}


def by_person(judged: Judged) -> dict[str, dict[str, float]]:
    """Return each person's measures, people in the order of their windows."""
    people = dict.fromkeys(judged.subject.tolist())
    return {person: pooled(judged[judged.subject == person]) for person in people}


def summary(
    judged: Judged, people: dict[str, dict[str, float]], draws: int = DRAWS, seed: int = 0
) -> dict[str, dict[str, float | list[float]]]:
    """Return pooled figures and the mean over people, each with a bootstrap over people.

    Parameters
    ----------
    judged : Judged
    people : dict
        Each person's measures, from `by_person`.
    draws : int
        Bootstrap samples: whole people, with replacement.
    seed : int
        Of the draws.

    Returns
    -------
    dict
        measure -> "pooled", "interval" (95 % of the pooled figure), "mean" and "sd" over people who have both
        classes, "mean_interval".
    """
    whole, spread = pooled(judged), _bootstrap(judged, draws, seed)
    result: dict[str, dict[str, float | list[float]]] = {}
    for measure in MEASURES:
        values = np.array([person[measure] for person in people.values()])
        values = values[np.isfinite(values)]
        result[measure] = {"pooled": whole[measure], "interval": _ends(spread[measure])}
        if len(values):
            result[measure] |= {
                "mean": float(values.mean()),
                "sd": float(values.std()),
                "mean_interval": mean_interval(values, draws, seed),
            }
    return result


def mean_interval(values: Array, draws: int, seed: int) -> list[float]:
    """Return both ends of the 95 % interval of a mean over people, who are drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    return _ends(values[drawn].mean(1))


def _columns(judged: Judged) -> list[int]:
    """Return the classes whose areas count: one of two is enough."""
    classes = [int(k) for k in np.unique(judged.truth)]
    return [1] if judged.score.shape[1] == 2 else classes


def _ends(values: Array) -> list[float]:
    values = values[np.isfinite(values)]
    if not len(values):
        return [math.nan, math.nan]
    return [float(q) for q in np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])]


def _bootstrap(judged: Judged, draws: int, seed: int) -> dict[str, Array]:
    """Return the measures of samples of people, drawn with replacement."""
    people = len(set(judged.subject.tolist()))
    rng = np.random.default_rng(seed)
    return _weighted(judged, rng.multinomial(people, np.full(people, 1 / people), size=draws).astype(float))


def _weighted(judged: Judged, weights: Array) -> dict[str, Array]:
    """Return the measures (draws,) where each window counts as its person does, weights (draws, people)."""
    people, of = np.unique(judged.subject, return_inverse=True)
    k = judged.score.shape[1]
    cells = np.zeros((len(people), k, k))
    np.add.at(cells, (of, judged.truth, judged.said), 1)
    result = _from_confusion(np.tensordot(weights, cells, 1))
    areas = [_areas(judged.truth == c, judged.score[:, c], of, weights) for c in _columns(judged)]
    with np.errstate(invalid="ignore"):
        result["auroc"] = np.mean([area[0] for area in areas], axis=0)
        result["auc_pr"] = np.mean([area[1] for area in areas], axis=0)
    return result


def _from_confusion(counts: Array) -> dict[str, Array]:
    """Return the measures of confusions (draws, classes, classes)."""
    total = counts.sum((1, 2))
    true, said, right = counts.sum(2), counts.sum(1), np.diagonal(counts, axis1=1, axis2=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(true > 0, right / true, 0.0).sum(1) / np.maximum((true > 0).sum(1), 1)
        chance = (true * said).sum(1) / total**2
        agreement = right.sum(1) / total
        kappa = (agreement - chance) / (1 - chance)
        f1 = np.where(true + said > 0, 2 * right / (true + said), 0.0)
    enough = (true > 0).sum(1) > 1
    weighted = (f1 * true).sum(1) / total
    return {
        "balanced_accuracy": np.where(enough, recall, np.nan),
        "kappa": np.where(enough, kappa, np.nan),
        "weighted_f1": np.where(enough, weighted, np.nan),
    }


def _areas(
    positive: npt.NDArray[np.bool_], score: Array, of: npt.NDArray[np.intp], weights: Array
) -> tuple[Array, Array]:
    """Return areas under ROC and precision-recall curves where windows weigh as their person does."""
    order = np.argsort(-score, kind="stable")
    # equal scores are one step of the curves
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    positive, of = positive[order], of[order]
    auroc, auc_pr = np.empty(len(weights)), np.empty(len(weights))
    step = max(_BLOCK // max(len(order), 1), 1)
    for start in range(0, len(weights), step):
        block = slice(start, start + step)
        each = weights[block][:, of]
        hits = np.cumsum(each * positive, axis=1)[:, last]
        false = np.cumsum(each * ~positive, axis=1)[:, last]
        with np.errstate(invalid="ignore", divide="ignore"):
            tpr, fpr = hits / hits[:, -1:], false / false[:, -1:]
            precision = np.where(hits + false > 0, hits / (hits + false), 0.0)
        auroc[block] = np.trapezoid(np.pad(tpr, ((0, 0), (1, 0))), np.pad(fpr, ((0, 0), (1, 0))), axis=1)
        auc_pr[block] = (np.diff(tpr, axis=1, prepend=0.0) * precision).sum(1)
    return auroc, auc_pr
