"""DEAP: 32 people, 40 music videos of a minute, rated (Koelstra et al. 2012), as preprocessed in Python."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.caps import BIOSEMI_32
from emod_model.corpora.deap_ratings import Official, official_ratings
from emod_model.corpora.safe_pickle import load_arrays
from emod_model.errors import InputFileError

SFREQ = 128.0
BASELINE, STIMULUS = 384, 7680
"""Samples of rest before each video, and of the video."""
_COLUMNS = ("valence", "arousal", "dominance", "liking")
_LOWEST, _HIGHEST = 1.0, 9.0
# ratings are given to two decimals
_SAME = 0.011


class DEAP(FilesOfPeople):
    """Files s01.dat and so on, and participant_ratings.csv or .xls somewhere beside them.

    Rows 32 to 39 (eyes, muscle, skin, breath, pulse, temperature) are left off.

    Parameters
    ----------
    raw : pathlib.Path
        Holds data_preprocessed_python, or is that folder.
    """

    name = "deap"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        paths = checks.found(raw, raw.rglob("s*.dat"), "data_preprocessed_python/s01.dat")
        self._files = {path.stem: (path,) for path in paths if re.fullmatch(r"s\d+", path.stem)}
        if not self._files:
            raise InputFileError(f"{raw}: of {paths[0].name} and others none is named s01.dat, s02.dat ...")
        self._official: Official | None = official_ratings(raw)
        self._shared = () if self._official is None else (self._official.path,)

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's trials in the order of the videos; ratings are held against the official ones.

        Raises
        ------
        InputFileError
            The file is damaged, of another shape, or its ratings contradict the official ones.
        UsageError
            No such person.
        """
        (path,) = self._own(subject)
        data, labels = _contents(path)
        baseline = data.shape[2] - STIMULUS
        rated = self._checked(path, int(subject[1:]), labels)
        if len(data) != 40:
            self.notes[f"{path.name} has {len(data)} of 40 trials"] += 1
        rows = [checks.signal(path, f"data[{at}]", trial[:32], 32) for at, trial in enumerate(data)]
        del data
        factor = checks.to_microvolts(path, "data", rows, SFREQ, self.notes)
        for at, eeg in enumerate(rows):
            yield Trial(
                subject=subject,
                session="1",
                trial=str(at + 1),
                stimulus=f"video {at + 1}",
                eeg=checks.scaled(eeg, factor),
                sfreq=SFREQ,
                channels=BIOSEMI_32,
                baseline_s=baseline / SFREQ,
                label=None,
                ratings=checks.ratings(
                    self.name, path, f"labels[{at}]", valence=rated[at, 0], arousal=rated[at, 1]
                ),
            )

    def _checked(self, path: Path, who: int, labels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return valence and arousal of each trial, put right where a copy has them reflected."""
        rated = labels[:, :2].copy()
        for at, axis in np.argwhere(~((rated >= _LOWEST) & (rated <= _HIGHEST))):
            if self._official is None or not np.isfinite(rated[at, axis]):
                raise InputFileError(
                    f"{path}: labels[{at}], {_COLUMNS[axis]} is {rated[at, axis]:g}, not a rating of 1 to 9; "
                    "a known copy has some reflected (9 - rating), which participant_ratings.csv of DEAP's "
                    "own site, put beside it, puts right"
                )
        if self._official is None:
            self.notes[
                "no participant_ratings.csv or .xls, so ratings are not checked for reflected ones"
            ] += 1
            return rated
        for at in range(len(rated)):
            true = self._official.of(who, at + 1)
            for axis in (0, 1):
                if abs(rated[at, axis] - true[axis]) <= _SAME:
                    continue
                if abs(9 - rated[at, axis] - true[axis]) > _SAME:
                    raise InputFileError(
                        f"{path}: labels[{at}], {_COLUMNS[axis]} is {rated[at, axis]:g}, where "
                        f"{self._official.path.name} has {true[axis]:g} for person {who}, video {at + 1}; "
                        "download DEAP again"
                    )
                rated[at, axis] = true[axis]
                self.notes[f"{_COLUMNS[axis]} was reflected (9 - rating) and is put right"] += 1
        return rated


def _contents(path: Path) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.float64]]:
    """Return data (trials, 40, samples) and labels (trials, 4)."""
    loaded = load_arrays(path)
    if not isinstance(loaded, dict):
        raise InputFileError(
            f"{path}: the pickle is {checks.describe(loaded)}, not a dict of data and labels; "
            "download DEAP again"
        )
    data, labels = loaded.get("data"), loaded.get("labels")
    lengths = (STIMULUS, BASELINE + STIMULUS)
    if (
        not isinstance(data, np.ndarray)
        or data.dtype.kind not in "fiu"
        or data.ndim != 3
        or not 0 < data.shape[0] <= 40
        or data.shape[1] < 32
        or data.shape[2] not in lengths
    ):
        raise InputFileError(
            f"{path}: data is {checks.describe(data)}, not (40, 40, 8064) or, without baseline, "
            "(40, 40, 7680); download DEAP again"
        )
    if (
        not isinstance(labels, np.ndarray)
        or labels.dtype.kind not in "fiu"
        or labels.shape != (len(data), len(_COLUMNS))
    ):
        raise InputFileError(
            f"{path}: labels is {checks.describe(labels)}, not ({len(data)}, 4); download DEAP again"
        )
    return data, labels.astype(np.float64)
