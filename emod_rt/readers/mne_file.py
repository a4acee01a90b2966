"""EDF, BDF, FIF, BrainVision and EEGLAB recordings, through MNE."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from emod_model.errors import InputFileError
from emod_rt.readers.labels import left_out, split_labels
from emod_rt.readers.recording import Raw

SUFFIXES = {".edf": "EDF", ".bdf": "BDF", ".fif": "FIF", ".vhdr": "BrainVision", ".set": "EEGLAB"}
_MAY_BE_EEG = ("eeg", "misc", "eog", "ecg", "emg", "bio")


def read_mne(path: Path, kind: str) -> Raw:
    """Read a file that MNE knows.

    Parameters
    ----------
    path : pathlib.Path
        The file, with its proper extension.
    kind : str
        A value of `SUFFIXES`.

    Raises
    ------
    InputFileError
        MNE cannot read it, it is cut short, or it holds no EEG.
    """
    if kind in ("EDF", "BDF"):
        _refuse_short_edf(path, kind)
    if kind == "EEGLAB":
        _refuse_broken_mat(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            raw = _load(path, kind)
        except InputFileError:
            raise
        except Exception as error:  # MNE raises whatever a broken file makes it stumble on
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputFileError(
                f"cannot be read as {kind} ({reason[:200].rstrip('.')}); it is damaged or incomplete"
            ) from error
    warned = [str(item.message).splitlines()[0] for item in caught if item.category is RuntimeWarning]
    raw.notes.extend(dict.fromkeys(warned))
    return raw


def _load(path: Path, kind: str) -> Raw:
    import mne

    reader = {
        "EDF": mne.io.read_raw_edf,
        "BDF": mne.io.read_raw_bdf,
        "FIF": mne.io.read_raw_fif,
        "BrainVision": mne.io.read_raw_brainvision,
        "EEGLAB": mne.io.read_raw_eeglab,
    }[kind]
    raw = reader(path, preload=True, verbose="error")
    # EEG is the type that many formats give to everything: names decide among what may be EEG
    at = [row for row, type_ in enumerate(raw.get_channel_types()) if type_ in _MAY_BE_EEG]
    labels = [raw.ch_names[row] for row in at]
    chosen, electrodes = split_labels(labels)
    if not chosen:
        raise InputFileError(f"no EEG among its channels ({', '.join(raw.ch_names[:8])})")
    kept = [at[row] for row in chosen]
    values = raw.get_data(picks=kept) * 1e6
    note = left_out(raw.ch_names, kept)
    # onsets count from the first sample, unless the file has a date: then from where its clock began
    start = raw.first_time if raw.annotations.orig_time is not None else 0.0
    return Raw(
        values=values,
        labels=[labels[row] for row in chosen],
        electrodes=electrodes,
        sfreq=float(raw.info["sfreq"]),
        index=np.arange(values.shape[1], dtype=np.int64),
        unit="uV",
        markers=[
            (float(onset) - start, str(text))
            for onset, text in zip(raw.annotations.onset, raw.annotations.description, strict=True)
        ],
        notes=[note] if note else [],
    )


def _refuse_broken_mat(path: Path) -> None:
    """Try a MATLAB file in a process of its own first: a damaged one can crash scipy's reader outright."""
    with path.open("rb") as file:
        if file.read(4) == b"\x89HDF":
            raise InputFileError("a MATLAB 7.3 file; save it from EEGLAB again as version 6 or 7")
    code = "import sys, scipy.io; scipy.io.loadmat(sys.argv[1])"
    try:
        trial = subprocess.run(
            [sys.executable, "-I", "-c", code, str(path.resolve())],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InputFileError("takes more than 5 minutes to read as EEGLAB; it is damaged") from error
    if trial.returncode:
        reason = (trial.stderr.decode(errors="replace").strip().splitlines() or ["the reader crashes"])[-1]
        raise InputFileError(
            f"cannot be read as EEGLAB ({reason[:200].rstrip('.')}); it is damaged or incomplete"
        )


def _refuse_short_edf(path: Path, kind: str) -> None:
    """Refuse an EDF or BDF whose data end before its header says; MNE would read on without a word."""
    width = 2 if kind == "EDF" else 3
    with path.open("rb") as file:
        head = file.read(256)
        try:
            header_bytes, records, channels = int(head[184:192]), int(head[236:244]), int(head[252:256])
            rest = file.read(max(channels, 0) * 256)
            per_record = sum(int(rest[channels * 216 + 8 * at :][:8]) for at in range(channels))
        except ValueError as error:
            raise InputFileError(f"a damaged {kind} header; record or export the file again") from error
    expected = header_bytes + records * per_record * width
    size = path.stat().st_size
    if channels < 1 or per_record < 1 or records == 0 or size < header_bytes:
        raise InputFileError(f"{channels} channels and {records} data records; there is nothing to read")
    if records > 0 and size < expected:
        have = (size - header_bytes) // (per_record * width)
        raise InputFileError(
            f"cut short: {have} of {records} data records are there ({size} of {expected} bytes); "
            "copy it again"
        )
