"""A profile at work: one window in, a person's own reading out."""

import numpy as np
import numpy.typing as npt

from emod_model.calibration.centre import Recentring
from emod_model.calibration.fit import predict
from emod_model.calibration.interval import Level
from emod_model.calibration.profile import Profile
from emod_model.calibration.reading import Reading
from emod_model.calibration.span import Span
from emod_model.checkpoint import Model

Array = npt.NDArray[np.float64]

FOLLOW_S = 1800.0
"""Time constant of re-centring, s: gel dries over half an hour, and what is felt for less is left alone."""


class Personal:
    """Reads windows as a profile says.

    Parameters
    ----------
    profile : Profile
        The person's.
    model : Model
        The frozen model that the profile belongs to.
    channels : tuple of str
        Electrodes of the source.

    Raises
    ------
    ModelError
        The profile does not belong to this model, or not to these electrodes.
    """

    def __init__(self, profile: Profile, model: Model, channels: tuple[str, ...]) -> None:
        self.profile = profile
        self._rows = profile.rows_in(model, channels)
        self._scales = profile.scales(model.info.centred)
        self._following = Recentring(profile.centre(), FOLLOW_S)
        self._span = Span(profile.span)
        self._levels = (Level(), Level())

    @property
    def absent(self) -> tuple[str, ...]:
        """Electrodes of the profile that the source does not have."""
        return tuple(name for name, row in zip(self.profile.channels, self._rows, strict=True) if row is None)

    @property
    def made_up_for(self) -> bool:
        """Whether it could be measured at rest what an absent electrode does to the readings."""
        return bool(np.any(self.profile.baseline.without_views))

    @property
    def out_of_range(self) -> bool:
        """Whether the signal has left the calibration's range."""
        return self._span.left

    def reset(self) -> None:
        """Forget what slow change was followed."""
        self._following.reset()

    def read(self, t: float, views: Array, band_db: Array, mean: Array) -> tuple[Array, Array]:
        """Read one valid window.

        Parameters
        ----------
        t : float
            Stream time of its end, s: index over rate.
        views : numpy.ndarray, shape (5, features)
            As `EMOD.views` gives them.
        band_db : numpy.ndarray, shape (channels, 5)
            Of the source's electrodes; NaN where one was bad.
        mean : numpy.ndarray, shape (2,)
            What the model says to everybody.

        Returns
        -------
        mean, sd : numpy.ndarray, shape (2,)
            The person's valence and arousal, and the half width of the interval that holds 68 %.
        """
        own = np.full((len(self._rows), band_db.shape[1]), np.nan)
        for at, row in enumerate(self._rows):
            if row is not None:
                own[at] = band_db[row]
        window = Reading(self.profile.channels, np.array([t]), views[None], own[None], mean[None])
        features = self._scales(self._following.centre.remove(window))
        self._span.update(t, features)
        # what lies out of range is no slow change; following it would hide it
        if not self._span.left:
            self._following.update(window)
        valence, arousal = self.profile.predictors
        value = predict((valence, arousal), features)[0]
        widths = [self.profile.half_width(axis, level.asked) for axis, level in enumerate(self._levels)]
        return value, np.array(widths)

    def rated(self, rating: Array, estimate: Array) -> None:
        """Take note of what the person says now, so that intervals go on to hold."""
        for axis, level in enumerate(self._levels):
            width = self.profile.half_width(axis, level.asked)
            level.rated(inside=bool(abs(rating[axis] - estimate[axis]) <= width))
