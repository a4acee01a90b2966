"""The brain's part of the signal: background and rhythms, seen through the head."""

import numpy as np
import numpy.typing as npt

from emod_model.montage import positions
from emod_model.simulate.effects import RHYTHMS
from emod_model.simulate.head import CORTEX_RADIUS, cortex, leadfield, tilted
from emod_model.simulate.noise import ColouredNoise, band_filter, power_law_filter
from emod_model.simulate.traits import Traits

Array = npt.NDArray[np.float64]

N_BACKGROUND = 600
# what the sizes in `effects` refer to, whatever cap is worn
_GAUGE = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)


class Brain:
    """Cortical sources of one person at given electrodes.

    Parameters
    ----------
    traits : Traits
        The person.
    electrodes : numpy.ndarray, shape (channels, 3)
        Where this cap sits, unit sphere.
    sfreq : float
        Hz.
    anatomy, activity : numpy.random.SeedSequence
        Seeds of where sources lie, and of what they do.
    """

    def __init__(
        self,
        traits: Traits,
        electrodes: Array,
        sfreq: float,
        anatomy: np.random.SeedSequence,
        activity: np.random.SeedSequence,
    ) -> None:
        fixed = np.random.default_rng(anatomy)
        self._rng = np.random.default_rng(activity)
        gauge = positions(_GAUGE)
        both = np.concatenate([electrodes, gauge])
        n = len(electrodes)

        where, moments = cortex(N_BACKGROUND, fixed)
        gain = leadfield(both, where, moments, traits.conductance)
        typical = np.sqrt((gain[n:] ** 2).sum(1)).mean()
        # independent dipoles seen through the head: at the electrodes only their covariance is left to know
        covariance = gain[:n] @ gain[:n].T * (traits.background_uv / typical) ** 2
        self._background = np.linalg.cholesky(covariance + 1e-6 * np.eye(n))
        self._colour = ColouredNoise(power_law_filter(traits.exponent, sfreq), n)

        self._mix: list[Array] = []
        self._filters: list[ColouredNoise] = []
        self._slopes: list[tuple[float, float]] = []
        for rhythm, trait in zip(RHYTHMS, traits.rhythms, strict=True):
            unit = positions(rhythm.sites)
            gain = leadfield(both, CORTEX_RADIUS * unit, tilted(unit, fixed, 0.3), traits.conductance)
            # the last column of the mix is what the sources have in common
            share = rhythm.shared
            mix = np.concatenate([gain * np.sqrt(1 - share), gain.sum(1, keepdims=True) * np.sqrt(share)], 1)
            best = np.sqrt((mix[n:] ** 2).sum(1)).max()
            self._mix.append(mix[:n] * trait.rms_uv / best)
            self._filters.append(ColouredNoise(band_filter(trait.band_hz, sfreq), mix.shape[1]))
            self._slopes.append((trait.valence, trait.arousal))

    def block(self, affect: Array) -> Array:
        """Generate the next samples.

        Parameters
        ----------
        affect : numpy.ndarray, shape (n, 2)
            Valence and arousal at each of them.

        Returns
        -------
        numpy.ndarray, shape (channels, n)
            Microvolts against infinity.
        """
        n = len(affect)
        total = _mixed(self._background, self._colour(self._rng.standard_normal((len(self._background), n))))
        for mix, colour, slopes in zip(self._mix, self._filters, self._slopes, strict=True):
            rhythm = colour(self._rng.standard_normal((mix.shape[1], n), dtype=np.float32))
            if any(slopes):
                rhythm *= np.exp(0.5 * (affect @ np.array(slopes)))
            total += _mixed(mix, rhythm)
        return total


def _mixed(weights: Array, rows: Array) -> Array:
    """Multiply (channels, rows) by (rows, n) in pieces: BLAS threads cost more than they give here."""
    step = 64
    parts = [weights @ rows[:, at : at + step] for at in range(0, rows.shape[1], step)]
    return np.concatenate(parts, axis=1)
