"""Every effect of valence and arousal on the simulated EEG, in one table, and how people differ.

A *slope* is the change of a rhythm's source power, in natural log, for one unit of valence or arousal
(the scale runs from -1 to 1): -0.35 is a power 30 % lower one unit up. Each person draws own slopes from
a normal distribution, so for some people an effect is nearly absent or reversed. Nothing but these
rhythms knows about affect: blinks, muscle, line noise and electrodes are blind to it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Slope:
    """How source log power follows one axis over people: mean and deviation of the slope."""

    mean: float
    sd: float


NONE = Slope(0.0, 0.0)


@dataclass(frozen=True)
class Rhythm:
    """One rhythm of the simulated brain.

    Attributes
    ----------
    name : str
        What it is called in the documentation.
    family : str
        Rhythms of one family share a person's trait and slopes (the two frontal sides).
    sites : tuple of str
        Electrodes over its sources, one dipole each.
    band_hz : tuple of float
        Half-power band; relative to the person's own alpha peak when `own_peak`.
    own_peak : bool
        Whether `band_hz` is relative to the alpha peak.
    rms_uv : float
        Typical size at the electrode that sees it best, microvolts.
    trait_sd : float
        Deviation over people of the natural log of its power.
    shared : float
        Part of the power common to all its sources (0 independent, 1 identical).
    valence, arousal : Slope
        See the module.
    valence_sign : int
        -1 on the side of the head that goes the other way.
    """

    name: str
    family: str
    sites: tuple[str, ...]
    band_hz: tuple[float, float]
    own_peak: bool
    rms_uv: float
    trait_sd: float
    shared: float
    valence: Slope
    arousal: Slope
    valence_sign: Literal[-1, 1] = 1


_POSTERIOR = ("O1", "O2", "POz", "PO3", "PO4", "P3", "P4", "Pz", "P7", "P8")
_FRONTAL = ("AF3", "AF4", "F3", "Fz", "F4", "C3", "Cz", "C4")
_OWN_ALPHA = (-1.0, 1.0)


def _frontal_alpha(side: str, sites: tuple[str, ...], sign: Literal[-1, 1]) -> Rhythm:
    slope = Slope(0.40, 0.20)
    return Rhythm(
        f"{side} frontal alpha", "frontal", sites, _OWN_ALPHA, True, 3.0, 0.4, 0.5, slope, NONE, sign
    )


# name, family, sites, band, around own peak, microvolts, sd over people, shared, valence, arousal
RHYTHMS = (
    Rhythm(
        "posterior alpha", "posterior", _POSTERIOR, _OWN_ALPHA, True, 6.0, 0.8, 0.5, NONE, Slope(-0.35, 0.15)
    ),
    _frontal_alpha("left", ("AF3", "F3", "F7"), -1),
    _frontal_alpha("right", ("AF4", "F4", "F8"), 1),
    Rhythm("mu", "mu", ("C3", "C4"), (-0.5, 1.5), True, 2.0, 0.6, 0.1, NONE, NONE),
    Rhythm("beta", "beta", _FRONTAL, (16.0, 26.0), False, 2.2, 0.4, 0.1, NONE, Slope(0.35, 0.15)),
    Rhythm(
        "midline theta", "theta", ("Fz", "FCz"), (5.0, 7.0), False, 3.0, 0.4, 0.6, NONE, Slope(0.30, 0.15)
    ),
    Rhythm(
        "fast beta", "temporal", ("T7", "T8"), (22.0, 38.0), False, 2.0, 0.4, 0.0, Slope(0.40, 0.20), NONE
    ),
)

ALPHA_PEAK_HZ = (10.0, 1.0)
"""Mean and deviation over people of the individual alpha peak frequency."""

ALPHA_PEAK_RANGE_HZ = (7.5, 12.5)
"""Limits of the individual alpha peak frequency."""

ASYMMETRY_TRAIT_SD = 0.20
"""Deviation over people of the resting ln(right) - ln(left) frontal alpha power at the sources."""
