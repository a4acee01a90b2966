"""Windows of simulated people, conditioned by the very code that conditions a live stream."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Window, Windower
from emod_model.simulate import SimulatedPerson, Trajectory, Trials
from emod_model.training.montages import RATES

SPLITS = {
    "train": 1_000_000,
    "validation": 2_000_000,
    "test": 3_000_000,
    "head": 4_000_000,
    "development": 6_000_000,
    "calibration": 7_000_000,
}
"""First seed of the people of each split; a split never holds a million.

Those from 5,000,000 on were test people of calibration until its intervals were changed in sight of them.
"""


@dataclass(frozen=True, eq=False)
class Take:
    """The valid windows of one simulated person.

    Attributes
    ----------
    seed : int
        The person.
    channels : tuple of str
        Electrodes.
    eeg : numpy.ndarray, shape (windows, channels, samples), float32
        Microvolts, average-referenced over the good channels; 0 where a channel was bad.
    good : numpy.ndarray, shape (windows, channels), bool
        Which channels the conditioner let through.
    target : numpy.ndarray, shape (windows, 2), float32
        True valence and arousal, averaged over the window.
    """

    seed: int
    channels: tuple[str, ...]
    eeg: npt.NDArray[np.float32]
    good: npt.NDArray[np.bool_]
    target: npt.NDArray[np.float32]


def people_of(split: str, n: int) -> range:
    """Return the seeds of the first `n` people of a split ("train", "validation", "test")."""
    return range(SPLITS[split], SPLITS[split] + n)


Life = Callable[[int], Trajectory]
"""From a person's seed to what the person goes through."""


def nine_clips(seed: int) -> Trials:
    """Show a person nine clips, one from each ninth of the plane, in random order, 10 s each.

    In a life of its own, a person's few minutes lean to one side of the plane, and a network learns to
    recognise the person instead of the feeling. Here who it is says nothing of what is felt.
    """
    rng = np.random.default_rng((seed, 9))
    ninths = rng.permutation([(v, a) for v in (-2, 0, 2) for a in (-2, 0, 2)])
    return Trials((ninths + rng.uniform(-1, 1, (9, 2))) / 3, trial_s=10.0, ramp_s=2.0)


def valid_windows(
    windower: Windower, generate: Callable[[int], npt.NDArray[np.float32]], step: int, steps: int
) -> list[Window]:
    """Cut the windows that the live path would estimate from what comes in.

    Parameters
    ----------
    windower : Windower
        Nothing pushed yet.
    generate : callable
        Gives the next so many samples, (channels, samples).
    step : int
        Samples a chunk.
    steps : int
        Chunks.
    """
    windows: list[Window] = []
    for first in range(0, steps * step, step):
        windows += [window for window in windower.push(first, generate(step)) if window.eeg is not None]
    return windows


def record(
    seed: int,
    channels: Sequence[str],
    seconds: float,
    spec: SignalSpec,
    hop_s: float,
    *,
    sfreq: float | None = None,
    life: Life | None = None,
) -> Take:
    """Simulate a person and cut the windows that the live path would estimate.

    Parameters
    ----------
    seed : int
        The person.
    channels : sequence of str
        Electrodes.
    seconds : float
        Length of the recording, s.
    spec : SignalSpec
        Conditioning and windows.
    hop_s : float
        Time between windows, s.
    sfreq : float, optional
        Rate, Hz; one of `RATES` by the seed when not given.
    life : callable, optional
        From the seed to what the person goes through; left to wander when not given.

    Returns
    -------
    Take
    """
    rate = RATES[seed % len(RATES)] if sfreq is None else sfreq
    person = SimulatedPerson(seed, channels, rate, life and life(seed))
    windower = Windower(spec, rate, len(person.channels), hop_s, person.channels)
    step = round(rate)
    windows = valid_windows(windower, person.generate, step, round(seconds * rate) // step)
    shape = (len(windows), len(person.channels))
    eeg = np.zeros((*shape, spec.window_samples), dtype=np.float32)
    good = np.zeros(shape, dtype=np.bool_)
    for row, window in enumerate(windows):
        good[row, window.good] = True
        eeg[row, window.good] = window.eeg
    ends = np.array([w.index for w in windows], dtype=np.float64)
    within = ((np.arange(12) + 0.5) / 12 - 1) * spec.window_s * rate
    target = person.affect(ends[:, None] + within).mean(1)
    return Take(seed, person.channels, eeg, good, target.astype(np.float32))


def record_people(
    seeds: Sequence[int],
    channels: Sequence[str],
    seconds: float,
    spec: SignalSpec,
    hop_s: float,
    *,
    life: Life | None = None,
    workers: int = 1,
    done: Callable[[], None] = lambda: None,
) -> list[Take]:
    """Record many people, in processes; the result does not depend on how many.

    Parameters
    ----------
    seeds, channels, seconds, spec, hop_s, life
        As `record` takes them.
    workers : int
        Processes; 1 stays in this one.
    done : callable
        Called after each person, for a progress bar.
    """
    one = partial(record, channels=tuple(channels), seconds=seconds, spec=spec, hop_s=hop_s, life=life)
    takes = []
    if workers == 1:
        for seed in seeds:
            takes.append(one(seed))
            done()
        return takes
    # forking a process that has threads (torch) can hang
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for take in pool.map(one, seeds):
            takes.append(take)
            done()
    return takes
