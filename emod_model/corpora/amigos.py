"""AMIGOS: 40 people, 16 short and 4 long films, Emotiv EPOC, rated 1 to 9 (Miranda-Correa et al. 2018)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emod_model.affect.vocabulary import vocabulary
from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.caps import EPOC_14
from emod_model.corpora.mat import MatFile
from emod_model.errors import InputFileError

SFREQ = 128.0
BASELINE = 640
"""Samples of rest before each film."""
_PREFIX = "Data_Preprocessed_"
_ROWS = 17
_AROUSAL, _VALENCE, _FIRST_TICK = 0, 1, 5


class AMIGOS(FilesOfPeople):
    """Files Data_Preprocessed_P01.mat and so on, flat or each in a folder of its name.

    Heart and skin (rows 14 to 16) are left off. Empty cells are films that the person did not see; trials
    with NaN in signal or rating are passed over, and both are noted.

    Parameters
    ----------
    raw : pathlib.Path
        Holds the files at any depth.
    """

    name = "amigos"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        paths = checks.found(raw, raw.rglob(f"{_PREFIX}P*.mat"), f"{_PREFIX}P01.mat")
        for path in sorted(paths, key=lambda path: checks.numbered(path.name)):
            who = path.stem.removeprefix(_PREFIX)
            if self._files.setdefault(who, (path,)) != (path,):
                self.notes[f"{path.name} lies in two places, and one is read"] += 1

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield the films that a person saw and rated.

        Raises
        ------
        InputFileError
            The file is damaged or holds something else, or its unit cannot be told.
        UsageError
            No such person.
        """
        (path,) = self._own(subject)
        mat = MatFile(path)
        cells, rated = (_cells(path, field, mat) for field in ("joined_data", "labels_selfassessment"))
        if len(cells) != len(rated):
            raise InputFileError(
                f"{path}: joined_data has {len(cells)} cells and labels_selfassessment {len(rated)}"
            )
        films = _films(mat, len(cells))
        kept = [
            (at, eeg) for at, cell in enumerate(cells) if (eeg := self._signal(path, at, cell)) is not None
        ]
        cells.clear()
        shown = [eeg for _, eeg in kept]
        factor = checks.to_microvolts(path, "joined_data", shown, SFREQ, self.notes) if kept else 1.0
        for at, eeg in kept:
            scores = self._scores(path, at, rated[at])
            if scores is None:
                continue
            yield Trial(
                subject=subject,
                session="short" if at < 16 else "long",
                trial=str(at + 1),
                stimulus=f"video {films[at]}",
                eeg=checks.scaled(eeg, factor),
                sfreq=SFREQ,
                channels=EPOC_14,
                baseline_s=BASELINE / SFREQ,
                label=_ticked(scores),
                ratings=checks.ratings(
                    self.name,
                    path,
                    f"labels_selfassessment[{at}]",
                    valence=scores[_VALENCE],
                    arousal=scores[_AROUSAL],
                ),
            )

    def _signal(self, path: Path, at: int, cell: Any) -> checks.Eeg | None:
        """Return a cell's EEG, None where the person did not see the film or the signal has holes."""
        if _empty(cell):
            self.notes["a film that the person did not see (empty cell)"] += 1
            return None
        eeg = checks.signal(path, f"joined_data[{at}]", cell, _ROWS, time_major=True, finite=False)[:14]
        if not np.isfinite(eeg).all():
            self.notes["a trial with NaN in its EEG, passed over"] += 1
            return None
        if eeg.shape[1] <= BASELINE:
            raise InputFileError(
                f"{path}: joined_data[{at}] has {eeg.shape[1]} samples, {BASELINE} of them baseline"
            )
        return np.ascontiguousarray(eeg)

    def _scores(self, path: Path, at: int, cell: Any) -> list[float] | None:
        """Return a cell's ratings, None where the person gave none."""
        if _empty(cell):
            self.notes["a trial without ratings (empty cell), passed over"] += 1
            return None
        if not isinstance(cell, np.ndarray) or cell.dtype.kind not in "fiu" or cell.size <= _VALENCE:
            raise InputFileError(
                f"{path}: labels_selfassessment[{at}] is {checks.describe(cell)}, not (1, 12) numbers"
            )
        scores = [float(score) for score in cell.ravel(order="F")]
        if not np.isfinite(scores[: _VALENCE + 1]).all():
            self.notes["a trial with NaN for a rating, passed over"] += 1
            return None
        return scores


def _cells(path: Path, field: str, mat: MatFile) -> list[Any]:
    value = mat.read(field)
    if not isinstance(value, list) or not value:
        raise InputFileError(f"{path}: {field} is {checks.describe(value)}, not cells; download it again")
    return value


def _empty(cell: Any) -> bool:
    return cell is None or len(cell) == 0 or (isinstance(cell, np.ndarray) and cell.size == 0)


def _films(mat: MatFile, count: int) -> list[str]:
    """Return the films' own names, or their places where the file has none."""
    said = mat.read("VideoIDs") if "VideoIDs" in mat.names() else []
    if not isinstance(said, list) or len(said) != count:
        return [str(at + 1) for at in range(count)]
    names = [item[0] if isinstance(item, list) and item else item for item in said]
    return [str(name) if isinstance(name, str) and name else str(at + 1) for at, name in enumerate(names)]


def _ticked(scores: list[float]) -> str | None:
    """Return the emotion where the person ticked just one."""
    ticked = [at for at, tick in enumerate(scores[_FIRST_TICK:]) if tick == 1]
    words = [label.word for label in vocabulary("amigos").classes]
    return words[ticked[0]] if len(ticked) == 1 and ticked[0] < len(words) else None
