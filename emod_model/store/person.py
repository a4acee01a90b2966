"""One person of a corpus: trials in, windows out, or one sentence why there are none."""

import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.affect import Vocabulary
from emod_model.corpora.base import Corpus, Trial
from emod_model.errors import EmodError, InputFileError
from emod_model.store.cut import Cut, cut
from emod_model.store.ica import without_artefacts
from emod_model.store.part import Part, PartTrial, commit
from emod_model.store.recipe import Recipe

LOWEST_UV, HIGHEST_UV = 0.1, 1000.0
"""What the median channel of an EEG moves by within a second; outside it the unit is another."""
TOO_SHORT = "trial too short for a window"


@dataclass(frozen=True)
class Job:
    """What has to be done for one person.

    Attributes
    ----------
    corpus : Corpus
        Where from.
    subject : str
        Who.
    recipe : Recipe
        What is done.
    vocabulary : Vocabulary or None
        Where labels lie; without it they lie nowhere.
    path : pathlib.Path
        The part to be.
    inputs : str
        Hash of the person's files.
    source : pathlib.Path
        File or folder to name in sentences.
    """

    corpus: Corpus
    subject: str
    recipe: Recipe
    vocabulary: Vocabulary | None
    path: Path
    inputs: str
    source: Path


def prepare_person(job: Job) -> None:
    """Read, condition and cut one person, and commit the part.

    Raises
    ------
    OSError
        The part cannot be written.
    """
    corpus, path = job.corpus, job.path
    before = Counter(corpus.notes)
    data = path.with_name(f"{path.stem}-{os.getpid()}.f32")
    trials: list[PartTrial] = []
    lost: Counter[str] = Counter()
    said: Counter[str] = Counter()
    refused = None
    with data.open("wb") as file:
        try:
            for trial, windows in _windows(job, said):
                lost += windows.lost
                if len(windows.start_s):
                    trials.append(_describe(trial, windows, job.vocabulary))
                    file.write(windows.eeg.astype("<f4", copy=False).tobytes())
                elif not windows.lost:
                    said[TOO_SHORT] += 1
        except EmodError as error:
            refused, trials, lost = str(error), [], Counter()
        file.flush()
        os.fsync(file.fileno())
    if refused is None and not trials:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted((lost + said).items()))
        refused = f"{job.source}: no window holds a signal ({reasons or 'no trials'})"
    part = Part(
        subject=job.subject,
        inputs=job.inputs,
        data=data.name,
        trials=tuple(trials),
        refused=refused,
        notes=dict(Counter(corpus.notes) - before + said),
        lost=dict(lost),
    )
    commit(part, path)


def _windows(job: Job, notes: Counter[str]) -> Iterator[tuple[Trial, Cut]]:
    """Yield each trial with its windows; refuse the person at the end if the unit cannot be right."""
    moves = []
    trials = job.corpus.trials(job.subject)
    if job.recipe.ica:
        trials = without_artefacts(trials, notes)
    try:
        for trial in trials:
            moves.append(movement_uv(trial.eeg, trial.sfreq))
            yield trial, cut(trial, job.recipe.signal, job.recipe.hop_s)
    except OSError as error:
        why = error.strerror or error
        raise InputFileError(f"{job.source}: cannot be read ({why}); check that it is yours") from error
    known = [value for value in moves if not math.isnan(value)]
    if known and not LOWEST_UV <= (median := float(np.median(known))) <= HIGHEST_UV:
        raise InputFileError(
            f"{job.source}: the median channel of {job.subject} moves by {median:.3g} µV within a second "
            f"(SD), outside {LOWEST_UV:g} to {HIGHEST_UV:g}; the values are not in microvolts"
        )


def movement_uv(eeg: npt.NDArray[np.floating], sfreq: float) -> float:
    """Return the standard deviation within a second, median over seconds and channels; NaN without any.

    Parameters
    ----------
    eeg : numpy.ndarray, shape (channels, samples)
        In any unit, which is that of the result; NaN is passed over.
    sfreq : float
        Hz.
    """
    length = max(2, round(sfreq))
    seconds = eeg[:, : eeg.shape[1] // length * length].reshape(len(eeg), -1, length).astype(np.float64)
    sd = seconds.std(axis=2)
    whole = sd[np.isfinite(sd)]
    return float(np.median(whole)) if whole.size else math.nan


def _describe(trial: Trial, windows: Cut, vocabulary: Vocabulary | None) -> PartTrial:
    """Return what is known of the windows of a trial."""
    rated = {axis: value for axis, value in (trial.ratings or {}).items() if math.isfinite(value)}
    valence, arousal = rated.get("valence"), rated.get("arousal")
    if not rated and vocabulary is not None and trial.label is not None:
        label = vocabulary.label(trial.label)
        if not label.nowhere:
            valence, arousal = vocabulary.point(trial.label)
    return PartTrial(
        session=trial.session,
        trial=trial.trial,
        stimulus=trial.stimulus,
        label=trial.label,
        valence=valence,
        arousal=arousal,
        rated=bool(rated),
        channels=trial.channels,
        start_s=tuple(windows.start_s.tolist()),
        baseline=tuple(windows.baseline.tolist()),
        bad=tuple(tuple(np.flatnonzero(~good).tolist()) for good in windows.good),
    )
