"""People who were calibrated in a moment: made-up readings, real fits."""

import numpy as np

from emod_model.calibration.design import Session
from emod_model.calibration.fit import Calibration, calibrate
from emod_model.calibration.profile import Profile
from emod_model.calibration.reading import FUSED, Reading
from emod_model.checkpoint import Model
from tests.emod_rt.doubles import CHANNELS

SIGNS = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])


def reading(rng, truth, start, width, channels=CHANNELS) -> Reading:
    """Windows half a second apart whose fused view holds the truth."""
    n = len(truth)
    views = rng.normal(0, 1, (n, 5, width))
    views[:, FUSED, :2] += 1.5 * truth
    return Reading(
        channels,
        start + 0.5 * np.arange(n),
        views,
        rng.normal(0, 1, (n, len(channels), 5)),
        np.clip(truth + rng.normal(0, 0.3, truth.shape), -1, 1),
    )


def session(seed=1, n=8, worth=(1.0, 1.0), width=32, channels=CHANNELS) -> Session:
    """A calibration whose signal follows each axis `worth` times as much as it should."""
    rng = np.random.default_rng(seed)
    ratings = SIGNS[np.arange(n) % 4] * rng.choice([0.25, 0.5, 0.75, 1.0], (n, 2))
    trials = [
        reading(rng, np.tile(np.array(worth) * rating, (40, 1)), 100.0 + 60 * k, width, channels)
        for k, rating in enumerate(ratings)
    ]
    rest = reading(rng, np.zeros((60, 2)), 0.0, width, channels)
    other = reading(rng, np.zeros((20, 2)), 700.0, width, channels)
    return Session(rest, tuple(trials), ratings, other)


def fitted(model: Model, **what) -> tuple[Session, Calibration]:
    seen = session(width=model.info.network.d_model, **what)
    return seen, calibrate(seen, model.info.centred, draws=39, rich=False)


def profile_for(model: Model, user="ada", simulated=True, **what) -> Profile:
    """A profile that belongs to a model."""
    seen, calibration = fitted(model, **what)
    return Profile.of(
        calibration,
        seen.ratings,
        seen.trials[0].channels,
        model,
        user=user,
        created="2026-11-20T12:00:00Z",
        simulated=simulated,
    )
