"""What makes one simulated person differ from the next, drawn once from the seed."""

from dataclasses import dataclass

import numpy as np

from emod_model.simulate.effects import (
    ALPHA_PEAK_HZ,
    ALPHA_PEAK_RANGE_HZ,
    ASYMMETRY_TRAIT_SD,
    RHYTHMS,
)


@dataclass(frozen=True)
class RhythmTraits:
    """One rhythm of one person.

    Attributes
    ----------
    band_hz : tuple of float
        Half-power band, Hz.
    rms_uv : float
        Size at neutral affect at the electrode that sees it best, microvolts.
    valence, arousal : float
        Slopes of the natural log of source power.
    """

    band_hz: tuple[float, float]
    rms_uv: float
    valence: float
    arousal: float


@dataclass(frozen=True)
class Traits:
    """A simulated person's constants.

    Attributes
    ----------
    alpha_hz : float
        Individual alpha peak, Hz.
    exponent : float
        Power of the background falls as 1 / f ** exponent.
    background_uv : float
        Deviation of the background, 1-45 Hz, typical scalp electrode, microvolts.
    conductance : float
        Sharpness of the skull's blur (see `head.leadfield`).
    rhythms : tuple of RhythmTraits
        One a row of `effects.RHYTHMS`.
    blinks_per_min, blink_uv : float
        Rate and size at Fp1 and Fp2.
    gaze_uv : float
        Deviation of horizontal gaze at F8 minus F7 over two.
    muscle_uv, bursts_per_min, burst_uv : float
        Tonic muscle at the temples, and bursts.
    line_hz, line_uv : float
        Mains frequency and typical amplitude.
    """

    alpha_hz: float
    exponent: float
    background_uv: float
    conductance: float
    rhythms: tuple[RhythmTraits, ...]
    blinks_per_min: float
    blink_uv: float
    gaze_uv: float
    muscle_uv: float
    bursts_per_min: float
    burst_uv: float
    line_hz: float
    line_uv: float


def _rhythms(alpha_hz: float, rng: np.random.Generator) -> tuple[RhythmTraits, ...]:
    families: dict[str, tuple[float, float, float]] = {}
    asymmetry = rng.normal(0, ASYMMETRY_TRAIT_SD)
    rows = []
    for rhythm in RHYTHMS:
        draw = rng.standard_normal(3)
        log_power, by_valence, by_arousal = families.setdefault(
            rhythm.family,
            (
                rhythm.trait_sd * draw[0],
                rhythm.valence.mean + rhythm.valence.sd * draw[1],
                rhythm.arousal.mean + rhythm.arousal.sd * draw[2],
            ),
        )
        if rhythm.family == "frontal":
            log_power += rhythm.valence_sign * asymmetry / 2
        low, high = rhythm.band_hz
        shift = alpha_hz if rhythm.own_peak else 0.0
        rows.append(
            RhythmTraits(
                band_hz=(low + shift, high + shift),
                rms_uv=rhythm.rms_uv * float(np.exp(log_power / 2)),
                valence=rhythm.valence_sign * by_valence,
                arousal=by_arousal,
            )
        )
    return tuple(rows)


def draw_traits(seed: np.random.SeedSequence) -> Traits:
    """Draw a person.

    Parameters
    ----------
    seed : numpy.random.SeedSequence
        The same seed, the same person, whatever the montage and rate.

    Returns
    -------
    Traits
    """
    rng = np.random.default_rng(seed)

    def around(median: float, log_sd: float) -> float:
        return float(median * np.exp(log_sd * rng.standard_normal()))

    alpha_hz = float(np.clip(rng.normal(*ALPHA_PEAK_HZ), *ALPHA_PEAK_RANGE_HZ))
    return Traits(
        alpha_hz=alpha_hz,
        exponent=float(rng.normal(1.7, 0.2)),
        background_uv=around(7.5, 0.3),
        conductance=float(np.clip(rng.normal(1.0, 0.03), 0.9, 1.08)),
        rhythms=_rhythms(alpha_hz, rng),
        blinks_per_min=min(around(14.0, 0.5), 40.0),
        blink_uv=around(110.0, 0.3),
        gaze_uv=around(10.0, 0.3),
        muscle_uv=around(1.5, 0.5),
        bursts_per_min=around(1.5, 0.6),
        burst_uv=around(12.0, 0.4),
        line_hz=float(rng.choice([50.0, 60.0])),
        line_uv=around(3.0, 0.8),
    )
