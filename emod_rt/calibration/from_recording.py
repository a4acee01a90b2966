"""From the recording of a calibration to the numbers that a profile is fitted on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emod_model.calibration.design import Session
from emod_model.calibration.reading import leave_out, read
from emod_model.checkpoint import Model
from emod_model.errors import InputFileError
from emod_model.signal.windows import Window, Windower
from emod_rt.calibration.log import Rated, Span, read_log
from emod_rt.calibration.schedule import FEWEST_TRIALS, Schedule
from emod_rt.calibration.words import REASONS
from emod_rt.readers.recording import Recording

FEWEST_WINDOWS = 4
"""Valid windows that a trial must have to count."""
FEWEST_AT_REST = 20
"""Valid windows that a rest must have to count."""
FEWEST_FOR_BETTER = 5
"""Trials without which no reading can be shown to be better: four can be shuffled in 24 ways only."""
_BLOCK_S = 10.0


@dataclass(frozen=True)
class Quality:
    """How much of a stretch can be read.

    Attributes
    ----------
    valid, expected : int
        Windows with a signal, and windows that fit into the time that is read.
    reasons : dict of str to int
        Why the others have none, as in estimates, and how many.
    good : tuple of float
        Share of the valid windows in which each electrode was good.
    """

    valid: int
    expected: int
    reasons: dict[str, int]
    good: tuple[float, ...]

    @property
    def in_words(self) -> str:
        """How much can be read, and why not more."""
        why = max(self.reasons, key=lambda reason: self.reasons[reason], default=None)
        said = f": {REASONS.get(why, why)}" if why is not None else ""
        return f"{self.valid} of its {self.expected} windows can be read{said}"


@dataclass(frozen=True)
class Trial:
    """One trial that counts.

    Attributes
    ----------
    number, attempt : int
        From 1.
    stimulus : str
        Its name.
    intended : tuple of float or None
        Valence and arousal it is meant to bring about, in [-1, 1].
    valence, arousal : int
        What the person said, 1 to 9.
    start_s, stop_s : float
        What is read of it, seconds after the recording's first sample.
    quality : Quality
        Of that.
    """

    number: int
    attempt: int
    stimulus: str
    intended: tuple[float, float] | None
    valence: int
    arousal: int
    start_s: float
    stop_s: float
    quality: Quality


@dataclass(frozen=True, eq=False)
class CalibrationRun:
    """A calibration out of its recording.

    Attributes
    ----------
    session : Session
        What every method learns from; its trials are those of `trials`, in the same order.
    user : str
        Whose it is, as the recording says.
    trials : tuple of Trial
        Those that count, in the order in which they were rated.
    rest : Quality
        Of the rest; without a window when it was skipped.
    channels : tuple of str
        Electrodes.
    sfreq : float
        Rate of the recording, Hz.
    simulated : bool
        No person stands behind the signal.
    aborted : bool
        It was broken off.
    seed : int
        Of the order of the stimuli.
    recording : pathlib.Path
        The file.
    notes : tuple of str
        One sentence each on what does not count and why.
    """

    session: Session
    user: str
    trials: tuple[Trial, ...]
    rest: Quality
    channels: tuple[str, ...]
    sfreq: float
    simulated: bool
    aborted: bool
    seed: int
    recording: Path
    notes: tuple[str, ...]


def read_session(recording: Recording, model: Model) -> CalibrationRun:
    """Condition a recording as the live path does, and cut it by its markers.

    A calibration that has just ended is read from its own recording by this function too.

    Parameters
    ----------
    recording : Recording
        With the markers of a calibration; the last one counts when there are several.
    model : Model
        Frozen; reads the windows.

    Returns
    -------
    CalibrationRun
        Rest, trials and ratings.

    Raises
    ------
    InputFileError
        It holds no calibration, or fewer than four trials that are rated and can be read.
    ModelError
        The rate of the recording does not fit the model.
    """
    log = read_log(recording)
    begin, spec = log.begin, model.spec
    plan = Schedule(begin.trials, begin.trial_s, begin.rest_s, 0.0, spec.hop_s, spec.window_s)
    stretch = _Stretch(recording, _windows(recording, model, log.span), plan)
    notes = list(log.notes)
    rest = stretch.cut(0, *(log.rest or (0.0, 0.0)))
    if rest.quality.valid < FEWEST_AT_REST:
        why = f"{rest.quality.valid} of its windows can be read" if log.rest else "it was skipped"
        notes.append(f"The rest does not count, {why}; the mean of all trials stands in for it.")
        rest = stretch.cut(0, 0.0, 0.0)
    trials, cuts, unread = _readable(log.rated, stretch)
    notes += unread
    if len(trials) < FEWEST_TRIALS:
        raise InputFileError(
            f"{recording.path} holds {len(trials)} trials that are rated and can be read, at least "
            f"{FEWEST_TRIALS} are needed; calibrate anew"
        )
    notes += _too_few(len(trials))
    return CalibrationRun(
        session=_session(model, stretch, rest, cuts, trials),
        user=begin.user,
        trials=tuple(trials),
        rest=rest.quality,
        channels=recording.channels,
        sfreq=recording.sfreq,
        simulated=recording.simulated,
        aborted=log.aborted,
        seed=begin.seed,
        recording=recording.path,
        notes=tuple(notes),
    )


def _readable(rated: Sequence[Rated], stretch: "_Stretch") -> tuple[list[Trial], list["_Cut"], list[str]]:
    """Return the trials that count with what is read of them, and a sentence on each that does not."""
    trials: list[Trial] = []
    cuts: list[_Cut] = []
    notes: list[str] = []
    for each in rated:
        cut = stretch.cut(each.begin.trial, each.start, each.stop)
        if cut.quality.valid < FEWEST_WINDOWS:
            notes.append(f"Trial {each.begin.trial} does not count, {cut.quality.in_words}.")
            continue
        cuts.append(cut)
        trials.append(_trial(each, cut))
    return trials, cuts, notes


def _too_few(trials: int) -> list[str]:
    if trials >= FEWEST_FOR_BETTER:
        return []
    return [
        f"With {trials} trials no reading can be shown to be better than the average, however good it is: "
        f"there are too few ways to shuffle them; {FEWEST_FOR_BETTER} are the fewest, 8 are usual."
    ]


@dataclass(frozen=True)
class _Cut:
    """What is read of a trial or of the rest: windows that end within (start, stop], s."""

    start: float
    stop: float
    windows: list[Window]
    quality: Quality


@dataclass(frozen=True)
class _Stretch:
    """All windows of a calibration."""

    recording: Recording
    windows: list[Window]
    plan: Schedule

    def cut(self, trial: int, start: float, stop: float) -> _Cut:
        """Cut out a trial, or the rest (0), less its start."""
        expected = self.plan.expected(trial, stop - start)
        start = min(start + self.plan.unread_s(trial), stop)
        sfreq = self.recording.sfreq
        windows = [window for window in self.windows if start < (window.index + 1) / sfreq <= stop]
        return _Cut(start, stop, windows, _quality(windows, expected, len(self.recording.channels)))


def _windows(recording: Recording, model: Model, span: Span) -> list[Window]:
    """Condition the whole recording and return the windows that end within the calibration."""
    sfreq = recording.sfreq
    windower = Windower(model.spec, sfreq, len(recording.channels), None, recording.channels)
    step = round(_BLOCK_S * sfreq)
    kept: list[Window] = []
    for first, begin, end in recording.segments:
        for row in range(begin, end, step):
            block = recording.data[:, row : min(row + step, end)]
            made = windower.push(first + row - begin, block)
            kept += [window for window in made if span[0] < (window.index + 1) / sfreq <= span[1]]
    return kept


def _quality(windows: Sequence[Window], expected: int, n_channels: int) -> Quality:
    valid = [window for window in windows if window.eeg is not None]
    reasons = Counter(str(window.reason) for window in windows if window.eeg is None)
    counts = Counter(row for window in valid for row in window.good)
    good = tuple(counts[row] / max(1, len(valid)) for row in range(n_channels))
    return Quality(len(valid), expected, dict(reasons), good)


def _trial(rated: Rated, cut: _Cut) -> Trial:
    begin, rating = rated.begin, rated.rating
    return Trial(
        begin.trial,
        begin.attempt,
        begin.stimulus,
        begin.intended,
        rating.valence,
        rating.arousal,
        cut.start,
        cut.stop,
        cut.quality,
    )


def _session(
    model: Model, stretch: _Stretch, rest: _Cut, cuts: Sequence[_Cut], trials: Sequence[Trial]
) -> Session:
    """Let the frozen model read everything, and part it."""
    names = stretch.recording.channels
    seen = read(model, stretch.windows, names, stretch.recording.sfreq)
    taken = np.zeros(len(seen), bool)
    for cut in (rest, *cuts):
        taken |= (seen.t > cut.start) & (seen.t <= cut.stop)
    still = rest.windows or [window for cut in cuts for window in cut.windows]
    return Session(
        seen.between(rest.start, rest.stop),
        tuple(seen.between(cut.start, cut.stop) for cut in cuts),
        np.array([[(trial.valence - 5) / 4, (trial.arousal - 5) / 4] for trial in trials]),
        seen[~taken],
        leave_out(model, still, names),
    )
