"""A calibration from beginning to end: fitted on all trials, judged on each without it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.calibration.centre import Centre
from emod_model.calibration.choose import CANDIDATES, Prepared, every_answer, final_choice, nested
from emod_model.calibration.design import Features, Scales, Session, baseline, scales, stack
from emod_model.calibration.folds import Folds
from emod_model.calibration.head import CentredHead
from emod_model.calibration.interval import Errors, pool
from emod_model.calibration.judge import AxisVerdict, judge, shuffles
from emod_model.calibration.predictor import Predictor, fit_candidate
from emod_model.calibration.reading import Reading
from emod_model.calibration.span import distance
from emod_model.errors import UsageError
from emod_model.smoothing import Smoother

Array = npt.NDArray[np.float64]

FEWEST_TRIALS = 4
DRAWS = 99
"""Shufflings of the ratings that the verdict's p rests on."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What came out on trials that the fit had not seen.

    Attributes
    ----------
    verdicts : tuple of AxisVerdict
        Valence, arousal.
    estimates : numpy.ndarray, shape (trials, 2)
        Mean reading of each trial by a fit without it.
    general : numpy.ndarray, shape (trials, 2)
        What the model says to everybody.
    traces : tuple of numpy.ndarray, each (windows, 2)
        Smoothed readings within each trial, by a fit without it.
    rmse : dict of str to tuple of float
        Held-out error of each candidate, valence and arousal.
    """

    verdicts: tuple[AxisVerdict, AxisVerdict]
    estimates: Array
    general: Array
    traces: tuple[Array, ...]
    rmse: dict[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Calibration:
    """A person's own reading.

    Attributes
    ----------
    centre : Centre
        The baseline that is taken off.
    scales : Scales
        What brings features to size.
    chosen : tuple of str
        Candidate for valence, for arousal.
    predictors : tuple of Predictor
        The same, fitted on all trials.
    errors : tuple of Errors
        What intervals rest on, valence and arousal.
    span : float
        99 % quantile of how far the calibration's windows lie from the baseline.
    judged : Judged
        What it is worth.
    """

    centre: Centre
    scales: Scales
    chosen: tuple[str, str]
    predictors: tuple[Predictor, Predictor]
    errors: tuple[Errors, Errors]
    span: float
    judged: Judged


def calibrate(
    session: Session, head: CentredHead | None, *, draws: int = DRAWS, rich: bool = True
) -> Calibration:
    """Adapt a model to a person, and judge what came of it.

    Parameters
    ----------
    session : Session
        At least four rated trials.
    head : CentredHead or None
        The population's, from the checkpoint.
    draws : int
        Shufflings for the verdict.
    rich : bool
        Try the adapters as well.

    Raises
    ------
    UsageError
        Fewer than four trials.
    """
    n = len(session.trials)
    if n < FEWEST_TRIALS:
        raise UsageError(
            f"{n} rated trials are too few to calibrate and to judge; "
            f"give {FEWEST_TRIALS} or more, best eight"
        )
    centre = baseline(session)
    scale = scales(session, centre, head)
    trials = [scale(centre.remove(trial)) for trial in session.trials]
    loose = [scale(centre.remove(part)) for part in (session.rest, session.other)]
    prepared = Prepared.of(session, trials, loose)
    folds = Folds(n)
    ratings = session.ratings[shuffles(n, draws)]
    answers = every_answer(prepared, ratings, folds, rich)
    estimates, chosen = nested(answers, ratings, folds)
    final = final_choice(answers[:1], ratings[:1], folds)[0]
    traces = _traces(session, trials, prepared, chosen[0], folds)
    general = np.array([trial.mean.mean(0) for trial in session.trials])
    everyone = np.ones(n, dtype=np.bool_)
    valence, arousal = (fit_candidate(int(number), prepared, session.ratings, everyone) for number in final)
    every_window = stack([*trials, *(part for part in loose if len(part.prior))])
    return Calibration(
        centre=centre,
        scales=scale,
        chosen=(CANDIDATES[final[0]], CANDIDATES[final[1]]),
        predictors=(valence, arousal),
        errors=_errors(traces, session.ratings, head),
        span=float(np.quantile(distance(every_window), 0.99)),
        judged=Judged(
            verdicts=judge(estimates, ratings, general),
            estimates=estimates[0],
            general=general,
            traces=tuple(traces),
            rmse=_by_candidate(answers[0], session.ratings, folds),
        ),
    )


def predict(predictors: tuple[Predictor, Predictor], features: Features) -> Array:
    """Return readings (windows, 2) in [-1, 1], not smoothed."""
    both = [predictor(features)[:, axis] for axis, predictor in enumerate(predictors)]
    return np.clip(np.stack(both, axis=1), -1.0, 1.0)


def smooth(reading: Reading, values: Array) -> Array:
    """Smooth the readings of one stretch as the live path does."""
    smoother = Smoother()
    none = np.zeros(2)
    return np.array([smoother.update(t, value, none)[0] for t, value in zip(reading.t, values, strict=True)])


def _traces(
    session: Session,
    trials: list[Features],
    prepared: Prepared,
    chosen: npt.NDArray[np.intp],
    folds: Folds,
) -> list[Array]:
    """Return the smoothed readings within each trial by the procedure that has not seen it."""
    traces = []
    for i, (reading, features) in enumerate(zip(session.trials, trials, strict=True)):
        used = folds.used[folds.without[i, i]]
        valence, arousal = (
            fit_candidate(int(chosen[i, axis]), prepared, session.ratings, used) for axis in (0, 1)
        )
        traces.append(smooth(reading, predict((valence, arousal), features)))
    return traces


def _errors(traces: list[Array], ratings: Array, head: CentredHead | None) -> tuple[Errors, Errors]:
    """Return what intervals rest on: how far off each trial's readings are, and the population's."""
    valence, arousal = (
        pool(
            [np.abs(trace[:, axis] - ratings[k, axis]) for k, trace in enumerate(traces)],
            np.array(head.residuals[axis]) if head else np.zeros(0),
        )
        for axis in (0, 1)
    )
    return valence, arousal


def _by_candidate(answers: Array, ratings: Array, folds: Folds) -> dict[str, tuple[float, float]]:
    alone = np.arange(folds.n)
    said = answers[:, folds.without[alone, alone], alone]
    error = np.sqrt(((said - ratings) ** 2).mean(1))
    return {name: (float(row[0]), float(row[1])) for name, row in zip(CANDIDATES, error, strict=False)}
