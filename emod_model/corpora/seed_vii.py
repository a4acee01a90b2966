"""SEED-VII: 20 people, 80 film clips in 4 sessions, seven emotions (Jiang et al. 2024)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.sjtu import read_trials

_WORDS = {
    "D": "disgust",
    "F": "fear",
    "S": "sad",
    "N": "neutral",
    "H": "happy",
    "A": "anger",
    "U": "surprise",
}
_BY_SESSION = ("HNDSAASDNHHNDSAASDNH", "ASFNUUNFSAASFNUUNFSA", "HUDFAAFDUHHUDFAAFDUH", "DSFUHHUFSDDSFUHHUFSD")
LABELS = tuple(_WORDS[sign] for session in _BY_SESSION for sign in session)
"""What each of the 80 clips stands for."""
_A_SESSION = 20


class SEEDVII(FilesOfPeople):
    """Files 1.mat to 20.mat in EEG_preprocessed, with a variable '1' to '80' for each clip.

    Labels go by the clip, not by a number: two programs number the emotions differently.

    Parameters
    ----------
    raw : pathlib.Path
        Holds EEG_preprocessed, or is that folder.
    """

    name = "seed-vii"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        paths = [path for path in checks.place(raw, "EEG_preprocessed").glob("*.mat") if path.stem.isdigit()]
        self._files = {path.stem: (path,) for path in checks.found(raw, paths, "EEG_preprocessed/1.mat")}

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's clips in counting order.

        Raises
        ------
        InputFileError
            The file is damaged or holds something else.
        UsageError
            No such person.
        """
        (path,) = self._own(subject)
        for trial in read_trials(
            path, pattern=r"(\d+)", labels=LABELS, subject=subject, session="", film="clip", notes=self.notes
        ):
            yield replace(trial, session=str((int(trial.trial) - 1) // _A_SESSION + 1))
