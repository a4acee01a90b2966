"""Whether the calibrated reading is better than always this person's mean, and how sure that is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from emod_model.metrics import ccc, rmse

Array = npt.NDArray[np.float64]
Word = Literal["better", "not shown to be better", "worse"]

ALPHA = 0.05
"""Chance of "better" for either axis when ratings have nothing to do with the signal."""
_BOOTSTRAPS = 2000
_LEVEL = 0.9
# sums of squares that should be equal differ by rounding
_ROUNDING = 1e-9


@dataclass(frozen=True)
class AxisVerdict:
    """One axis, judged on trials that the fit had not seen.

    Attributes
    ----------
    word : str
        "better", "not shown to be better" or "worse" than always this person's mean rating.
    ccc, rmse : float
        Of the calibrated reading, over trials.
    mean_rmse : float
        Of always the mean of all the person's ratings; knowing the judged one too, it is hard to beat.
    general_ccc, general_rmse : float
        Of the model as it is for everybody.
    gain : float
        Part of the mean's squared error that is saved; negative when the reading is worse.
    gain_ci : tuple of float
        90 % bootstrap interval over trials.
    p : float
        Share of shuffled ratings with which the whole procedure did as well.
    """

    word: Word
    ccc: float
    rmse: float
    mean_rmse: float
    general_ccc: float
    general_rmse: float
    gain: float
    gain_ci: tuple[float, float]
    p: float


def shuffles(n: int, draws: int, seed: int = 0) -> npt.NDArray[np.intp]:
    """Return the true order of `n` trials, then random ones, shape (1 + draws, n)."""
    rng = np.random.default_rng(seed)
    return np.stack([np.arange(n), *(rng.permutation(n) for _ in range(draws))])


def judge(estimates: Array, ratings: Array, general: Array) -> tuple[AxisVerdict, AxisVerdict]:
    """Judge held-out estimates against the person's mean, the general model, and shuffled ratings.

    Parameters
    ----------
    estimates, ratings : numpy.ndarray, shape (1 + draws, trials, 2)
        The true ones first, then those of the whole procedure on shuffled ratings.
    general : numpy.ndarray, shape (trials, 2)
        What the model says to everybody.

    Returns
    -------
    tuple of AxisVerdict
        Valence, arousal. "better" holds for both together: Holm's correction.
    """
    error = ((estimates - ratings) ** 2).mean(1)
    chance = [float(np.mean(error[:, axis] <= error[0, axis] + 1e-12)) for axis in (0, 1)]
    strict = [chance[axis] <= (ALPHA / 2 if chance[axis] <= chance[1 - axis] else ALPHA) for axis in (0, 1)]
    # Holm: the second claim stands only beside the first
    first = int(np.argmin(chance))
    strict[1 - first] = strict[1 - first] and strict[first]
    valence, arousal = (
        _axis(estimates[0, :, axis], ratings[0, :, axis], general[:, axis], chance[axis], strict[axis])
        for axis in (0, 1)
    )
    return valence, arousal


def _axis(estimate: Array, rating: Array, general: Array, p: float, sure: bool) -> AxisVerdict:
    saved, spent = (estimate - rating) ** 2, (rating.mean() - rating) ** 2
    gain = _gain(saved, spent)
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(rating), (_BOOTSTRAPS, len(rating)))
    gains = [_gain(saved[draw], spent[draw]) for draw in draws if spent[draw].sum() > 0]
    low, high = (float(x) for x in np.quantile(gains or [gain], [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]))
    word: Word = "not shown to be better"
    if sure and gain > _ROUNDING:
        word = "better"
    elif high < -_ROUNDING:
        word = "worse"
    return AxisVerdict(
        word=word,
        ccc=ccc(estimate, rating),
        rmse=rmse(estimate, rating),
        mean_rmse=float(np.sqrt(spent.mean())),
        general_ccc=ccc(general, rating),
        general_rmse=rmse(general, rating),
        gain=gain,
        gain_ci=(low, high),
        p=p,
    )


def _gain(saved: Array, spent: Array) -> float:
    """Return the part of the squared error that is saved; 0 where every rating is the same."""
    total = float(spent.sum())
    return 1.0 - float(saved.sum()) / total if total > 0 else 0.0
