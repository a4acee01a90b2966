"""All the numbers of a calibration's report, on the scale from 1 to 9 that people rate on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emod_model.calibration.design import Session
from emod_model.calibration.fit import FEWEST_TRIALS, Calibration, calibrate
from emod_model.calibration.head import CentredHead
from emod_model.calibration.interval import ONE_SD
from emod_rt.calibration.verdict import AXES

if TYPE_CHECKING:
    from emod_model.calibration.judge import AxisVerdict
    from emod_rt.calibration.from_recording import CalibrationRun, Quality

Array = npt.NDArray[np.float64]

POINTS = 4.0
"""Points of the scale from 1 to 9 in one unit of valence or arousal."""


@dataclass(frozen=True)
class AxisNumbers:
    """Valence or arousal.

    Attributes
    ----------
    name : str
        "valence" or "arousal".
    verdict : AxisVerdict
        In units of [-1, 1].
    rated, read, general : tuple of float
        Of each trial: what was said, what a fit without it reads, what the model says to everybody; points.
    half_width, half_width_90 : float
        Of the intervals that hold 68 % and 90 %, points.
    courses : tuple of tuple of float
        Smoothed reading along each trial, by a fit without it, points.
    chosen : str
        Method of the profile.
    methods : dict of str to float
        Typical error of each method on trials that it had not seen, points.
    """

    name: str
    verdict: "AxisVerdict"
    rated: tuple[float, ...]
    read: tuple[float, ...]
    general: tuple[float, ...]
    half_width: float
    half_width_90: float
    courses: tuple[tuple[float, ...], ...]
    chosen: str
    methods: dict[str, float]

    @property
    def mean_rating(self) -> float:
        """Average of what was said, points."""
        return float(np.mean(self.rated))


@dataclass(frozen=True)
class Curve:
    """Typical error on unseen trials after the first trials, points.

    Attributes
    ----------
    trials : tuple of int
        How many.
    error, average : tuple of tuple of float
        Of the calibration, and of always saying the average of these trials; valence, arousal.
    """

    trials: tuple[int, ...]
    error: tuple[tuple[float, ...], ...]
    average: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Numbers:
    """What the report is made of.

    Attributes
    ----------
    trials : tuple of int
        Numbers of the trials, as in the session.
    channels : tuple of str
        Electrodes.
    quality : tuple of Quality
        Of the rest, then of each trial.
    axes : tuple of AxisNumbers
        Valence, arousal.
    curve : Curve
        Over the trials.
    """

    trials: tuple[int, ...]
    channels: tuple[str, ...]
    quality: tuple["Quality", ...]
    axes: tuple[AxisNumbers, AxisNumbers]
    curve: Curve


def points(values: Array) -> Array:
    """Return values in [-1, 1] on the scale from 1 to 9."""
    return POINTS * values + 5.0


def numbers_of(run: "CalibrationRun", calibration: Calibration, curve: Curve) -> Numbers:
    """Gather the numbers of a calibration."""
    valence, arousal = (_axis(k, run, calibration) for k in (0, 1))
    return Numbers(
        tuple(trial.number for trial in run.trials),
        run.channels,
        (run.rest, *(trial.quality for trial in run.trials)),
        (valence, arousal),
        curve,
    )


def _axis(k: int, run: "CalibrationRun", calibration: Calibration) -> AxisNumbers:
    judged = calibration.judged

    def scaled(values: Array) -> tuple[float, ...]:
        return tuple(round(float(x), 4) for x in points(values))

    return AxisNumbers(
        AXES[k],
        judged.verdicts[k],
        scaled(run.session.ratings[:, k]),
        scaled(judged.estimates[:, k]),
        scaled(judged.general[:, k]),
        POINTS * calibration.errors[k].half_width(ONE_SD),
        POINTS * calibration.errors[k].half_width(0.9),
        tuple(scaled(trace[:, k]) for trace in judged.traces),
        calibration.chosen[k],
        {name: POINTS * error[k] for name, error in judged.rmse.items()},
    )


def learning_curve(
    session: Session, head: CentredHead | None, done: Callable[[], None] = lambda: None
) -> Curve:
    """Return the error as it would have been after fewer trials, by the methods that take no time.

    Parameters
    ----------
    session : Session
        At least four trials.
    head : CentredHead or None
        The population's.
    done : callable
        Called after each step.
    """
    counts = tuple(range(FEWEST_TRIALS, len(session.trials) + 1))
    error, average = [], []
    for n in counts:
        part = session.first(n)
        verdicts = calibrate(part, head, draws=0, rich=False).judged.verdicts
        error.append([POINTS * verdict.rmse for verdict in verdicts])
        average.append([POINTS * verdict.mean_rmse for verdict in verdicts])
        done()
    return Curve(
        counts,
        tuple(tuple(row) for row in np.array(error).T.tolist()),
        tuple(tuple(row) for row in np.array(average).T.tolist()),
    )
