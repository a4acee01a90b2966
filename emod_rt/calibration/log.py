"""What the markers of a recording say of its calibration: what began and ended when, and how it was rated."""

from collections.abc import Sequence
from dataclasses import dataclass

from emod_model.errors import InputFileError
from emod_rt.calibration.events import (
    Abort,
    Begin,
    End,
    Mark,
    Rating,
    RestBegin,
    RestEnd,
    TrialBegin,
    TrialEnd,
    mark_of,
)
from emod_rt.readers.recording import Recording

Timed = tuple[float, Mark]
Span = tuple[float, float]

# a trial whose end was marked late, since the program was held up, ends when it should have
_LATE_S = 1.0


@dataclass(frozen=True)
class Rated:
    """A trial that was rated; times in seconds after the recording's first sample."""

    begin: TrialBegin
    rating: Rating
    start: float
    stop: float


@dataclass(frozen=True)
class Log:
    """A calibration by its markers.

    Attributes
    ----------
    begin : Begin
        How it was planned, and whose it is.
    span : tuple of float
        From its begin to its last marker, s after the recording's first sample.
    rest : tuple of float or None
        The longest rest, the last of several.
    rated : tuple of Rated
        The last rated attempt of each trial, in the order of their ratings.
    aborted : bool
        It was broken off, or its end is missing.
    notes : tuple of str
        One sentence each on what does not count.
    """

    begin: Begin
    span: Span
    rest: Span | None
    rated: tuple[Rated, ...]
    aborted: bool
    notes: tuple[str, ...]


def read_log(recording: Recording) -> Log:
    """Read the last calibration in a recording.

    Raises
    ------
    InputFileError
        It holds none, or its markers are not understood.
    """
    marks = _marks(recording)
    starts = [at for at, (_, mark) in enumerate(marks) if isinstance(mark, Begin)]
    if not starts:
        raise InputFileError(
            f"{recording.path} holds no calibration among its {len(recording.events)} markers; "
            "give a recording that emod-rt calibrate made"
        )
    timed = marks[starts[-1] :]
    begin = timed[0][1]
    assert isinstance(begin, Begin)
    rests, shown = _spans(timed, begin)
    rated, notes = _rated(timed, shown)
    over = any(isinstance(mark, End) for _, mark in timed)
    aborted = not over or any(isinstance(mark, Abort) for _, mark in timed)
    if aborted:
        notes.append(f"The calibration was broken off after {len(rated)} of {begin.trials} trials.")
    # of two whole ones the later: the person had a reason to repeat it
    rest = max(rests, key=lambda span: (round(span[1] - span[0]), span[0]), default=None)
    return Log(begin, (timed[0][0], timed[-1][0]), rest, tuple(rated), aborted, tuple(notes))


def _marks(recording: Recording) -> list[Timed]:
    """Return the words of calibrations, s after the first sample."""
    first = float(recording.times[0])
    try:
        found = [(event.t - first, mark_of(event.text)) for event in recording.events]
    except InputFileError as error:
        raise InputFileError(f"{recording.path}: {error}") from error
    return [(t, mark) for t, mark in found if mark is not None]


def _spans(
    timed: Sequence[Timed], plan: Begin
) -> tuple[list[Span], dict[tuple[int, int], tuple[TrialBegin, Span]]]:
    """Return the rests, and the attempts by trial and number; they never overlap."""
    rests: list[Span] = []
    shown: dict[tuple[int, int], tuple[TrialBegin, Span]] = {}
    running: tuple[float, RestBegin | TrialBegin] | None = None
    for t, mark in timed:
        if isinstance(mark, RestBegin | TrialBegin):
            running = t, mark
        elif isinstance(mark, RestEnd | TrialEnd) and running is not None:
            start, begun = running
            running = None
            if isinstance(mark, RestEnd) and isinstance(begun, RestBegin):
                rests.append((start, min(t, start + plan.rest_s + _LATE_S)))
            elif isinstance(mark, TrialEnd) and isinstance(begun, TrialBegin):
                shown[begun.trial, begun.attempt] = begun, (start, min(t, start + plan.trial_s + _LATE_S))
    return rests, shown


def _rated(
    timed: Sequence[Timed], shown: dict[tuple[int, int], tuple[TrialBegin, Span]]
) -> tuple[list[Rated], list[str]]:
    rated: dict[int, Rated] = {}
    notes: list[str] = []
    for _, mark in timed:
        if not isinstance(mark, Rating):
            continue
        found = shown.get((mark.trial, mark.attempt))
        if found is None:
            notes.append(f"Trial {mark.trial} does not count: it is rated, but not marked as shown.")
            continue
        # the last rated attempt is the one that counts, also for the order
        rated.pop(mark.trial, None)
        rated[mark.trial] = Rated(found[0], mark, *found[1])
    return list(rated.values()), notes
