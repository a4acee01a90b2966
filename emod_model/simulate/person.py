"""A simulated person: EEG as a stream, with the valence and arousal behind it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError
from emod_model.montage import canonical_names, positions
from emod_model.simulate.body import Body
from emod_model.simulate.brain import Brain
from emod_model.simulate.hardware import Hardware
from emod_model.simulate.traits import Traits, draw_traits
from emod_model.simulate.trajectory import Trajectory, Wandering

MIN_SFREQ = 100.0
_EARS = np.array([[-0.87, -0.10, -0.48], [0.87, -0.10, -0.48]])


class SimulatedPerson:
    """EEG of a person who does not exist, whose valence and arousal are known.

    Parameters
    ----------
    seed : int
        The person. The same seed has the same head, rhythms, slopes and life on any montage and rate.
    channels : sequence of str
        Electrode names, 10-05 system, any number.
    sfreq : float
        Hz, at least 100.
    trajectory : Trajectory, optional
        Valence and arousal over time; `Wandering` from the seed when not given.
    offset_uv : float
        Deviation of the electrodes' constant offsets, microvolts.

    Attributes
    ----------
    seed : int
    channels : tuple of str
    sfreq : float
    traits : Traits
    trajectory : Trajectory
        `trajectory(t)` gives (..., 2) valence and arousal at `t` seconds from the first sample.
    position : int
        Samples generated so far.

    Raises
    ------
    UsageError
        A negative seed, a rate below 100 Hz, unknown or repeated electrodes.
    """

    def __init__(
        self,
        seed: int,
        channels: Sequence[str],
        sfreq: float,
        trajectory: Trajectory | None = None,
        offset_uv: float = 5000.0,
    ) -> None:
        if seed < 0:
            raise UsageError(f"a simulated person's seed is 0 or more, got {seed}; give another, as in sim:7")
        if not MIN_SFREQ <= sfreq <= 20_000:
            raise UsageError(
                f"a simulated person needs a rate from 100 to 20000 Hz, got {sfreq:g}; give one, as 250"
            )
        if not channels:
            raise UsageError("a simulated person needs electrodes, got none; name at least one, as Fz")
        self.seed = seed
        self.channels = canonical_names(channels)
        self.sfreq = float(sfreq)
        of_person, life, anatomy, cap, activity, body, hardware = np.random.SeedSequence(seed).spawn(7)
        self.traits: Traits = draw_traits(of_person)
        self.trajectory: Trajectory = Wandering(life) if trajectory is None else trajectory
        self.position = 0
        # a cap never sits twice on the same place
        exact = positions(self.channels)
        worn = exact + np.random.default_rng(cap).normal(0, 0.02, exact.shape)
        worn /= np.linalg.norm(worn, axis=1, keepdims=True)
        electrodes = np.concatenate([worn, _EARS])
        self._brain = Brain(self.traits, electrodes, self.sfreq, anatomy, activity)
        self._body = Body(self.traits, electrodes, self.sfreq, body)
        self._hardware = Hardware(self.traits, len(worn), self.sfreq, offset_uv, hardware)
        # one block size a rate: what is generated never depends on how it is asked for
        self._block_samples = round(self.sfreq)
        self._generated = 0
        self._left = np.zeros((len(worn), 0), dtype=np.float32)

    def generate(self, n: int) -> npt.NDArray[np.float32]:
        """Generate the next samples; the same bits for any chunking.

        Parameters
        ----------
        n : int
            How many.

        Returns
        -------
        numpy.ndarray, shape (channels, n), float32
            Microvolts against linked ears.
        """
        parts = [self._left]
        have = self._left.shape[1]
        while have < n:
            parts.append(self._block())
            have += self._block_samples
        joined = np.concatenate(parts, axis=1)
        self._left = joined[:, n:]
        self.position += n
        return joined[:, :n]

    def affect(self, sample: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the true valence and arousal at absolute sample indices, shape (..., 2)."""
        return self.trajectory(np.asarray(sample, dtype=np.float64) / self.sfreq)

    def _block(self) -> npt.NDArray[np.float32]:
        n = self._block_samples
        affect = self.affect(self._generated + np.arange(n))
        self._generated += n
        scalp = self._brain.block(affect) + self._body.block(n)
        referenced = scalp[:-2] - scalp[-2:].mean(0)
        return np.asarray(referenced + self._hardware.block(n), dtype=np.float32)
