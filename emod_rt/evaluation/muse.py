"""Muse recordings of one state each, as an index.csv lists them: file, subject, label."""

import csv
from pathlib import Path

import numpy as np

from emod_model.centring import REST_S
from emod_model.errors import InputFileError
from emod_model.evaluation.recorded import WINDOW_S, Material, Recorded
from emod_rt.readers import read_recording

INDEX = "index.csv"
CLASSES = ("control", "confused", "understanding")
REST = "control"
"""Whose first recording begins with what serves as a person's rest."""
CHANNELS = ("TP9", "AF7", "AF8", "TP10")


def material(folder: Path, channels: list[str] | None = None) -> Material:
    """Read every recording that the index lists, each person's rest first.

    Parameters
    ----------
    folder : pathlib.Path
        Holds index.csv and the recordings, gzipped or not.
    channels : list of str, optional
        Electrodes that a model gets; all four when not given.

    Raises
    ------
    InputFileError
        No index, one that lists something else, or a recording that is missing, damaged or too short.
    """
    rows = _index(folder / INDEX)
    # control first, so that the rest comes before what it is taken off
    rows.sort(key=lambda row: (row["subject"], CLASSES.index(row["label"]), row["file"]))
    rested: set[str] = set()
    recorded: list[Recorded] = []
    for row in rows:
        subject, label = row["subject"], row["label"]
        first = label == REST and subject not in rested
        rested |= {subject} if first else set()
        recorded.append(_read(folder, row["file"], subject, label, first))
    caps = {"4 electrodes as recorded": (CHANNELS, False), "4 electrodes": (CHANNELS, True)}
    return Material(recorded, CLASSES, caps, CHANNELS if channels is None else tuple(channels), str(folder))


def _index(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path} cannot be read ({error}); give a folder with an {INDEX}") from error
    if not rows or not {"file", "subject", "label"} <= rows[0].keys():
        raise InputFileError(
            f"{path} has no columns file, subject and label; give the index of the recordings"
        )
    for row in rows:
        if row["label"] not in CLASSES:
            raise InputFileError(f"{path}: label {row['label']!r} is not one of {', '.join(CLASSES)}")
    return rows


def _read(folder: Path, name: str, subject: str, label: str, rest: bool) -> Recorded:
    path = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), folder / name)
    found = read_recording(path, list(CHANNELS))
    # the index counts lost samples, so a hole keeps its length
    eeg = np.full((len(CHANNELS), int(found.index[-1]) + 1), np.nan, dtype=np.float32)
    eeg[:, found.index] = found.data
    one = Recorded(subject, Path(name).stem, label, eeg, found.sfreq, CHANNELS, rest)
    least = REST_S + WINDOW_S if rest else WINDOW_S
    if one.n_windows * WINDOW_S < least:
        raise InputFileError(
            f"{path} lasts {eeg.shape[1] / one.sfreq:.1f} s, less than the {least:g} s needed"
        )
    return one
