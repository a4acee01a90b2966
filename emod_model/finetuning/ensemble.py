"""Several models as one: the mean of what they say."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from emod_model.checkpoint import Model
from emod_model.errors import ModelError
from emod_model.features import Features


class Answer(NamedTuple):
    """What a model says of windows.

    Attributes
    ----------
    probabilities : torch.Tensor, shape (windows, classes)
        Of each class; no column where it tells none apart.
    mean, sd : torch.Tensor, shape (windows, 2)
        Valence and arousal with their deviation.
    """

    probabilities: Tensor
    mean: Tensor
    sd: Tensor


def answer(model: Model, features: Features) -> Answer:
    """Return what one model says of windows."""
    with torch.no_grad():
        tokens = model.network.tokens(*features)
        mean, sd = model.network.affect(tokens)
        if model.network.classes is None:
            return Answer(mean.new_zeros(len(mean), 0), mean, sd)
        return Answer(model.network.logits(tokens).softmax(-1), mean, sd)


class Ensemble:
    """Models of several seeds or folds, averaged: probabilities, and the mixture of their estimates.

    The deviation is that of the mixture: what each model is unsure of, and what they disagree about.

    Parameters
    ----------
    models : sequence of Model
        With the same signal specification and classes.

    Raises
    ------
    ModelError
        None, or models that differ in signal or classes.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        if not models:
            raise ModelError("an ensemble of no models says nothing; give at least one")
        for model in models[1:]:
            if model.spec != models[0].spec or model.info.labels != models[0].info.labels:
                raise ModelError(
                    f"{model.path} and {models[0].path} differ in their signal or classes; "
                    "an ensemble is of models that were trained alike"
                )
        self.models = tuple(models)

    def __call__(self, features: Features) -> Answer:
        """Return what the models say together."""
        answers = [answer(model, features) for model in self.models]
        means = torch.stack([a.mean for a in answers])
        variance = torch.stack([a.sd**2 for a in answers]).mean(0) + means.var(0, correction=0)
        return Answer(torch.stack([a.probabilities for a in answers]).mean(0), means.mean(0), variance.sqrt())
