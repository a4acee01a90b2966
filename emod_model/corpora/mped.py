"""MPED: 23 people, 28 film clips of seven emotions, rest and fillers, as recorded (Song et al. 2019)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emod_model.corpora import checks
from emod_model.corpora.base import FilesOfPeople, Trial
from emod_model.corpora.caps import NEUROSCAN_62
from emod_model.corpora.mat import MatFile
from emod_model.corpora.sjtu import variables
from emod_model.errors import InputFileError

SFREQ = 1000.0
TRIALS = 34
M1, M2 = 32, 42
"""Rows of the mastoids, among 64."""
_ROWS = 64
_FILLERS = (9, 13, 25, 34)
_REST, _FILLER = "rest", "filler"


class MPED(FilesOfPeople):
    """Folders of raw_EEG_signals, one a person, with <name>_d.mat (1 to 17) and <name>_dd.mat (18 to 34).

    What a trial stands for is read from eeg_label in raw_EEG_Label.mat; other programs have lists of their
    own that disagree. Rest is a trial that is baseline from beginning to end; fillers are passed over.

    Parameters
    ----------
    raw : pathlib.Path
        Holds raw_EEG_signals, or is that folder.
    """

    name = "mped"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        folder = checks.place(raw, "raw_EEG_signals")
        paths = [path for path in folder.glob("*/*.mat") if path.stem.endswith(("_d", "_dd"))]
        for path in checks.found(raw, paths, "raw_EEG_signals/<name>/<name>_d.mat"):
            who = path.parent.name
            self._files[who] = (*self._files.get(who, ()), path)
        near = [*raw.rglob("raw_EEG_Label.mat"), raw.parent / "raw_EEG_Label.mat"]
        self._shared = (checks.found(raw, near, "raw_EEG_Label.mat")[0],)
        self._labels = self._read_labels(self._shared[0])

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield a person's clips and rests in counting order.

        Raises
        ------
        InputFileError
            A file is damaged or holds something else.
        UsageError
            No such person.
        """
        scalp = [row for row in range(_ROWS) if row not in (M1, M2)]
        factor: float | None = None
        seen: set[int] = set()
        for path in self._own(subject):
            mat = MatFile(path)
            for number, name in variables(path, mat, r"raw_eeg(\d+)", TRIALS).items():
                if number in seen:
                    raise InputFileError(f"{path}: {name} is there twice, in both of {subject}'s files")
                seen.add(number)
                label = self._labels[number - 1]
                if label == _FILLER:
                    self.notes["a filler between the clips, passed over"] += 1
                    continue
                eeg = checks.signal(path, name, mat.read(name), _ROWS, spare=True)[scalp]
                factor = factor or checks.to_microvolts(path, name, [eeg], SFREQ, self.notes)
                rest = label == _REST
                yield Trial(
                    subject=subject,
                    session="1",
                    trial=str(number),
                    stimulus=None if rest else f"clip {number}",
                    eeg=checks.scaled(eeg, factor),
                    sfreq=SFREQ,
                    channels=NEUROSCAN_62,
                    baseline_s=eeg.shape[1] / SFREQ if rest else 0.0,
                    label=label,
                    ratings=None,
                )
        if len(seen) < TRIALS:
            self.notes[f"{subject} has {len(seen)} of {TRIALS} trials"] += 1

    def _read_labels(self, path: Path) -> list[str]:
        """Return the word of each of the 34 trials."""
        value = MatFile(path).read("eeg_label")
        counts = (TRIALS, TRIALS - len(_FILLERS))
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.size not in counts:
            raise InputFileError(f"{path}: eeg_label is {checks.describe(value)}, not (1, {TRIALS}) numbers")
        codes = [float(code) for code in value.ravel(order="F")]
        words = [checks.word(self.name, path, f"eeg_label[{at}]", code) for at, code in enumerate(codes)]
        if len(words) < TRIALS:
            self.notes["eeg_label has 30 entries, taken to leave out the fillers 9, 13, 25 and 34"] += 1
            for number in _FILLERS:
                words.insert(number - 1, _FILLER)
        return words
