"""Where electrodes sit, and the mixture of learned vectors that stands for each."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from emod_model.montage.names import PUBLISHED_NAMES, TABLE_ROWS, canonical, canonical_names, table

# Gaussian width on the sphere. 10-10 neighbours are about 18 degrees (0.31 rad) apart: a direct neighbour
# weighs 0.45 of the spot itself, the next one 0.04, so an unseen electrode is a blend of the few around it.
KERNEL_RAD = 0.25


def positions(names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return electrode positions on the unit sphere.

    Parameters
    ----------
    names : sequence of str
        Electrodes, any spelling `canonical` takes.

    Returns
    -------
    numpy.ndarray, shape (channels, 3)
        x right, y front, z up; Cz is (0, 0, 1).

    Raises
    ------
    UsageError
        An unknown electrode.
    """
    return np.array([table()[canonical(name)][:3] for name in names], dtype=np.float64).reshape(-1, 3)


def published_id(name: str) -> int | None:
    """Return the electrode's row of the published table (T3 gives the row of T7), None where it has none.

    Raises
    ------
    UsageError
        An unknown electrode.
    """
    return table()[canonical(name)][3]


def _own_row(name: str) -> int:
    """Return the row of a name as the table spells it, T3 to T6 included; 0 where it has none."""
    key = name.upper()
    return PUBLISHED_NAMES.index(key) + 1 if key in PUBLISHED_NAMES else 0


@cache
def _published() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return ids (n,) and positions (n, 3) of the rows that blends are made of.

    Without T3 to T6, which repeat modern electrodes and are never trained here, and without the ears, which
    in most recordings are the reference and no place on the scalp.
    """
    rows = [
        (row[3], row[:3]) for name, row in table().items() if row[3] is not None and name not in {"A1", "A2"}
    ]
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows])


def spatial_weights(
    names: Sequence[str], *, leave_out_own: bool = False, old_rows: bool = False
) -> npt.NDArray[np.float32]:
    """Return how much of each row of the embedding table stands for each electrode.

    An electrode of the published table is its own row. Any other (AF7, TP9, AFz, ...) blends the published
    rows around it, weighed by a Gaussian of the angle between them, width `KERNEL_RAD`.

    Parameters
    ----------
    names : sequence of str
        Electrodes, no two the same.
    leave_out_own : bool
        Blend published electrodes too, without their own row: teaches the network in training to take blends.
    old_rows : bool
        Give T3 T4 T5 T6 the rows that the published table has for them, and not those of T7 T8 P7 P8; only
        weights of the released layout have ever trained those.

    Returns
    -------
    numpy.ndarray, shape (channels, 72), float32
        Each row sums to 1; columns 0 (masked channel) and 69 to 71 are 0.

    Raises
    ------
    UsageError
        An unknown or repeated electrode.
    """
    electrodes = canonical_names(names, keep_old=old_rows)
    ids, places = _published()
    own = np.array([_own_row(name) for name in electrodes])
    cosine = np.clip(positions(electrodes) @ places.T, -1.0, 1.0)
    exponent = -0.5 * (np.arccos(cosine) / KERNEL_RAD) ** 2
    exponent[own[:, None] == ids[None, :]] = -np.inf
    # The largest exponent is taken off so that a far electrode (an ear lobe) keeps its weights.
    kernel = np.exp(exponent - exponent.max(1, keepdims=True))
    weights = np.zeros((len(electrodes), TABLE_ROWS))
    weights[:, ids] = kernel / kernel.sum(1, keepdims=True)
    if not leave_out_own:
        known = np.flatnonzero(own)
        weights[known] = 0.0
        weights[known, own[known]] = 1.0
    return weights.astype(np.float32)
