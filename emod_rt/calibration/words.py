"""What a calibration says to the person, and the names and keys of what the person may do."""

from typing import get_args

from emod_rt.calibration.scene import Action, Axis, Check, Kind, Stimulus
from emod_rt.calibration.schedule import FEWEST_TRIALS, Schedule

AXES: tuple[Axis, ...] = get_args(Axis)

ACTIONS = {
    "begin": Action("next", "Begin", "space"),
    "next": Action("next", "Start", "space"),
    "go_on": Action("next", "Go on", "space"),
    "confirm": Action("next", "Confirm", "space"),
    "again": Action("repeat", "Repeat it", "r"),
    "without": Action("next", "Go on without", "space"),
    "skip_rest": Action("skip_rest", "Skip the rest", "s"),
    "pause": Action("pause", "Take a break", "p"),
    "resume": Action("resume", "Go on", "space"),
    "repeat": Action("repeat", "Repeat the last", "r"),
    "abort": Action("abort", "End here", "q"),
}

REASONS = {
    "settling": "the filters were settling",
    "gap": "samples were lost",
    "bad-signal": "too few electrodes were good",
    "stalled": "no samples came",
}

_COMING = {
    "text": "Read it, then start. Keep your eyes open, on the cross, and stay with it until the end.",
    "image": "A picture comes. Look at it and let it work on you until it goes.",
    "sound": "A sound comes. Keep your eyes open, on the cross, and listen until it ends.",
    "film": "A film comes. Watch it until it ends.",
}
_NOW = {
    "text": "Stay with it.",
    "image": "",
    "sound": "Listen.",
    "film": "",
}


def words(
    kind: Kind,
    trial: int,
    plan: Schedule,
    stimulus: Stimulus | None,
    *,
    asked: bool,
    check: Check | None,
    rated: int,
    reason: str,
) -> tuple[str, str]:
    """Return the title and the text of a scene."""
    of = f"Trial {trial} of {plan.trials}"
    if kind == "intro":
        return "Calibration", _intro(plan)
    if kind == "rest":
        return "Rest", "Sit comfortably, look at the cross with your eyes open, and do nothing."
    if kind == "ready" and stimulus is not None:
        before = "" if check is None or check.trial or check.enough else _poor(check) + " "
        return of, before + _COMING[stimulus.kind]
    if kind == "stimulus" and stimulus is not None:
        return of, _NOW[stimulus.kind]
    if kind == "rating":
        return of, "How was it for you? Say what you felt, not what you should have felt."
    if kind == "review" and check is not None:
        return of, f"{_poor(check)} Repeat it now, or go on without it."
    if kind == "pause":
        if asked:
            return "Break", "Take your time; nothing is lost. Move as you like, then go on."
        return "Short pause", "Let it go. Blink, swallow and move now if you want to."
    if kind == "done":
        return "Thank you", "That was all. Your readings are being fitted and judged."
    return "Ended early", _ended(rated, reason)


def _intro(plan: Schedule) -> str:
    rest = f"First {plan.rest_s:.0f} s of rest, eyes open. Then " if plan.rest_s else ""
    return (
        f"{rest}{plan.trials} trials of {plan.trial_s:.0f} s, each followed by two ratings: how pleasant it "
        f"was, and how stirred up you were. About {plan.total_s / 60:.0f} minutes. Sit still while "
        "something is shown; take a break whenever you like. You may end at any moment, and nothing is lost."
    )


def _poor(check: Check) -> str:
    what = f"trial {check.trial}" if check.trial else "the rest"
    why = f", since {REASONS.get(check.reason, check.reason)}" if check.reason else ""
    return f"Only {check.valid} of {check.expected} windows of {what} could be read{why}."


def _ended(rated: int, reason: str) -> str:
    said = f"Broken off: {reason}. "
    trials = "1 rated trial is" if rated == 1 else f"{rated} rated trials are"
    if rated >= FEWEST_TRIALS:
        return said + f"The {trials} in the recording, enough to fit."
    return said + f"The {trials} in the recording; at least {FEWEST_TRIALS} are needed to fit."
