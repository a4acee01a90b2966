"""Intervals that hold: conformal, from errors on trials that the fit had not seen.

Source: cross-conformal prediction (Vovk 2015) with the population's errors, brought to the person's size, as
further trials, since eight trials alone reach no level above 8/9; adapted online as Gibbs and Candes 2021 do.
The further trials stand in for the unseen one of the textbook, which made intervals of arousal too wide: of
the forms tried on 40 simulated people kept for that, this came nearest to what it promises.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ONE_SD = 0.6827
"""Level of the interval whose half width is told as a standard deviation."""
PRIOR_TRIALS = 2.0
"""How many of a person's own trials the population's errors count as."""
_STEP = 0.05


@dataclass(frozen=True, eq=False)
class Errors:
    """Absolute errors of one axis, each with a weight.

    Attributes
    ----------
    size : numpy.ndarray, shape (errors,)
        Sorted.
    weight : numpy.ndarray, shape (errors,)
        A trial weighs 1 in all.
    """

    size: Array
    weight: Array

    def half_width(self, level: float) -> float:
        """Return how far to either side of an estimate the truth lies with this probability.

        At most 2, the length of the axis.
        """
        reach = level * float(self.weight.sum())
        at = int(np.searchsorted(self.weight.cumsum(), reach - 1e-9))
        return float(self.size[at]) if at < len(self.size) else 2.0


def pool(own: list[Array], population: Array) -> Errors:
    """Join a person's errors with the population's.

    Parameters
    ----------
    own : list of numpy.ndarray
        Absolute errors at the windows of each trial, one array a trial.
    population : numpy.ndarray, shape (quantiles,)
        Evenly spaced quantiles of the absolute error over people; empty where none are known.
    """
    parts = list(own)
    weights = [np.full(len(part), 1.0 / len(part)) for part in own]
    if len(population):
        theirs = float(np.mean([np.mean(part**2) for part in own]))
        usual = float(np.mean(population**2))
        shared = (len(own) * theirs + PRIOR_TRIALS * usual) / (len(own) + PRIOR_TRIALS)
        parts.append(population * np.sqrt(shared / usual))
        weights.append(np.full(len(population), PRIOR_TRIALS / len(population)))
    size, weight = np.concatenate(parts), np.concatenate(weights)
    order = np.argsort(size, kind="stable")
    return Errors(size[order], weight[order])


class Level:
    """The level that is asked for, moved so that what is promised holds while ratings keep coming.

    Parameters
    ----------
    level : float
        Promised share of truths inside.
    """

    def __init__(self, level: float = ONE_SD) -> None:
        self.promised = self.asked = level

    def rated(self, inside: bool) -> None:
        """Take note of a rating, and whether the interval held it."""
        self.asked = min(max(self.asked + _STEP * (self.promised - float(inside)), 0.05), 0.99)
