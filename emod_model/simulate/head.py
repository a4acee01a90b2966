"""A spherical head: electric potential of cortical dipoles on the scalp, in closed form."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Berg-Scherg equivalent of four shells (radii 0.90 0.92 0.97 1, conductivities 0.33 1 0.004 0.33 S/m),
# the values that MNE-Python's make_sphere_model fits; a test holds this file to MNE's own forward solution.
_BERG_MU = (0.94506813, 0.66799741, -0.29157942)
_BERG_LAMBDA = (0.41332073, 2.07291725, -0.03057252)

CORTEX_RADIUS = 0.82
"""Depth of the simulated cortex, fraction of the head radius."""


def _homogeneous(electrodes: Array, position: Array) -> Array:
    """Gain (electrodes, sources, 3) on the surface of a homogeneous unit sphere."""
    r = electrodes[:, None, :]
    q = position[None, :, :]
    distance = r - q
    d = np.linalg.norm(distance, axis=-1)
    q2 = np.maximum((q**2).sum(-1), 1e-12)
    rq = (r * q).sum(-1)
    d_dot_q = (distance * q).sum(-1)
    f = d * (d + 1.0 - rq)
    c1 = (2 * d_dot_q / d**3 + 1 / d - 1) / q2
    c2 = (2 / d**3 + (d + 1) / f) / q2
    gain: Array = (c1 - c2 * rq)[..., None] * q + (c2 * q2)[..., None] * r
    return gain


def leadfield(electrodes: Array, positions: Array, moments: Array, conductance: float = 1.0) -> Array:
    """Potential of dipoles at electrodes, four-shell sphere.

    Parameters
    ----------
    electrodes : numpy.ndarray, shape (channels, 3)
        On the unit sphere (x right, y front, z up).
    positions : numpy.ndarray, shape (sources, 3)
        Fractions of the head radius, inside the inner skull (0.90).
    moments : numpy.ndarray, shape (sources, 3)
        Dipole moments.
    conductance : float
        Around 1; larger sharpens every source's topography (a thinner skull), smaller blurs it.

    Returns
    -------
    numpy.ndarray, shape (channels, sources)
        Potential in arbitrary units, the same for all sources.
    """
    total = np.zeros((len(electrodes), len(positions)))
    for mu, weight in zip(_BERG_MU, _BERG_LAMBDA, strict=True):
        gain = _homogeneous(electrodes, mu * conductance * positions)
        total += weight * (gain * moments[None]).sum(-1)
    return total / (4 * np.pi * 0.33)


def cortex(n_dipoles: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Spread dipoles evenly over the upper four fifths of the cortex, tilted at random from the radius.

    Returns
    -------
    positions, moments : numpy.ndarray, shape (n_dipoles, 3)
    """
    k = np.arange(n_dipoles) + 0.5
    z = 1 - k * (1.6 / n_dipoles)
    angle = k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - z**2)
    unit = np.stack([flat * np.cos(angle), flat * np.sin(angle), z], axis=1)
    return CORTEX_RADIUS * unit, tilted(unit, rng)


def tilted(unit: Array, rng: np.random.Generator, spread: float = 0.6) -> Array:
    """Return unit moments around the outward radius, as cortical folding tilts them.

    Parameters
    ----------
    unit : numpy.ndarray, shape (n, 3)
        Outward directions.
    rng : numpy.random.Generator
        Source of the tilt.
    spread : float
        Standard deviation of each component added to the radius; 0 is radial.
    """
    moments: Array = unit + rng.normal(0, spread, unit.shape)
    moments /= np.linalg.norm(moments, axis=1, keepdims=True)
    return moments
