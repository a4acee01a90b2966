"""The published grid: nine levels an axis on [-4, 4], three by three of them a region.

Only to draw batches from and to tell shares: ratings themselves stay the numbers that people gave.
"""

import numpy as np
import numpy.typing as npt

LEVELS = 9
N_REGIONS = 9
_SCALE = 4.0
"""Published coordinates are four times ours."""
_PER_REGION = 3


def level(value: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the nearest of the nine levels, 0 (at -1) to 8 (at 1); half way goes up.

    Parameters
    ----------
    value : array_like
        Valence or arousal, [-1, 1].

    Raises
    ------
    ValueError
        A value that is missing or outside.
    """
    x = np.asarray(value, dtype=np.float64)
    outside = ~(np.abs(x) <= 1.0)
    if outside.any():
        raise ValueError(f"{x[outside].flat[0]} is no valence or arousal in [-1, 1]; project it first")
    return np.floor(_SCALE * x + 0.5).astype(np.int64) + LEVELS // 2


def region(valence: npt.ArrayLike, arousal: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the region, 0 to 8: three times the third of arousal (low first) plus the third of valence.

    Parameters
    ----------
    valence, arousal : array_like
        [-1, 1], shapes that broadcast.

    Raises
    ------
    ValueError
        A value that is missing or outside.
    """
    thirds = LEVELS // _PER_REGION
    return thirds * (level(arousal) // _PER_REGION) + level(valence) // _PER_REGION
