"""Simulated people who sit through a calibration: rest, rated trials, pauses."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.calibration.design import Session
from emod_model.calibration.reading import leave_out, read
from emod_model.checkpoint import Model, load_checkpoint
from emod_model.montage import canonical_names
from emod_model.signal.windows import Windower
from emod_model.simulate import SimulatedPerson
from emod_model.simulate.noise import ColouredNoise, power_law_filter
from emod_model.training.people import valid_windows

Array = npt.NDArray[np.float64]

SFREQ = 250.0
_QUADRANTS = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])


@dataclass(frozen=True)
class Plan:
    """What a simulated person sits through.

    Attributes
    ----------
    trials : int
        In blocks of four, one of each quadrant, in random order.
    rest_s, trial_s, pause_s : float
        Lengths, s.
    ramp_s : float
        How long feeling takes to follow, s.
    skip_s : float
        Start of a trial that is not read, s: feeling and filter need it.
    rating_sd : float
        How far a rating is off the truth before it is rounded to 1 to 9.
    """

    trials: int = 8
    rest_s: float = 60.0
    trial_s: float = 45.0
    pause_s: float = 8.0
    ramp_s: float = 3.0
    skip_s: float = 6.0
    rating_sd: float = 0.8

    @property
    def seconds(self) -> float:
        """Length of the whole session, s."""
        return self.rest_s + self.trials * (self.trial_s + self.pause_s)

    def start(self, trial: int) -> float:
        """Return when a trial begins, s."""
        return self.rest_s + trial * (self.trial_s + self.pause_s)


class Experience:
    """A trajectory: neutral at rest, then to a point of the plane in every trial and back in the pause."""

    def __init__(self, plan: Plan, points: Array) -> None:
        self._plan = plan
        self._points = points

    def __call__(self, t: npt.ArrayLike) -> Array:
        """Return (..., 2) valence and arousal at times `t`, s."""
        plan = self._plan
        time = np.asarray(t, dtype=np.float64)
        length = plan.trial_s + plan.pause_s
        trial = np.floor((time - plan.rest_s) / length).astype(np.int64)
        inside = (trial >= 0) & (trial < plan.trials)
        trial = np.clip(trial, 0, plan.trials - 1)
        within = time - plan.rest_s - trial * length
        up = np.clip(within / plan.ramp_s, 0, 1)
        down = np.clip((length - within) / plan.pause_s, 0, 1)
        share = 0.5 - 0.5 * np.cos(np.pi * up * down)
        path: Array = np.where(inside[..., None], self._points[trial] * share[..., None], 0.0)
        return path


def points_and_ratings(seed: int, plan: Plan) -> tuple[Array, Array]:
    """Return where a person's trials lie in the plane, and how the person rates them, (trials, 2) each."""
    rng = np.random.default_rng((seed, 77))
    order = np.concatenate([rng.permutation(4) for _ in range(-(-plan.trials // 4))])[: plan.trials]
    points = _QUADRANTS[order] * rng.uniform(0.25, 0.9, (plan.trials, 2))
    said = np.clip(np.round(4 * points + 5 + rng.normal(0, plan.rating_sd, points.shape)), 1, 9)
    return points, (said - 5) / 4


def sit_through(seed: int, channels: Sequence[str], model: Model, plan: Plan, hop_s: float = 1.0) -> Session:
    """Simulate a person's calibration, conditioned as the live path does.

    Parameters
    ----------
    seed : int
        The person.
    channels : sequence of str
        Electrodes.
    model : Model
        Reads the windows.
    plan : Plan
        What the person sits through.
    hop_s : float
        Time between windows, s.
    """
    points, ratings = points_and_ratings(seed, plan)
    person = SimulatedPerson(seed, channels, SFREQ, Experience(plan, points))
    return _sat_through(person.generate, ratings, person.channels, model, plan, hop_s)


def noise_only(seed: int, channels: Sequence[str], model: Model, plan: Plan, hop_s: float = 1.0) -> Session:
    """Return the same with noise of the colour of EEG on every electrode in place of a person."""
    rng = np.random.default_rng((seed, 13))
    colour = ColouredNoise(power_law_filter(1.7, SFREQ), len(channels))

    def generate(n: int) -> npt.NDArray[np.float32]:
        return (15.0 * colour(rng.standard_normal((len(channels), n)))).astype(np.float32)

    ratings = points_and_ratings(seed, plan)[1]
    return _sat_through(generate, ratings, canonical_names(channels), model, plan, hop_s)


def _sat_through(
    generate: Callable[[int], npt.NDArray[np.float32]],
    ratings: Array,
    channels: tuple[str, ...],
    model: Model,
    plan: Plan,
    hop_s: float,
) -> Session:
    """Cut what comes in into rest, trials and what lies between."""
    windower = Windower(model.spec, SFREQ, len(channels), hop_s, channels=channels)
    windows = valid_windows(windower, generate, round(SFREQ), math.ceil(round(plan.seconds * SFREQ) / SFREQ))
    seen = read(model, windows, channels, SFREQ)
    spans = [(plan.start(k) + plan.skip_s, plan.start(k) + plan.trial_s) for k in range(plan.trials)]
    free = seen.t > plan.rest_s
    for start, stop in spans:
        free &= ~((seen.t > start) & (seen.t <= stop))
    at_rest = [window for window in windows if (window.index + 1) / SFREQ <= plan.rest_s]
    return Session(
        seen.between(0.0, plan.rest_s),
        tuple(seen.between(*span) for span in spans),
        ratings,
        seen[free],
        leave_out(model, at_rest, channels),
    )


def _one(seed: int, channels: tuple[str, ...], checkpoint: Path, plan: Plan) -> Session:
    import torch

    torch.set_num_threads(1)
    return sit_through(seed, channels, load_checkpoint(checkpoint), plan)


def sessions_of(
    seeds: Sequence[int],
    channels: Sequence[str],
    checkpoint: Path,
    plan: Plan,
    workers: int = 1,
    done: Callable[[], None] = lambda: None,
) -> list[Session]:
    """Let many people sit through a calibration, in processes; the result does not depend on how many."""
    one = partial(_one, channels=tuple(channels), checkpoint=checkpoint, plan=plan)
    sessions = []
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for session in pool.map(one, seeds):
            sessions.append(session)
            done()
    return sessions
