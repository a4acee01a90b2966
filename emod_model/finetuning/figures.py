"""How good a head is on validation people."""

import numpy as np
import numpy.typing as npt

from emod_model.finetuning.data import NO_CLASS
from emod_model.metrics import ccc, coverage, rmse

Array = npt.NDArray[np.float64]


def class_figures(logits: Array, label: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return kappa and balanced accuracy of logits (windows, classes); windows without class are left out."""
    from sklearn.metrics import cohen_kappa_score, recall_score

    known = label != NO_CLASS
    said, truth = logits[known].argmax(1), label[known]
    numbers = list(range(logits.shape[1]))
    there = np.unique(truth).tolist()
    # agreement by chance is certain where one class alone is there and said
    kappa = 0.0 if len({*there, *said.tolist()}) < 2 else cohen_kappa_score(truth, said, labels=numbers)
    recall = recall_score(truth, said, labels=there, average="macro", zero_division=0.0)
    return {"kappa": float(kappa), "balanced_accuracy": float(recall)}


def affect_figures(mean: Array, sd: Array, point: Array) -> dict[str, float]:
    """Return agreement, error and coverage of estimates (windows, 2); windows without a place left out."""
    known = np.isfinite(point).all(1)
    mean, sd, point = mean[known], sd[known], point[known]
    told = {}
    for number, axis in enumerate(("valence", "arousal")):
        told[f"{axis}_ccc"] = ccc(mean[:, number], point[:, number])
        told[f"{axis}_rmse"] = rmse(mean[:, number], point[:, number])
        told[f"{axis}_within_1sd"] = coverage(mean[:, number], sd[:, number], point[:, number], 1.0)
    return told | {"ccc": (told["valence_ccc"] + told["arousal_ccc"]) / 2}
