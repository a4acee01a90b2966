"""What the pages of a calibration say beside the scene's own words; no Qt here."""

import math

from emod_rt.calibration.scene import Scene
from emod_rt.view import View
from gui import words

# a number that changes every second draws the eye away
_CALM_S = 5
_LAST_S = 5.0


def countdown(scene: Scene) -> str:
    """Return the seconds left of a scene in calm steps; nothing when it waits for the person."""
    if scene.countdown_s is None:
        return ""
    left = scene.countdown_s
    step = _CALM_S if left > _LAST_S and scene.kind in ("rest", "stimulus") else 1
    return f"{step * math.ceil(left / step)} s"


def left(scene: Scene) -> str:
    """Return how long everything that is to come takes, as "about 6 min left"."""
    if scene.over:
        return ""
    if scene.left_s >= 90:
        return f"about {round(scene.left_s / 60)} min left"
    return f"about {10 * max(1, math.ceil(scene.left_s / 10))} s left"


def signal(scene: Scene, view: View, *, counts: bool) -> str:
    """Return one line on the signal: what is wrong, else how good it is and, in counts, how much was read."""
    if scene.warning:
        return scene.warning
    line = words.message(view) or words.quality_line(view)
    check = scene.check
    if not counts or check is None or not check.seen:
        return line
    what = f"trial {check.trial}" if check.trial else "the rest"
    return f"{line}; {check.valid} of {check.seen} windows of {what} read"


def recording(view: View) -> str:
    """Return what is recorded, and where; nothing before it is."""
    if view.recording is None:
        return ""
    return (
        "The raw signal, your ratings and the moments at which things happen are recorded on this computer, "
        f"in {view.recording}"
    )


def ending(scene: Scene) -> str:
    """Return what ending here means, and what going on does."""
    rated = sum(check.rating is not None for check in scene.checks)
    kept = (
        f"{rated} of {scene.trials} trials are rated; they are kept." if rated else "No trial is rated yet."
    )
    cut = scene.kind == "pause" and scene.check is not None and scene.check.rating is None
    return f"{kept} What was under way begins anew if you keep going." if cut else kept
