"""Reading a corpus to its end, or to its refusal."""

from pathlib import Path

import numpy as np
import pytest

from emod_model.corpora import Corpus, Trial, open_corpus
from emod_model.errors import InputFileError


def trials(name: str, folder: Path, subject: str | None = None) -> tuple[Corpus, list[Trial]]:
    """The corpus and all trials of a person, the first unless said otherwise."""
    corpus = open_corpus(name, folder)
    found = list(corpus.trials(subject or corpus.subjects()[0]))
    assert all(trial.eeg.dtype == np.float32 and len(trial.channels) == len(trial.eeg) for trial in found)
    return corpus, found


def refusal(name: str, folder: Path, subject: str | None = None) -> str:
    """The one sentence that reading ends in."""
    with pytest.raises(InputFileError) as error:
        trials(name, folder, subject)
    said = str(error.value)
    assert "\n" not in said
    assert str(folder) in said
    return said
