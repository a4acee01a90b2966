"""What a calibration is worth, in words for everybody."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emod_model.calibration.judge import AxisVerdict
    from emod_model.calibration.profile import Profile

AXES = ("valence", "arousal")
LOW = "LOW CONFIDENCE"

_ADVICE = (
    "More trials help most (--trials 16), and stimuli that really move this person. Look at the signal "
    "quality of each trial, press the electrodes on, sit still, and calibrate again. Some people cannot be "
    "read this way, and then it stays so."
)
_SPREAD = (
    "Rate what you feel with the whole scale, and take stimuli that differ more (--stimuli), so that there "
    "is something to follow; then calibrate again."
)


def low_axes(profile: "Profile | None") -> tuple[str, ...]:
    """Return the axes whose reading was not shown to be better than the person's mean."""
    if profile is None:
        return ()
    return tuple(axis for axis, low in zip(AXES, profile.low_confidence, strict=True) if low)


def advice(profile: "Profile") -> str:
    """Return what to do where a reading was not shown to be better; nothing where all were."""
    low = [each for each in profile.verdicts if each.word != "better"]
    if not low:
        return ""
    alike = [each for each in low if each.mean_rmse == 0]
    if len(alike) == len(low):
        return _SPREAD
    return f"{_ADVICE} {_SPREAD}" if alike else _ADVICE


def badge(axes: tuple[str, ...]) -> str:
    """Return the mark that readings of low confidence carry, as "LOW CONFIDENCE: valence"."""
    return f"{LOW}: {' and '.join(axes)}" if axes else ""


def headline(axis: str, verdict: "AxisVerdict") -> str:
    """Return the verdict on an axis in one clause."""
    word = "shown to be better" if verdict.word == "better" else verdict.word
    return f"{axis.capitalize()}: {word} than always saying this person's average"


def meaning(verdict: "AxisVerdict") -> str:
    """Return how much, and how sure, in plain words."""
    if verdict.mean_rmse == 0:
        return _ALL_ALIKE
    low, high = (round(100 * gain) for gain in verdict.gain_ci)
    gain = round(100 * verdict.gain)
    much = (
        f"On trials that it had not seen, the reading's squared error is {abs(gain)} % "
        f"{'smaller' if gain >= 0 else 'larger'} than that of always saying the average "
        f"(90 % interval over the trials: {_change(low)} to {_change(high)})."
    )
    luck = (
        "When the ratings are shuffled, so that they have nothing to do with the signal, the same procedure "
        f"does as well in {100 * verdict.p:.0f} of 100 tries."
    )
    return f"{much} {luck} {_SO[verdict.word]}"


_ALL_ALIKE = (
    "Every trial was rated the same, so there is nothing that a reading could follow: take it for a guess. "
    "It is marked low confidence."
)
_SO = {
    "better": "That is more than luck: the reading follows what this person says.",
    "not shown to be better": "That may be luck: take the reading for a guess. It is marked low confidence.",
    "worse": "The average alone would be the better guess: do not rely on this reading. It is marked low "
    "confidence.",
}


def _change(percent: int) -> str:
    return f"{abs(percent)} % {'smaller' if percent >= 0 else 'larger'}"
