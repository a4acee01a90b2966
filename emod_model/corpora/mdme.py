"""MDME, also "MME": 32 film clips, 18 channels of 300 Hz, rated 1 to 9."""

import csv
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.caps import MDME_18
from emod_model.corpora.mat import MatFile
from emod_model.errors import InputFileError

SFREQ = 300.0
LENGTHS = (
    6000, 8700, 8700, 9000, 8700, 9000, 9000, 8400, 6600, 6900, 9000, 9300, 7200, 8400, 8700, 8100,
    8700, 8400, 8100, 9000, 9300, 7800, 9600, 7200, 7800, 6600, 9000, 6900, 7200, 6900, 6000, 8700,
)  # fmt: skip
"""Samples of each trial; the file has them one after the other."""


class MDME(FilesOfPeople):
    """Folders raw_data/<n> with datas.mat, and Arousal_Valence.csv in a folder <n> within.

    The clips come in groups of 8, 8 and 16, but which of them are the pleasant ones is not documented, so
    trials have ratings and no label.

    Parameters
    ----------
    raw : pathlib.Path
        Holds raw_data, or is that folder.
    """

    name = "mdme"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        paths = checks.place(raw, "raw_data").glob("*/datas.mat")
        found = checks.found(raw, paths, "raw_data/1/datas.mat")
        self._files = {path.parent.name: (path, *_tables(path.parent)) for path in found}

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's rated clips.

        Raises
        ------
        InputFileError
            A file is damaged or holds something else.
        UsageError
            No such person.
        """
        path, *tables = self._own(subject)
        rated = _ratings(self.name, checks.found(path.parent, tables, f"{subject}/Arousal_Valence.csv")[0])
        whole = checks.signal(path, "eeg_datas", MatFile(path).read("eeg_datas"), len(MDME_18), spare=True)
        if whole.shape[1] < sum(LENGTHS):
            raise InputFileError(
                f"{path}: eeg_datas has {whole.shape[1]} samples, where {len(LENGTHS)} trials take "
                f"{sum(LENGTHS)}; copy it again"
            )
        if whole.shape[1] > sum(LENGTHS):
            self.notes[f"{whole.shape[1] - sum(LENGTHS)} samples behind the last trial, left off"] += 1
        factor = checks.to_microvolts(path, "eeg_datas", [whole], SFREQ, self.notes)
        for at, (length, stop) in enumerate(zip(LENGTHS, accumulate(LENGTHS), strict=True)):
            if at not in rated:
                self.notes["a trial without ratings, passed over"] += 1
                continue
            yield Trial(
                subject=subject,
                session="1",
                trial=str(at),
                stimulus=f"clip {at}",
                eeg=checks.scaled(whole[:, stop - length : stop].copy(), factor),
                sfreq=SFREQ,
                channels=MDME_18,
                baseline_s=0.0,
                label=None,
                ratings=rated[at],
                start_s=(stop - length) / SFREQ,
            )


def _tables(folder: Path) -> list[Path]:
    near = [folder / folder.name / "Arousal_Valence.csv", folder / "Arousal_Valence.csv"]
    return [path for path in near if path.exists()][:1]


def _ratings(corpus: str, path: Path) -> dict[int, dict[str, float]]:
    """Return ratings by trial, 0 to 31: rows of trial, arousal, valence, and whatever follows."""
    rated = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(f"{path}: cannot be read as a table ({error}); copy it again") from error
    for number, row in enumerate(rows, start=1):
        try:
            trial, arousal, valence = (float(cell) for cell in row[:3])
        except ValueError as error:
            raise InputFileError(
                f"{path}: row {number} is {row[:4]}, not trial, arousal and valence; copy it again"
            ) from error
        if trial not in range(len(LENGTHS)) or trial in rated:
            raise InputFileError(
                f"{path}: row {number} is of trial {row[0]}; each of 0 to {len(LENGTHS) - 1} is rated once"
            )
        rated[int(trial)] = checks.ratings(corpus, path, f"row {number}", valence=valence, arousal=arousal)
    return rated
