"""A person's own baseline: what is taken off every window, and how it may follow slow change."""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from emod_model.calibration.reading import Reading

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Centre:
    """Mean of a person's features over a baseline.

    Attributes
    ----------
    views : numpy.ndarray, shape (5, features)
    band_db : numpy.ndarray, shape (channels, 5)
        NaN for an electrode that was never good in the baseline.
    mean : numpy.ndarray, shape (2,)
        What the model says to everybody, over the baseline.
    without_views : numpy.ndarray, shape (channels, 5, features)
        How the mean of the views moves when one electrode is left out.
    without_mean : numpy.ndarray, shape (channels, 2)
        How the general estimate moves then.
    """

    views: Array
    band_db: Array
    mean: Array
    without_views: Array
    without_mean: Array

    @classmethod
    def of(cls, baseline: Reading, without: tuple[Array, Array] | None = None) -> Self:
        """Return the centre of a baseline of at least one window.

        Parameters
        ----------
        baseline : Reading
            Rest, as a rule.
        without : tuple of numpy.ndarray, optional
            From `emod_model.calibration.reading.leave_out`; without it no electrode is made up for.
        """
        there = ~np.isnan(baseline.band_db)
        count = there.sum(0)
        total = np.where(there, baseline.band_db, 0.0).sum(0)
        band_db = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        if without is None:
            width = len(band_db)
            without = np.zeros((width, *baseline.views.shape[1:])), np.zeros((width, 2))
        first = cls(np.zeros(baseline.views.shape[1:]), band_db, np.zeros(2), *without)
        level = first.remove(baseline)
        return replace(first, views=level.views.mean(0), mean=level.mean.mean(0))

    def remove(self, reading: Reading) -> Reading:
        """Return the reading with the centre taken off.

        The power of a bad electrode counts as average, and the views are centred as they would be without it.
        """
        absent = np.isnan(reading.band_db).all(-1).astype(np.float64)
        views = reading.views - self.views - np.tensordot(absent, self.without_views, 1)
        mean = reading.mean - self.mean - absent @ self.without_mean
        return Reading(
            reading.channels, reading.t, views, np.nan_to_num(reading.band_db - self.band_db), mean
        )


class Recentring:
    """A centre that follows slow change (drying gel, tiring) and nothing faster.

    A window's weight is 1 - exp(-dt / time constant), dt since the last valid window but at most `LONGEST_S`,
    so that invalid stretches freeze it. What a person feels for as long as the time constant is followed too:
    the price of it.

    Parameters
    ----------
    centre : Centre
        From the calibration.
    time_constant_s : float
        Seconds after which a step has been followed to 63 %.
    """

    LONGEST_S = 5.0

    def __init__(self, centre: Centre, time_constant_s: float) -> None:
        self._first = self._now = centre
        self.time_constant_s = time_constant_s
        self._time: float | None = None

    @property
    def centre(self) -> Centre:
        """Where it is now."""
        return self._now

    def reset(self) -> None:
        """Go back to the calibration's centre."""
        self._now, self._time = self._first, None

    def update(self, window: Reading) -> None:
        """Follow one valid window."""
        time = float(window.t[-1])
        step = 0.0 if self._time is None else min(time - self._time, self.LONGEST_S)
        self._time = time
        weight = -math.expm1(-step / self.time_constant_s)
        off = self._now.remove(window)
        self._now = replace(
            self._now,
            views=self._now.views + weight * off.views[-1],
            band_db=self._now.band_db + weight * off.band_db[-1],
            mean=self._now.mean + weight * off.mean[-1],
        )
