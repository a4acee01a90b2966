"""A calibrated person in a run: reads the windows, hears ratings, and says when the signal has changed."""

import re
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError
from emod_rt.calibration.verdict import badge, low_axes
from emod_rt.estimate import Estimate
from emod_rt.markers import Marker

if TYPE_CHECKING:
    from emod_model.calibration.profile import Profile
    from emod_model.checkpoint import Model
    from emod_rt.engine import Inference

Array = npt.NDArray[np.float64]

RESET = "reset baseline"
"""Marker after which the baseline is the calibration's again."""
_RATING = re.compile(r"rating\s+([1-9])\s+([1-9])", re.IGNORECASE)
_RECENT_S = 10.0
# a signal at the edge of the range is not told of every other second
_STEADY_S = 10.0
_MOST_WAITING = 100


class Person:
    """What a profile does while a source runs.

    `read` and `publish` are called by one thread, the others by any.

    Parameters
    ----------
    profile : Profile
        The person's.
    model : Model
        That the profile belongs to.
    channels : tuple of str
        Electrodes of the source.

    Raises
    ------
    ModelError
        The profile does not belong to this model, or not to these electrodes.
    """

    def __init__(self, profile: "Profile", model: "Model", channels: tuple[str, ...]) -> None:
        from emod_model.calibration.personal import Personal

        self.profile = profile
        self._personal = Personal(profile, model, channels)
        self._heard: deque[Marker] = deque(maxlen=_MOST_WAITING)
        self._recent: deque[tuple[float, Array]] = deque(maxlen=1000)
        self._lock = threading.Lock()
        self._told_out = False
        self._since: float | None = None
        self._range = self._rating = ""

    def notes(self) -> tuple[str, ...]:
        """Return one sentence each on what is to be known before the first reading."""
        profile, said = self.profile, []
        if absent := self._personal.absent:
            effect = (
                "that is made up for, and readings are less sure"
                if self._personal.made_up_for
                else "what that does could not be measured at rest, so nothing makes up for it and readings "
                "may be off; calibrate anew with the electrodes of now"
            )
            said.append(
                f"{', '.join(absent)} of the calibration {'is' if len(absent) == 1 else 'are'} absent here; "
                f"{effect}"
            )
        if low := low_axes(profile):
            said.append(
                f"{badge(low)}, not shown to be better than always saying the average of {profile.user} "
                f"(emod-rt profile show {profile.user} says what to do)"
            )
        return tuple(said)

    def notices(self) -> tuple[str, ...]:
        """Return what is to be known now: whether the signal has left the range, and a rating without use."""
        return tuple(sentence for sentence in (self._range, self._rating) if sentence)

    def hear(self, marker: Marker) -> None:
        """Take a marker in; all but ratings ("rating 7 3") and resets are left alone."""
        text = marker.text.strip()
        if _RATING.fullmatch(text) or text.lower() == RESET:
            with self._lock:
                self._heard.append(marker)

    def read(self, stream_time_s: float, inference: "Inference", band_power_db: Array) -> tuple[Array, Array]:
        """Return the person's own valence and arousal of one valid window, and their half widths.

        Parameters
        ----------
        stream_time_s : float
            Absolute sample index over the rate, s.
        inference : Inference
            With the network's views.
        band_power_db : numpy.ndarray, shape (channels, 5)
            Of every electrode of the source; NaN where it was bad.
        """
        assert inference.views is not None
        self.heed()
        value = self._personal.read(stream_time_s, inference.views, band_power_db, inference.mean)
        self._watch(stream_time_s)
        return value

    def publish(self, estimate: Estimate) -> None:
        """Take note of what was said, for the ratings that follow."""
        if estimate.valence is not None and estimate.arousal is not None:
            self._recent.append((estimate.t, np.array([estimate.valence, estimate.arousal])))

    def heed(self) -> None:
        """Act on what was heard: before each window, and once after the last."""
        while True:
            with self._lock:
                if not self._heard:
                    return
                marker = self._heard.popleft()
            if found := _RATING.fullmatch(marker.text.strip()):
                self._take(marker.t, (np.array([float(found[1]), float(found[2])]) - 5) / 4)
            else:
                self._personal.reset()

    def _take(self, t: float, rating: Array) -> None:
        """Compare a rating with what was said when it was given."""
        said = [value for at, value in self._recent if t - _RECENT_S <= at <= t]
        if said:
            self._personal.rated(rating, said[-1])
            self._rating = ""
        else:
            self._rating = (
                f"The rating at {t:.0f} s counts for nothing, as nothing could be read in the "
                f"{_RECENT_S:.0f} s before it."
            )

    def _watch(self, now: float) -> None:
        """Say once that the signal has left the calibration's range, and when it is back."""
        out = self._personal.out_of_range
        if out == self._told_out:
            self._since = None
            return
        self._since = now if self._since is None else self._since
        if now - self._since < _STEADY_S:
            return
        self._told_out, self._since = out, None
        when, user = f"{int(now) // 60}:{int(now) % 60:02d}", self.profile.user
        if out:
            self._range = (
                f"Since {when} the signal is unlike anything in the calibration of {user}, so readings may "
                "be off: press the electrodes on, then reset the baseline, or calibrate anew."
            )
        else:
            self._range = f"Since {when} the signal is within the range of the calibration of {user} again."


def load_profile(user: str, model: "Model", channels: Sequence[str] | None = None) -> "Profile":
    """Read a user's profile and see, as far as it can be seen yet, that it fits.

    Parameters
    ----------
    user : str
        Whose.
    model : Model
        That will read the signal.
    channels : sequence of str, optional
        Electrodes, where they are known before the source is open.

    Raises
    ------
    UsageError
        Nobody of this name is calibrated here, or an electrode is unknown.
    InputFileError
        The profile is damaged.
    ModelError
        It belongs to another model, or to other electrodes.
    """
    from emod_model.montage import canonical_names
    from emod_rt.calibration.store import load

    profile = load(user)
    profile.rows_in(model, profile.channels if channels is None else canonical_names(channels))
    if len(profile.view_sd[0]) != model.info.network.d_model:
        raise InputFileError(
            f"the profile of {user} has {len(profile.view_sd[0])} features where its model has "
            f"{model.info.network.d_model}; calibrate anew"
        )
    return profile
