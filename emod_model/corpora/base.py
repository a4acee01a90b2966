"""What every corpus gives: trials of one person, in microvolts, labels in words, ratings on [-1, 1]."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError, UsageError

CORPORA: dict[str, str] = {
    "amigos": "emod_model.corpora.amigos:AMIGOS",
    "bids": "emod_model.corpora.bids:BIDS",
    "deap": "emod_model.corpora.deap:DEAP",
    "dreamer": "emod_model.corpora.dreamer:DREAMER",
    "eegmat": "emod_model.corpora.eegmat:EEGMAT",
    "faced": "emod_model.corpora.faced:FACED",
    "mahnob-hci": "emod_model.corpora.mahnob_hci:MahnobHCI",
    "mdme": "emod_model.corpora.mdme:MDME",
    "mped": "emod_model.corpora.mped:MPED",
    "seed": "emod_model.corpora.seed:SEED",
    "seed-iv": "emod_model.corpora.seed_iv:SEEDIV",
    "seed-v": "emod_model.corpora.seed_v:SEEDV",
    "seed-vii": "emod_model.corpora.seed_vii:SEEDVII",
}
"""Name of a corpus -> "module:class" that opens it, imported when asked for."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One stimulus shown to one person, as recorded.

    Attributes
    ----------
    subject, session, trial : str
        Who, when and which, in the corpus' own counting.
    stimulus : str or None
        The film or task, the same word for everyone who was shown it; None where it is not known.
    eeg : numpy.ndarray, shape (channels, samples), float32
        Microvolts; `baseline_s` seconds of rest come first where the corpus has them.
    sfreq : float
        Hz.
    channels : tuple of str
        Electrodes, 10-05 spelling.
    baseline_s : float
        Rest at the beginning, s; 0 where there is none.
    label : str or None
        Class, in the words of the corpus' vocabulary (`emod_model.affect`).
    ratings : dict of str to float, or None
        "valence" and "arousal" on [-1, 1] as the person gave them.
    start_s : float
        Where `eeg` begins in its recording, s; 0 where the corpus is cut into trials.
    """

    subject: str
    session: str
    trial: str
    stimulus: str | None
    eeg: npt.NDArray[np.float32]
    sfreq: float
    channels: tuple[str, ...]
    baseline_s: float
    label: str | None
    ratings: dict[str, float] | None
    start_s: float = 0.0


class Corpus(Protocol):
    """A corpus on disk.

    Attributes
    ----------
    name : str
        As in `open_corpus`.
    notes : collections.Counter of str
        What was passed over, put right or left unchecked in the trials read so far: a sentence, how often.
    """

    name: str
    notes: Counter[str]

    def subjects(self) -> Sequence[str]:
        """Return everyone of whom there are trials, in a fixed order."""

    def trials(self, subject: str) -> Iterator[Trial]:
        """Read one person's trials, one after the other.

        Raises
        ------
        InputFileError
            Something is absent, damaged or not as the corpus has it: file, field and value in one sentence.
        UsageError
            No such person.
        """


class Folder:
    """What the corpora share: a folder, and notes on what was met in it.

    Parameters
    ----------
    raw : pathlib.Path
        The corpus as it was downloaded and unpacked.
    """

    name = ""

    def __init__(self, raw: Path) -> None:
        self.raw = raw
        self.notes: Counter[str] = Counter()


class FilesOfPeople(Folder):
    """A corpus whose people have files of their own, and perhaps one that all share.

    `_files` and `_shared` are for the corpus to fill when it is opened.
    """

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        self._files: dict[str, tuple[Path, ...]] = {}
        self._shared: tuple[Path, ...] = ()

    def subjects(self) -> tuple[str, ...]:
        """Return everyone of whom there are files, in counting order."""
        return tuple(self._files)

    def files(self, subject: str) -> tuple[Path, ...]:
        """Return every file that is read for a person."""
        return (*self._own(subject), *self._shared)

    def _own(self, subject: str) -> tuple[Path, ...]:
        """Return the person's own files.

        Raises
        ------
        UsageError
            Nobody of that name; the sentence says who is there.
        """
        if subject not in self._files:
            known = self.subjects()
            raise UsageError(f"{subject!r} is nobody in {self.raw}, which has {known[0]} to {known[-1]}")
        return self._files[subject]


def open_corpus(name: str, raw: str | Path) -> Corpus:
    """Open a corpus by its name.

    Parameters
    ----------
    name : str
        A key of `CORPORA`; case and underscores do not matter ("SEED_IV" is "seed-iv").
    raw : str or pathlib.Path
        Folder of the corpus as it was downloaded and unpacked (see docs/corpora.md).

    Raises
    ------
    UsageError
        No corpus of that name; the sentence lists the names.
    InputFileError
        The folder is absent, or holds nothing of this corpus.
    """
    key = name.strip().lower().replace("_", "-")
    if key not in CORPORA:
        raise UsageError(f"{name!r} is no corpus known here; name one of {', '.join(sorted(CORPORA))}")
    path = Path(raw)
    if not path.exists():
        raise InputFileError(f"{path}: no such folder; give the folder that holds {key}")
    module, maker = CORPORA[key].split(":")
    corpus: Corpus = getattr(import_module(module), maker)(path)
    return corpus
