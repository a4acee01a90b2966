"""Where a simulated person is in valence and arousal, as a pure function of time."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError

Array = npt.NDArray[np.float64]


class Trajectory(Protocol):
    """Valence and arousal at any time."""

    def __call__(self, t: npt.ArrayLike) -> Array:
        """Return (..., 2) valence and arousal in [-1, 1] at times `t`, s from the first sample."""
        ...


class Wandering:
    """A smooth bounded random process: a squashed Ornstein-Uhlenbeck process, low-passed at 0.1 Hz.

    Drawn by random Fourier features, so it has no state: any time can be asked for in any order.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        The same seed, the same life.
    tau_s : float
        Correlation time, s.
    """

    def __init__(self, seed: int | np.random.SeedSequence, tau_s: float = 25.0) -> None:
        rng = np.random.default_rng(seed)
        n = 48
        # the spectrum of an OU process is a Cauchy law: drawn by inversion between 1/400 and 1/10 Hz
        low, high = (np.arctan(2 * np.pi * tau_s * f) for f in (1 / 400, 1 / 10))
        self._rate = np.tan(rng.uniform(low, high, (2, n))) / tau_s
        self._phase = rng.uniform(0, 2 * np.pi, (2, n))

    def __call__(self, t: npt.ArrayLike) -> Array:
        """Return (..., 2) valence and arousal in (-1, 1) at times `t`, s."""
        time = np.asarray(t, dtype=np.float64)[..., None, None]
        n = self._rate.shape[1]
        gaussian = np.cos(self._rate * time + self._phase).sum(-1) * np.sqrt(2 / n)
        squashed: Array = np.tanh(0.9 * gaussian)
        return squashed


class Trials:
    """Held points of the plane, one after the other and around again, as in an experiment with clips.

    Parameters
    ----------
    points : array_like, shape (trials, 2)
        Valence and arousal of each trial, in [-1, 1].
    trial_s : float
        Length of a trial, s.
    ramp_s : float
        How long feeling takes to follow at each trial's start, s; at most `trial_s`.

    Raises
    ------
    UsageError
        Points that are not pairs in [-1, 1], or times that cannot be.
    """

    def __init__(self, points: npt.ArrayLike, trial_s: float = 30.0, ramp_s: float = 3.0) -> None:
        self._points = np.asarray(points, dtype=np.float64)
        shape = self._points.shape
        if self._points.ndim != 2 or shape[0] == 0 or shape[1] != 2 or not (np.abs(self._points) <= 1).all():
            raise UsageError(
                f"trials are pairs of valence and arousal in [-1, 1], "
                f"got {str(self._points.tolist())[:60]} of shape {shape}; give (trials, 2) within them"
            )
        if not 0 < ramp_s <= trial_s:
            raise UsageError(f"a ramp lies in (0, trial], got {ramp_s} s of {trial_s} s; shorten the ramp")
        self._trial_s = trial_s
        self._ramp_s = ramp_s

    def __call__(self, t: npt.ArrayLike) -> Array:
        """Return (..., 2) valence and arousal at times `t`, s."""
        time = np.asarray(t, dtype=np.float64)
        trial = np.floor(time / self._trial_s).astype(np.int64)
        share = np.clip((time - trial * self._trial_s) / self._ramp_s, 0, 1)[..., None]
        n = len(self._points)
        # the first trial starts where it is: nobody came from another clip
        before = np.where((trial > 0)[..., None], self._points[(trial - 1) % n], self._points[0])
        eased = 0.5 - 0.5 * np.cos(np.pi * share)
        path: Array = before + eased * (self._points[trial % n] - before)
        return path
