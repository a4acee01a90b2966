"""SEED-IV: 15 people, 3 sessions of 24 film clips: neutral, sad, fear, happy (Zheng et al. 2019)."""

import re
from collections.abc import Iterator
from pathlib import Path

from emod_model.affect.vocabulary import vocabulary
from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.sjtu import read_trials

CODES = {
    "1": (1, 2, 3, 0, 2, 0, 0, 1, 0, 1, 2, 1, 1, 1, 2, 3, 2, 2, 3, 3, 0, 3, 0, 3),
    "2": (2, 1, 3, 0, 0, 2, 0, 2, 3, 3, 2, 3, 2, 0, 1, 1, 2, 1, 0, 3, 0, 1, 3, 1),
    "3": (1, 2, 2, 1, 3, 3, 3, 1, 1, 2, 1, 0, 2, 3, 3, 0, 2, 3, 0, 0, 2, 0, 1, 0),
}
"""What each clip of a session stands for, as its ReadMe lists them."""


class SEEDIV(FilesOfPeople):
    """Folders 1, 2 and 3 of eeg_raw_data, each with files <subject>_<date>.mat.

    Parameters
    ----------
    raw : pathlib.Path
        Holds eeg_raw_data, or is that folder.
    """

    name = "seed-iv"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        folder = checks.place(raw, "eeg_raw_data")
        paths = [
            path
            for session in CODES
            for path in (folder / session).glob("*.mat")
            if re.fullmatch(r"\d+_\d{8}\.mat", path.name)
        ]
        found = checks.found(raw, paths, "eeg_raw_data/1/1_20160518.mat")
        for path in sorted(
            found, key=lambda path: checks.numbered(f"{path.name.split('_')[0]} {path.parent}")
        ):
            who = path.name.split("_")[0]
            self._files[who] = (*self._files.get(who, ()), path)

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's clips, session by session; each session has clips of its own.

        Raises
        ------
        InputFileError
            A file is damaged or holds something else.
        UsageError
            No such person.
        """
        words = vocabulary(self.name)
        for path in self._own(subject):
            session = path.parent.name
            yield from read_trials(
                path,
                pattern=r".*_eeg(\d+)",
                labels=[words.word(code) for code in CODES[session]],
                subject=subject,
                session=session,
                film=f"session {session} clip",
                notes=self.notes,
            )
