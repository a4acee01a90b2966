"""A small adapter on the frozen network's views, many fits at once.

Fusing temporal, spectral and spatial views with few parameters is the idea of FACE (arXiv 2503.18998);
learning from unlabelled windows by mixup and pairwise consistency is that of EEGMatch (arXiv 2304.06496).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.calibration.design import Features

Array = npt.NDArray[np.float64]

RANK = 2
STEPS = 20
"""Few and small steps: with eight trials every further one fits noise (measured on simulated people)."""
_RATE = 0.003
_DECAY = 0.3
_CONSISTENCY = 0.03
_SEED = 0


@dataclass(frozen=True, eq=False)
class Adapter:
    """Corrections to the population's answer.

    Each view, less its mean over the calibration, is weighed by the softmax of a linear score, the weighed
    sum is brought to `RANK` numbers, and these to valence and arousal. It moves nobody as a whole: trials
    are balanced over the plane, and an offset learnt from all but one of them points away from that one.

    Attributes
    ----------
    centre : numpy.ndarray, shape (5, features)
    score : numpy.ndarray, shape (5, features)
    down : numpy.ndarray, shape (features, RANK)
    up : numpy.ndarray, shape (RANK, 2)
    """

    centre: Array
    score: Array
    down: Array
    up: Array

    def __call__(self, features: Features) -> Array:
        """Return estimates (windows, 2)."""
        parameters = [_float(part)[None] for part in (self.score, self.down, self.up)]
        with torch.no_grad():
            change = _forward(parameters, _float(features.views - self.centre))[0]
        corrected: Array = features.prior + change.double().numpy()
        return corrected


def fit(
    rows: Features,
    trial: npt.NDArray[np.intp],
    used: npt.NDArray[np.bool_],
    ratings: Array,
    unlabelled: Features | None,
) -> list[Tensor]:
    """Fit one adapter for every set of trials, all in one batch.

    Parameters
    ----------
    rows : Features
        Blocks of the trials.
    trial : numpy.ndarray, shape (rows,), int
        Trial of each block.
    used : numpy.ndarray, shape (fits, trials), bool
        Trials that each fit sees.
    ratings : numpy.ndarray, shape (fits, trials, 2)
        What each fit is told of them.
    unlabelled : Features or None
        Blocks that nobody rated: with them, the fit mixes blocks of different trials and asks that like
        blocks be answered alike.

    Returns
    -------
    list of torch.Tensor
        Parameters, the fits first.
    """
    n_fits, width = len(used), rows.views.shape[-1]
    generator = torch.Generator().manual_seed(_SEED)
    # the same start for every fit: folds then differ by what they see alone
    down = torch.randn(width, RANK, generator=generator).mul(width**-0.5).repeat(n_fits, 1, 1)
    parameters = [torch.zeros(n_fits, 5, width), down, torch.zeros(n_fits, RANK, 2)]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimiser = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    weight = _weights(trial, used)
    target = _float(ratings)[:, trial] - _float(rows.prior)
    # centred on all blocks: what nobody rated may be seen
    centre = rows.views.mean(0)
    views = _float(rows.views - centre)
    extra = None if unlabelled is None else _likeness(rows, unlabelled, centre)
    for _ in range(STEPS):
        if extra is None:
            error = ((_forward(parameters, views) - target) ** 2).sum(-1)
            loss = (weight * error).sum(1)
        else:
            loss = _mixed(parameters, views, target, weight, generator) + _inconsistency(parameters, *extra)
        optimiser.zero_grad()
        # fits share nothing, so the gradient of the sum is that of each
        loss.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return [parameter.detach() for parameter in parameters]


def answers(parameters: list[Tensor], rows: Features) -> Array:
    """Return the estimates of every fit for the rows it was fitted among, shape (fits, rows, 2)."""
    with torch.no_grad():
        change = _forward(parameters, _float(rows.views - rows.views.mean(0)))
    said: Array = rows.prior + change.double().numpy()
    return said


def one_of(parameters: list[Tensor], rows: Features, fit: int) -> Adapter:
    """Return a single fit as numbers."""
    return Adapter(rows.views.mean(0), *(parameter[fit].double().numpy() for parameter in parameters))


def _float(array: Array) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float32))


def _forward(parameters: list[Tensor], views: Tensor) -> Tensor:
    """Map views (rows, 5, features) to corrections (fits, rows, 2)."""
    score, down, up = parameters
    scores = torch.einsum("nvd,fvd->fnv", views, score)
    low = torch.einsum("nvd,fdr->fnvr", views, down)
    fused = torch.einsum("fnv,fnvr->fnr", scores.softmax(-1), low)
    return fused @ up


def _weights(trial: npt.NDArray[np.intp], used: npt.NDArray[np.bool_]) -> Tensor:
    """Return the weight of each row in each fit: every trial that is seen counts the same."""
    size = np.bincount(trial, minlength=used.shape[1])
    weight = used[:, trial] / size[trial]
    return _float(weight / weight.sum(1, keepdims=True))


def _mixed(
    parameters: list[Tensor], views: Tensor, target: Tensor, weight: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the error on mixtures of pairs of rows, Zhang et al. 2018 (mixup)."""
    n = len(views)
    other = torch.randperm(n, generator=generator)
    share = torch.rand(n, generator=generator)
    both = share[:, None, None] * views + (1 - share[:, None, None]) * views[other]
    aim = share[:, None] * target + (1 - share[:, None]) * target[:, other]
    pair = weight * weight[:, other]
    error = ((_forward(parameters, both) - aim) ** 2).sum(-1)
    return (pair * error).sum(1) / pair.sum(1).clamp(min=1e-12)


def _likeness(rows: Features, unlabelled: Features, centre: Array) -> tuple[Tensor, Tensor, Tensor]:
    """Return views, prior and likeness in [0, 1] of all blocks, rated or not."""
    views = _float(np.concatenate([rows.views, unlabelled.views]) - centre)
    prior = _float(np.concatenate([rows.prior, unlabelled.prior]))
    flat = torch.nn.functional.normalize(views.flatten(1), dim=-1)
    alike = (flat @ flat.t()).clamp(min=0.0)
    return views, prior, alike / alike.sum()


def _inconsistency(parameters: list[Tensor], views: Tensor, prior: Tensor, alike: Tensor) -> Tensor:
    """Return how differently like blocks are answered."""
    answer = prior + _forward(parameters, views)
    square = (answer**2).sum(-1)
    apart = square[:, :, None] + square[:, None, :] - 2 * answer @ answer.transpose(1, 2)
    return _CONSISTENCY * (alike * apart).sum((1, 2))
