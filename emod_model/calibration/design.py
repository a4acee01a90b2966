"""A calibration session as numbers that every method learns from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from emod_model.calibration.centre import Centre
from emod_model.calibration.head import CentredHead
from emod_model.calibration.reading import FUSED, Reading, join

Array = npt.NDArray[np.float64]

BLOCK_S = 15.0
"""Windows overlap; methods that learn step by step see means over blocks of this length."""
_USUAL_CHANNELS = 8
# what did not move while one calibrated may move later; taken for its own size, it would drown the rest
_LEAST_OF_VIEW = 0.1
_LEAST_BAND_DB = 0.3
_STANDS_STILL = 1e-6


@dataclass(frozen=True, eq=False)
class Session:
    """What was recorded of a person.

    Attributes
    ----------
    rest : Reading
        Windows at rest; empty when it was skipped.
    trials : tuple of Reading
        Valid windows of each trial, at least one in each.
    ratings : numpy.ndarray, shape (trials, 2)
        Valence and arousal in [-1, 1].
    other : Reading
        Windows that belong to no trial and no rest: nobody says what they mean.
    without : tuple of numpy.ndarray or None
        How an absent electrode moves the views, from `leave_out`.
    """

    rest: Reading
    trials: tuple[Reading, ...]
    ratings: Array
    other: Reading
    without: tuple[Array, Array] | None = None

    def first(self, n: int) -> "Session":
        """Return the session as if it had ended after `n` trials."""
        return replace(self, trials=self.trials[:n], ratings=self.ratings[:n])


@dataclass(frozen=True, eq=False)
class Features:
    """Centred, scaled windows.

    Attributes
    ----------
    prior : numpy.ndarray, shape (windows, 2)
        What the population's head says of them.
    linear : numpy.ndarray, shape (windows, features)
        Fused view and band power, each block of unit size, for ridge regression.
    views : numpy.ndarray, shape (windows, 5, features)
        For the adapter.
    """

    prior: Array
    linear: Array
    views: Array

    def mean(self) -> "Features":
        """Return the mean over the windows, shape (1, ...) each."""
        return Features(*(part.mean(0, keepdims=True) for part in (self.prior, self.linear, self.views)))


@dataclass(frozen=True, eq=False)
class Scales:
    """How centred features are brought to a common size, and what the population makes of them.

    Without a centred head (a model of somebody else's), the centred general estimate is the prior and the
    session's own deviations are the scales.
    """

    head: CentredHead | None
    view_sd: Array
    band_sd_db: Array

    def __call__(self, centred: Reading) -> Features:
        """Return the features of windows with the centre taken off."""
        views = centred.views / self.view_sd
        n, channels, bands = centred.band_db.shape
        band = (centred.band_db / self.band_sd_db).reshape(n, channels * bands)
        # band power weighs the same on four electrodes as on nineteen
        band = band * np.sqrt(_USUAL_CHANNELS / channels)
        prior = centred.mean if self.head is None else self.head(centred.views[:, FUSED])
        return Features(np.clip(prior, -1.0, 1.0), np.concatenate([views[:, FUSED], band], axis=1), views)


def baseline(session: Session) -> Centre:
    """Return the person's centre: rest where there is one, else all windows of the session, trials alike."""
    return Centre.of(session.rest if len(session.rest) else join(session.trials), session.without)


def scales(session: Session, centre: Centre, head: CentredHead | None) -> Scales:
    """Return the scales for a session; labels play no part."""
    everything = centre.remove(join([session.rest, *session.trials, session.other]))
    view_sd = _floored(everything.views.std(0))
    if head is not None:
        view_sd[FUSED] = np.array(head.scale)
        return Scales(head, view_sd, np.array(head.band_scale_db))
    band_sd_db = everything.band_db.reshape(-1, everything.band_db.shape[-1]).std(0)
    return Scales(None, view_sd, np.maximum(band_sd_db, _LEAST_BAND_DB))


def _floored(view_sd: Array) -> Array:
    """Take no feature for smaller than a tenth of what is usual in its view; 1 where all stand still."""
    usual = np.median(view_sd, axis=1, keepdims=True)
    return np.maximum(view_sd, np.where(usual > _STANDS_STILL, _LEAST_OF_VIEW * usual, 1.0))


def blocks(reading: Reading, features: Features) -> Features:
    """Return the means over blocks of 15 s."""
    number = np.floor((reading.t - reading.t[0]) / BLOCK_S).astype(int) if len(reading) else np.zeros(0, int)
    groups = [number == at for at in np.unique(number)]
    return Features(
        *(
            np.array([part[group].mean(0) for group in groups]).reshape(-1, *part.shape[1:])
            for part in (features.prior, features.linear, features.views)
        )
    )


def stack(parts: Sequence[Features]) -> Features:
    """Return several sets of windows as one."""
    return Features(
        np.concatenate([part.prior for part in parts]),
        np.concatenate([part.linear for part in parts]),
        np.concatenate([part.views for part in parts]),
    )
