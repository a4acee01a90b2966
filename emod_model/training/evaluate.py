"""Judge a model on simulated people it has never met, beside always-the-mean and ridge."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from emod_model.metrics import bootstrap_ci, ccc, coverage, rmse
from emod_model.network import EMOD
from emod_model.signal.spec import SignalSpec
from emod_model.training.people import Take
from emod_model.training.predict import predict, smoothed
from emod_model.training.ridge import Ridge, band_features

Array = npt.NDArray[np.float64]

AXES = ("valence", "arousal")


@dataclass(frozen=True)
class Score:
    """One estimator on one cap and one axis.

    Attributes
    ----------
    cap, axis, estimator : str
        What was judged.
    ccc : float
        Concordance over all windows of all people.
    person_ccc : float
        Mean over people of each person's own concordance.
    person_ci : tuple of float
        95 % bootstrap interval of `person_ccc` over people.
    correlation : float
        Pearson's, over all windows; unlike concordance it forgives wrong scale. 0 where nothing varies.
    rmse : float
        Over all windows.
    within : tuple of float or None
        Share of truths within one and within 1.96 standard deviations, where the estimator states one.
    """

    cap: str
    axis: str
    estimator: str
    ccc: float
    person_ccc: float
    person_ci: tuple[float, float]
    correlation: float
    rmse: float
    within: tuple[float, float] | None = None


def score(cap: str, estimator: str, estimates: Sequence[Array], truths: Sequence[Array]) -> list[Score]:
    """Score estimates (windows, 2) of each person against the truths; one row an axis."""
    rows = []
    for number, axis in enumerate(AXES):
        pairs = [(e[:, number], t[:, number]) for e, t in zip(estimates, truths, strict=True)]
        all_e, all_t = (np.concatenate(side) for side in zip(*pairs, strict=True))
        own = np.array([ccc(e, t) for e, t in pairs])
        rows.append(
            Score(
                cap,
                axis,
                estimator,
                ccc(all_e, all_t),
                float(own.mean()),
                bootstrap_ci(own),
                _correlation(all_e, all_t),
                rmse(all_e, all_t),
            )
        )
    return rows


def _correlation(estimate: Array, truth: Array) -> float:
    return 0.0 if np.ptp(estimate) == 0 else float(np.corrcoef(estimate, truth)[0, 1])


def evaluate_cap(
    cap: str, network: EMOD, ridge: Ridge, people: Sequence[Take], spec: SignalSpec, hop_s: float
) -> list[Score]:
    """Judge network and baselines on the windows of test people who wear one cap.

    Parameters
    ----------
    cap : str
        Its name.
    network : EMOD
        In evaluation mode.
    ridge : Ridge
        Fitted on the same cap.
    people : sequence of Take
        Test people.
    spec : SignalSpec
        What the takes were conditioned with.
    hop_s : float
        Time between their windows, s.
    """
    truths = [take.target.astype(np.float64) for take in people]
    estimates = [predict(network, take, spec) for take in people]
    linear = [ridge(band_features(take, take.channels, spec)) for take in people]
    steady = [smoothed(mean, sd, hop_s) for mean, sd in estimates]
    linear_steady = [smoothed(e, np.zeros_like(e), hop_s)[0] for e in linear]
    rows = [
        *score(cap, "always the mean", [np.broadcast_to(ridge.intercept, t.shape) for t in truths], truths),
        *score(cap, "ridge on band powers", linear, truths),
        *_with_coverage(score(cap, "EMOD", [mean for mean, _ in estimates], truths), estimates, truths),
        *score(cap, "ridge, smoothed", linear_steady, truths),
        *_with_coverage(score(cap, "EMOD, smoothed", [mean for mean, _ in steady], truths), steady, truths),
    ]
    return sorted(rows, key=lambda row: AXES.index(row.axis))


def _with_coverage(
    rows: Sequence[Score], estimates: Sequence[tuple[Array, Array]], truths: Sequence[Array]
) -> list[Score]:
    """Add to each axis' row the share of truths within one and within 1.96 standard deviations."""
    mean, sd = (np.concatenate(side) for side in zip(*estimates, strict=True))
    truth = np.concatenate(truths)

    def held(axis: int, width: float) -> float:
        return coverage(mean[:, axis], sd[:, axis], truth[:, axis], width)

    return [replace(row, within=(held(k, 1.0), held(k, 1.96))) for k, row in enumerate(rows)]
