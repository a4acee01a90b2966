"""Judge a model, or several as one, on windows of a store."""

from collections.abc import Callable

import numpy as np
import torch

from emod_model.features import Features
from emod_model.finetuning.data import JudgedPlan, LabelledWindows
from emod_model.finetuning.ensemble import Answer
from emod_model.finetuning.figures import affect_figures, class_figures
from emod_model.fitting.windows import features


def judge(says: Callable[[Features], Answer], windows: LabelledWindows) -> dict[str, float]:
    """Return the figures of what is said of windows.

    Parameters
    ----------
    says : callable
        An `Ensemble`, or `partial(answer, model)`.
    windows : LabelledWindows
        Each is seen with all its good channels, as the live path sees it.

    Returns
    -------
    dict of str to float
        Those of classes where any are told apart, those of valence and arousal where any window has a place.
    """
    plan = JudgedPlan(windows)
    parts = [part for first in plan.epoch(0) for part in plan.read(first, np.random.default_rng(0))]
    answers = [says(features(part.seen, windows.store.spec)) for part in parts]
    probabilities, mean, sd = (torch.cat(column).double().numpy() for column in zip(*answers, strict=True))
    label = torch.cat([part.label for part in parts]).numpy()
    point = torch.cat([part.point for part in parts]).double().numpy()
    figures: dict[str, float] = {}
    if probabilities.shape[1]:
        figures |= class_figures(probabilities, label)
    if np.isfinite(point).all(1).any():
        figures |= affect_figures(mean, sd, point)
    return figures
