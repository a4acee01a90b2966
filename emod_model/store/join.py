"""From the parts of all people to one HDF5 file, which is there whole or not at all."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_model.affect import region
from emod_model.store.image import Image
from emod_model.store.manifest import Counts, Manifest, RawFile, Refused
from emod_model.store.part import Part, PartTrial, eeg_of, flush_folder
from emod_model.store.recipe import Recipe

TEXTS = ("subject", "session", "trial", "stimulus", "label")
"""Columns of words; "" where there is none."""

Columns = dict[str, npt.NDArray[Any]]


def join(
    parts: Sequence[Part],
    folder: Path,
    path: Path,
    recipe: Recipe,
    files: Sequence[RawFile],
    notes: Counter[str],
    done: Callable[[int, int], None],
) -> Manifest:
    """Write the store, under another name until it is whole and on the disk.

    Parameters
    ----------
    parts : sequence of Part
        Of everyone, in the order of the corpus.
    folder : pathlib.Path
        Where they lie.
    path : pathlib.Path
        The store to be.
    recipe : Recipe
        What was done.
    files : sequence of RawFile
        What it was made of.
    notes : collections.Counter of str
        What the corpus said before any person was read.
    done : callable
        Told how many of how many people are in.

    Raises
    ------
    OSError
        It cannot be written.
    """
    channels = tuple(
        dict.fromkeys(name for part in parts for trial in part.trials for name in trial.channels)
    )
    columns = _columns(parts, channels)
    manifest = _manifest(parts, columns, channels, recipe, files, notes)
    samples = recipe.signal.window_samples
    draft = folder / "joined.h5"
    image, first = _layout(manifest, columns, samples)
    at = {name: row for row, name in enumerate(channels)}
    with draft.open("wb") as file:
        image.save(file)
        file.seek(first)
        for number, part in enumerate(parts, 1):
            for trial, eeg in eeg_of(part, folder, samples):
                rows = np.zeros((len(eeg), len(channels), samples), dtype="<f4")
                rows[:, [at[name] for name in trial.channels]] = eeg
                file.write(rows.tobytes())
            done(number, len(parts))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    flush_folder(path.parent)
    return manifest


def _layout(manifest: Manifest, columns: Columns, samples: int) -> tuple[Image, int]:
    """Return everything but the windows, and where in the file they go.

    One stretch of the file, window after window: a random batch is then read many times faster than from
    HDF5's chunks, by any number of processes, and without HDF5 in between.
    """
    import h5py

    image = Image()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.CONTIGUOUS)
        plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        plan.set_obj_track_times(False)
        space = h5py.h5s.create_simple((manifest.windows, len(manifest.channels), samples))
        windows = h5py.h5d.create(file.id, b"windows", h5py.h5t.IEEE_F32LE, space, plan)
        for name, column in columns.items():
            if name in TEXTS:
                text = np.char.encode(column, "utf-8")
                file[name] = text.astype(h5py.string_dtype("utf-8", max(1, text.dtype.itemsize)))
            else:
                file[name] = column
        file["channels"] = list(manifest.channels)
        file["manifest"] = manifest.model_dump_json()
        file.attrs["sfreq"] = manifest.recipe.signal.sfreq
        file.attrs["unit"] = "uV"
        first = int(windows.get_offset())
    return image, first


def _columns(parts: Sequence[Part], channels: tuple[str, ...]) -> Columns:
    """Return what is known of each window, one array a column."""
    at = {name: row for row, name in enumerate(channels)}
    rows = list(_rows(parts))
    good = np.zeros((len(rows), len(channels)), dtype=np.bool_)
    for row, (_, trial, number) in enumerate(rows):
        bad = set(trial.bad[number])
        good[row, [at[name] for place, name in enumerate(trial.channels) if place not in bad]] = True
    rest = np.array([trial.baseline[number] for _, trial, number in rows], dtype=np.bool_)
    # rest before a stimulus has neither its word nor its ratings
    words = [trial.label or "" for _, trial, _ in rows]
    return {
        "good": good,
        "subject": np.array([part.subject for part, _, _ in rows], dtype=np.str_),
        "session": np.array([trial.session for _, trial, _ in rows], dtype=np.str_),
        "trial": np.array([trial.trial for _, trial, _ in rows], dtype=np.str_),
        "stimulus": np.array([trial.stimulus or "" for _, trial, _ in rows], dtype=np.str_),
        "label": np.where(rest, "", np.array(words, dtype=np.str_)),
        "valence": np.where(rest, np.nan, _numbers(trial.valence for _, trial, _ in rows)),
        "arousal": np.where(rest, np.nan, _numbers(trial.arousal for _, trial, _ in rows)),
        "rated": ~rest & np.array([trial.rated for _, trial, _ in rows], dtype=np.bool_),
        "start_s": np.array([trial.start_s[number] for _, trial, number in rows], dtype=np.float64),
        "baseline": rest,
    }


def _rows(parts: Sequence[Part]) -> Iterator[tuple[Part, PartTrial, int]]:
    """Yield person, trial and number within the trial of every window, in order."""
    for part in parts:
        for trial in part.trials:
            for number in range(len(trial.start_s)):
                yield part, trial, number


def _numbers(values: Iterator[float | None]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _manifest(
    parts: Sequence[Part],
    columns: Columns,
    channels: tuple[str, ...],
    recipe: Recipe,
    files: Sequence[RawFile],
    notes: Counter[str],
) -> Manifest:
    rest, rated = columns["baseline"], columns["rated"]
    placed = np.isfinite(columns["valence"]) & np.isfinite(columns["arousal"])
    regions = region(columns["valence"][placed], columns["arousal"][placed])
    lost: Counter[str] = Counter()
    notes = Counter(notes)
    for part in parts:
        lost.update(part.lost)
        notes.update(part.notes)
    return Manifest(
        program=f"emod-rt {version('emod-rt')}",
        recipe=recipe,
        channels=channels,
        windows=len(rest),
        counts=Counts(
            subject=_count(columns["subject"]),
            label=_count(columns["label"][columns["label"] != ""]),
            region={str(number): int((regions == number).sum()) for number in range(9)},
            baseline=int(rest.sum()),
            affect={"ratings": int(rated.sum()), "vocabulary": int((placed & ~rated).sum())},
        ),
        lost=dict(sorted(lost.items())),
        refused=tuple(Refused(subject=part.subject, reason=part.refused) for part in parts if part.refused),
        notes=dict(sorted(notes.items())),
        files=tuple(sorted(files, key=lambda file: file.path)),
    )


def _count(words: npt.NDArray[np.str_]) -> dict[str, int]:
    names, counts = np.unique(words, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
