"""What is not brain: blinks, gaze, muscle. None of it knows about affect."""

import numpy as np
import numpy.typing as npt

from emod_model.montage import positions
from emod_model.simulate.head import leadfield
from emod_model.simulate.noise import ColouredNoise, band_filter
from emod_model.simulate.traits import Traits

Array = npt.NDArray[np.float64]

_EYES = np.array([[-0.30, 0.80, -0.22], [0.30, 0.80, -0.22]])
_MUSCLES = np.array(
    [[-0.90, 0.40, -0.15], [0.90, 0.40, -0.15], [-0.45, 0.88, 0.10], [0.45, 0.88, 0.10], [0.0, -0.88, -0.45]]
)
_MUSCLE_WIDTH = 0.40


class Overlap:
    """Adds events that outlast the block they begin in."""

    def __init__(self) -> None:
        self._rest = np.zeros(0)

    def block(self, n: int, events: list[tuple[int, Array]]) -> Array:
        """Return the next `n` samples of the sum of all events, given those beginning now.

        Parameters
        ----------
        n : int
            Samples of this block.
        events : list of (int, numpy.ndarray)
            First sample within the block, and shape.
        """
        end = max([n, len(self._rest), *(start + len(shape) for start, shape in events)])
        total = np.zeros(end)
        total[: len(self._rest)] = self._rest
        for start, shape in events:
            total[start : start + len(shape)] += shape
        self._rest = total[n:]
        return total[:n]


def starts(rng: np.random.Generator, per_min: float, n: int, sfreq: float) -> npt.NDArray[np.int64]:
    """Draw where events of a Poisson process begin within a block of `n` samples."""
    count = rng.poisson(per_min / 60 * n / sfreq)
    return np.sort(rng.integers(0, n, count))


class Body:
    """Eyes and muscles of one person at given electrodes.

    Parameters
    ----------
    traits : Traits
        The person.
    electrodes : numpy.ndarray, shape (channels, 3)
        Unit sphere.
    sfreq : float
        Hz.
    seed : numpy.random.SeedSequence
        Of the events.
    """

    def __init__(self, traits: Traits, electrodes: Array, sfreq: float, seed: np.random.SeedSequence) -> None:
        self._rng = np.random.default_rng(seed)
        self._traits = traits
        self._sfreq = sfreq
        up = np.broadcast_to([0.0, 0.35, 0.94], (2, 3))
        aside = np.broadcast_to([1.0, 0.0, 0.0], (2, 3))
        self._blink_map = _topography(electrodes, up, ("Fp1", "Fp2"), (0.5, 0.5))
        self._gaze_map = _topography(electrodes, aside, ("F7", "F8"), (-0.5, 0.5))
        cosine = electrodes @ (_MUSCLES / np.linalg.norm(_MUSCLES, axis=1, keepdims=True)).T
        self._muscle_map = np.exp(-(np.arccos(np.clip(cosine, -1, 1)) ** 2) / (2 * _MUSCLE_WIDTH**2))
        self._muscle = ColouredNoise(band_filter((20.0, 150.0), sfreq), len(_MUSCLES))
        self._blinks = Overlap()
        self._bursts = [Overlap() for _ in _MUSCLES]
        keep = np.exp(-1 / (0.015 * sfreq))
        self._eye = ColouredNoise(np.array([[1 - keep, 0, 0, 1, -keep, 0]]), 1)
        self._gaze = 0.0

    def block(self, n: int) -> Array:
        """Generate the next `n` samples, shape (channels, n), microvolts."""
        eyes = np.outer(self._blink_map, self._blinks.block(n, self._new_blinks(n)))
        eyes += np.outer(self._gaze_map, self._gaze_block(n))
        envelope = np.stack([overlap.block(n, self._new_bursts(n)) for overlap in self._bursts])
        muscle = self._muscle(self._rng.standard_normal((len(_MUSCLES), n), dtype=np.float32))
        total: Array = eyes + self._muscle_map @ (muscle * (self._traits.muscle_uv + envelope))
        return total

    def _new_blinks(self, n: int) -> list[tuple[int, Array]]:
        events = []
        for start in starts(self._rng, self._traits.blinks_per_min, n, self._sfreq):
            length = self._rng.uniform(0.25, 0.40)
            t = np.arange(round(length * self._sfreq)) / (length * self._sfreq)
            # closing is faster than opening
            shape = np.sin(np.pi * t**0.75) ** 2
            events.append((int(start), self._traits.blink_uv * self._rng.uniform(0.7, 1.3) * shape))
        return events

    def _new_bursts(self, n: int) -> list[tuple[int, Array]]:
        events = []
        for start in starts(self._rng, self._traits.bursts_per_min / len(_MUSCLES), n, self._sfreq):
            t = np.linspace(0, 1, round(self._rng.uniform(0.3, 2.0) * self._sfreq))
            size = self._traits.burst_uv * self._rng.uniform(0.5, 2.0)
            events.append((int(start), size * np.sin(np.pi * t) ** 2))
        return events

    def _gaze_block(self, n: int) -> Array:
        """Gaze jumps once a second or so and is held; the eye takes about 40 ms."""
        target = np.empty(n)
        begin = 0
        for start in [*starts(self._rng, 60.0, n, self._sfreq).tolist(), n]:
            target[begin:start] = self._gaze
            begin = start
            if start < n:
                self._gaze = self._traits.gaze_uv * self._rng.standard_normal()
        eye: Array = self._eye(target[None])[0]
        return eye


def _topography(
    electrodes: Array, moments: Array, at: tuple[str, str], weights: tuple[float, float]
) -> Array:
    """Return how both eyes' dipoles look, 1 in the given difference of two electrodes."""
    both = np.concatenate([electrodes, positions(at)])
    seen: Array = leadfield(both, _EYES, np.asarray(moments)).sum(1)
    seen_at = weights[0] * seen[-2] + weights[1] * seen[-1]
    return np.asarray(seen[:-2] / seen_at)
