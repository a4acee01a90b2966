"""The amplifier's and the electrodes' part: offsets, drift, pops, mains, sensor noise."""

import numpy as np
import numpy.typing as npt

from emod_model.simulate.body import Overlap, starts
from emod_model.simulate.noise import ColouredNoise
from emod_model.simulate.traits import Traits

Array = npt.NDArray[np.float64]

_DRIFT_TAU_S = 30.0
_DRIFT_UV = 30.0
_POPS_PER_MIN = 0.4


class Hardware:
    """Electrodes and amplifier of one recording.

    Parameters
    ----------
    traits : Traits
        The person (mains frequency and amplitude).
    n_channels : int
        Channels.
    sfreq : float
        Hz.
    offset_uv : float
        Deviation of the electrodes' constant offsets, microvolts.
    seed : numpy.random.SeedSequence
        Of everything here.
    """

    def __init__(
        self, traits: Traits, n_channels: int, sfreq: float, offset_uv: float, seed: np.random.SeedSequence
    ) -> None:
        self._rng = np.random.default_rng(seed)
        rng = self._rng
        self._sfreq = sfreq
        self._offset = rng.normal(0, offset_uv, (n_channels, 1))
        self._noise_uv = 0.7 * np.exp(rng.normal(0, 0.4, (n_channels, 1)))
        keep = np.exp(-1 / (_DRIFT_TAU_S * sfreq))
        step = _DRIFT_UV * np.sqrt(1 - keep**2)
        self._drift = ColouredNoise(np.array([[step, 0, 0, 1, -keep, 0]]), n_channels)
        self._pops = [Overlap() for _ in range(n_channels)]
        self._pops_per_min = _POPS_PER_MIN / n_channels
        self._line = _harmonics(traits, n_channels, sfreq, rng)
        self._done = 0

    def block(self, n: int) -> Array:
        """Generate the next `n` samples, shape (channels, n), microvolts."""
        shape = (len(self._offset), n)
        t = (self._done + np.arange(n)) / self._sfreq
        self._done += n
        # the mains wander by some hundredths of a hertz
        cycles = t + 0.002 * np.sin(2 * np.pi * t / 47.0)
        total = self._offset + self._noise_uv * self._rng.standard_normal(shape, dtype=np.float32)
        total += self._drift(self._rng.standard_normal(shape, dtype=np.float32))
        for frequency, amplitude in self._line:
            wave = amplitude[:, None] * np.exp(2j * np.pi * frequency * cycles)
            total += wave.real
        for channel, overlap in enumerate(self._pops):
            total[channel] += overlap.block(n, self._new_pops(n))
        return np.asarray(total, dtype=np.float64)

    def _new_pops(self, n: int) -> list[tuple[int, Array]]:
        events = []
        for start in starts(self._rng, self._pops_per_min, n, self._sfreq):
            tau = self._rng.uniform(0.3, 1.0)
            size = self._rng.choice([-1, 1]) * self._rng.uniform(40, 300)
            t = np.arange(round(5 * tau * self._sfreq)) / self._sfreq
            events.append((int(start), size * np.exp(-t / tau)))
        return events


def _harmonics(
    traits: Traits, n_channels: int, sfreq: float, rng: np.random.Generator
) -> list[tuple[float, npt.NDArray[np.complex128]]]:
    """Complex amplitude of the mains and its third harmonic at each channel; none above half the rate."""
    rows = []
    for harmonic, share in ((1, 1.0), (3, 0.25)):
        size = traits.line_uv * share * np.exp(rng.normal(0, 0.5, n_channels))
        phase = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.4, n_channels)
        if harmonic * traits.line_hz < sfreq / 2:
            rows.append((harmonic * traits.line_hz, size * np.exp(1j * phase)))
    return rows
