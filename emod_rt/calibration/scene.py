"""What a screen shows of a calibration: one immutable picture at a time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["intro", "rest", "ready", "stimulus", "rating", "pause", "review", "done", "aborted"]
Axis = Literal["valence", "arousal"]
ActionName = Literal["next", "skip_rest", "pause", "resume", "repeat", "abort"]

SCALES: dict[Axis, tuple[str, str, str]] = {
    "valence": ("How pleasant was it?", "very unpleasant", "very pleasant"),
    "arousal": ("How stirred up were you?", "calm, sleepy", "wide awake"),
}
"""The question, and what 1 and 9 mean."""


@dataclass(frozen=True)
class Stimulus:
    """What is shown or played in a trial.

    Attributes
    ----------
    name : str
        File name below its folder, or the name of a written prompt.
    kind : str
        "text", "image", "sound" or "film".
    text : str
        The prompt; empty for files.
    path : pathlib.Path or None
        The file; None for a prompt.
    intended : tuple of float or None
        Valence and arousal in [-1, 1] that it is meant to bring about; None when nobody says.
    """

    name: str
    kind: Literal["text", "image", "sound", "film"]
    text: str = ""
    path: Path | None = None
    intended: tuple[float, float] | None = None


@dataclass(frozen=True)
class Check:
    """How much of a trial, or of the rest, can be read.

    Attributes
    ----------
    trial : int
        From 1; 0 for the rest.
    attempt : int
        From 1.
    valid, seen, expected : int
        Windows with a signal, windows that came, and windows that fit into the time.
    reason : str or None
        Why most of the others are invalid, as in an estimate; None when all that came are valid.
    rating : tuple of int or None
        Valence and arousal, 1 to 9; None before they are said.
    """

    trial: int
    attempt: int
    valid: int
    seen: int
    expected: int
    reason: str | None = None
    rating: tuple[int, int] | None = None

    @property
    def enough(self) -> bool:
        """Whether at least half of the windows that fit into the time are valid."""
        return 2 * self.valid >= self.expected


@dataclass(frozen=True)
class Action:
    """What the person may do now.

    Attributes
    ----------
    name : str
        For `Protocol.act`.
    label : str
        For a button: "Begin".
    key : str
        "space" (Enter does the same), or a letter.
    """

    name: ActionName
    label: str
    key: str


@dataclass(frozen=True)
class Scene:
    """What is to be shown now, and what may be done.

    Attributes
    ----------
    kind : str
        "intro", "rest" (eyes open, a cross to look at), "ready" (what comes), "stimulus" (full screen),
        "rating", "pause", "review" (a trial that could not be read is offered again), "done", "aborted".
    title, text : str
        For the person, in words.
    stimulus : Stimulus or None
        In "ready" the one that comes, in "stimulus" the one to be shown, in "rating" the one to be rated.
    trial, attempt : int
        Both from 1; 0 before the first trial.
    trials : int
        How many there are.
    countdown_s, length_s : float or None
        Seconds left of this scene, and its full length; None when it waits for the person.
    progress : float
        0 to 1, of the whole calibration.
    left_s : float
        About how long all that is to come takes, s.
    axis : str or None
        In "rating" the scale that is asked for next; None when both are said.
    valence, arousal : int or None
        1 to 9, what has been said of this attempt so far.
    check : Check or None
        Of the newest attempt that has begun, or of the rest before the first.
    checks : tuple of Check
        The newest attempt of each trial that has begun, in order of the trials.
    warning : str or None
        One sentence on the signal.
    actions : tuple of Action
        What may be done, the usual first; beside them `Protocol.rate` in "rating".
    """

    kind: Kind
    title: str
    text: str
    stimulus: Stimulus | None
    trial: int
    attempt: int
    trials: int
    countdown_s: float | None
    length_s: float | None
    progress: float
    left_s: float
    axis: Axis | None
    valence: int | None
    arousal: int | None
    check: Check | None
    checks: tuple[Check, ...]
    warning: str | None
    actions: tuple[Action, ...]

    @property
    def over(self) -> bool:
        """Whether nothing comes after this."""
        return self.kind in ("done", "aborted")
