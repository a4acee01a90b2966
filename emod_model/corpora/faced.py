"""FACED: 123 people, 28 film clips, nine emotions and ratings of 0 to 7 (Chen et al. 2023)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emod_model.affect.vocabulary import vocabulary
from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.caps import FACED_30
from emod_model.corpora.mat import MatFile
from emod_model.corpora.safe_pickle import load_arrays
from emod_model.errors import InputFileError

SFREQ = 250.0
CODES = tuple(code for code, clips in enumerate((3, 3, 3, 3, 4, 3, 3, 3, 3)) for _ in range(clips))
"""What each clip stands for, by the number of its word in the vocabulary."""
_ROWS, _SECONDS = 32, 30
_OTHER_RATES = (100, 125, 128, 160, 200, 256, 300, 500, 512, 1000)
_AROUSAL, _VALENCE, _SCORES = 8, 9, 12


class FACED(FilesOfPeople):
    """Files sub000.pkl and so on in Processed_data, and After_remarks.mat of each person where there is one.

    Of 32 rows the last two, ears in one cohort and eyes in the other, are left off. Ratings lie in the order
    in which the person saw the clips and are brought into the clips' own.

    Parameters
    ----------
    raw : pathlib.Path
        Holds Processed_data, or is that folder.
    """

    name = "faced"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        folder = checks.place(raw, "Processed_data")
        names = {path: re.fullmatch(r"(sub\d+)\.pkl(?:\.pkl)?", path.name) for path in folder.glob("*.pkl")}
        paths = checks.found(
            raw, (path for path, match in names.items() if match), "Processed_data/sub000.pkl"
        )
        self._files = {path.name.split(".")[0]: (path,) for path in paths}
        # the ratings lie beside the signals' folder, never in it
        root = folder.parent
        self._remarks = {path.parent.name: path for path in sorted(root.glob("*/*/After_remarks.mat"))}
        self._remarks |= {path.parent.name: path for path in sorted(root.glob("*/After_remarks.mat"))}

    def files(self, subject: str) -> tuple[Path, ...]:
        """Return every file that is read for a person."""
        remarks = self._remarks.get(subject)
        return self._own(subject) + (() if remarks is None else (remarks,))

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield the last 30 s of each clip, in the clips' own order.

        Raises
        ------
        InputFileError
            A file is damaged or holds something else.
        UsageError
            No such person.
        """
        (path,) = self._own(subject)
        clips = self._clips(path)
        rated = self._rated(subject)
        words = vocabulary(self.name)
        rows = [checks.signal(path, f"clip {at + 1}", clip[:30], 30) for at, clip in enumerate(clips)]
        del clips
        factor = checks.to_microvolts(path, "the pickle", rows, SFREQ, self.notes)
        for at, eeg in enumerate(rows):
            yield Trial(
                subject=subject,
                session="1",
                trial=str(at + 1),
                stimulus=f"clip {at + 1}",
                eeg=checks.scaled(eeg, factor),
                sfreq=SFREQ,
                channels=FACED_30,
                baseline_s=0.0,
                label=words.word(CODES[at]),
                ratings=rated.get(at + 1),
            )

    def _clips(self, path: Path) -> Any:
        loaded = load_arrays(path)
        good = isinstance(loaded, np.ndarray) and loaded.ndim == 3 and loaded.dtype.kind in "fiu"
        if not good or loaded.shape[:2] != (len(CODES), _ROWS) or loaded.shape[2] < 1:  # type: ignore[union-attr]
            raise InputFileError(
                f"{path}: the pickle is {checks.describe(loaded)}, not ({len(CODES)}, {_ROWS}, 7500); "
                "take Processed_data as FACED gives it"
            )
        length = loaded.shape[2]  # type: ignore[union-attr]
        if length in {_SECONDS * rate for rate in _OTHER_RATES}:
            raise InputFileError(
                f"{path}: clips of {length} samples, 30 s at {length // _SECONDS} Hz, where FACED has 7500 "
                "at 250 Hz; take Processed_data as FACED gives it"
            )
        if length != _SECONDS * SFREQ:
            self.notes[f"clips of {length} samples, not 7500, are taken to be at 250 Hz"] += 1
        return loaded

    def _rated(self, subject: str) -> dict[int, dict[str, float]]:
        """Return ratings by clip, 1 to 28; none where the person's After_remarks.mat is absent."""
        if subject not in self._remarks:
            self.notes["no After_remarks.mat, so no ratings"] += 1
            return {}
        path = self._remarks[subject]
        remarks = MatFile(path).read("After_remark")
        if not isinstance(remarks, list) or not all(isinstance(one, dict) for one in remarks):
            raise InputFileError(
                f"{path}: After_remark is {checks.describe(remarks)}, not a struct of 28 clips"
            )
        rated = {}
        for at, one in enumerate(remarks):
            clip = _number(path, f"After_remark[{at}].vid", one.get("vid"))
            scores = one.get("score")
            if not isinstance(scores, np.ndarray) or scores.size != _SCORES or scores.dtype.kind not in "fiu":
                raise InputFileError(
                    f"{path}: After_remark[{at}].score is {checks.describe(scores)}, not {_SCORES} numbers"
                )
            if clip in rated:
                raise InputFileError(f"{path}: After_remark[{at}].vid is {clip}, which is rated twice")
            flat = scores.ravel()
            rated[clip] = checks.ratings(
                self.name,
                path,
                f"After_remark[{at}].score",
                valence=float(flat[_VALENCE]),
                arousal=float(flat[_AROUSAL]),
            )
        return rated


def _number(path: Path, field: str, value: Any) -> int:
    number = value.ravel()[0] if isinstance(value, np.ndarray) and value.size == 1 else value
    if isinstance(number, np.number) and number in range(1, len(CODES) + 1):
        return int(number)
    said = number if isinstance(number, np.number) else checks.describe(value)
    raise InputFileError(f"{path}: {field} is {said}, no clip of 1 to {len(CODES)}")
