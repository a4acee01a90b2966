"""Whether a channel carries what the electrodes around it carry."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emod_model.montage import positions

NEAR_RAD = np.pi / 3
"""Within this angle two electrodes are neighbours: on a 19-electrode cap each has 4 to 7 of them."""
NEIGHBOURS = 3
"""So many make a cap dense; with fewer it cannot be told which of two is wrong."""
OTHERS = 6
"""So many electrodes anywhere on the head still tell something (a Cyton has 7 others)."""
# From the windows of 16 people with 19 electrodes, of their 8 Cyton electrodes alone, and of Muse and
# Insight; beside each the share of them below it, and of windows swapped with another person's signal.
DENSE_POOR, DENSE_BAD = 0.5, 0.35
"""0.4 % of true windows and 99.3 % of swapped ones; PREP asks for 0.4, of windows a third as long."""
SCATTERED_POOR, SCATTERED_BAD = 0.4, 0.22
"""0.1 % and 80 %; of a Fp1 whose Fp2 is dead, 2 %."""
FEW_POOR = 0.15
"""6 % and half: Muse's and Insight's four and five electrodes share so little that none is called bad."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How channels compare with others, one value a channel.

    Attributes
    ----------
    value : numpy.ndarray, shape (channels,)
        Correlation with the electrode that is most like it, 0 to 1, whatever its sign.
    severity : numpy.ndarray, shape (channels,)
        From 0 (as other electrodes at such places are) to 1.
    unlike : numpy.ndarray, shape (channels,), bool
        Whether the channel is too unlike the others to be EEG; nobody is where that holds for most.
    """

    value: npt.NDArray[np.float64]
    severity: npt.NDArray[np.float64]
    unlike: npt.NDArray[np.bool_]


class Neighbours:
    """Compares the channels of one montage.

    Parameters
    ----------
    channels : sequence of str
        Electrode of each row.

    Raises
    ------
    UsageError
        An unknown electrode.
    """

    def __init__(self, channels: Sequence[str]) -> None:
        places = positions(channels)
        near = places @ places.T > np.cos(NEAR_RAD)
        np.fill_diagonal(near, False)
        self._near: npt.NDArray[np.bool_] = near

    def compare(self, window: npt.NDArray[np.float64], living: npt.NDArray[np.bool_]) -> Likeness:
        """Compare every channel with the living ones: its neighbours where it has enough, or all.

        Parameters
        ----------
        window : numpy.ndarray, shape (channels, samples)
            Conditioned microvolts.
        living : numpy.ndarray, shape (channels,), bool
            Channels that nothing else is wrong with; no others are compared with.

        Returns
        -------
        Likeness
        """
        centred = window - window.mean(axis=1, keepdims=True)
        size = np.sqrt((centred**2).sum(axis=1))
        centred /= np.where(size > 0, size, 1.0)[:, None]
        alike = np.abs(centred @ centred.T) * living
        np.fill_diagonal(alike, 0.0)
        dense = (self._near & living).sum(axis=1) >= NEIGHBOURS
        scattered = ~dense & (living.sum() - living >= OTHERS)
        value = np.where(self._near | ~dense[:, None], alike, 0.0).max(axis=1)
        poor = np.select([dense, scattered], [DENSE_POOR, SCATTERED_POOR], FEW_POOR)
        bad = np.select([dense, scattered], [DENSE_BAD, SCATTERED_BAD], 0.0)
        unlike = value < bad
        if 2 * (unlike & living).sum() > living.sum():
            # who is wrong can be told only where most agree; noise everywhere stays poor and is shown
            unlike = np.zeros_like(unlike)
        return Likeness(value, np.clip((poor - value) / (poor - bad), 0.0, 1.0), unlike)
