"""EEGMAT as published: 20 channels, windows of 5 s, rest against arithmetic."""

from collections.abc import Sequence
from pathlib import Path

from emod_model.centring import REST_S
from emod_model.corpora.eegmat import ARITHMETIC, EEGMAT, ELECTRODES, HALVES, PUBLISHED_CHANNELS, REST
from emod_model.errors import InputFileError
from emod_model.evaluation.recorded import WINDOW_S, Caps, Material, Recorded

CLASSES = (REST, ARITHMETIC)
CAPS: Caps = {
    "20 channels as recorded": (PUBLISHED_CHANNELS, False),
    "19 electrodes": (ELECTRODES, True),
    "8 of a Cyton": (("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"), True),
    "4 (P7 F7 F8 P8)": (("P7", "F7", "F8", "P8"), True),
}
"""Channels the linear models are fitted on, and whether they are referenced to their mean."""


def material(folder: Path, channels: Sequence[str] | None = None) -> Material:
    """Read everyone who is there, rest before arithmetic, with the 20 published channels.

    Parameters
    ----------
    folder : pathlib.Path
        SubjectNN_1.edf and SubjectNN_2.edf of at least one person.
    channels : sequence of str, optional
        Electrodes that a model gets; all 19 when not given.

    Raises
    ------
    InputFileError
        No such folder, nothing of EEGMAT in it, a damaged file, one that lacks a channel or is shorter than
        a window, or a person of whom there is only one half.
    """
    if not folder.is_dir():
        raise InputFileError(f"{folder}: no such folder; give the folder of PhysioNet's eegmat 1.0.0")
    corpus = EEGMAT(folder)
    result: list[Recorded] = []
    for subject in corpus.subjects():
        if len(corpus.files(subject)) < len(HALVES):
            raise InputFileError(f"{folder}: {subject} has only one of its two files; give both, or neither")
        for label, eeg, sfreq in corpus.published(subject):
            result.append(Recorded(subject, label, label, eeg, sfreq, PUBLISHED_CHANNELS, label == REST))
    for one in result:
        least = REST_S + WINDOW_S if one.rest else WINDOW_S
        if one.n_windows * WINDOW_S < least:
            raise InputFileError(
                f"{folder}: the {one.label} of {one.subject} lasts {one.eeg.shape[1] / one.sfreq:.1f} s, "
                f"less than the {least:g} s that are needed; copy it again"
            )
    names = ELECTRODES if channels is None else tuple(channels)
    return Material(result, CLASSES, CAPS, names, str(folder))
