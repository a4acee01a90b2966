"""Ridge from frozen features to a person's ratings, shrunk towards what the population says."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

PENALTIES = (1000.0, 300.0, 100.0, 30.0)
"""Simplest first."""


def coefficients(linear: Array, used: npt.NDArray[np.bool_], penalty: float) -> Array:
    """Return a ridge as what it does to the residuals of the trials it sees.

    No offset is fitted: trials are balanced over the plane, and an offset learnt from all but one of them
    points away from that one. Rest is where the features, and the correction, are 0.

    Parameters
    ----------
    linear : numpy.ndarray, shape (trials, features)
        Mean features of each trial.
    used : numpy.ndarray, shape (trials,), bool
        Trials that are seen.
    penalty : float
        Weight of the squared coefficients.

    Returns
    -------
    numpy.ndarray, shape (features, trials)
        Times ratings less prior: the coefficients of the correction.
    """
    seen = linear[used]
    weights = np.zeros((linear.shape[1], len(used)))
    weights[:, used] = seen.T @ np.linalg.inv(seen @ seen.T + penalty * np.eye(len(seen)))
    return weights


def fold_operators(linear: Array, used: npt.NDArray[np.bool_], penalty: float) -> Array:
    """Return the matrix from residuals to corrections of all trials for every fit, (fits, trials, trials)."""
    return np.array([linear @ coefficients(linear, mask, penalty) for mask in used])
