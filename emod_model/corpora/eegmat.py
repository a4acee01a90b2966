"""EEGMAT: 36 people at rest and doing mental arithmetic (Zyma et al. 2019, PhysioNet eegmat 1.0.0)."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_model.corpora.base import Folder, Trial
from emod_model.corpora.edf_size import check_whole
from emod_model.errors import InputFileError, UsageError
from emod_model.montage import canonical, clean, is_electrode

REST, ARITHMETIC = "rest", "arithmetic"
HALVES = {"1": REST, "2": ARITHMETIC}
"""What the number at the end of a file's name means."""
EARS = "A2-A1"
"""The row that is no electrode: the difference of the ears, the 20th channel of the published protocol."""
_ORDER = "Fp1 Fp2 F3 F4 F7 F8 T7 T8 C3 C4 P7 P8 P3 P4 O1 O2 Fz Cz Pz"
ELECTRODES = tuple(_ORDER.split())
"""The 19 electrodes in the published order, 10-05 spelling (T3 T4 T5 T6 in the files)."""
PUBLISHED_CHANNELS = (*ELECTRODES, EARS)

_NAME = re.compile(r"(subject\d+)_([12])\.edf", re.IGNORECASE)


class EEGMAT(Folder):
    """Files SubjectNN_1.edf (rest) and SubjectNN_2.edf (arithmetic), at whatever rate their headers say.

    Parameters
    ----------
    raw : pathlib.Path
        Holds them, itself or further down; any of the people will do.

    Raises
    ------
    InputFileError
        It holds none of them, or one half of a person twice.
    """

    name = "eegmat"

    def __init__(self, raw: Path) -> None:
        super().__init__(raw)
        self._files: dict[str, dict[str, Path]] = {}
        for path in sorted(raw.rglob("*")):
            found = _NAME.fullmatch(path.name)
            if found is None:
                if path.suffix.lower() == ".edf":
                    self.notes[f"{path.name} is not named as in EEGMAT (SubjectNN_1.edf) and left out"] += 1
                continue
            halves = self._files.setdefault(found[1].capitalize(), {})
            if found[2] in halves:
                raise InputFileError(f"{path} and {halves[found[2]]} are the same half; keep one of them")
            halves[found[2]] = path
        if not self._files:
            raise InputFileError(
                f"{raw}: no SubjectNN_1.edf (rest) or SubjectNN_2.edf (arithmetic) in it; "
                "give the folder of PhysioNet's eegmat 1.0.0"
            )

    def subjects(self) -> tuple[str, ...]:
        """Return "Subject00" and so on, by name."""
        return tuple(sorted(self._files))

    def files(self, subject: str) -> tuple[Path, ...]:
        """Return the person's files, rest first."""
        if subject not in self._files:
            known = self.subjects()
            raise UsageError(f"{subject!r} is nobody in {self.raw}, which has {known[0]} to {known[-1]}")
        return tuple(path for _, path in sorted(self._files[subject].items()))

    def trials(self, subject: str) -> Iterator[Trial]:
        """Yield rest and arithmetic, 19 electrodes each; a missing half is noted.

        Rest is a trial of its own here, labelled "rest", not the baseline of the other.

        Raises
        ------
        InputFileError
            A file is cut short, damaged, or lacks a channel.
        UsageError
            No such person.
        """
        for label, eeg, sfreq in self.published(subject):
            yield Trial(
                subject=subject,
                session="1",
                trial=label,
                stimulus=label,
                eeg=eeg[: len(ELECTRODES)],
                sfreq=sfreq,
                channels=ELECTRODES,
                baseline_s=0.0,
                label=label,
                ratings=None,
            )

    def published(self, subject: str) -> Iterator[tuple[str, npt.NDArray[np.float32], float]]:
        """Yield label, signal and rate of each half with all of `PUBLISHED_CHANNELS`.

        Yields
        ------
        str
            "rest" or "arithmetic".
        numpy.ndarray, shape (20, samples), float32
            Microvolts as recorded; the last row is the difference of the ears, which is no electrode.
        float
            Hz.

        Raises
        ------
        InputFileError, UsageError
            As `trials`.
        """
        paths = self.files(subject)
        halves = self._files[subject]
        for half in HALVES.keys() - halves.keys():
            there = HALVES[next(iter(halves))]
            self.notes[f"{subject}_{half}.edf ({HALVES[half]}) is missing; only {there} is read"] += 1
        for path, half in zip(paths, sorted(halves), strict=True):
            yield HALVES[half], *_read(path)


def _read(path: Path) -> tuple[npt.NDArray[np.float32], float]:
    """Return the published channels in their order, and the rate."""
    import mne

    check_whole(path)
    with warnings.catch_warnings():
        # filters and birthdays in headers, nothing of the signal
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            raw = mne.io.read_raw_edf(path, preload=True, verbose="error")
        except Exception as error:  # MNE raises whatever a broken file makes it stumble on
            raise InputFileError(f"{path}: cannot be read as EDF ({error}); copy it again") from error
    rows = {_channel(name): row for row, name in enumerate(raw.ch_names)}
    missing = [name for name in PUBLISHED_CHANNELS if name not in rows]
    if missing:
        raise InputFileError(
            f"{path}: channel {', '.join(missing)} is not among {', '.join(raw.ch_names)}; "
            "give the files as published"
        )
    volts = raw.get_data(picks=[rows[name] for name in PUBLISHED_CHANNELS])
    return (volts * 1e6).astype(np.float32), float(raw.info["sfreq"])


def _channel(name: str) -> str:
    bare = clean(name)
    return canonical(bare) if is_electrode(bare) else bare
