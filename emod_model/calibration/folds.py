"""Which trials a fit may see: all but none, one, or two of them, for validation inside validation."""

import itertools
from functools import cached_property

import numpy as np
import numpy.typing as npt


class Folds:
    """All ways to leave out at most two of `n` trials.

    A trial is judged by the fit without it; what that fit's settings are is chosen by the fits without it and
    one more. So every trial is judged by a fit that saw it in no way.

    Parameters
    ----------
    n : int
        Trials.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._left_out = [
            (),
            *((i,) for i in range(n)),
            *itertools.combinations(range(n), 2),
        ]
        self._place = {left: at for at, left in enumerate(self._left_out)}

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self._left_out)

    @cached_property
    def used(self) -> npt.NDArray[np.bool_]:
        """Which trials each fit sees, shape (fits, trials)."""
        mask = np.ones((len(self), self.n), dtype=np.bool_)
        for row, left in enumerate(self._left_out):
            mask[row, list(left)] = False
        return mask

    @cached_property
    def without(self) -> npt.NDArray[np.intp]:
        """Number of the fit without trials i and j, shape (trials, trials); without i alone where i = j."""
        table = np.empty((self.n, self.n), dtype=np.intp)
        for i, j in itertools.product(range(self.n), repeat=2):
            table[i, j] = self._place[(i,) if i == j else (min(i, j), max(i, j))]
        return table
