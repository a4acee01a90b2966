"""What an exported file says of itself: the model's card, the meaning of every input and output."""

import json
import math
from fractions import Fraction
from typing import Any

from emod_model.checkpoint import Model
from emod_model.export.graph import ELECTRODES
from emod_model.features.extract import MAX_TOKENS
from emod_model.signal.spec import N_SPECTRUM_BINS

METADATA_KEY = "emod"


def description(model: Model, outputs: list[str], difference: float) -> str:
    """Return the JSON that travels inside an exported file.

    Parameters
    ----------
    model : Model
        What was exported.
    outputs : list of str
        Names of the outputs, in order.
    difference : float
        Largest difference from the checkpoint that the check at export found.

    Returns
    -------
    str
        An object: "checkpoint" (as `emod-rt model show --json`), "sha256" of the checkpoint, "card",
        "inputs", "outputs", "electrodes" (in the order that the input counts them), "parity".
    """
    shortest, longest, step = lengths(model)
    spec = model.spec
    said: dict[str, Any] = {
        "format": 1,
        "name": model.name,
        "card": model.card,
        "checkpoint": model.info.model_dump(mode="json"),
        "sha256": model.sha256,
        "inputs": {
            "eeg": {
                "type": "float32",
                "shape": ["batch", "channels", "samples"],
                "unit": "microvolts",
                "meaning": f"windows at {spec.sfreq:g} Hz, conditioned as checkpoint.signal says: band-pass "
                f"{spec.band_hz[0]:g} to {spec.band_hz[1]:g} Hz, notches, average reference of good channels",
                "samples": {"least": shortest, "most": longest, "multiple_of": step},
            },
            "electrodes": {
                "type": "int64",
                "shape": ["channels"],
                "meaning": "for each channel, the place of its electrode in the list below, counted from 0; "
                "no electrode twice",
            },
        },
        "baseline": None if model.info.centring is None else _BASELINE,
        "outputs": {name: _OUTPUTS[name] for name in outputs},
        "electrodes": list(ELECTRODES),
        "parity": {"largest_difference": difference, "allowed": PARITY},
    }
    if model.info.centring is not None:
        said["inputs"] |= _BASELINE_INPUTS
    return json.dumps(said)


PARITY = 1e-4
"""Largest difference from the checkpoint, in any output, with which a file is written."""

_BASELINE = (
    "windows are read relative to their wearer's baseline, such as a minute of rest in the same electrodes: "
    "emod_model.centring.Baseline.of(its spectra).removal(checkpoint.centring) gives maps and scale"
)
_BASELINE_INPUTS = {
    "maps": {
        "type": "float32",
        "shape": [N_SPECTRUM_BINS, "channels", "channels"],
        "meaning": "applied to the spectra of each bin, 1 to 45 Hz",
    },
    "scale": {
        "type": "float32",
        "shape": ["channels"],
        "unit": "microvolts",
        "meaning": "what becomes 1 in the temporal branch",
    },
}
_OUTPUTS = {
    "tokens": "(batch, channels, time tokens, features), float32",
    "embedding": "(batch, features), float32, unit length",
    "affect": "(batch, 2), float32: valence and arousal in [-1, 1] of this window alone, neither "
    "calibrated to a person nor smoothed",
    "affect_sd": "(batch, 2), float32: their standard deviations",
    "logits": "(batch, classes), float32: softmax gives the probability of each class",
}


def lengths(model: Model) -> tuple[int, int, int]:
    """Return the least and the most samples of a window, and what they are to be a multiple of."""
    spec = model.spec
    second = math.ceil(spec.sfreq)
    most = min(MAX_TOKENS, model.info.network.max_tokens) / spec.tokens_per_s
    # a token of 62.5 samples is whole at every other one
    token = Fraction(spec.sfreq).limit_denominator(1000) / spec.tokens_per_s
    step = second if spec.spectrum == "real-part" else token.numerator
    return second, round(most * spec.sfreq), step
