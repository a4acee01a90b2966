"""SEED: 15 people, 15 film clips in each of 3 sessions: negative, neutral, positive (Zheng and Lu 2015)."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.mat import MatFile
from emod_model.corpora.sjtu import read_trials
from emod_model.errors import InputFileError

CODES = (1, 0, -1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 0, 1, -1)
"""What each clip stands for; the same clips in every session."""
_NAME = re.compile(r"(\d+)_(\d{8})\.mat")


class SEED(FilesOfPeople):
    """Files <subject>_<date>.mat in Preprocessed_EEG, with label.mat beside them.

    Parameters
    ----------
    raw : pathlib.Path
        Holds Preprocessed_EEG, or is that folder.
    """

    name = "seed"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        folder = checks.place(raw, "Preprocessed_EEG")
        paths = [path for path in folder.glob("*.mat") if _NAME.fullmatch(path.name)]
        for path in checks.found(raw, paths, "Preprocessed_EEG/1_20131027.mat"):
            # dates are in the names, so that the sessions come in their order
            who = path.name.split("_")[0]
            self._files[who] = (*self._files.get(who, ()), path)
        self._shared = (folder / "label.mat",) if (folder / "label.mat").exists() else ()
        self._labels = [
            checks.word(self.name, folder / "label.mat", f"label[{at}]", code)
            for at, code in enumerate(self._codes(folder / "label.mat"))
        ]

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's clips, session by session in the order of the dates.

        Raises
        ------
        InputFileError
            A file is damaged or holds something else.
        UsageError
            No such person.
        """
        for session, path in enumerate(self._own(subject), start=1):
            yield from read_trials(
                path,
                pattern=r".*_eeg(\d+)",
                labels=self._labels,
                subject=subject,
                session=str(session),
                film="clip",
                notes=self.notes,
            )

    def _codes(self, path: Path) -> list[float]:
        if not path.exists():
            self.notes["no label.mat; the published labels stand in for it"] += 1
            return list(CODES)
        value = MatFile(path).read("label")
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.size != len(CODES):
            raise InputFileError(f"{path}: label is {checks.describe(value)}, not (1, {len(CODES)}) numbers")
        codes = [float(code) for code in value.ravel(order="F")]
        if codes != list(CODES):
            self.notes["label.mat differs from the published labels, and is followed"] += 1
        return codes
