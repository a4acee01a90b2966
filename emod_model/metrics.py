"""How good an estimate is: agreement, error, and whether its intervals hold."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def ccc(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Return the concordance correlation coefficient (Lin 1989).

    1 is perfect agreement, 0 none; unlike correlation it also falls with wrong scale and offset.

    Parameters
    ----------
    estimate, truth : array_like, shape (n,)

    Returns
    -------
    float
        0 when neither varies around a common mean, as for an estimate that is always the mean.
    """
    x, y = np.asarray(estimate, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    spread = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    if spread == 0:
        return 0.0
    return float(2 * ((x - x.mean()) * (y - y.mean())).mean() / spread)


def rmse(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Return the root mean square error of estimates (n,) of truths (n,)."""
    x, y = np.asarray(estimate, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    return float(np.sqrt(((x - y) ** 2).mean()))


def coverage(estimate: npt.ArrayLike, sd: npt.ArrayLike, truth: npt.ArrayLike, n_sd: float) -> float:
    """Return the share of truths within `n_sd` standard deviations of their estimate, all of shape (n,)."""
    x, s, y = (np.asarray(a, dtype=np.float64) for a in (estimate, sd, truth))
    return float((np.abs(x - y) <= n_sd * s).mean())


def bootstrap_ci(
    values: npt.ArrayLike,
    statistic: Callable[[Array], float] = lambda sample: float(sample.mean()),
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return a percentile bootstrap interval of a statistic of values (people,), one a person.

    Parameters
    ----------
    values : array_like, shape (people,)
        What is drawn with replacement.
    statistic : callable
        Mean when not given.
    level : float
        Probability of the interval.
    draws : int
        Bootstrap samples.
    seed : int
        Of the draws.

    Returns
    -------
    tuple of float
        Lower and upper end.
    """
    x = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    statistics = [statistic(x[rng.integers(0, len(x), len(x))]) for _ in range(draws)]
    low, high = np.quantile(statistics, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
