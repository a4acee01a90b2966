"""Fit the population's head on people who are centred on their own rest, as calibrated people are."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import Progress

from emod_model.calibration.design import Session, baseline
from emod_model.calibration.fit import smooth
from emod_model.calibration.head import CentredHead
from emod_model.calibration.reading import FUSED, Reading
from emod_model.checkpoint import load_checkpoint, save_checkpoint
from emod_model.montage import CYTON
from emod_model.training.montages import MUSE, TEN_TWENTY
from emod_model.training.people import SPLITS
from emod_model.training.sessions import Plan, sessions_of

Array = npt.NDArray[np.float64]

PENALTIES = (10.0, 30.0, 100.0, 300.0, 1000.0)
CAPS = (CYTON, MUSE, TEN_TWENTY)
PLAN = Plan(trials=8, trial_s=30.0, pause_s=5.0)
_FOLDS = 5
_QUANTILES = np.linspace(0.0, 1.0, 41)[1::2]


def fit_head(sessions: Sequence[Session], trained_on: str) -> CentredHead:
    """Fit a ridge from the centred fused view to ratings, its penalty and its errors across people.

    Parameters
    ----------
    sessions : sequence of Session
        Each with rest; one a person, any montage.
    trained_on : str
        Goes into the head.
    """
    trials = [_centred(session) for session in sessions]
    means = [np.array([trial.views[:, FUSED].mean(0) for trial in person]) for person in trials]
    ratings = [session.ratings for session in sessions]
    scale = np.concatenate(means).std(0)
    scaled = [mean / scale for mean in means]
    fold = np.arange(len(sessions)) % _FOLDS

    def without(part: int, penalty: float) -> Array:
        kept = np.flatnonzero(fold != part)
        return _ridge(
            np.concatenate([scaled[k] for k in kept]), np.concatenate([ratings[k] for k in kept]), penalty
        )

    def error(penalty: float) -> float:
        weights = [without(part, penalty) for part in range(_FOLDS)]
        return float(
            np.mean([((x @ weights[fold[k]] - ratings[k]) ** 2).mean() for k, x in enumerate(scaled)])
        )

    penalty = min(PENALTIES, key=error)
    held_out = [without(part, penalty) for part in range(_FOLDS)]
    misses = [
        np.abs(smooth(trial, np.clip((trial.views[:, FUSED] / scale) @ held_out[fold[k]], -1, 1)) - rating)
        for k, person in enumerate(trials)
        for trial, rating in zip(person, ratings[k], strict=True)
    ]
    band_db = np.concatenate([trial.band_db.mean(0) for person in trials for trial in person])
    quantiles = np.quantile(np.concatenate(misses), _QUANTILES, axis=0)
    weights = _ridge(np.concatenate(scaled), np.concatenate(ratings), penalty)
    return CentredHead(
        scale=tuple(scale.tolist()),
        band_scale_db=tuple(band_db.std(0).tolist()),
        weights=tuple((float(v), float(a)) for v, a in weights),
        residuals=(tuple(quantiles[:, 0].tolist()), tuple(quantiles[:, 1].tolist())),
        trained_on=trained_on,
    )


def _centred(session: Session) -> list[Reading]:
    centre = baseline(session)
    return [centre.remove(trial) for trial in session.trials]


def _ridge(x: Array, y: Array, penalty: float) -> Array:
    # no offset: at rest, where the features are 0, the answer is neutral
    return np.asarray(np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y), dtype=np.float64)


def add_head(path: Path, people: int, workers: int, progress: Progress) -> CentredHead:
    """Give a checkpoint its centred head, from simulated people it has not met; the weights stay as they are.

    Parameters
    ----------
    path : pathlib.Path
        The checkpoint, replaced in one step.
    people : int
        For each of the caps in `CAPS`.
    workers : int
        Processes.
    progress : rich.progress.Progress
        Shows how far it is.
    """
    sessions: list[Session] = []
    first = SPLITS["head"]
    for number, cap in enumerate(CAPS):
        seeds = range(first + number * people, first + (number + 1) * people)
        task = progress.add_task(f"people, {len(cap)} electrodes", total=people)
        sessions += sessions_of(seeds, cap, path, PLAN, workers, partial(progress.advance, task))
    told = f"{len(sessions)} simulated people at rest and in {PLAN.trials} trials, on {len(CAPS)} caps"
    head = fit_head(sessions, told)
    model = load_checkpoint(path)
    save_checkpoint(path, model.network, model.info.model_copy(update={"centred": head}))
    return head
