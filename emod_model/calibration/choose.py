"""From cheap to rich: every method on every fold, and the simplest within noise of the best."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.calibration import adapter
from emod_model.calibration.design import Features, Session, blocks, stack
from emod_model.calibration.folds import Folds
from emod_model.calibration.ridge import PENALTIES, fold_operators

Array = npt.NDArray[np.float64]

CANDIDATES = (
    "rest",
    *(f"ridge {penalty:g}" for penalty in PENALTIES),
    "adapter",
    "semi-supervised",
)
"""Simplest first."""
RICH_TRIALS = 16
"""Most trials with which the adapters are tried: their time grows with the third power of the trials."""
_MOST_PAIRS = 100_000_000


@dataclass(frozen=True, eq=False)
class Prepared:
    """A session as the methods take it.

    Attributes
    ----------
    trials : Features
        Mean over each trial's windows, one row a trial.
    rows : Features
        Blocks of 15 s of all trials.
    trial : numpy.ndarray, shape (rows,), int
        Trial of each block.
    unlabelled : Features or None
        Blocks that nobody rated.
    """

    trials: Features
    rows: Features
    trial: npt.NDArray[np.intp]
    unlabelled: Features | None

    @classmethod
    def of(cls, session: Session, trials: list[Features], loose: list[Features]) -> "Prepared":
        """Prepare centred, scaled features: those of each trial, and of rest and everything else."""
        parts = [blocks(reading, part) for reading, part in zip(session.trials, trials, strict=True)]
        others = [
            blocks(reading, part)
            for reading, part in zip((session.rest, session.other), loose, strict=True)
            if len(reading)
        ]
        number = np.repeat(np.arange(len(parts)), [len(part.prior) for part in parts])
        means = stack([part.mean() for part in trials])
        return cls(means, stack(parts), number, stack(others) if others else None)


def every_answer(prepared: Prepared, ratings: Array, folds: Folds, rich: bool = True) -> Array:
    """Return what each candidate says of each trial when it has seen what a fold lets it see.

    Parameters
    ----------
    prepared : Prepared
        The session.
    ratings : numpy.ndarray, shape (draws, trials, 2)
        One set of ratings, or many (for permutations).
    folds : Folds
        Of the trials.
    rich : bool
        Fit the adapters as well, unless there are more than `RICH_TRIALS` trials.

    Returns
    -------
    numpy.ndarray, shape (draws, candidates, fits, trials, 2)
        Trial means of the estimates.
    """
    draws, n = ratings.shape[:2]
    prior = prepared.trials.prior
    residual = ratings - prior
    shape = (draws, len(folds), n, 2)
    result = [np.broadcast_to(prior, shape)]
    for penalty in PENALTIES:
        correct = fold_operators(prepared.trials.linear, folds.used, penalty)
        result.append(prior + np.einsum("fij,djk->dfik", correct, residual))
    if rich and n <= RICH_TRIALS:
        for unlabelled in (None, prepared.unlabelled):
            # long trials would take gigabytes all at once
            rows = len(prepared.trial) + (len(unlabelled.prior) if unlabelled else 0)
            step = max(1, _MOST_PAIRS // (len(folds) * rows**2))
            parts = [ratings[at : at + step] for at in range(0, draws, step)]
            said = [_adapted(prepared, part, folds, unlabelled) for part in parts]
            result.append(np.concatenate(said))
    return np.clip(np.stack(result, axis=1), -1.0, 1.0)


def _adapted(prepared: Prepared, ratings: Array, folds: Folds, unlabelled: Features | None) -> Array:
    """Return what the adapter says of each trial in every fold, shape (draws, fits, trials, 2)."""
    draws, n = ratings.shape[:2]
    used, told = np.tile(folds.used, (draws, 1)), np.repeat(ratings, len(folds), axis=0)
    fitted = adapter.fit(prepared.rows, prepared.trial, used, told, unlabelled)
    said = adapter.answers(fitted, prepared.rows)
    # a trial's answer is the mean over its blocks
    mean = np.stack([said[:, prepared.trial == at].mean(1) for at in range(n)], axis=1)
    return mean.reshape(draws, len(folds), n, 2)


def simplest(errors: Array) -> npt.NDArray[np.intp]:
    """Return the simplest candidate within one standard error of the best.

    Parameters
    ----------
    errors : numpy.ndarray, shape (..., candidates, trials)
        Squared error of each candidate on each trial, simplest candidate first.
    """
    best = np.take_along_axis(errors, errors.mean(-1).argmin(-1)[..., None, None], axis=-2)
    worse = errors - best
    noise = worse.std(axis=-1, ddof=1) / np.sqrt(worse.shape[-1])
    chosen: npt.NDArray[np.intp] = np.argmax(worse.mean(axis=-1) <= noise + 1e-12, axis=-1)
    return chosen


def nested(answers: Array, ratings: Array, folds: Folds) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return what the whole procedure, choice included, says of each trial without having seen it.

    Parameters
    ----------
    answers : numpy.ndarray, shape (draws, candidates, fits, trials, 2)
        From `every_answer`.
    ratings : numpy.ndarray, shape (draws, trials, 2)
        The same ratings.
    folds : Folds
        The same folds.

    Returns
    -------
    estimates : numpy.ndarray, shape (draws, trials, 2)
    chosen : numpy.ndarray, shape (draws, trials, 2), int
        Candidate chosen without each trial, for each axis.
    """
    n = folds.n
    draw, axis = np.ogrid[: len(ratings), :2]
    estimates, chosen = np.empty_like(ratings), np.empty(ratings.shape, dtype=np.intp)
    for i in range(n):
        inner = np.delete(np.arange(n), i)
        said = answers[:, :, folds.without[i, inner], inner]
        chosen[:, i] = _by_axis(said, ratings[:, inner])
        estimates[:, i] = answers[draw, chosen[:, i], folds.without[i, i], i, axis]
    return estimates, chosen


def final_choice(answers: Array, ratings: Array, folds: Folds) -> npt.NDArray[np.intp]:
    """Return the candidates that the profile uses, chosen over all trials, shape (draws, 2)."""
    alone = np.arange(folds.n)
    return _by_axis(answers[:, :, folds.without[alone, alone], alone], ratings)


def _by_axis(said: Array, ratings: Array) -> npt.NDArray[np.intp]:
    """Choose from answers (draws, candidates, trials, 2); shape (draws, 2)."""
    errors = (said - ratings[:, None]) ** 2
    return np.stack([simplest(errors[..., axis]) for axis in (0, 1)], axis=-1)
